//! The registry of override keys: which keys a node's configuration knows, and of what kind.
//!
//! Data of one version of the sidecar's configuration library. A key that is not here is refused
//! before it is sent, because the sidecar would refuse it later and less visibly.

use crate::parse_go_duration;

/// The version of the configuration library that this table was taken from.
pub const REGISTRY_VERSION: &str = "v0.0.15";

/// A key that may be overridden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverrideKey {
    /// The dotted name, as in `spec.overrides`.
    pub name: &'static str,
    /// What its value must be.
    pub kind: ValueKind,
}

/// The kind of a key's value; values themselves are always strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// Any text.
    Text,
    /// `true`, `1`, `yes`, `false`, `0`, `no`, in any case.
    Bool,
    /// A decimal integer from -2^63.
    I64,
    /// A decimal integer from -2^31.
    I32,
    /// A decimal integer from 0 below 2^64.
    U64,
    /// A decimal integer from 0 below 2^32.
    U32,
    /// A decimal integer from 0 below 2^16.
    U16,
    /// A finite decimal number.
    F64,
    /// A Go duration.
    Duration,
    /// Texts with commas between; empty text is the empty list.
    List,
    /// The sidecar knows the key but can never set it.
    Unsettable,
}

/// Looks a key up.
pub fn override_key(name: &str) -> Option<&'static OverrideKey> {
    let index = OVERRIDE_KEYS.binary_search_by(|key| key.name.cmp(name)).ok()?;
    OVERRIDE_KEYS.get(index)
}

impl ValueKind {
    /// Checks a value as strictly as the kind is written, stricter than the sidecar, which reads
    /// `12abc` as 12 and `0x10` as 0.
    ///
    /// # Errors
    /// Says what the value must be.
    pub fn check(self, value: &str) -> Result<(), String> {
        let sound = match self {
            Self::Text => true,
            Self::Bool => {
                let word = value.to_ascii_lowercase();
                ["true", "1", "yes", "false", "0", "no"].contains(&word.as_str())
            }
            Self::I64 => value.parse::<i64>().is_ok(),
            Self::I32 => value.parse::<i32>().is_ok(),
            Self::U64 => value.parse::<u64>().is_ok(),
            Self::U32 => value.parse::<u32>().is_ok(),
            Self::U16 => value.parse::<u16>().is_ok(),
            Self::F64 => value.parse::<f64>().is_ok_and(f64::is_finite),
            Self::Duration => parse_go_duration(value).is_ok(),
            Self::List => value.is_empty() || value.split(',').all(|item| !item.trim().is_empty()),
            Self::Unsettable => false,
        };
        if sound { Ok(()) } else { Err(self.complaint(value)) }
    }

    fn complaint(self, value: &str) -> String {
        match self {
            Self::Text => String::new(),
            Self::Bool => format!("invalid bool value: \"{value}\""),
            Self::I64 | Self::I32 | Self::U64 | Self::U32 | Self::U16 => {
                format!("invalid integer value: \"{value}\" (want a decimal {})", self.range())
            }
            Self::F64 => format!("invalid number value: \"{value}\""),
            Self::Duration => format!("invalid duration \"{value}\" (want e.g. 10s, 1h30m)"),
            Self::List => format!("empty entry in string slice value \"{value}\""),
            Self::Unsettable => "cannot be set by an override".to_owned(),
        }
    }

    fn range(self) -> &'static str {
        match self {
            Self::I64 => "of 64 bits",
            Self::I32 => "of 32 bits",
            Self::U64 => "of 64 bits, not negative",
            Self::U32 => "of 32 bits, not negative",
            Self::U16 => "of 16 bits, not negative",
            Self::Text
            | Self::Bool
            | Self::F64
            | Self::Duration
            | Self::List
            | Self::Unsettable => "",
        }
    }
}

const fn key(name: &'static str, kind: ValueKind) -> OverrideKey {
    OverrideKey { name, kind }
}

/// Every key, sorted by name.
pub const OVERRIDE_KEYS: [OverrideKey; 224] = [
    key("api.grpc.address", ValueKind::Text),
    key("api.grpc.enable", ValueKind::Bool),
    key("api.grpc_web.address", ValueKind::Text),
    key("api.grpc_web.enable", ValueKind::Bool),
    key("api.grpc_web.enable_unsafe_cors", ValueKind::Bool),
    key("api.rest.address", ValueKind::Text),
    key("api.rest.enable", ValueKind::Bool),
    key("api.rest.enable_unsafe_cors", ValueKind::Bool),
    key("api.rest.max_open_connections", ValueKind::U64),
    key("api.rest.rpc_max_body_bytes", ValueKind::U64),
    key("api.rest.rpc_read_timeout", ValueKind::U64),
    key("api.rest.rpc_write_timeout", ValueKind::U64),
    key("api.rest.swagger", ValueKind::Bool),
    key("chain.abci", ValueKind::Text),
    key("chain.chain_id", ValueKind::Text),
    key("chain.concurrency_workers", ValueKind::I64),
    key("chain.filter_peers", ValueKind::Bool),
    key("chain.halt_height", ValueKind::U64),
    key("chain.halt_time", ValueKind::U64),
    key("chain.index_events", ValueKind::List),
    key("chain.inter_block_cache", ValueKind::Bool),
    key("chain.min_gas_prices", ValueKind::Text),
    key("chain.min_retain_blocks", ValueKind::U64),
    key("chain.moniker", ValueKind::Text),
    key("chain.occ_enabled", ValueKind::Bool),
    key("chain.proxy_app", ValueKind::Text),
    key("consensus.create_empty_blocks", ValueKind::Bool),
    key("consensus.create_empty_blocks_interval", ValueKind::Duration),
    key("consensus.double_sign_check_height", ValueKind::I64),
    key("consensus.gossip_transaction_key_only", ValueKind::Bool),
    key("consensus.peer_gossip_sleep_duration", ValueKind::Duration),
    key("consensus.peer_query_maj23_sleep_duration", ValueKind::Duration),
    key("consensus.unsafe_bypass_commit_timeout_override", ValueKind::Unsettable),
    key("consensus.unsafe_commit_timeout_override", ValueKind::Duration),
    key("consensus.unsafe_propose_timeout_delta_override", ValueKind::Duration),
    key("consensus.unsafe_propose_timeout_override", ValueKind::Duration),
    key("consensus.unsafe_vote_timeout_delta_override", ValueKind::Duration),
    key("consensus.unsafe_vote_timeout_override", ValueKind::Duration),
    key("consensus.wal_path", ValueKind::Text),
    key("evm.block_test.enabled", ValueKind::Bool),
    key("evm.block_test.test_data_path", ValueKind::Text),
    key("evm.checktx_timeout", ValueKind::Duration),
    key("evm.cors_origins", ValueKind::Text),
    key("evm.deny_list", ValueKind::List),
    key("evm.enable_test_api", ValueKind::Bool),
    key("evm.enabled_legacy_sei_apis", ValueKind::List),
    key("evm.filter_timeout", ValueKind::Duration),
    key("evm.http_enabled", ValueKind::Bool),
    key("evm.http_port", ValueKind::I64),
    key("evm.idle_timeout", ValueKind::Duration),
    key("evm.max_blocks_for_log", ValueKind::I64),
    key("evm.max_concurrent_simulation_calls", ValueKind::I64),
    key("evm.max_concurrent_trace_calls", ValueKind::U64),
    key("evm.max_log_no_block", ValueKind::I64),
    key("evm.max_subscriptions_new_head", ValueKind::U64),
    key("evm.max_trace_lookback_blocks", ValueKind::I64),
    key("evm.max_tx_pool_txs", ValueKind::U64),
    key("evm.query.gas_limit", ValueKind::U64),
    key("evm.read_header_timeout", ValueKind::Duration),
    key("evm.read_timeout", ValueKind::Duration),
    key("evm.replay.contract_state_checks", ValueKind::Bool),
    key("evm.replay.enabled", ValueKind::Bool),
    key("evm.replay.eth_data_dir", ValueKind::Text),
    key("evm.replay.eth_rpc", ValueKind::Text),
    key("evm.rpc_stats_interval", ValueKind::Duration),
    key("evm.simulation_evm_timeout", ValueKind::Duration),
    key("evm.simulation_gas_limit", ValueKind::U64),
    key("evm.slow", ValueKind::Bool),
    key("evm.trace_timeout", ValueKind::Duration),
    key("evm.worker_pool_size", ValueKind::I64),
    key("evm.worker_queue_size", ValueKind::I64),
    key("evm.write_timeout", ValueKind::Duration),
    key("evm.ws_enabled", ValueKind::Bool),
    key("evm.ws_origins", ValueKind::Text),
    key("evm.ws_port", ValueKind::I64),
    key("genesis.genesis_stream_file", ValueKind::Text),
    key("genesis.stream_import", ValueKind::Bool),
    key("giga_executor.enabled", ValueKind::Bool),
    key("giga_executor.occ_enabled", ValueKind::Bool),
    key("light_invariance.supply_enabled", ValueKind::Bool),
    key("logging.format", ValueKind::Text),
    key("logging.level", ValueKind::Text),
    key("mempool.broadcast", ValueKind::Bool),
    key("mempool.cache_size", ValueKind::I64),
    key("mempool.check_tx_error_blacklist_enabled", ValueKind::Bool),
    key("mempool.check_tx_error_threshold", ValueKind::I64),
    key("mempool.drop_priority_reservoir_size", ValueKind::I64),
    key("mempool.drop_priority_threshold", ValueKind::F64),
    key("mempool.drop_utilisation_threshold", ValueKind::F64),
    key("mempool.duplicate_txs_cache_size", ValueKind::I64),
    key("mempool.keep_invalid_txs_in_cache", ValueKind::Bool),
    key("mempool.max_batch_bytes", ValueKind::I64),
    key("mempool.max_pending_txs_bytes", ValueKind::I64),
    key("mempool.max_tx_bytes", ValueKind::I64),
    key("mempool.max_txs_bytes", ValueKind::I64),
    key("mempool.pending_size", ValueKind::I64),
    key("mempool.pending_ttl_duration", ValueKind::Duration),
    key("mempool.pending_ttl_num_blocks", ValueKind::I64),
    key("mempool.remove_expired_txs_from_queue", ValueKind::Bool),
    key("mempool.size", ValueKind::I64),
    key("mempool.ttl_duration", ValueKind::Duration),
    key("mempool.ttl_num_blocks", ValueKind::I64),
    key("mempool.tx_notify_threshold", ValueKind::U64),
    key("metrics.enable_hostname", ValueKind::Bool),
    key("metrics.enable_hostname_label", ValueKind::Bool),
    key("metrics.enable_service_label", ValueKind::Bool),
    key("metrics.enabled", ValueKind::Bool),
    key("metrics.global_labels", ValueKind::Unsettable),
    key("metrics.max_open_connections", ValueKind::I64),
    key("metrics.namespace", ValueKind::Text),
    key("metrics.prometheus_listen_addr", ValueKind::Text),
    key("metrics.prometheus_retention_time", ValueKind::I64),
    key("metrics.service_name", ValueKind::Text),
    key("mode", ValueKind::Text),
    key("network.p2p.allow_duplicate_ip", ValueKind::Bool),
    key("network.p2p.blocksync_peers", ValueKind::Text),
    key("network.p2p.bootstrap_peers", ValueKind::Text),
    key("network.p2p.dial_interval", ValueKind::Duration),
    key("network.p2p.dial_timeout", ValueKind::Duration),
    key("network.p2p.external_address", ValueKind::Text),
    key("network.p2p.flush_throttle_timeout", ValueKind::Duration),
    key("network.p2p.handshake_timeout", ValueKind::Duration),
    key("network.p2p.listen_address", ValueKind::Text),
    key("network.p2p.max_connections", ValueKind::U16),
    key("network.p2p.max_incoming_connection_attempts", ValueKind::U64),
    key("network.p2p.max_packet_msg_payload_size", ValueKind::I64),
    key("network.p2p.persistent_peers", ValueKind::Text),
    key("network.p2p.pex", ValueKind::Bool),
    key("network.p2p.private_peer_ids", ValueKind::Text),
    key("network.p2p.queue_type", ValueKind::Text),
    key("network.p2p.recv_rate", ValueKind::I64),
    key("network.p2p.send_rate", ValueKind::I64),
    key("network.p2p.unconditional_peer_ids", ValueKind::Text),
    key("network.p2p.upnp", ValueKind::Bool),
    key("network.rpc.cors_allowed_headers", ValueKind::List),
    key("network.rpc.cors_allowed_methods", ValueKind::List),
    key("network.rpc.cors_allowed_origins", ValueKind::List),
    key("network.rpc.event_log_max_items", ValueKind::I64),
    key("network.rpc.event_log_window_size", ValueKind::Duration),
    key("network.rpc.experimental_disable_websocket", ValueKind::Bool),
    key("network.rpc.lag_threshold", ValueKind::I64),
    key("network.rpc.listen_address", ValueKind::Text),
    key("network.rpc.max_body_bytes", ValueKind::I64),
    key("network.rpc.max_header_bytes", ValueKind::I64),
    key("network.rpc.max_open_connections", ValueKind::I64),
    key("network.rpc.max_subscription_clients", ValueKind::I64),
    key("network.rpc.max_subscriptions_per_client", ValueKind::I64),
    key("network.rpc.pprof_listen_address", ValueKind::Text),
    key("network.rpc.timeout_broadcast_tx_commit", ValueKind::Duration),
    key("network.rpc.timeout_read", ValueKind::Duration),
    key("network.rpc.tls_cert_file", ValueKind::Text),
    key("network.rpc.tls_key_file", ValueKind::Text),
    key("network.rpc.unsafe", ValueKind::Bool),
    key("priv_validator.client_certificate_file", ValueKind::Text),
    key("priv_validator.client_key_file", ValueKind::Text),
    key("priv_validator.key_file", ValueKind::Text),
    key("priv_validator.listen_addr", ValueKind::Text),
    key("priv_validator.root_ca_file", ValueKind::Text),
    key("priv_validator.state_file", ValueKind::Text),
    key("self_remediation.blocks_behind_check_interval_seconds", ValueKind::U64),
    key("self_remediation.blocks_behind_threshold", ValueKind::U64),
    key("self_remediation.p2p_no_peers_restart_window_seconds", ValueKind::U64),
    key("self_remediation.restart_cooldown_seconds", ValueKind::U64),
    key("self_remediation.statesync_no_peers_restart_window_seconds", ValueKind::U64),
    key("state_sync.backfill_blocks", ValueKind::I64),
    key("state_sync.backfill_duration", ValueKind::Duration),
    key("state_sync.blacklist_ttl", ValueKind::Duration),
    key("state_sync.chunk_request_timeout", ValueKind::Duration),
    key("state_sync.discovery_time", ValueKind::Duration),
    key("state_sync.enable", ValueKind::Bool),
    key("state_sync.fetchers", ValueKind::I32),
    key("state_sync.light_block_response_timeout", ValueKind::Duration),
    key("state_sync.rpc_servers", ValueKind::List),
    key("state_sync.temp_dir", ValueKind::Text),
    key("state_sync.trust_hash", ValueKind::Text),
    key("state_sync.trust_height", ValueKind::I64),
    key("state_sync.trust_period", ValueKind::Duration),
    key("state_sync.use_local_snapshot", ValueKind::Bool),
    key("state_sync.use_p2p", ValueKind::Bool),
    key("state_sync.verify_light_block_timeout", ValueKind::Duration),
    key("storage.compaction_interval", ValueKind::U64),
    key("storage.db_backend", ValueKind::Text),
    key("storage.db_path", ValueKind::Text),
    key("storage.iavl_disable_fast_node", ValueKind::Bool),
    key("storage.pruning", ValueKind::Text),
    key("storage.pruning_interval", ValueKind::Text),
    key("storage.pruning_keep_every", ValueKind::Text),
    key("storage.pruning_keep_recent", ValueKind::Text),
    key("storage.receipt_store.async_write_buffer", ValueKind::I64),
    key("storage.receipt_store.backend", ValueKind::Text),
    key("storage.receipt_store.db_directory", ValueKind::Text),
    key("storage.receipt_store.keep_recent", ValueKind::I64),
    key("storage.receipt_store.prune_interval_seconds", ValueKind::I64),
    key("storage.receipt_store.tx_index_backend", ValueKind::Text),
    key("storage.snapshot_directory", ValueKind::Text),
    key("storage.snapshot_interval", ValueKind::U64),
    key("storage.snapshot_keep_recent", ValueKind::U32),
    key("storage.state_commit.async_commit_buffer", ValueKind::I64),
    key("storage.state_commit.directory", ValueKind::Text),
    key("storage.state_commit.enable", ValueKind::Bool),
    key("storage.state_commit.memiavl.snapshot_interval", ValueKind::U32),
    key("storage.state_commit.memiavl.snapshot_keep_recent", ValueKind::U32),
    key("storage.state_commit.memiavl.snapshot_min_time_interval", ValueKind::U32),
    key("storage.state_commit.memiavl.snapshot_prefetch_threshold", ValueKind::F64),
    key("storage.state_commit.memiavl.snapshot_writer_limit", ValueKind::I64),
    key("storage.state_commit.read_mode", ValueKind::Text),
    key("storage.state_commit.write_mode", ValueKind::Text),
    key("storage.state_store.async_write_buffer", ValueKind::I64),
    key("storage.state_store.backend", ValueKind::Text),
    key("storage.state_store.db_directory", ValueKind::Text),
    key("storage.state_store.enable", ValueKind::Bool),
    key("storage.state_store.evm_db_directory", ValueKind::Text),
    key("storage.state_store.import_num_workers", ValueKind::I64),
    key("storage.state_store.keep_last_version", ValueKind::Bool),
    key("storage.state_store.keep_recent", ValueKind::I64),
    key("storage.state_store.prune_interval_seconds", ValueKind::I64),
    key("storage.state_store.read_mode", ValueKind::Text),
    key("storage.state_store.use_default_comparer", ValueKind::Bool),
    key("storage.state_store.write_mode", ValueKind::Text),
    key("tx_index.indexer", ValueKind::List),
    key("tx_index.psql_conn", ValueKind::Text),
    key("version", ValueKind::I64),
    key("wasm.lru_size", ValueKind::U64),
    key("wasm.query_gas_limit", ValueKind::U64),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_and_found() {
        assert!(OVERRIDE_KEYS.is_sorted_by_key(|key| key.name));
        for key in &OVERRIDE_KEYS {
            assert_eq!(override_key(key.name), Some(key));
        }
        assert_eq!(override_key("foo.bar"), None);
    }

    #[test]
    fn values_are_read_strictly() {
        let table = [
            ("evm.http_port", "9545", true),
            ("evm.http_port", "12abc", false),
            ("evm.http_port", "0x10", false),
            ("evm.http_port", "", false),
            ("evm.max_trace_lookback_blocks", "-1", true),
            ("chain.min_retain_blocks", "-1", false),
            ("network.p2p.max_connections", "65536", false),
            ("state_sync.fetchers", "4", true),
            ("storage.snapshot_keep_recent", "4294967295", true),
            ("evm.http_enabled", "YES", true),
            ("evm.http_enabled", "on", false),
            ("mempool.ttl_duration", "1h30m", true),
            ("mempool.ttl_duration", "10", false),
            ("mempool.drop_priority_threshold", "0.5", true),
            ("mempool.drop_priority_threshold", "NaN", false),
            ("tx_index.indexer", "", true),
            ("tx_index.indexer", "kv,null", true),
            ("tx_index.indexer", "kv,,null", false),
            ("chain.moniker", "", true),
            ("metrics.global_labels", "a", false),
            ("consensus.unsafe_bypass_commit_timeout_override", "true", false),
        ];
        for (name, value, sound) in table {
            let key = override_key(name).unwrap();
            assert_eq!(key.kind.check(value).is_ok(), sound, "{name}={value}");
        }
    }
}

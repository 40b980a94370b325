//! The shell programs that containers run; the sources are in `scripts/`.
//!
//! Values reach them through the environment or as a number in front, never as text pasted into
//! a command.

use super::ports::Port;

/// `sh`: initialises the home of `seid` for the chain in `SEI_CHAIN_ID`, once.
pub(super) const SEID_INIT: &str = include_str!("scripts/seid-init.sh");

/// `bash`: waits for the exporter's source, the gRPC port of `seid`, then becomes the exporter.
pub(super) const EXPORTER: &str = include_str!("scripts/exporter.sh");

/// `bash`: expects `sidecar_port`.
const SEID: &str = include_str!("scripts/seid.sh");

/// `bash`: waits until the sidecar says that the node may run, then becomes `seid`.
///
/// It asks on the loopback, past the proxy, so it needs no token. Forever: how long a node takes
/// to get there (a snapshot, a ceremony) is not this program's to judge.
pub(super) fn seid(sidecar: Port) -> String {
    format!("sidecar_port={}\n{SEID}", sidecar.number)
}

//! The configuration intent of a node: mode, layers, forced keys.

use sei_api::SeiNode;
use sei_sidecar_api::{ConfigIntent, ConfigMode};

use crate::render::mode::Mode;

/// Key that peers are told to reach the node under.
const EXTERNAL_ADDRESS: &str = "network.p2p.external_address";
/// Keys that no override may change: the platform's log pipeline relies on them.
const FORCED: [(&str, &str); 1] = [("logging.level", "info")];

/// What `config-apply` shall write. Later layers win: common, user, forced.
pub(super) fn of(node: &SeiNode) -> ConfigIntent {
    let mut overrides = node.spec.overrides.clone();
    let address = node.status.as_ref().and_then(|it| it.external_address.clone());
    if let Some(address) = address.filter(|it| !it.is_empty()) {
        overrides.entry(EXTERNAL_ADDRESS.to_owned()).or_insert(address);
    }
    for (key, value) in FORCED {
        overrides.insert(key.to_owned(), value.to_owned());
    }
    ConfigIntent::new(mode(node), overrides)
}

/// The preset that `seid` is configured with. A replayer is a full node that nobody asks.
fn mode(node: &SeiNode) -> ConfigMode {
    match Mode::of(&node.spec) {
        Some(Mode::Validator) => ConfigMode::Validator,
        Some(Mode::Archive) => ConfigMode::Archive,
        Some(Mode::Replayer | Mode::FullNode) | None => ConfigMode::Full,
    }
}

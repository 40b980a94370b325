//! The template hash: the name of what a rollout brings.

use std::fmt::Write;

use sei_api::SeiNodeSpec;
use sha2::{Digest, Sha256};

/// Bytes of the digest that are kept.
const KEPT_BYTES: usize = 8;

/// First 16 hex digits of SHA-256 over chain id, image and sidecar image, without separators.
///
/// The missing separators make it ambiguous; decisions compare the fields themselves, and the
/// bytes stay because stored statuses hold them.
#[must_use]
pub fn template_hash(template: &SeiNodeSpec) -> String {
    let sidecar = template.sidecar.as_ref().and_then(|it| it.image.as_deref());
    let digest = Sha256::new()
        .chain_update(&template.chain_id)
        .chain_update(&template.image)
        .chain_update(sidecar.unwrap_or_default())
        .finalize();
    digest.iter().take(KEPT_BYTES).fold(String::new(), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use sei_api::Sidecar;

    use super::*;

    #[test]
    fn hashes_are_those_of_the_contract() {
        let table = [
            ("pacific-1", "ghcr.io/sei-protocol/seid:v1.0.0", None, "9c13d843e3cbbdb0"),
            ("pacific-1", "ghcr.io/sei-protocol/seid:v1.0.0", Some(""), "9c13d843e3cbbdb0"),
            ("pacific-1", "ghcr.io/sei-protocol/seid:v2.0.0", None, "753bf0c944503efa"),
            ("pacific-1", "ghcr.io/sei-protocol/seid:v3.0.0", None, "51277ed91a4f8b69"),
            (
                "pacific-1",
                "ghcr.io/sei-protocol/seid:v1.0.0",
                Some("ghcr.io/sei-protocol/seictl:v0.0.50"),
                "18254661157c92ae",
            ),
            ("pacific-1", "sei:v1.0.0", Some("seictl:v1"), "ee40fbc7b6944a6f"),
            ("pacific-1", "sei:v2.0.0", Some("seictl:v2"), "b798313071451553"),
            ("ab", "c", None, "ba7816bf8f01cfea"),
            ("", "", None, "e3b0c44298fc1c14"),
        ];
        for (chain_id, image, sidecar, hash) in table {
            let sidecar = sidecar
                .map(|image| Sidecar { image: Some(image.to_owned()), ..Default::default() });
            let spec = SeiNodeSpec {
                chain_id: chain_id.to_owned(),
                image: image.to_owned(),
                sidecar,
                ..Default::default()
            };
            assert_eq!(template_hash(&spec), hash, "{chain_id} {image}");
        }
    }
}

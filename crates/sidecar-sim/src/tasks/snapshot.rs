//! Snapshots: `snapshot-restore`.

use sei_sidecar_api::Params;
use serde::Deserialize;

use super::{Site, parse, verdict};
use crate::{engine::Verdict, world::Available};

/// The height of the newest snapshot where every snapshot is published.
const NEWEST: i64 = 100_000_000;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Restore {
    target_height: i64,
}

pub(super) fn check_restore(params: &Params) -> Result<(), String> {
    parse::<Restore>(params).map(|_| ())
}

pub(super) fn restore(params: &Params, site: &mut Site<'_>) -> Verdict {
    verdict(parse::<Restore>(params).and_then(|wanted| {
        site.disk.restored_height = Some(choose(wanted.target_height, site)?);
        Ok(())
    }))
}

/// The highest published height, not above the target if there is one.
fn choose(target: i64, site: &Site<'_>) -> Result<i64, String> {
    let place = format!("s3://{}/{}/state-sync/", site.env.snapshot_bucket, site.env.chain());
    let limit = if target > 0 { target } else { i64::MAX };
    let found = match &site.world.snapshots {
        Available::Everything => Some(limit.min(NEWEST)),
        Available::Only(heights) => heights.range(..=limit).next_back().copied(),
    };
    found.ok_or_else(|| {
        if target > 0 {
            format!("no snapshot found at or below height {target} in {place}")
        } else {
            format!("no snapshots found in {place}")
        }
    })
}

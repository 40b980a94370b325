//! What becomes of a node's data volume when the node goes.

use anyhow::{Context as _, Result, ensure};
use sei_api::k8s::{PersistentVolumeClaim, ResourceExt as _};
use sei_api::{DataVolume, SeiNode, WhenDeleted};
use sei_harness::fixtures::{IMAGE_V1, new_snd};
use sei_harness::suite::TestEnv;
use sei_harness::wait::Progress;

use crate::support::scenario;

/// A volume that is to stay loses its owner, and a later fleet of the name takes it as it is.
#[test]
fn a_volume_that_stays_is_taken_by_the_next_node() {
    scenario("a_volume_that_stays_is_taken_by_the_next_node", |env| async move {
        let keep = Some(WhenDeleted::Retain);
        let build = |policy: Option<WhenDeleted>, validator: bool| {
            let fleet = new_snd(&env.ns, "kept");
            let fleet = if validator { fleet.with_validator() } else { fleet };
            fleet.with(|it| {
                let volume = DataVolume { when_deleted: policy, ..DataVolume::default() };
                it.template.spec.data_volume = Some(volume);
            })
        };
        // A validator's volume stays unless it is told to go.
        for (fleet, stays) in [
            (build(keep.clone(), false), true),
            (build(None, true), true),
            (build(Some(WhenDeleted::Delete), true), false),
        ] {
            let before = claim(&env).await?;
            env.create_snd(&fleet.build()).await?;
            env.wait_settled("kept", IMAGE_V1).await?;
            let used = claim(&env).await?.context("no claim")?;
            ensure!(before.is_none_or(|it| it.uid() == used.uid()), "the volume was made anew");
            let node = env.api::<SeiNode>().get("kept-0").await?;
            let owner = used.owner_references().first().map(|it| it.uid.clone());
            ensure!(owner == node.uid(), "owned by {owner:?}");
            leave(&env).await?;
            let left = claim(&env).await?;
            ensure!(left.is_some() == stays, "the claim is there: {}", left.is_some());
            if let Some(left) = left {
                ensure!(left.uid() == used.uid() && left.owner_references().is_empty(), "{left:?}");
            }
        }
        Ok(())
    });
}

async fn claim(env: &TestEnv) -> Result<Option<PersistentVolumeClaim>> {
    Ok(env.api().get_opt("data-kept-0").await?)
}

/// Deletes the fleet and waits until its node is gone too.
async fn leave(env: &TestEnv) -> Result<()> {
    env.delete_snd("kept").await?;
    env.wait_for_gone("kept").await?;
    env.wait_for("the node to be gone", || async {
        let node = env.api::<SeiNode>().get_opt("kept-0").await?;
        Ok(node.map_or(Progress::Ready(()), |_| Progress::NotYet("it is there".to_owned())))
    })
    .await?;
    Ok(())
}

//! The stories: what is there before, what users do, what they wait for.

use std::sync::Arc;

use anyhow::Result;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sei_api::{DeletionPolicy, InPlace, OnFailure, SeiNodeDeploymentSpec};
use sei_harness::fixtures::{
    HASH_V1, HASH_V2, HASH_V3, IMAGE_V1, IMAGE_V2, IMAGE_V3, SndBuilder, new_snd,
};
use sei_harness::status_faker::Mode;
use sei_harness::suite::TestEnv;
use sei_harness::wait::Progress;
use serde_json::json;

use super::picture::Picture;
use crate::invariants;
use crate::published::{says, wait_for_doors};
use crate::support::{expect, settled, status, template_image, true_reason};

/// The fleet of every story.
pub const FLEET: &str = "f";

/// Its second child: of a fleet that is stuck, the one that is.
const SECOND: &str = "f-1";

type Act = fn(Arc<TestEnv>) -> BoxFuture<'static, Result<()>>;

/// One story.
pub struct Story {
    /// How reports call it.
    pub name: &'static str,
    /// Brings about what the deed finds; never disturbed.
    pub before: Act,
    /// What users do, until they have what they want.
    pub deed: Act,
}

/// A fleet of two comes to be.
pub const CREATE: Story = Story {
    name: "create",
    before: |_| async { Ok(()) }.boxed(),
    deed: |env| async move { settled(&env, &two(&env).build()).await }.boxed(),
};

/// A fleet of two comes to be, with its doors.
pub const CREATE_PUBLISHED: Story = Story {
    name: "create, published",
    before: |_| async { Ok(()) }.boxed(),
    deed: |env| async move { open(&env, two(&env)).await }.boxed(),
};

/// A new image for a fleet of two.
pub const ROLLOUT: Story = Story {
    name: "rollout",
    before: |env| async move { settled(&env, &two(&env).build()).await }.boxed(),
    deed: |env| roll_out(env).boxed(),
};

/// A new image for a fleet with doors.
pub const ROLLOUT_PUBLISHED: Story = Story {
    name: "rollout, published",
    before: |env| async move { open(&env, two(&env)).await }.boxed(),
    deed: |env| roll_out(env).boxed(),
};

/// A third image while the second is on its way.
pub const SUPERSESSION: Story = Story {
    name: "supersession",
    before: |env| async move { settled(&env, &two(&env).build()).await }.boxed(),
    deed: |env| supersede(env, (IMAGE_V3, HASH_V3)).boxed(),
};

/// The same with doors.
pub const SUPERSESSION_PUBLISHED: Story = Story {
    name: "supersession, published",
    before: |env| async move { open(&env, two(&env)).await }.boxed(),
    ..SUPERSESSION
};

/// The first image again while the second is on its way.
pub const SET_BACK: Story = Story {
    name: "set back",
    before: SUPERSESSION.before,
    deed: |env| supersede(env, (IMAGE_V1, HASH_V1)).boxed(),
};

/// The same with doors.
pub const SET_BACK_PUBLISHED: Story =
    Story { name: "set back, published", before: SUPERSESSION_PUBLISHED.before, ..SET_BACK };

/// A template that one of two children never comes up with.
pub const ROLLBACK: Story = Story {
    name: "rollback",
    before: |env| {
        async move {
            settled(&env, &two(&env).with(rolls_back).build()).await?;
            short_of_patience(&env).await
        }
        .boxed()
    },
    deed: |env| roll_back(env).boxed(),
};

/// The same with doors.
pub const ROLLBACK_PUBLISHED: Story = Story {
    name: "rollback, published",
    before: |env| {
        async move {
            open(&env, two(&env).with(rolls_back)).await?;
            short_of_patience(&env).await
        }
        .boxed()
    },
    ..ROLLBACK
};

/// Two of three children go.
pub const SCALE_DOWN: Story = Story {
    name: "scale-down",
    before: |env| {
        async move { settled(&env, &new_snd(&env.ns, FLEET).with_replicas(3).build()).await }
            .boxed()
    },
    deed: |env| scale_down(env).boxed(),
};

/// The same with doors.
pub const SCALE_DOWN_PUBLISHED: Story = Story {
    name: "scale-down, published",
    before: |env| async move { open(&env, new_snd(&env.ns, FLEET).with_replicas(3)).await }.boxed(),
    ..SCALE_DOWN
};

/// A fleet goes, and takes everything along.
pub const DELETE: Story = Story {
    name: "delete",
    before: |env| {
        async move { settled(&env, &leaving(&env, DeletionPolicy::Delete)).await }.boxed()
    },
    deed: |env| leave(env).boxed(),
};

/// A fleet with doors goes, and takes everything along.
pub const DELETE_PUBLISHED: Story = Story {
    name: "delete, published",
    before: |env| {
        async move {
            let policy = Some(DeletionPolicy::Delete);
            open(&env, two(&env).with(|it| it.deletion_policy = policy)).await
        }
        .boxed()
    },
    deed: |env| leave(env).boxed(),
};

/// A fleet goes, and leaves everything behind.
pub const RETAIN: Story = Story {
    name: "retain",
    before: |env| {
        async move { settled(&env, &leaving(&env, DeletionPolicy::Retain)).await }.boxed()
    },
    deed: |env| retain(env).boxed(),
};

/// A fleet with doors goes, and leaves everything behind.
pub const RETAIN_PUBLISHED: Story = Story {
    name: "retain, published",
    before: |env| {
        async move {
            let policy = Some(DeletionPolicy::Retain);
            open(&env, two(&env).with(|it| it.deletion_policy = policy)).await
        }
        .boxed()
    },
    deed: |env| retain(env).boxed(),
};

/// A fleet loses its doors.
pub const CLOSING: Story = Story {
    name: "closing",
    before: |env| async move { open(&env, two(&env)).await }.boxed(),
    deed: |env| close(env).boxed(),
};

fn two(env: &TestEnv) -> SndBuilder {
    new_snd(&env.ns, FLEET).with_replicas(2)
}

fn leaving(env: &TestEnv, policy: DeletionPolicy) -> sei_api::SeiNodeDeployment {
    two(env).with(|it| it.deletion_policy = Some(policy)).build()
}

async fn open(env: &TestEnv, fleet: SndBuilder) -> Result<()> {
    settled(env, &fleet.with_networking().build()).await?;
    wait_for_doors(env, FLEET, true).await
}

async fn close(env: Arc<TestEnv>) -> Result<()> {
    env.patch_snd_spec(FLEET, json!({ "networking": null })).await?;
    wait_for_doors(&env, FLEET, false).await?;
    says(&env, FLEET, ("RouteReady", "False", "NotApplicable")).await?;
    Ok(())
}

async fn roll_out(env: Arc<TestEnv>) -> Result<()> {
    env.patch_snd_image(FLEET, IMAGE_V2).await?;
    rolled_out(&env, HASH_V2).await
}

async fn rolled_out(env: &TestEnv, hash: &'static str) -> Result<()> {
    env.wait_for_status(FLEET, "the rollout to be complete", |fleet| {
        invariants::complete(fleet, hash)
    })
    .await?;
    Ok(())
}

/// Both children have begun with the second image when another comes, and neither gets to it.
async fn supersede(env: Arc<TestEnv>, (image, hash): (&str, &'static str)) -> Result<()> {
    let paused = env.faker.pause().await;
    env.patch_snd_image(FLEET, IMAGE_V2).await?;
    for node in ["f-0", SECOND] {
        asked(&env, node, IMAGE_V2).await?;
    }
    env.patch_snd_image(FLEET, image).await?;
    for node in ["f-0", SECOND] {
        asked(&env, node, image).await?;
    }
    drop(paused);
    rolled_out(&env, hash).await
}

/// Until the child's StatefulSet asks for `image`.
async fn asked(env: &TestEnv, node: &str, image: &str) -> Result<()> {
    env.wait_for(&format!("\"{node}\" to ask for {image}"), || async {
        let asked = template_image(&env.api().get(node).await?, "seid")?;
        Ok(match asked == image {
            true => Progress::Ready(()),
            false => Progress::NotYet(asked),
        })
    })
    .await?;
    Ok(())
}

fn rolls_back(spec: &mut SeiNodeDeploymentSpec) {
    let in_place = InPlace {
        on_failure: Some(OnFailure::Rollback),
        min_ready_seconds: Some(0),
        ..InPlace::default()
    };
    spec.update_strategy.get_or_insert_default().in_place = Some(in_place);
}

/// The second child comes up no more, and that is soon too late.
async fn short_of_patience(env: &TestEnv) -> Result<()> {
    // Not from the start: coming to be may take longer than that on a busy machine.
    env.patch_snd_spec(FLEET, json!({ "progressDeadlineSeconds": 3 })).await?;
    env.wait_settled(FLEET, IMAGE_V1).await?;
    env.faker.set_mode(SECOND, Mode::Frozen);
    Ok(())
}

async fn roll_back(env: Arc<TestEnv>) -> Result<()> {
    env.patch_snd_image(FLEET, IMAGE_V2).await?;
    env.wait_for_status(FLEET, "the second template to be rejected", |fleet| {
        let rejected = status(fleet).rejected_hash;
        expect(rejected.as_deref() == Some(HASH_V2), || format!("rejected {rejected:?}"))
    })
    .await?;
    // A return that takes longer than that, because the operator was killed, is not the story.
    env.patch_snd_spec(FLEET, json!({ "progressDeadlineSeconds": 600 })).await?;
    // Else it depends on the moment whether the second child comes up with the second template.
    asked(&env, SECOND, IMAGE_V1).await?;
    env.faker.set_mode(SECOND, Mode::RolledOut);
    env.wait_for_status(FLEET, "the return to be complete", |fleet| {
        let (why, hash) = (true_reason(fleet, "Stalled"), status(fleet).template_hash);
        let is = why.as_deref() == Some("RolledBack") && hash.as_deref() == Some(HASH_V1);
        expect(is, || format!("Stalled {why:?}, templateHash {hash:?}"))
    })
    .await?;
    Ok(())
}

async fn scale_down(env: Arc<TestEnv>) -> Result<()> {
    env.patch_snd_spec(FLEET, json!({ "replicas": 1 })).await?;
    env.wait_settled(FLEET, IMAGE_V1).await?;
    nothing_left(&env, |name| name.starts_with("f-1") || name.starts_with("f-2")).await
}

async fn leave(env: Arc<TestEnv>) -> Result<()> {
    env.delete_snd(FLEET).await?;
    env.wait_for_gone(FLEET).await?;
    nothing_left(&env, |name| !name.ends_with(".crt")).await
}

async fn retain(env: Arc<TestEnv>) -> Result<()> {
    env.delete_snd(FLEET).await?;
    Ok(env.wait_for_gone(FLEET).await?)
}

/// Until the garbage collector has done its part.
async fn nothing_left(env: &TestEnv, of: fn(&str) -> bool) -> Result<()> {
    env.wait_for("what belonged to the dead to be gone", || async {
        let left: Vec<String> = Picture::take(env).await?.names().filter(|it| of(it)).collect();
        Ok(match left.is_empty() {
            true => Progress::Ready(()),
            false => Progress::NotYet(format!("{left:?}")),
        })
    })
    .await?;
    Ok(())
}

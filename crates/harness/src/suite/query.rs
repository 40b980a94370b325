//! What tests ask of their namespace, and the few edits they make again and again.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use kube::api::{ApiResource, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::core::{DynamicObject, GroupVersionKind};
use kube::{Api, Resource, ResourceExt};
use sei_api::k8s::{Condition, Event, StatefulSet};
use sei_api::{DeploymentPhase, NodePhase, SeiNode, SeiNodeDeployment, SeiNodeTask};
use serde_json::{Value, json};

use super::TestEnv;
use crate::wait::{
    Check, Inconsistent, POLL_TIMEOUT, Progress, TimedOut, WaitOpts, consistently, wait_for_with,
};

/// Between two looks of helpers that wait for what the controllers do at once.
const QUICK: Duration = Duration::from_millis(50);

/// Objects whose status has conditions.
pub trait Conditions {
    /// The conditions; empty when there is no status.
    fn conditions(&self) -> &[Condition];
}

impl Conditions for SeiNodeDeployment {
    fn conditions(&self) -> &[Condition] {
        self.status.as_ref().map_or(&[], |status| &status.conditions)
    }
}

impl Conditions for SeiNode {
    fn conditions(&self) -> &[Condition] {
        self.status.as_ref().map_or(&[], |status| &status.conditions)
    }
}

impl Conditions for SeiNodeTask {
    fn conditions(&self) -> &[Condition] {
        self.status.as_ref().map_or(&[], |status| &status.conditions)
    }
}

/// The condition of this type.
pub fn cond<'a>(object: &'a impl Conditions, type_: &str) -> Option<&'a Condition> {
    object.conditions().iter().find(|condition| condition.type_ == type_)
}

/// Whether the condition of this type is present and True.
pub fn cond_true(object: &impl Conditions, type_: &str) -> bool {
    cond(object, type_).is_some_and(|condition| condition.status == "True")
}

impl TestEnv {
    /// The fleet of this name.
    ///
    /// # Errors
    /// When it cannot be read; NotFound included.
    pub async fn get_snd(&self, name: &str) -> Result<SeiNodeDeployment> {
        Ok(self.api().get(name).await?)
    }

    /// Stores a new fleet.
    ///
    /// # Errors
    /// When the server refuses it.
    pub async fn create_snd(&self, snd: &SeiNodeDeployment) -> Result<SeiNodeDeployment> {
        Ok(self.api().create(&PostParams::default(), snd).await?)
    }

    /// Merge-patches the fleet's spec with `change`, e.g. `{"replicas": 2}`.
    ///
    /// # Errors
    /// When the server refuses it.
    pub async fn patch_snd_spec(&self, name: &str, change: Value) -> Result<SeiNodeDeployment> {
        let patch = Patch::Merge(json!({ "spec": change }));
        Ok(self.api().patch(name, &PatchParams::default(), &patch).await?)
    }

    /// Merge-patches nothing but the seid image of the fleet's template.
    ///
    /// # Errors
    /// When the server refuses it.
    pub async fn patch_snd_image(&self, name: &str, image: &str) -> Result<SeiNodeDeployment> {
        self.patch_snd_spec(name, json!({ "template": { "spec": { "image": image } } })).await
    }

    /// Marks the fleet for deletion.
    ///
    /// # Errors
    /// When the server refuses it.
    pub async fn delete_snd(&self, name: &str) -> Result<()> {
        self.api::<SeiNodeDeployment>().delete(name, &DeleteParams::background()).await?;
        Ok(())
    }

    /// The SeiNodes that the fleet controls, by name.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub async fn list_children(&self, snd: &SeiNodeDeployment) -> Result<Vec<SeiNode>> {
        let mut nodes = self.api::<SeiNode>().list(&ListParams::default()).await?.items;
        nodes.retain(|node| is_controlled_by(node, snd));
        nodes.sort_by_key(ResourceExt::name_any);
        Ok(nodes)
    }

    /// The HTTPRoutes that the fleet controls, by name; none without the kind.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub async fn list_httproutes(&self, snd: &SeiNodeDeployment) -> Result<Vec<DynamicObject>> {
        let kind = GroupVersionKind::gvk("gateway.networking.k8s.io", "v1", "HTTPRoute");
        let kind = ApiResource::from_gvk(&kind);
        let api: Api<DynamicObject> = Api::namespaced_with((*self.client).clone(), &self.ns, &kind);
        let mut routes = match api.list(&ListParams::default()).await {
            Ok(list) => list.items,
            Err(kube::Error::Api(status)) if status.code == 404 => Vec::new(),
            Err(err) => return Err(err.into()),
        };
        routes.retain(|route| is_controlled_by(route, snd));
        routes.sort_by_key(ResourceExt::name_any);
        Ok(routes)
    }

    /// The core/v1 Events about this very object, with this reason or with any.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub async fn list_events<K: Resource>(
        &self,
        object: &K,
        reason: Option<&str>,
    ) -> Result<Vec<Event>> {
        let uid = object.meta().uid.as_deref().context("the object was never stored")?;
        let mut events = self.api::<Event>().list(&ListParams::default()).await?.items;
        events.retain(|event| {
            event.involved_object.uid.as_deref() == Some(uid)
                && reason.is_none_or(|reason| event.reason.as_deref() == Some(reason))
        });
        Ok(events)
    }

    /// The core/v1 Events about this very fleet, with this reason or with any.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub async fn list_events_for_snd(
        &self,
        snd: &SeiNodeDeployment,
        reason: Option<&str>,
    ) -> Result<Vec<Event>> {
        self.list_events(snd, reason).await
    }

    /// Waits 30 s for `probe`; a failure shows the state of the namespace.
    ///
    /// # Errors
    /// When the deadline passes.
    #[track_caller]
    pub fn wait_for<'a, T, P, F>(
        &'a self,
        what: &str,
        probe: P,
    ) -> impl Future<Output = Result<T, TimedOut>> + use<'a, T, P, F>
    where
        P: FnMut() -> F,
        F: Future<Output = Result<Progress<T>>>,
    {
        let opts = WaitOpts { timeout: POLL_TIMEOUT, interval: QUICK };
        self.wait_for_with(opts, what, probe)
    }

    /// Waits for `probe`; a failure shows the state of the namespace.
    ///
    /// # Errors
    /// When the deadline passes.
    #[track_caller]
    pub fn wait_for_with<'a, T, P, F>(
        &'a self,
        opts: WaitOpts,
        what: &str,
        probe: P,
    ) -> impl Future<Output = Result<T, TimedOut>> + use<'a, T, P, F>
    where
        P: FnMut() -> F,
        F: Future<Output = Result<Progress<T>>>,
    {
        let wait = wait_for_with(opts, what, probe);
        async move {
            match wait.await {
                Ok(proof) => Ok(proof),
                Err(timed_out) => Err(TimedOut { dump: Some(self.dump().await), ..timed_out }),
            }
        }
    }

    /// As [`consistently`]; a failure shows the state of the namespace.
    ///
    /// # Errors
    /// When a check fails or too few samples could be taken.
    #[track_caller]
    pub fn consistently<S, P, F>(
        &self,
        (total, every): (Duration, Duration),
        sample: P,
        checks: &[Check<S>],
    ) -> impl Future<Output = Result<(), Inconsistent>>
    where
        P: FnMut() -> F,
        F: Future<Output = Result<S>>,
    {
        let watch = consistently(total, every, sample, checks);
        async move {
            match watch.await {
                Ok(()) => Ok(()),
                Err(failure) => Err(Inconsistent { dump: Some(self.dump().await), ..failure }),
            }
        }
    }

    /// Waits until the fleet satisfies `wanted` and returns that very version.
    ///
    /// # Errors
    /// When the deadline passes.
    #[track_caller]
    pub fn wait_for_status<'a, W>(
        &'a self,
        name: &str,
        what: &str,
        wanted: W,
    ) -> impl Future<Output = Result<SeiNodeDeployment, TimedOut>> + use<'a, W>
    where
        W: Fn(&SeiNodeDeployment) -> Result<(), String>,
    {
        let (api, name, wanted) = (self.api(), name.to_owned(), std::sync::Arc::new(wanted));
        self.wait_for(what, move || {
            let (api, name, wanted) = (api.clone(), name.clone(), wanted.clone());
            async move {
                let snd = api.get(&name).await?;
                Ok(match wanted(&snd) {
                    Ok(()) => Progress::Ready(snd),
                    Err(why) => Progress::NotYet(why),
                })
            }
        })
    }

    /// Waits until the fleet is gone.
    ///
    /// # Errors
    /// When the deadline passes.
    #[track_caller]
    pub fn wait_for_gone<'a>(
        &'a self,
        name: &str,
    ) -> impl Future<Output = Result<(), TimedOut>> + use<'a> {
        let (api, name) = (self.api::<SeiNodeDeployment>(), name.to_owned());
        let what = format!("\"{name}\" to be gone");
        self.wait_for(&what, move || {
            let (api, name) = (api.clone(), name.clone());
            async move {
                Ok(match api.get_opt(&name).await? {
                    None => Progress::Ready(()),
                    Some(snd) => Progress::NotYet(format!("finalizers {:?}", snd.finalizers())),
                })
            }
        })
    }

    /// Waits until the fleet has settled at `image`: it is Ready, its status speaks of the newest
    /// generation, every child is Running and was seen to run the image, and the StatefulSets'
    /// statuses are up to date. Only then may a test pause the faker.
    ///
    /// # Errors
    /// When the deadline passes.
    #[track_caller]
    pub fn wait_settled<'a>(
        &'a self,
        name: &str,
        image: &str,
    ) -> impl Future<Output = Result<SeiNodeDeployment, TimedOut>> + use<'a> {
        let (name, image) = (name.to_owned(), image.to_owned());
        let what = format!("\"{name}\" to settle at \"{image}\"");
        self.wait_for(&what, move || {
            let (name, image) = (name.clone(), image.clone());
            async move {
                let snd = self.get_snd(&name).await?;
                let children = self.list_children(&snd).await?;
                let sets = self.api::<StatefulSet>().list(&ListParams::default()).await?.items;
                Ok(match settled(&snd, &children, &image).and_then(|()| converged(&sets)) {
                    Ok(()) => Progress::Ready(snd),
                    Err(why) => Progress::NotYet(why),
                })
            }
        })
    }

    /// Checks that the fleet is passed again within the given time: a stuck rollout differs from
    /// a dead controller.
    ///
    /// # Errors
    /// When neither a request about it nor a counted pass is seen.
    pub async fn assert_reconciling(&self, name: &str, within: Duration) -> Result<()> {
        let (mark, passes) = (self.requests.mark(), self.passes_of_snd(name).await);
        let opts = WaitOpts { timeout: within, interval: QUICK };
        let proof = self
            .wait_for_with(opts, &format!("another pass of \"{name}\""), || async {
                let about = |record: &crate::request_log::Record| record.name == name;
                let sent = self.requests.since(mark).iter().any(about);
                let passed = self.passes_of_snd(name).await > passes;
                Ok(match sent || passed {
                    true => Progress::Ready(()),
                    false => Progress::NotYet("no request, no pass".to_owned()),
                })
            })
            .await;
        match proof {
            Ok(()) => Ok(()),
            Err(timed_out) => bail!("the controllers seem dead: {timed_out}"),
        }
    }

    async fn passes_of_snd(&self, name: &str) -> Option<u64> {
        let controllers = self.controllers.lock().await;
        controllers.as_ref()?.passes("SeiNodeDeployment", &self.ns, name)
    }
}

fn settled(snd: &SeiNodeDeployment, children: &[SeiNode], image: &str) -> Result<(), String> {
    let status = snd.status.clone().unwrap_or_default();
    if status.observed_generation != snd.metadata.generation {
        return Err(format!("observedGeneration {:?}", status.observed_generation));
    }
    if status.phase != Some(DeploymentPhase::Ready) || status.rollout.is_some() {
        return Err(format!("phase {:?}, rollout {:?}", status.phase, status.rollout));
    }
    if i32::try_from(children.len()) != Ok(snd.spec.replicas) {
        return Err(format!("{} children", children.len()));
    }
    for child in children {
        let status = child.status.clone().unwrap_or_default();
        let running = status.phase == Some(NodePhase::Running) && status.plan.is_none();
        if !running || status.current_image.as_deref() != Some(image) {
            let (phase, current) = (status.phase, status.current_image);
            return Err(format!("\"{}\" {phase:?} at {current:?}", child.name_any()));
        }
    }
    Ok(())
}

fn converged(sets: &[StatefulSet]) -> Result<(), String> {
    for set in sets {
        let observed = set.status.as_ref().and_then(|status| status.observed_generation);
        if observed != set.metadata.generation {
            return Err(format!("StatefulSet \"{}\" not observed", set.name_any()));
        }
    }
    Ok(())
}

fn is_controlled_by(object: &impl ResourceExt, owner: &SeiNodeDeployment) -> bool {
    let uid = owner.metadata.uid.as_deref().unwrap_or_default();
    object
        .owner_references()
        .iter()
        .any(|reference| reference.uid == uid && reference.controller == Some(true))
}

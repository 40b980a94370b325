//! Starts the shipped controllers inside a test.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::FutureExt as _;
use futures::future::{BoxFuture, ready};
use sei_api::k8s::StatefulSet;
use sei_api::{SeiNode, SeiNodeDeployment, SeiNodeDeploymentStatus};
use sei_core::platform::{Platform, fixture};
use sei_core::tempo::Tempo;
use sei_harness::Scope;
use sei_harness::fixtures::{HASH_V1, IMAGE_V1};
use sei_harness::stubs::StubResolver;
use sei_harness::suite::{
    ControllerInputs, Controllers, RunOptions, TestEnv, cond, cond_true, start_function, suite,
};
use sei_harness::wait::Progress;
use sei_operator::clock::Clock;
use sei_operator::ids::Ids;
use sei_operator::limits::Limits;
use sei_operator::metrics::Metrics;
use sei_operator::names::Resolver;
use sei_operator::settings;
use sei_operator::wiring::{Inputs, Operator};
use serde_json::json;

/// Queued events are delivered within this when the controllers stop.
const EVENTS_GRACE: Duration = Duration::from_secs(2);

/// Runs `body` in a namespace of its own, with the shipped controllers limited to it.
#[track_caller]
pub fn scenario<F, Fut>(name: &str, body: F)
where
    F: FnOnce(Arc<TestEnv>) -> Fut,
    Fut: Future<Output = Result<()>> + Send + 'static,
{
    paced_scenario(name, Tempo::default(), body);
}

/// As [`scenario`], at another pace.
#[track_caller]
pub fn paced_scenario<F, Fut>(name: &str, tempo: Tempo, body: F)
where
    F: FnOnce(Arc<TestEnv>) -> Fut,
    Fut: Future<Output = Result<()>> + Send + 'static,
{
    let controllers = start_function(move |inputs| {
        let tempo = tempo.clone();
        async { start(inputs, tempo) }
    });
    suite().run(name, RunOptions::new().with_controllers(controllers), body);
}

/// As [`scenario`], with controllers that watch the whole cluster, as they are shipped.
#[track_caller]
pub fn cluster_wide_scenario<F, Fut>(name: &str, body: F)
where
    F: FnOnce(Arc<TestEnv>) -> Fut,
    Fut: Future<Output = Result<()>> + Send + 'static,
{
    let controllers = start_function(|inputs| async { start(inputs, Tempo::default()) });
    suite().run(name, RunOptions::new().with_controllers(controllers).cluster_wide(), body);
}

/// As [`scenario`], with what the controllers count and show.
#[track_caller]
pub fn measured_scenario<F, Fut>(name: &str, body: F)
where
    F: FnOnce(Arc<TestEnv>, Arc<Metrics>) -> Fut,
    Fut: Future<Output = Result<()>> + Send + 'static,
{
    let metrics = Arc::new(Metrics::new("test"));
    let counted = Arc::clone(&metrics);
    let controllers = start_function(move |inputs| {
        let metrics = Arc::clone(&counted);
        let paces = (Tempo::default(), Limits::default());
        async { start_counted(inputs, paces, Platform::parse(&setting)?, metrics) }
    });
    let options = RunOptions::new().with_controllers(controllers);
    suite().run(name, options, |env| body(env, metrics));
}

fn start(inputs: ControllerInputs, tempo: Tempo) -> Result<Controllers> {
    start_on(inputs, tempo, Platform::parse(&setting)?)
}

/// Starts the shipped controllers on another platform than that of all tests.
pub fn start_on(inputs: ControllerInputs, tempo: Tempo, platform: Platform) -> Result<Controllers> {
    start_within(inputs, (tempo, Limits::default()), platform)
}

/// As [`start_on`], within other limits than those that are shipped.
pub fn start_within(
    inputs: ControllerInputs,
    paces: (Tempo, Limits),
    platform: Platform,
) -> Result<Controllers> {
    start_counted(inputs, paces, platform, Arc::new(Metrics::new("test")))
}

fn start_counted(
    inputs: ControllerInputs,
    (tempo, limits): (Tempo, Limits),
    platform: Platform,
    metrics: Arc<Metrics>,
) -> Result<Controllers> {
    let scope = match inputs.scope {
        Scope::All => settings::Scope::Cluster,
        Scope::Namespace(namespace) => settings::Scope::Namespace(namespace),
    };
    let inputs = Inputs {
        client: inputs.client,
        scope,
        sidecars: Arc::new(inputs.sidecars),
        resolver: Arc::new(Stub(inputs.resolver)),
        platform,
        tempo,
        limits: Limits {
            lookup_pause_first: Duration::from_millis(100),
            lookup_pause_max: Duration::from_millis(500),
            ..limits
        },
        clock: Clock::system(),
        ids: Ids::random(),
        metrics: Arc::clone(&metrics),
    };
    let controllers = Controllers::spawn(|stop| async move {
        let operator = Operator::start(inputs);
        stop.cancelled().await;
        operator.stop(EVENTS_GRACE).await;
        Ok(())
    });
    Ok(controllers.with_pass_counter(move |kind, namespace, name| {
        let controller = kind.to_lowercase();
        let object =
            format!("{{controller=\"{controller}\",namespace=\"{namespace}\",name=\"{name}\"}} ");
        passes(&metrics, &object)
    }))
}

/// The gateway of these tests; everything else as in all tests.
pub fn setting(name: &str) -> Option<String> {
    let gateway = match name {
        "SEI_GATEWAY_NAME" => "sei-gateway",
        "SEI_GATEWAY_NAMESPACE" => "gateway",
        "SEI_GATEWAY_DOMAIN" => "test.local",
        _ => return fixture::lookup(name),
    };
    Some(gateway.to_owned())
}

/// The test's own names, as the operator asks for them.
#[derive(Debug)]
struct Stub(StubResolver);

impl Resolver for Stub {
    fn resolves(&self, host: &str) -> BoxFuture<'static, bool> {
        ready(!self.0.lookup(host).is_empty()).boxed()
    }
}

/// The counter of passes as a scrape shows it; what an on-call engineer would look at.
fn passes(metrics: &Metrics, object: &str) -> u64 {
    let scrape = metrics.scrape(None).map(|it| it.body).unwrap_or_default();
    let series = format!("sei_controller_object_passes_total{object}");
    let line = scrape.lines().find_map(|line| line.strip_prefix(series.as_str()));
    line.and_then(|count| count.trim().parse().ok()).unwrap_or_default()
}

/// Stores the fleet and waits until it runs its first template, and that is its baseline.
pub async fn settled(env: &TestEnv, fleet: &SeiNodeDeployment) -> Result<()> {
    let name = fleet.metadata.name.clone().unwrap_or_default();
    env.create_snd(fleet).await?;
    env.wait_settled(&name, IMAGE_V1).await?;
    env.wait_for_status(&name, "the baseline", |fleet| {
        let hash = status(fleet).template_hash;
        expect(hash.as_deref() == Some(HASH_V1), || format!("templateHash {hash:?}"))
    })
    .await?;
    Ok(())
}

/// The events of this reason on the fleet, as soon as there are `count` of them.
pub async fn told(
    env: &TestEnv,
    fleet: &SeiNodeDeployment,
    (reason, count): (&str, usize),
) -> Result<Vec<String>> {
    let events = env
        .wait_for(&format!("{count} event(s) {reason}"), || async {
            let events = env.list_events_for_snd(fleet, Some(reason)).await?;
            Ok(if events.len() >= count {
                Progress::Ready(events)
            } else {
                Progress::NotYet(format!("{} of them", events.len()))
            })
        })
        .await?;
    ensure!(events.len() == count, "{} events {reason}", events.len());
    Ok(events.into_iter().map(|it| it.message.unwrap_or_default()).collect())
}

/// As `settled`, and only from then on the fleet has a deadline: how fast it came up is the
/// machine's affair.
pub async fn settled_then_late(
    env: &TestEnv,
    fleet: &SeiNodeDeployment,
    deadline_seconds: i32,
) -> Result<()> {
    settled(env, fleet).await?;
    let name = fleet.metadata.name.clone().unwrap_or_default();
    env.patch_snd_spec(&name, json!({ "progressDeadlineSeconds": deadline_seconds })).await?;
    Ok(())
}

/// One event for each time that a missed deadline was stored.
pub async fn told_each_stall(env: &TestEnv, fleet: &SeiNodeDeployment) -> Result<()> {
    let versions = env.history.deployments.through(fleet).await?;
    let stalls = versions.sequence_of(|it| cond_true(it, "Stalled"));
    let stalls = stalls.into_iter().filter(|is| *is).count();
    told(env, fleet, ("RolloutStalled", stalls)).await.map(drop)
}

/// Reason of the condition if it is True.
pub fn true_reason(fleet: &SeiNodeDeployment, kind: &str) -> Option<String> {
    cond(fleet, kind).filter(|it| it.status == "True").map(|it| it.reason.clone())
}

/// Images that the children's specs ask for, by name.
pub async fn asked_images(env: &TestEnv, fleet: &SeiNodeDeployment) -> Result<Vec<String>> {
    let children = env.list_children(fleet).await?;
    Ok(children.into_iter().map(|it| it.spec.image).collect())
}

/// Until the specs of the fleet's children, in order, ask for these.
pub async fn asked(env: &TestEnv, fleet: &str, images: &[&str]) -> Result<()> {
    env.wait_for(&format!("the children of \"{fleet}\" to ask for {images:?}"), || async {
        let specs = asked_images(env, &env.get_snd(fleet).await?).await?;
        Ok(if specs == images {
            Progress::Ready(())
        } else {
            Progress::NotYet(format!("{specs:?}"))
        })
    })
    .await?;
    Ok(())
}

/// The fleet's status; empty when it has none.
pub fn status(fleet: &SeiNodeDeployment) -> SeiNodeDeploymentStatus {
    fleet.status.clone().unwrap_or_default()
}

/// Hash of the template that the fleet is being rolled out to.
pub fn target(fleet: &SeiNodeDeployment) -> Option<String> {
    fleet.status.as_ref()?.rollout.as_ref().map(|it| it.target_hash.clone())
}

/// Id of the fleet's plan.
pub fn plan_id(fleet: &SeiNodeDeployment) -> Option<String> {
    fleet.status.as_ref()?.plan.as_ref()?.id.clone()
}

/// The image that `node` was seen running; empty when it was not.
pub fn current_image(node: &SeiNode) -> String {
    node.status.as_ref().and_then(|it| it.current_image.clone()).unwrap_or_default()
}

/// Image of a container, main or init, of a StatefulSet's template.
pub fn template_image(set: &StatefulSet, container: &str) -> Result<String> {
    let pod = set.spec.as_ref().and_then(|it| it.template.spec.as_ref()).context("no pod spec")?;
    pod.containers
        .iter()
        .chain(pod.init_containers.iter().flatten())
        .find(|it| it.name == container)
        .and_then(|it| it.image.clone())
        .with_context(|| format!("no container \"{container}\""))
}

/// `Ok` if `holds`, else what was seen, for waits that say what is missing.
pub fn expect(holds: bool, seen: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(seen()) }
}

//! One round over one fleet, from words to a picture. The only code here that knows the API.
//!
//! Without a word to the contrary the fleet `s` has two children that run `v1` and are ready, their
//! pods run since a minute, and its Service is there.

use std::collections::BTreeMap;
use std::sync::Arc;

use expect_test::Expect;
use sei_api::condition::{Reason, Type};
use sei_api::{
    DeploymentPhase, PlanPhase, SeiNode, SeiNodeDeployment, SeiNodeDeploymentStatus, Sidecar, k8s,
    labels,
};
use uuid::Uuid;

use crate::condition::{Conditions, Say};
use crate::decision::{Conclusion, Decision, Requeue};
use crate::deployment::view::View;
use crate::deployment::{
    Env, Observed, Workload, conclude, decide, notices, pause, rollback, rollout, stall, target,
    template_hash,
};
use crate::effect::{Effect, Outcome};
use crate::fault::Fault;
use crate::node::Seen;
use crate::node::tests::line::{Line, lines};
use crate::node::tests::picture::Picture;
use crate::node::tests::scene::{at, platform, pod, running};
use crate::node::tests::server::{applied, disown};
use crate::platform::Platform;
use crate::tempo::Tempo;
use crate::verdict::Verdict;
use crate::{plan, render};

mod face;

/// A fleet, its status and what a round sees of the world.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub(super) fleet: SeiNodeDeployment,
    pub(super) status: SeiNodeDeploymentStatus,
    pub(super) seen: Observed,
    platform: Platform,
    tempo: Tempo,
}

/// The picture of the round that follows from `input`, all effects succeeding.
pub(super) fn check(input: &str, expected: Expect) {
    expected.assert_eq(&Scene::new(input).picture(None));
}

/// The same picture for each of `inputs`.
pub(super) fn check_each<const N: usize>(inputs: [String; N], expected: Expect) {
    let pictures = inputs.map(|input| (Scene::new(&input).picture(None), input));
    for (picture, input) in &pictures[1..] {
        assert_eq!(*picture, pictures[0].0, "{input}");
    }
    expected.assert_eq(&pictures[0].0);
}

/// The same as `check`, with every effect failing so.
pub(super) fn check_failing(input: &str, fault: Fault, expected: Expect) {
    expected.assert_eq(&Scene::new(input).picture(Some(fault)));
}

impl Scene {
    pub(super) fn new(input: &str) -> Self {
        let lines = lines(input);
        let (platform, tempo) = (platform(), Tempo::default());
        let fleet = fleet(lines.iter().find(|it| it.subject == "fleet"));
        let mut scene = Self {
            status: status(&fleet, lines.iter().find(|it| it.subject == "fleet")),
            seen: calm(&fleet),
            fleet,
            platform,
            tempo,
        };
        for line in &lines {
            scene.tell(line);
        }
        // What follows from the status alone is said already: the picture shows what is added.
        if scene.status.phase.is_some() {
            scene.status.updated_replicas = scene.view().on_goal();
            let rest = Decision::rest(scene.status.clone(), Requeue::Never);
            scene.status = scene.conclude(rest, &[]).status;
        }
        scene
    }

    pub(super) fn env(&self) -> Env<'_> {
        Env { platform: &self.platform, tempo: &self.tempo }
    }

    pub(super) fn view(&self) -> View<'_> {
        View::new(&self.fleet, &self.status, &self.seen, self.env())
    }

    pub(super) fn decide(&self) -> Decision<SeiNodeDeploymentStatus> {
        decide(&self.fleet, &self.status, &self.seen, self.env())
    }

    fn conclude(
        &self,
        decision: Decision<SeiNodeDeploymentStatus>,
        outcomes: &[Outcome],
    ) -> Conclusion<SeiNodeDeploymentStatus> {
        conclude((&self.fleet, &self.status), &self.seen, self.env(), (decision, outcomes))
    }

    /// The end of the round; every effect ends with `fault`, or well if there is none.
    pub(super) fn round(&self, fault: Option<Fault>) -> Conclusion<SeiNodeDeploymentStatus> {
        self.round_where(|_| fault.clone())
    }

    /// The end of the round; each effect ends with the fault that `fate` has for it, if any.
    pub(super) fn round_where(
        &self,
        fate: impl Fn(&Effect) -> Option<Fault>,
    ) -> Conclusion<SeiNodeDeploymentStatus> {
        let decision = self.decide();
        let outcome = |effect: &Effect| match fate(effect) {
            Some(fault) => Outcome::Failed(fault),
            None => Outcome::Done { uid: Some("new".to_owned()) },
        };
        let outcomes: Vec<Outcome> = decision.effects.iter().map(outcome).collect();
        self.conclude(decision, &outcomes)
    }

    /// Hashes are shown as the images that they stand for.
    pub(super) fn picture(&self, fault: Option<Fault>) -> String {
        let effects = self.decide().effects;
        let end = self.round(fault);
        let (before, after) = (&self.status, &end.status);
        let mut picture = Picture::default();
        picture.plan(before.plan.as_ref(), after.plan.as_ref());
        let target = |it: &SeiNodeDeploymentStatus| {
            let since = |it: &k8s::Time| it.0.duration_since(at(0)).as_secs();
            let rollout = it.rollout.as_ref();
            rollout.map(|it| {
                format!("{} since {}s", hash_text(&it.target_hash), since(&it.started_at))
            })
        };
        picture.change("rollout", target(before).as_deref(), target(after).as_deref());
        let hash = |it: &SeiNodeDeploymentStatus| it.template_hash.as_deref().map(hash_text);
        picture.change("hash", hash(before).as_deref(), hash(after).as_deref());
        let phase = |it: &SeiNodeDeploymentStatus| it.phase.as_ref().map(ToString::to_string);
        picture.change("phase", phase(before).as_deref(), phase(after).as_deref());
        let seen = |it: &SeiNodeDeploymentStatus| it.observed_generation.map(|it| it.to_string());
        picture.change("observed", seen(before).as_deref(), seen(after).as_deref());
        let counts = |it: &SeiNodeDeploymentStatus| {
            let (ready, updated) = (it.ready_replicas, it.updated_replicas);
            format!("{ready} ready, {updated} updated, {} available", it.available_replicas)
        };
        picture.change("counts", Some(&counts(before)), Some(&counts(after)));
        picture.conditions(&before.conditions, &after.conditions);
        picture.effects(&effects);
        picture.requeue(end.requeue);
        picture.notices(&notices(&self.fleet, before, after));
        picture.notices(&end.notices);
        hash_text(&picture.0)
    }

    fn tell(&mut self, line: &Line) {
        match line.subject.as_str() {
            "fleet" => knows_fleet(line),
            "pause" => self.pause(line),
            "rollout" => self.rollout(line),
            "plan" => {
                line.knows(&["unknown", "none", "stray", "begun"], &["at"]);
                if line.is("stray") {
                    rollout::replan(&self.fleet, &mut self.status, &self.seen);
                    self.status.plan.as_mut().unwrap().id = Some("stray".to_owned());
                    return;
                }
                let plan = self.status.plan.as_mut().expect("a rollout before its plan");
                match line.word() {
                    Some("none") => self.status.plan = None,
                    Some("begun") => plan::begin(&mut plan.tasks[0], at(-60)),
                    Some(_) => plan.tasks[0].type_ = "launch-rocket".to_owned(),
                    None => plan::complete(&mut plan.tasks[0], at(-60)),
                }
            }
            "child" => self.child(line),
            "pod" => self.pod(line),
            "workload" => {
                line.knows(&["0", "1", "2", "3", "4"], &["ready"]);
                let workload = self.workload(line);
                let set = Arc::make_mut(workload.statefulset.as_mut().unwrap());
                set.status.as_mut().unwrap().ready_replicas =
                    Some(i32::from(line.number("ready").unwrap_or_default() > 0));
            }
            "service" => self.seen.internal_service = place(&self.fleet, line),
            "external" | "route" | "routes" | "name" | "gateway" => face::tell(self, line),
            other => panic!("no line is about \"{other}\""),
        }
    }

    /// The pause that began so long ago, or ended then.
    fn pause(&mut self, line: &Line) {
        line.knows(&["over"], &["since"]);
        let mut now = self.seen.clone();
        now.now = at(-line.number("since").unwrap_or(0));
        let mut subject = self.fleet.clone();
        subject.spec.paused = !line.is("over");
        pause::mark(&subject, &mut self.status, &now);
    }

    /// The rollout to the image `target`, with its plan, since `since` seconds.
    fn rollout(&mut self, line: &Line) {
        line.knows(&["back"], &["target", "since", "progress"]);
        let mut subject = self.fleet.clone();
        subject.spec.template.spec.image = line.text("target").unwrap();
        let mut seen = self.seen.clone();
        seen.now = at(-line.number("since").unwrap_or(60));
        seen.fresh_id = Uuid::from_u128(1);
        let env = Env { platform: &self.platform, tempo: &self.tempo };
        let before = self.status.clone();
        let view = View::new(&subject, &before, &seen, env);
        if line.is("back") {
            rollback::begin(&view, &stall::Clock::Still, &mut self.status);
        } else {
            rollout::begin(&view, &mut self.status);
        }
        if let (Some(rollout), Some(ago)) = (&mut self.status.rollout, line.number("progress")) {
            rollout.last_progress_at = Some(k8s::Time(at(-ago)));
        }
        self.status.phase = Some(DeploymentPhase::Upgrading);
    }

    fn child(&mut self, line: &Line) {
        line.knows(
            &[
                "0",
                "1",
                "2",
                "absent",
                "stale",
                "unreadable",
                "Initializing",
                "Failed",
                "new",
                "ours",
                "orphan",
                "leftover",
                "foreign",
                "theirs",
                "terminating",
                "3",
                "4",
                "paused",
                "selfpaused",
            ],
            &[
                "image", "sidecar", "current", "ranside", "rev", "observed", "plan", "override",
                "why", "edited", "since", "written",
            ],
        );
        let name = format!("s-{}", line.word().unwrap());
        let word = line.second().unwrap_or("ours");
        let child = match word {
            "absent" => Seen::Absent,
            "stale" => Seen::Stale,
            "unreadable" => Seen::Unreadable(Fault::transient("api server cannot be reached")),
            _ => Seen::Here(Arc::new(child(&self.fleet, line))),
        };
        if !matches!(child, Seen::Here(_)) {
            self.seen.workloads.remove(&name);
        }
        self.seen.children.insert(name, child);
    }

    fn workload(&mut self, line: &Line) -> &mut Workload {
        let name = format!("s-{}", line.word().unwrap());
        self.seen.workloads.entry(name).or_insert_with(|| workload(&child(&self.fleet, line)))
    }

    fn pod(&mut self, line: &Line) {
        line.knows(
            &["0", "1", "2", "3", "4", "none", "waiting", "starting", "terminating"],
            &["age"],
        );
        let workload = self.workload(line);
        let pods = &mut workload.pods;
        if line.is("none") {
            return pods.clear();
        }
        let pod = Arc::make_mut(&mut pods[0]);
        let mut status = running(!line.is("waiting"));
        if line.is("starting") {
            status.started = Some(false);
        }
        if let Some(age) = line.number("age") {
            let since = Some(k8s::Time(at(-age)));
            status.state.as_mut().unwrap().running.as_mut().unwrap().started_at = since;
        }
        pod.status.as_mut().unwrap().container_statuses = Some(vec![status]);
        pod.metadata.deletion_timestamp = line.is("terminating").then(|| k8s::Time(at(0)));
    }
}

/// What a line about the fleet may say.
fn knows_fleet(line: &Line) {
    line.knows(
        &[
            "new",
            "deleting",
            "retain",
            "genesis",
            "networking",
            "validator",
            "released",
            "paused",
            "rollback",
            "ascending",
        ],
        &[
            "replicas",
            "image",
            "sidecar",
            "gen",
            "observed",
            "hash",
            "phase",
            "label",
            "unavailable",
            "partition",
            "minready",
            "deadline",
            "retry",
            "heard",
            "rejected",
            "good",
        ],
    );
}

/// Hashes of the templates that tests use, back to their images.
fn hash_text(text: &str) -> String {
    let images = ["v1", "v2", "v3", "v1+t1", "v1+t2"];
    let known = images.iter().map(|image| (template_hash(&template(image)), *image));
    known.fold(text.to_owned(), |text, (hash, image)| {
        text.replace(&hash, &format!("<{image}>")).replace(&hash[..8], &format!("<{image}:8>"))
    })
}

fn template(images: &str) -> sei_api::SeiNodeSpec {
    let (image, sidecar) = match images.split_once('+') {
        Some((image, sidecar)) => (image, Some(sidecar)),
        None => (images, None),
    };
    sei_api::SeiNodeSpec {
        chain_id: "c1".to_owned(),
        image: image.to_owned(),
        full_node: Some(Default::default()),
        sidecar: sidecar
            .map(|image| Sidecar { image: Some(image.to_owned()), ..Default::default() }),
        ..Default::default()
    }
}

fn fleet(line: Option<&Line>) -> SeiNodeDeployment {
    let text = |key: &str| line.and_then(|it| it.text(key));
    let number = |key: &str| line.and_then(|it| it.number(key));
    let mut fleet = SeiNodeDeployment::new("s", Default::default());
    fleet.metadata.namespace = Some("ns".to_owned());
    fleet.metadata.uid = Some("fleet-uid".to_owned());
    fleet.metadata.generation = Some(number("gen").unwrap_or(1));
    fleet.metadata.finalizers = Some(vec![labels::NODEDEPLOYMENT_FINALIZER.to_owned()]);
    fleet.spec.replicas = i32::try_from(number("replicas").unwrap_or(2)).unwrap();
    let sidecar = text("sidecar").map(|it| format!("+{it}")).unwrap_or_default();
    let image = text("image").unwrap_or_else(|| "v1".to_owned());
    fleet.spec.template.spec = template(&format!("{image}{sidecar}"));
    if let Some((key, value)) = text("label").as_deref().and_then(|it| it.split_once(':')) {
        let meta = fleet.spec.template.metadata.get_or_insert_default();
        meta.labels.insert(key.to_owned(), value.to_owned());
    }
    let is = |flag: &str| line.is_some_and(|it| it.is(flag));
    strategy(&mut fleet, line);
    fleet.spec.paused = is("paused");
    if let Some(token) = text("retry") {
        let annotations = fleet.metadata.annotations.get_or_insert_default();
        annotations.insert(labels::RETRY.to_owned(), token);
    }
    fleet.spec.networking = is("networking").then(Default::default);
    if is("validator") {
        fleet.spec.template.spec.full_node = None;
        fleet.spec.template.spec.validator = Some(Default::default());
    }
    fleet.spec.genesis = is("genesis").then(Default::default);
    fleet.spec.deletion_policy = is("retain").then_some(sei_api::DeletionPolicy::Retain);
    fleet.metadata.deletion_timestamp = is("deleting").then(|| k8s::Time(at(0)));
    if is("released") {
        fleet.metadata.finalizers = None;
    }
    fleet
}

/// `spec.updateStrategy.inPlace`, if the line says anything of it, and the deadline.
fn strategy(fleet: &mut SeiNodeDeployment, line: Option<&Line>) {
    let Some(line) = line else { return };
    let number = |key: &str| line.number(key).map(|it| i32::try_from(it).unwrap());
    fleet.spec.progress_deadline_seconds = number("deadline");
    let max_unavailable = line.text("unavailable").map(|it| match it.parse() {
        Ok(count) => k8s::IntOrString::Int(count),
        Err(_) => k8s::IntOrString::String(it),
    });
    let in_place = sei_api::InPlace {
        max_unavailable,
        partition: number("partition"),
        min_ready_seconds: number("minready"),
        order: line.is("ascending").then_some(sei_api::UpdateOrder::OrdinalAscending),
        on_failure: line.is("rollback").then_some(sei_api::OnFailure::Rollback),
    };
    if in_place != sei_api::InPlace::default() {
        fleet.spec.update_strategy.get_or_insert_default().in_place = Some(in_place);
    }
}

/// The template with these images, as a fleet remembers it.
fn record(images: &str) -> sei_api::LastGood {
    let mut fleet = SeiNodeDeployment::new("s", Default::default());
    fleet.spec.template.spec = template(images);
    target::of_template(&fleet)
}

fn status(fleet: &SeiNodeDeployment, line: Option<&Line>) -> SeiNodeDeploymentStatus {
    if line.is_some_and(|it| it.is("new")) {
        return SeiNodeDeploymentStatus::default();
    }
    let text = |key: &str| line.and_then(|it| it.text(key));
    let hash = text("hash").unwrap_or_else(|| "v1".to_owned());
    let phase = text("phase").unwrap_or_else(|| "Ready".to_owned());
    SeiNodeDeploymentStatus {
        observed_generation: line
            .and_then(|it| it.number("observed"))
            .or(fleet.metadata.generation),
        template_hash: (hash != "none").then(|| template_hash(&template(&hash))),
        phase: Some(serde_json::from_value(phase.into()).unwrap()),
        last_good: Some(text("good").unwrap_or(hash))
            .filter(|it| it != "none")
            .map(|it| record(&it)),
        rejected_hash: text("rejected").map(|it| template_hash(&template(&it))),
        last_retry_token: text("heard"),
        conditions: awake(),
        ..Default::default()
    }
}

/// The fleet was never paused.
fn awake() -> Vec<k8s::Condition> {
    let mut list = Vec::new();
    let mut conditions = Conditions { list: &mut list, generation: 1, now: at(-99_999) };
    conditions.set(Type::Paused, Say::no(Reason::NotPaused, "spec.paused is not set"));
    list
}

/// Two children at `v1` with their workloads, and the Service.
fn calm(fleet: &SeiNodeDeployment) -> Observed {
    let mut seen = Observed {
        now: at(0),
        fresh_id: Uuid::from_u128(0xfe),
        children: BTreeMap::new(),
        workloads: BTreeMap::new(),
        internal_service: place(fleet, &lines("service ours")[0]),
        doors: face::calm(fleet),
    };
    for ordinal in 0..2 {
        let child = child(fleet, &lines(&format!("child {ordinal}"))[0]);
        let name = format!("s-{ordinal}");
        seen.workloads.insert(name.clone(), workload(&child));
        seen.children.insert(name, Seen::Here(Arc::new(child)));
    }
    seen
}

/// The child that `line` describes, as it is stored.
fn child(fleet: &SeiNodeDeployment, line: &Line) -> SeiNode {
    let mut subject = fleet.clone();
    let image = line.text("image").unwrap_or_else(|| "v1".to_owned());
    let sidecar = line.text("sidecar").map(|it| format!("+{it}")).unwrap_or_default();
    subject.spec.template.spec = template(&format!("{image}{sidecar}"));
    subject.spec.template.metadata = None;
    subject.spec.template.spec.paused = line.is("paused");
    subject.metadata.annotations = None;
    let ordinal: i32 = line.word().unwrap().parse().unwrap();
    let desired = render::fleet::child(&subject, ordinal, line.number("rev").unwrap_or(1));
    let mut child = applied(None, &desired, labels::NODEDEPLOYMENT_FIELD_MANAGER);
    child.metadata.uid = Some(format!("uid-{ordinal}"));
    child.spec.paused |= line.is("selfpaused");
    if let Some(entries) = child.metadata.managed_fields.as_mut() {
        // As the caches keep them.
        crate::applied::pack(entries);
        for entry in entries {
            entry.time = line.number("written").map(|ago| k8s::Time(at(-ago)));
        }
    }
    if let Some(image) = line.text("edited") {
        child.spec.image = image;
    }
    if let Some((key, value)) = line.get("override").and_then(|it| it.split_once(':')) {
        child.spec.overrides.insert(key.to_owned(), value.to_owned());
    }
    let word = line.second().unwrap_or("ours");
    if word == "new" {
        return child;
    }
    let named = ["Initializing", "Failed"].contains(&word);
    let phase = if named { word } else { "Running" };
    let current = line.text("current").unwrap_or(image);
    child.status = Some(sei_api::SeiNodeStatus {
        phase: Some(serde_json::from_value(phase.into()).unwrap()),
        observed_generation: line.number("observed").or(child.metadata.generation),
        current_image: (current != "none" && !named).then_some(current),
        current_sidecar_image: line.text("ranside").or(line.text("sidecar")),
        plan: line.get("plan").map(|it| sei_api::TaskPlan {
            phase: if it == "Failed" { PlanPhase::Failed } else { PlanPhase::Active },
            ..Default::default()
        }),
        conditions: why(&child, line),
        ..Default::default()
    });
    if !named {
        disown(&mut child.metadata, word, "SeiNodeDeployment", "s");
    }
    child
}

/// What the child says of itself: `why`, since so many seconds.
fn why(child: &SeiNode, line: &Line) -> Vec<k8s::Condition> {
    let Some(reason) = line.get("why").and_then(Reason::from_word) else { return Vec::new() };
    let mut list = Vec::new();
    let now = at(-line.number("since").unwrap_or(0));
    let generation = child.metadata.generation.unwrap();
    let mut conditions = Conditions { list: &mut list, generation, now };
    Verdict::Working(reason, format!("about {reason}")).tell(&mut conditions);
    list
}

fn workload(child: &SeiNode) -> Workload {
    let mut set = render::node_objects(child, &platform()).statefulset;
    set.metadata.uid = Some("set-uid".to_owned());
    set.status =
        Some(k8s::StatefulSetStatus { ready_replicas: Some(1), replicas: 1, ..Default::default() });
    Workload { pods: vec![Arc::new(pod(&set, "a"))], statefulset: Some(Arc::new(set)) }
}

fn place(fleet: &SeiNodeDeployment, line: &Line) -> Seen<k8s::Service> {
    stored(&render::fleet::internal_service(fleet), line.word())
}

/// `desired` as it is stored, in one word.
fn stored<T>(desired: &T, word: Option<&str>) -> Seen<T>
where
    T: k8s::Resource + serde::Serialize + serde::de::DeserializeOwned,
{
    let mut live = applied(None, desired, labels::NODEDEPLOYMENT_FIELD_MANAGER);
    let meta = live.meta_mut();
    meta.uid = Some(format!("uid-of-{}", meta.name.clone().unwrap_or_default()));
    match word.unwrap_or("ours") {
        "absent" => return Seen::Absent,
        "stale" => return Seen::Stale,
        "unreadable" => return Seen::Unreadable(Fault::transient("api server cannot be reached")),
        "changed" => meta.managed_fields = None,
        whose => disown(meta, whose, "SeiNodeDeployment", "s"),
    }
    Seen::Here(Arc::new(live))
}

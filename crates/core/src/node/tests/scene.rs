//! One round over one node, from words to a picture. The only code here that knows the API.
//!
//! Without a word to the contrary the node runs `v1`, everything of it is there and as rendered,
//! its pod runs, and its sidecar is ready and knows no task.

mod kubelet;

use std::sync::Arc;

use expect_test::Expect;
use jiff::Timestamp;
use sei_api::condition::{Reason, Status, Type};
use sei_api::{NodePhase, PlanPhase, SeiNode, SeiNodeStatus, TaskPlan, k8s, labels};
use sei_sidecar_api::{
    Health, SidecarError, TaskResult, TaskStatus as Row, TaskType, TransportKind,
};
use uuid::Uuid;

use super::line::{Line, lines};
use super::picture::Picture;
use super::server::{applied, disown};
use crate::condition::{Conditions, Say};
use crate::decision::{Conclusion, Decision};
use crate::effect::{Outcome, Resource};
use crate::fault::Fault;
use crate::node::{Env, Needs, Observed, Pods, Seen, conclude, decide, needs, notices, plans};
use crate::platform::Platform;
use crate::tempo::Tempo;
use crate::{plan, render};

/// 2026-01-01T00:00:00Z.
pub(crate) const NOW: i64 = 1_767_225_600;

/// A node, its status and what a round sees of the world.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) node: SeiNode,
    pub(crate) status: SeiNodeStatus,
    pub(crate) seen: Observed,
    pub(crate) platform: Platform,
    pub(crate) tempo: Tempo,
}

/// The picture of the round that follows from `input`, all effects succeeding.
pub(crate) fn check(input: &str, expected: Expect) {
    expected.assert_eq(&Scene::new(input).picture(None));
}

/// The same picture for each of `inputs`.
pub(crate) fn check_each<const N: usize>(inputs: [String; N], expected: Expect) {
    let pictures = inputs.map(|input| (Scene::new(&input).picture(None), input));
    for (picture, input) in &pictures[1..] {
        assert_eq!(*picture, pictures[0].0, "{input}");
    }
    expected.assert_eq(&pictures[0].0);
}

/// The same, with every effect failing so.
pub(crate) fn check_failing(input: &str, fault: Fault, expected: Expect) {
    expected.assert_eq(&Scene::new(input).picture(Some(fault)));
}

impl Scene {
    pub(crate) fn new(input: &str) -> Self {
        let lines = lines(input);
        let platform = platform();
        let tempo = Tempo::default();
        let node = node(first(&lines, "node"));
        let mut seen = calm(&node, &platform, first(&lines, "workload"));
        let mut status = status(&node, first(&lines, "node"));
        if status.current_image.is_some() {
            let sidecar = &platform.images.sidecar;
            status.current_sidecar_image.get_or_insert_with(|| sidecar.clone());
        }
        for line in &lines {
            tell(line, (&node, &mut status, &mut seen));
        }
        // Everything that follows from the status alone is said already, so that the picture
        // shows what the round adds.
        let env = Env { platform: &platform, tempo: &tempo };
        if status.phase.is_some() {
            let mut said = Conditions { list: &mut status.conditions, generation: 1, now: at(-60) };
            if status.phase == Some(NodePhase::Running) {
                said.seed(Type::SidecarReady, Say::yes(Reason::Ready, "sidecar returned 200"));
            }
            let rest = Decision::rest(status.clone(), crate::decision::Requeue::Never);
            status = conclude((&node, &status), &seen, env, (rest, &[])).status;
        }
        let needs = needs(&node, &status, env);
        withhold(&mut seen, &needs);
        Self { node, status, seen, platform, tempo }
    }

    pub(crate) fn env(&self) -> Env<'_> {
        Env { platform: &self.platform, tempo: &self.tempo }
    }

    pub(crate) fn decide(&self) -> Decision<SeiNodeStatus> {
        decide(&self.node, &self.status, &self.seen, self.env())
    }

    /// The end of the round; every effect ends with `fault`, or well if there is none.
    pub(crate) fn round(&self, fault: Option<Fault>) -> Conclusion<SeiNodeStatus> {
        let decision = self.decide();
        let outcome = || match &fault {
            Some(fault) => Outcome::Failed(fault.clone()),
            None => Outcome::Done { uid: None },
        };
        let outcomes: Vec<Outcome> = decision.effects.iter().map(|_| outcome()).collect();
        conclude((&self.node, &self.status), &self.seen, self.env(), (decision, &outcomes))
    }

    pub(crate) fn picture(&self, fault: Option<Fault>) -> String {
        let effects = self.decide().effects;
        let end = self.round(fault);
        let (before, after) = (&self.status, &end.status);
        let mut picture = Picture::default();
        picture.plan(before.plan.as_ref(), after.plan.as_ref());
        let word = |it: &Option<NodePhase>| it.as_ref().map(ToString::to_string);
        picture.change("phase", word(&before.phase).as_deref(), word(&after.phase).as_deref());
        picture.change("image", before.current_image.as_deref(), after.current_image.as_deref());
        let sidecar = |it: &SeiNodeStatus| it.current_sidecar_image.clone();
        picture.change("sidecar", sidecar(before).as_deref(), sidecar(after).as_deref());
        let seen = |it: &SeiNodeStatus| it.observed_generation.map(|it| it.to_string());
        picture.change("observed", seen(before).as_deref(), seen(after).as_deref());
        let used = |it: &SeiNodeStatus| it.last_retry_token.clone();
        picture.change("used", used(before).as_deref(), used(after).as_deref());
        let peers = |it: &SeiNodeStatus| it.resolved_peers.join(" ");
        picture.change("peers", Some(&peers(before)), Some(&peers(after)));
        picture.conditions(&before.conditions, &after.conditions);
        picture.effects(&effects);
        picture.requeue(end.requeue);
        picture.notices(&notices(&self.node, before, after));
        picture.0
    }
}

pub(crate) fn platform() -> Platform {
    Platform::parse(&|name| crate::platform::fixture::lookup(name)).unwrap()
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(NOW + seconds).unwrap()
}

fn first<'a>(lines: &'a [Line], subject: &str) -> Option<&'a Line> {
    lines.iter().find(|it| it.subject == subject)
}

/// A node of name `fn-0`, as its line describes it.
fn node(line: Option<&Line>) -> SeiNode {
    let text = |key: &str| line.and_then(|it| it.text(key));
    let mut node =
        SeiNode::new(&text("name").unwrap_or_else(|| "fn-0".to_owned()), Default::default());
    node.metadata.namespace = Some("ns".to_owned());
    node.metadata.uid = Some("node-uid".to_owned());
    node.metadata.generation = Some(line.and_then(|it| it.number("gen")).unwrap_or(1));
    node.metadata.finalizers = Some(vec![labels::NODE_FINALIZER.to_owned()]);
    node.spec.chain_id = "c1".to_owned();
    node.spec.image = text("image").unwrap_or_else(|| "v1".to_owned());
    node.spec.full_node = Some(Default::default());
    if let Some(image) = text("sidecar") {
        node.spec.sidecar.get_or_insert_default().image = Some(image);
    }
    for word in line.map(|it| it.list("peers")).unwrap_or_default() {
        node.spec.peers.push(peer_source(word));
    }
    if let Some((key, value)) = text("override").as_deref().and_then(|it| it.split_once(':')) {
        node.spec.overrides.insert(key.to_owned(), value.to_owned());
    }
    if let Some(token) = text("retry") {
        let annotation = (labels::RETRY.to_owned(), token);
        node.metadata.annotations = Some([annotation].into());
    }
    node.spec.paused = line.is_some_and(|it| it.is("paused"));
    if line.is_some_and(|it| it.is("deleting")) {
        node.metadata.deletion_timestamp = Some(k8s::Time(at(0)));
    }
    let modes = ["archive", "validator", "replayer"];
    if let Some(mode) = modes.into_iter().find(|mode| line.is_some_and(|it| it.is(mode))) {
        node.spec.full_node = None;
        node.spec.archive = (mode == "archive").then(Default::default);
        node.spec.validator = (mode == "validator").then(Default::default);
        node.spec.replayer = (mode == "replayer").then(Default::default);
    }
    if line.is_some_and(|it| it.is("import")) {
        let import = sei_api::DataVolumeImport { pvc_name: "data-fn-0".to_owned() };
        node.spec.data_volume =
            Some(sei_api::DataVolume { import: Some(import), ..Default::default() });
    }
    for (word, policy) in
        [("keep", sei_api::WhenDeleted::Retain), ("drop", sei_api::WhenDeleted::Delete)]
    {
        if line.is_some_and(|it| it.is(word)) {
            node.spec.data_volume.get_or_insert_default().when_deleted = Some(policy);
        }
    }
    if line.is_some_and(|it| it.is("released")) {
        node.metadata.finalizers = None;
    }
    node
}

fn peer_source(word: &str) -> sei_api::PeerSource {
    let mut source = sei_api::PeerSource::default();
    match word {
        "label" => {
            let selector = [("fleet".to_owned(), "a".to_owned())].into();
            source.label = Some(sei_api::LabelSource { selector, ..Default::default() });
        }
        "static" => {
            let addresses = vec!["id@host:26656".to_owned()];
            source.static_ = Some(sei_api::StaticSource { addresses });
        }
        "ec2" => {
            let tags = [("Name".to_owned(), "sei".to_owned())].into();
            let region = "eu-central-1".to_owned();
            source.ec2_tags = Some(sei_api::Ec2TagsSource { region, tags });
        }
        other => panic!("no peer source is \"{other}\""),
    }
    source
}

fn status(node: &SeiNode, line: Option<&Line>) -> SeiNodeStatus {
    let Some(line) = line else { return SeiNodeStatus::default() };
    let phase = line.word().filter(|it| *it != "new");
    if phase.is_none() {
        return SeiNodeStatus::default();
    }
    SeiNodeStatus {
        phase: phase.map(|it| serde_json::from_value(it.into()).unwrap()),
        phase_transition_time: Some(k8s::Time(at(-line.number("since").unwrap_or(60)))),
        observed_generation: line.number("observed").or(node.metadata.generation),
        current_image: line.text("current").filter(|it| it != "none"),
        current_sidecar_image: line.text("ranside"),
        last_retry_token: line.text("used"),
        ..SeiNodeStatus::default()
    }
}

/// What a round sees of a node whose workload runs the image of `line`, else the spec's.
fn calm(node: &SeiNode, platform: &Platform, line: Option<&Line>) -> Observed {
    let mut subject = node.clone();
    if let Some(image) = line.and_then(|it| it.text("image")) {
        subject.spec.image = image;
    }
    if let Some(image) = line.and_then(|it| it.text("sidecar")) {
        subject.spec.sidecar.get_or_insert_default().image = Some(image);
    }
    let objects = render::node_objects(&subject, platform);
    let mine = render::node_objects(node, platform);
    let manager = labels::NODE_FIELD_MANAGER;
    let mut set = applied(None, &objects.statefulset, manager);
    set.metadata.uid = Some("set-uid".to_owned());
    set.status = Some(k8s::StatefulSetStatus {
        observed_generation: Some(1),
        replicas: 1,
        ready_replicas: Some(1),
        updated_replicas: Some(1),
        current_revision: Some("a".to_owned()),
        update_revision: Some("a".to_owned()),
        ..Default::default()
    });
    let mut claim = mine.claim;
    claim.metadata.uid = Some("claim-uid".to_owned());
    Observed {
        now: at(0),
        fresh_id: Uuid::from_u128(0xfe),
        pods: Pods::Known(vec![Arc::new(pod(&set, "a"))]),
        statefulset: Seen::Here(Arc::new(set)),
        service: Seen::Here(Arc::new(applied(None, &mine.service, manager))),
        claim: Seen::Here(Arc::new(claim)),
        config_map: Seen::Here(Arc::new(applied(None, &mine.config_map, manager))),
        host: None,
        peers: Vec::new(),
        task: Some(Ok(None)),
        health: Some(Ok(Health::Ready)),
    }
}

/// A running pod of `set` at `revision`, of its template.
pub(crate) fn pod(set: &k8s::StatefulSet, revision: &str) -> k8s::Pod {
    let template = set.spec.as_ref().unwrap().template.clone();
    let meta = template.metadata.unwrap();
    let mut labels = meta.labels.unwrap();
    labels.insert("controller-revision-hash".to_owned(), revision.to_owned());
    let name = set.metadata.name.clone().unwrap();
    k8s::Pod {
        metadata: k8s::ObjectMeta {
            name: Some(format!("{name}-0")),
            namespace: set.metadata.namespace.clone(),
            uid: Some("pod-uid".to_owned()),
            resource_version: Some("1".to_owned()),
            labels: Some(labels),
            owner_references: Some(vec![render::owner(set).unwrap()]),
            ..Default::default()
        },
        spec: template.spec,
        status: Some(k8s::PodStatus {
            container_statuses: Some(vec![running(true)]),
            ..Default::default()
        }),
    }
}

/// The status of container `seid`, which runs since a minute, or waits.
pub(crate) fn running(runs: bool) -> k8s::ContainerStatus {
    let since = k8s::ContainerStateRunning { started_at: Some(k8s::Time(at(-60))) };
    k8s::ContainerStatus {
        name: crate::node::SEID.to_owned(),
        started: Some(runs),
        state: Some(k8s::ContainerState {
            running: runs.then_some(since),
            waiting: (!runs).then(Default::default),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// Lets a line change the scene.
fn tell(line: &Line, (node, status, seen): (&SeiNode, &mut SeiNodeStatus, &mut Observed)) {
    match line.subject.as_str() {
        "node" => line.knows(
            &[
                "Running",
                "Initializing",
                "Failed",
                "Terminating",
                "deleting",
                "paused",
                "released",
                "new",
                "archive",
                "validator",
                "replayer",
                "import",
                "keep",
                "drop",
            ],
            &[
                "name", "image", "sidecar", "current", "ranside", "gen", "observed", "since",
                "peers", "override", "retry", "used",
            ],
        ),
        "workload" => workload(line, seen),
        "pod" => kubelet::add_pod(line, seen),
        "pods" => seen.pods = pods(line),
        "claim" => {
            place(line, &mut seen.claim);
            kubelet::claim(line, &mut seen.claim);
        }
        "container" => kubelet::container(line, seen),
        "podcond" => kubelet::condition(line, seen),
        "host" => seen.host = Some(kubelet::host(line)),
        "service" => place(line, &mut seen.service),
        "configmap" => place(line, &mut seen.config_map),
        "peer" => add_peer(line, node, seen),
        "objects" => {
            place(line, &mut seen.statefulset);
            place(line, &mut seen.claim);
            place(line, &mut seen.service);
            place(line, &mut seen.config_map);
            seen.pods = Pods::Known(Vec::new());
        }
        "plan" => status.plan = Some(planned(line, node, seen)),
        "sidecar" => answer(line, status, seen),
        "cond" => condition(line, node, status),
        other => panic!("no line is about \"{other}\""),
    }
}

/// An object at one of the node's names: whose it is, or why it is not seen.
fn place<T: Clone + k8s::Resource<DynamicType = ()>>(line: &Line, seen: &mut Seen<T>) {
    let word = line.word().unwrap_or("ours");
    let Seen::Here(live) = &*seen else { return };
    *seen = match word {
        "absent" => Seen::Absent,
        "stale" => Seen::Stale,
        "unconfirmed" => Seen::Unconfirmed,
        "unreadable" => Seen::Unreadable(Fault::transient("api server cannot be reached")),
        "changed" => {
            let mut live = live.as_ref().clone();
            live.meta_mut().managed_fields = None;
            Seen::Here(Arc::new(live))
        }
        whose => {
            let mut live = live.as_ref().clone();
            disown(live.meta_mut(), whose, "SeiNode", "fn-0");
            Seen::Here(Arc::new(live))
        }
    };
}

fn workload(line: &Line, seen: &mut Observed) {
    let flags = [
        "ours",
        "absent",
        "stale",
        "unconfirmed",
        "unreadable",
        "orphan",
        "leftover",
        "foreign",
        "theirs",
        "terminating",
        "changed",
    ];
    let keys = ["image", "sidecar", "gen", "seen", "ready", "updated", "rev", "pods"];
    line.knows(&flags, &keys);
    if let Seen::Here(set) = &mut seen.statefulset {
        let set = Arc::make_mut(set);
        let number = |key: &str| line.number(key).map(|it| i32::try_from(it).unwrap());
        set.metadata.generation = line.number("gen").or(set.metadata.generation);
        let status = set.status.as_mut().unwrap();
        status.observed_generation =
            line.number("seen").or(line.number("gen")).or(status.observed_generation);
        status.replicas = number("pods").unwrap_or(status.replicas);
        status.ready_replicas = number("ready").or(status.ready_replicas);
        status.updated_replicas = number("updated").or(status.updated_replicas);
        status.update_revision = line.text("rev").or(status.update_revision.clone());
        if let Pods::Known(pods) = &mut seen.pods {
            *pods = vec![Arc::new(pod(set, line.get("rev").unwrap_or("a")))];
        }
    }
    place(line, &mut seen.statefulset);
}

fn pods(line: &Line) -> Pods {
    line.knows(&["none", "unconfirmed", "unreadable"], &[]);
    match line.word() {
        Some("none") => Pods::Known(Vec::new()),
        Some("unconfirmed") => Pods::Unconfirmed,
        _ => Pods::Unreadable(Fault::transient("api server cannot be reached")),
    }
}

fn add_peer(line: &Line, node: &SeiNode, seen: &mut Observed) {
    line.knows(&["deleting"], &["name", "namespace", "chain"]);
    let mut peer = node.clone();
    peer.metadata.name = line.text("name").or(peer.metadata.name);
    peer.metadata.namespace = line.text("namespace").or(peer.metadata.namespace);
    peer.metadata.deletion_timestamp = line.is("deleting").then(|| k8s::Time(at(0)));
    peer.spec.chain_id = line.text("chain").unwrap_or(peer.spec.chain_id);
    seen.peers.push(Arc::new(peer));
}

/// The plan that was made for a node with the target images, at the task it names.
fn planned(line: &Line, node: &SeiNode, seen: &Observed) -> TaskPlan {
    line.knows(
        &["init", "update", "mark-ready", "unknown", "complete"],
        &[
            "target", "sidecar", "override", "at", "begun", "retry", "failed", "garbage", "wait",
            "attempt", "after",
        ],
    );
    let mut subject = node.clone();
    subject.spec.image = line.text("target").unwrap_or(subject.spec.image);
    if let Some(image) = line.text("sidecar") {
        subject.spec.sidecar.get_or_insert_default().image = Some(image);
    }
    if line.get("override") == Some("none") {
        subject.spec.overrides.clear();
    }
    let id = Uuid::from_u128(1);
    let mut seen = seen.clone();
    seen.fresh_id = id;
    let mut plan = match line.word().unwrap() {
        "init" => plans::init(&subject, &seen),
        "update" => plans::update(&subject, id),
        _ => plans::mark_ready(&subject, id),
    };
    if line.get("target") == Some("none") {
        plan.target = None;
    }
    if line.is("complete") {
        plan.phase = PlanPhase::Complete;
    }
    let wanted = line.get("at").unwrap_or(&plan.tasks[0].type_).to_owned();
    let index = plan.tasks.iter().position(|it| it.type_ == wanted).expect("a task of the plan");
    for task in &mut plan.tasks[..index] {
        plan::complete(task, at(-60));
    }
    let task = &mut plan.tasks[index];
    task.submitted_at = line.number("begun").map(|it| k8s::Time(at(-it)));
    task.retry_count = line.number("retry").unwrap_or_default();
    match line.get("garbage") {
        Some("type") => task.type_ = "launch-rocket".to_owned(),
        Some("params") => task.params = Some("[".into()),
        Some("id") => task.id = "no-uuid".to_owned(),
        _ => {}
    }
    if let Some(error) = line.get("failed") {
        let begun = line.number("begun").unwrap_or(60);
        plan::fail(&mut plan, index, error, at(-begun));
    }
    plan.tasks[index].not_before = line.number("wait").map(|it| k8s::Time(at(it)));
    plan.attempt = line.number("attempt");
    if let Some(error) = line.get("after") {
        let mut failed = plan.clone();
        plan::fail(&mut failed, index, error, at(-60));
        plan.failed_task_detail = failed.failed_task_detail;
    }
    plan
}

/// What the sidecar says of the current task and of itself.
fn answer(line: &Line, status: &SeiNodeStatus, seen: &mut Observed) {
    line.knows(&[], &["health", "task", "run", "ended", "error"]);
    let down = || SidecarError::Transport { kind: TransportKind::Connect };
    let rejected = || SidecarError::Rejected {
        task_type: TaskType::ConfigApply,
        message: "unknown key".to_owned(),
    };
    seen.health = Some(match line.get("health") {
        None | Some("ready") => Ok(Health::Ready),
        Some("503") => Ok(Health::NotReady),
        Some(_) => Err(down()),
    });
    let row = match line.get("task") {
        None | Some("none") => return,
        Some("down") => return seen.task = Some(Err(down())),
        Some("rejected") => return seen.task = Some(Err(rejected())),
        Some(word) => Row::from(word.to_owned()),
    };
    let plan = status.plan.as_ref().expect("a plan before the sidecar's line");
    let task = &plan.tasks[plan::current(plan).unwrap()];
    seen.task = Some(Ok(Some(TaskResult {
        id: task.id.parse().unwrap_or_default(),
        task_type: task.type_.clone(),
        run: u64::try_from(line.number("run").unwrap_or(1)).unwrap(),
        params: None,
        error: line.text("error"),
        submitted_at: None,
        completed_at: line.number("ended").map(|it| at(-it)),
        result: None,
        status: row,
    })));
}

fn condition(line: &Line, node: &SeiNode, status: &mut SeiNodeStatus) {
    let generation = node.metadata.generation.unwrap_or_default();
    let mut conditions = Conditions { list: &mut status.conditions, generation, now: at(-60) };
    let (kind, word) = (line.word().unwrap(), line.second().unwrap());
    let said = Status::ALL.iter().copied().find(|it| it.as_str() == word).unwrap();
    let reason = Reason::from_word(line.get("reason").unwrap()).unwrap();
    let say = Say { status: said, reason, message: String::new() };
    conditions.set(Type::from_word(kind).unwrap(), say);
}

/// Nobody answers what was not asked.
fn withhold(seen: &mut Observed, needs: &Needs) {
    fn unasked<T>(seen: &mut Seen<T>, asked: bool) {
        if matches!(seen, Seen::Absent) && !asked {
            *seen = Seen::Unconfirmed;
        }
    }
    let asked = |resource| needs.confirm.contains(&resource);
    unasked(&mut seen.statefulset, asked(Resource::StatefulSet));
    unasked(&mut seen.service, asked(Resource::Service));
    unasked(&mut seen.claim, asked(Resource::Claim));
    unasked(&mut seen.config_map, asked(Resource::ConfigMap));
    if matches!(&seen.pods, Pods::Known(pods) if pods.is_empty()) && !needs.confirm_pods {
        seen.pods = Pods::Unconfirmed;
    }
    seen.task = seen.task.take().filter(|_| needs.task.is_some());
    seen.health = seen.health.take().filter(|_| needs.health.is_some());
}

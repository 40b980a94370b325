//! What is left of a story in the cluster, without what differs from one telling to the next.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use kube::Api;
use kube::api::{ApiResource, ListParams};
use kube::core::DynamicObject;
use sei_api::gateway::HttpRoute;
use sei_api::k8s::{ConfigMap, Event, PersistentVolumeClaim, Service, StatefulSet};
use sei_api::{SeiNode, SeiNodeDeployment, labels};
use sei_harness::suite::TestEnv;
use serde_json::{Map, Value, json};

/// Members that a second telling never gives the same value: identities, counters, and
/// sentences that hold them. Conditions are compared by status and reason.
const FLEETING: [&str; 11] = [
    "uid",
    "resourceVersion",
    "managedFields",
    "id",
    "message",
    "clusterIP",
    "clusterIPs",
    "nodePort",
    "generation",
    "observedGeneration",
    "sei.io/revision",
];

/// Every object that the operator made or wrote, by kind and name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture(BTreeMap<String, Value>);

/// How often something was told, or done.
pub type Counts = BTreeMap<String, usize>;

impl Picture {
    /// The namespace as it is.
    pub async fn take(env: &TestEnv) -> Result<Self> {
        let kinds = [
            ApiResource::erase::<SeiNodeDeployment>(&()),
            ApiResource::erase::<SeiNode>(&()),
            ApiResource::erase::<StatefulSet>(&()),
            ApiResource::erase::<Service>(&()),
            ApiResource::erase::<ConfigMap>(&()),
            ApiResource::erase::<PersistentVolumeClaim>(&()),
            ApiResource::erase::<HttpRoute>(&()),
        ];
        let mut objects = BTreeMap::new();
        for kind in &kinds {
            let client = (*env.client).clone();
            let api: Api<DynamicObject> = Api::namespaced_with(client, &env.ns, kind);
            for object in api.list(&ListParams::default()).await?.items {
                let mut value = serde_json::to_value(&object)?;
                let revision = revision(&value, kind);
                lasting(&mut value, &env.ns);
                value["revision"] = revision;
                let name = object.metadata.name.unwrap_or_default();
                objects.insert(format!("{} {name}", kind.kind), value);
            }
        }
        Ok(Self(objects))
    }

    /// The names of all objects.
    pub fn names(&self) -> impl Iterator<Item = String> {
        self.0.keys().filter_map(|key| key.split_once(' ')).map(|(_, name)| name.to_owned())
    }

    /// Lines that only one of the two has; empty if they are equal.
    pub fn difference(&self, other: &Self) -> String {
        let keys: BTreeSet<&String> = self.0.keys().chain(other.0.keys()).collect();
        let mut told = String::new();
        for key in keys {
            let (mine, theirs) = (lines(self.0.get(key)), lines(other.0.get(key)));
            let only = |sign: char, these: &[String], those: &[String]| {
                let lacking = these.iter().filter(|line| !those.contains(line));
                lacking.map(|line| format!("  {sign}{line}\n")).collect::<String>()
            };
            let differs = only('-', &mine, &theirs) + &only('+', &theirs, &mine);
            if !differs.is_empty() {
                told += &format!("{key}\n{differs}");
            }
        }
        told
    }
}

/// Every pod would be replaced with it, so a StatefulSet may not have had more revisions.
fn revision(object: &Value, kind: &ApiResource) -> Value {
    match kind.kind.as_str() {
        "StatefulSet" => object["metadata"]["generation"].clone(),
        _ => {
            let generation = &object["metadata"]["generation"];
            let observed = &object["status"]["observedGeneration"];
            json!({ "isObserved": observed.is_null() || observed == generation })
        }
    }
}

fn lasting(value: &mut Value, namespace: &str) {
    match value {
        Value::Object(members) => lasting_members(members, namespace),
        Value::Array(items) => items.iter_mut().for_each(|it| lasting(it, namespace)),
        Value::String(text) if text.parse::<jiff::Timestamp>().is_ok() => "{time}".clone_into(text),
        Value::String(text) => *text = text.replace(namespace, "{namespace}"),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn lasting_members(members: &mut Map<String, Value>, namespace: &str) {
    members.retain(|name, _| !FLEETING.contains(&name.as_str()));
    members.values_mut().for_each(|it| lasting(it, namespace));
}

/// One line for each member, with its whole path.
fn lines(value: Option<&Value>) -> Vec<String> {
    let mut found = Vec::new();
    match value {
        Some(value) => flatten(value, String::new(), &mut found),
        None => found.push(" there is none".to_owned()),
    }
    found
}

fn flatten(value: &Value, path: String, found: &mut Vec<String>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            members.iter().for_each(|(name, it)| flatten(it, format!("{path}.{name}"), found));
        }
        Value::Array(items) if !items.is_empty() => {
            let each = items.iter().enumerate();
            each.for_each(|(index, it)| flatten(it, format!("{path}[{index}]"), found));
        }
        leaf => found.push(format!("{path} = {leaf}")),
    }
}

/// The operator's Events of the namespace by object and reason; what they say may hold a moment's
/// diagnosis.
pub async fn events(env: &TestEnv) -> Result<Counts> {
    let mut counts = Counts::new();
    for event in env.api::<Event>().list(&ListParams::default()).await?.items {
        // The API server reports on its Services, too.
        let source = event.source.and_then(|it| it.component).unwrap_or_default();
        if ![labels::NODE_COMPONENT, labels::NODEDEPLOYMENT_COMPONENT].contains(&source.as_str()) {
            continue;
        }
        let about = event.involved_object.name.unwrap_or_default();
        let reason = event.reason.unwrap_or_default();
        *counts.entry(format!("{about} {reason}")).or_default() += 1;
    }
    Ok(counts)
}

/// How often each sidecar task was run, by node and type; and a task that ran twice, if one did.
pub fn runs(env: &TestEnv) -> (Counts, Option<String>) {
    let (mut counts, mut twice) = (Counts::new(), None);
    for submission in env.sidecars.submissions() {
        let node = env.sidecars.node(&submission.namespace, &submission.node);
        let what = format!("{} {}", submission.node, submission.task_type);
        let times = node.executions(&submission.id);
        if times > 1 {
            twice = Some(format!("{what} ran {times} times"));
        }
        counts.insert(format!("{what} {}", submission.id), times);
    }
    let mut by_type = Counts::new();
    for (key, times) in counts {
        let what = key.rsplit_once(' ').map_or(key.as_str(), |(what, _)| what);
        *by_type.entry(what.to_owned()).or_default() += times;
    }
    (by_type, twice)
}

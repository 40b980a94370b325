//! Every effect as the one request that it is, and every answer as its outcome.

use std::sync::{Arc, Mutex};

use expect_test::{Expect, expect};
use http::Method;
use sei_api::{SeiNode, SeiNodeDeployment, labels};
use sei_sidecar_api::{TaskSpec, TaskType};
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::context::fixture;
use crate::deployment::Deployment;
use crate::node::Node;
use crate::script::{self, Answer, Asked};

#[tokio::test]
async fn an_unforced_apply_names_its_manager_only() {
    let effect = apply_service(None);
    check(
        &effect,
        written("v2"),
        expect![[r#"
            PATCH /api/v1/namespaces/chain/services/rpc-0
            &fieldManager=seinode-controller
            application/apply-patch+yaml
            {
              "apiVersion": "v1",
              "kind": "Service",
              "metadata": {
                "name": "rpc-0"
              }
            }
            Done { uid: Some("written") }"#]],
    )
    .await;
}

#[tokio::test]
async fn a_forced_apply_names_the_uid_that_was_seen() {
    let effect = apply_service(Some("seen"));
    check(
        &effect,
        written("v2"),
        expect![[r#"
            PATCH /api/v1/namespaces/chain/services/rpc-0
            &force=true&fieldManager=seinode-controller
            application/apply-patch+yaml
            {
              "apiVersion": "v1",
              "kind": "Service",
              "metadata": {
                "name": "rpc-0",
                "uid": "seen"
              }
            }
            Done { uid: Some("written") }"#]],
    )
    .await;
}

#[tokio::test]
async fn fields_of_somebody_else_end_an_unforced_apply() {
    let refusal = json!({
        "kind": "Status", "status": "Failure", "code": 409, "reason": "Conflict",
        "message": "Apply failed with 1 conflict",
        "details": { "causes": [{ "reason": "FieldManagerConflict", "field": ".spec" }] },
    });
    let outcome =
        outcome_of(&apply_service(None), move || Answer::Json(409, refusal.clone())).await;
    let text = "Service \"rpc-0\" already exists and is managed by somebody else";
    assert_eq!(outcome, Outcome::Failed(Fault::terminal(text)));
}

#[tokio::test]
async fn a_race_for_the_name_is_a_conflict() {
    for effect in [apply_service(None), apply_service(Some("seen")), create_claim()] {
        for reason in ["AlreadyExists", "Conflict"] {
            let outcome = outcome_of(&effect, || Answer::refusal(409, reason)).await;
            assert_eq!(outcome.fault().map(|it| it.class), Some(Class::Conflict), "{effect:?}");
        }
    }
}

#[tokio::test]
async fn a_create_posts_the_object() {
    check(
        &create_claim(),
        written("v2"),
        expect![[r#"
            POST /api/v1/namespaces/chain/persistentvolumeclaims
            &fieldManager=seinode-controller
            application/json
            {
              "apiVersion": "v1",
              "kind": "PersistentVolumeClaim",
              "metadata": {
                "name": "data-rpc-0"
              }
            }
            Done { uid: Some("written") }"#]],
    )
    .await;
}

#[tokio::test]
async fn owners_are_set_on_the_version_that_was_seen() {
    let owner = k8s::OwnerReference {
        api_version: "sei.io/v1alpha1".to_owned(),
        kind: "SeiNode".to_owned(),
        name: "rpc-0".to_owned(),
        uid: "u".to_owned(),
        controller: Some(true),
        block_owner_deletion: None,
    };
    let target = target(Resource::Claim, "data-rpc-0");
    check(
        &Effect::SetOwners { target, owners: vec![owner] },
        written("v2"),
        expect![[r#"
        PATCH /api/v1/namespaces/chain/persistentvolumeclaims/data-rpc-0
        &fieldManager=seinode-controller
        application/merge-patch+json
        {
          "metadata": {
            "ownerReferences": [
              {
                "apiVersion": "sei.io/v1alpha1",
                "controller": true,
                "kind": "SeiNode",
                "name": "rpc-0",
                "uid": "u"
              }
            ],
            "resourceVersion": "7"
          }
        }
        Done { uid: Some("written") }"#]],
    )
    .await;
}

#[tokio::test]
async fn a_delete_carries_uid_and_resource_version() {
    let effect = Effect::Delete(target(Resource::Pod, "rpc-0-0"));
    check(
        &effect,
        written("v2"),
        expect![[r#"
            DELETE /api/v1/namespaces/chain/pods/rpc-0-0

            application/json
            {
              "preconditions": {
                "resourceVersion": "7",
                "uid": "seen"
              }
            }
            Done { uid: None }"#]],
    )
    .await;
}

#[tokio::test]
async fn what_is_gone_already_is_deleted() {
    let effect = Effect::Delete(target(Resource::Claim, "data-rpc-0"));
    let outcome = outcome_of(&effect, || Answer::refusal(404, "NotFound")).await;
    assert_eq!(outcome, Outcome::Done { uid: None });
}

#[tokio::test]
async fn no_effect_deletes_what_the_role_does_not_allow() {
    for resource in [Resource::StatefulSet, Resource::SeiNodeDeployment] {
        let effect = Effect::Delete(target(resource, "a"));
        let outcome = outcome_of(&effect, || panic!("nothing may be sent")).await;
        assert_eq!(outcome.fault().map(|it| it.class), Some(Class::Terminal), "{resource:?}");
    }
}

#[tokio::test]
async fn our_finalizer_goes_and_others_stay() {
    check(
        &Effect::RemoveFinalizer,
        written("v2"),
        expect![[r#"
            PATCH /apis/sei.io/v1alpha1/namespaces/chain/seinodes/rpc-0
            &fieldManager=seinode-controller
            application/merge-patch+json
            {
              "metadata": {
                "finalizers": [
                  "theirs"
                ],
                "resourceVersion": "3"
              }
            }
            Done { uid: None }"#]],
    )
    .await;
    let outcome = outcome_of(&Effect::RemoveFinalizer, || Answer::refusal(404, "NotFound")).await;
    assert_eq!(outcome, Outcome::Done { uid: None });
}

#[tokio::test]
async fn a_submit_goes_to_the_sidecar_of_the_node() {
    let (context, sidecars) = fixture::context(script::client(|_| panic!("not the API server")));
    let id = Uuid::from_u128(7);
    let effect = Effect::Submit(TaskRequest::new(id, &TaskSpec::MarkReady));
    let outcomes = act::<Node>(&context, &node(), &[effect]).await;
    assert_eq!(outcomes, [Outcome::Done { uid: None }]);
    let submitted = sidecars.node("chain", "rpc-0").submissions();
    assert_eq!(submitted.len(), 1);
    assert_eq!(submitted[0].id, id.to_string());
    assert_eq!(TaskType::MarkReady.as_str(), submitted[0].task_type);
}

#[tokio::test]
async fn a_fleet_says_that_it_is_a_fleet() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let (context, _) = fixture::context(script::client(move |request: &Asked| {
        seen.lock().unwrap().push(request.path.clone());
        written("v2")
    }));
    let mut fleet = SeiNodeDeployment::new("rpc", sei_api::SeiNodeDeploymentSpec::default());
    fleet.metadata.namespace = Some("chain".to_owned());
    let child = Desired::SeiNode(SeiNode::new("rpc-0", sei_api::SeiNodeSpec::default()));
    let effect = Effect::Apply { object: Box::new(child), over: None };
    act::<Deployment>(&context, &fleet, &[effect]).await;
    let path = "/apis/sei.io/v1alpha1/namespaces/chain/seinodes/rpc-0\
                ?&fieldManager=seinodedeployment-controller";
    assert_eq!(*asked.lock().unwrap(), [path]);
}

#[tokio::test]
async fn outcomes_come_in_the_order_of_their_effects() {
    let (context, _) = fixture::context(script::client(|asked: &Asked| {
        if asked.method == Method::DELETE { Answer::Broken } else { written("v2") }
    }));
    let delete = Effect::Delete(target(Resource::Pod, "rpc-0-0"));
    let effects = [apply_service(None), delete, create_claim()];
    let outcomes = act::<Node>(&context, &node(), &effects).await;
    let done: Vec<bool> = outcomes.iter().map(|it| it.fault().is_none()).collect();
    assert_eq!(done, [true, false, true]);
}

#[tokio::test(start_paused = true)]
async fn a_silent_api_server_is_given_up_after_ten_seconds() {
    let began = tokio::time::Instant::now();
    let outcome = outcome_of(&apply_service(None), || Answer::Silence).await;
    let text = "Service \"rpc-0\": the API server did not answer in time";
    assert_eq!(outcome, Outcome::Failed(Fault::transient(text)));
    assert_eq!(began.elapsed().as_secs(), 10);
}

#[tokio::test]
async fn a_write_makes_the_cached_object_stale() {
    let (context, _) = fixture::context(script::client(|_| written("12")));
    act::<Node>(&context, &node(), &[apply_service(None)]).await;
    let cached = context.stores.services.get(&Key::new("chain", "rpc-0"));
    assert!(matches!(cached, crate::cluster::store::Cached::Stale(_)), "{cached:?}");
}

/// Performs `effect` and compares the request and the outcome.
async fn check(effect: &Effect, answer: Answer, expected: Expect) {
    let request = Arc::new(Mutex::new(String::new()));
    let seen = Arc::clone(&request);
    let mut answer = Some(answer);
    let client = script::client(move |asked: &Asked| {
        let (path, query) = asked.path.split_once("?").unwrap_or((&asked.path, ""));
        let (method, kind) = (&asked.method, &asked.content_type);
        let line = format!("{method} {path}\n{query}\n{kind}\n{:#}", lean(&asked.body));
        seen.lock().unwrap().push_str(&line);
        answer.take().unwrap()
    });
    let (context, _) = fixture::context(client);
    let outcomes = act::<Node>(&context, &node(), std::slice::from_ref(effect)).await;
    let request = request.lock().unwrap().clone();
    expected.assert_eq(&format!("{request}\n{:?}", outcomes[0]));
}

async fn outcome_of(
    effect: &Effect,
    mut answer: impl FnMut() -> Answer + Send + 'static,
) -> Outcome {
    let (context, _) = fixture::context(script::client(move |_| answer()));
    act::<Node>(&context, &node(), std::slice::from_ref(effect)).await.remove(0)
}

/// The body without what serde writes for an empty object of the type.
fn lean(body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(body) = body.as_object_mut() {
        body.retain(|_, value| !value.is_null());
    }
    body
}

fn written(version: &str) -> Answer {
    let meta = json!({ "name": "x", "uid": "written", "resourceVersion": version });
    Answer::Json(
        200,
        json!({ "metadata": meta, "spec": {
        "chainId": "c", "image": "i", "containers": [],
    } }),
    )
}

fn node() -> SeiNode {
    let mut node = SeiNode::new("rpc-0", sei_api::SeiNodeSpec::default());
    node.metadata.namespace = Some("chain".to_owned());
    node.metadata.resource_version = Some("3".to_owned());
    node.metadata.finalizers = Some(vec!["theirs".to_owned(), labels::NODE_FINALIZER.to_owned()]);
    node
}

fn apply_service(over: Option<&str>) -> Effect {
    let object = Desired::Service(k8s::Service { metadata: named("rpc-0"), ..Default::default() });
    Effect::Apply { object: Box::new(object), over: over.map(str::to_owned) }
}

fn create_claim() -> Effect {
    let metadata = named("data-rpc-0");
    let claim = k8s::PersistentVolumeClaim { metadata, ..Default::default() };
    Effect::Create(Box::new(Desired::Claim(claim)))
}

fn named(name: &str) -> k8s::ObjectMeta {
    k8s::ObjectMeta { name: Some(name.to_owned()), ..k8s::ObjectMeta::default() }
}

fn target(resource: Resource, name: &str) -> Target {
    Target {
        resource,
        name: name.to_owned(),
        uid: "seen".to_owned(),
        resource_version: "7".to_owned(),
    }
}

//! The harness tested against a real API server.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt};
use sei_api::k8s::{ConfigMap, Event, Namespace, OwnerReference, StatefulSet};
use sei_api::{SeiNode, SeiNodeDeployment};
use sei_harness::fixtures::{IMAGE_V2, new_snd};
use sei_harness::request_log::{Requests, Verb};
use sei_harness::status_faker::Mode;
use sei_harness::stubs::Sidecars;
use sei_harness::suite::{ControllerInputs, Controllers, ControllersFn, Failure, start_function};
use sei_harness::wait::{Progress, WaitOpts, check};
use sei_harness::{RunOptions, TestEnv, suite};
use sei_sidecar_api::{SidecarFactory, TaskRequest, TaskStatus, TaskType};
use serde_json::json;
use tokio::time::sleep;
use uuid::Uuid;

/// What the faker has to reach.
const SOON: Duration = Duration::from_millis(500);
/// Twenty ticks of the faker.
const LONG: Duration = Duration::from_secs(1);

/// A StatefulSet of two pods without a template's worth of detail.
async fn create_set(env: &TestEnv, name: &str) -> Result<StatefulSet> {
    let set: StatefulSet = serde_json::from_value(json!({
        "metadata": { "name": name },
        "spec": {
            "replicas": 2,
            "serviceName": name,
            "selector": { "matchLabels": { "app": name } },
            "template": {
                "metadata": { "labels": { "app": name } },
                "spec": { "containers": [{ "name": "seid", "image": "seid:v1" }] },
            },
        },
    }))?;
    Ok(env.api().create(&PostParams::default(), &set).await?)
}

async fn set_image(env: &TestEnv, name: &str, image: &str) -> Result<StatefulSet> {
    let containers = json!([{ "name": "seid", "image": image }]);
    let patch = json!({ "spec": { "template": { "spec": { "containers": containers } } } });
    Ok(env.api().patch(name, &PatchParams::default(), &Patch::Strategic(patch)).await?)
}

/// The eight fields, in the order of the specification.
fn eight(set: &StatefulSet) -> (Option<i64>, [Option<i32>; 5], [Option<String>; 2]) {
    let status = set.status.clone().unwrap_or_default();
    (
        status.observed_generation,
        [
            Some(status.replicas),
            status.ready_replicas,
            status.updated_replicas,
            status.available_replicas,
            status.current_replicas,
        ],
        [status.current_revision, status.update_revision],
    )
}

async fn await_converged(env: &TestEnv, name: &str, within: Duration) -> Result<StatefulSet> {
    let opts = WaitOpts { timeout: within, interval: Duration::from_millis(10) };
    let wait = env.wait_for_with(opts, "all eight fields", || async {
        let set: StatefulSet = env.api().get(name).await?;
        let revision = Some("stub-rev".to_owned());
        let wanted = (set.metadata.generation, [Some(2); 5], [revision.clone(), revision]);
        Ok(match eight(&set) == wanted {
            true => Progress::Ready(set),
            false => Progress::NotYet(format!("{:?}", eight(&set))),
        })
    });
    Ok(wait.await?)
}

async fn assert_untouched(env: &TestEnv, set: &StatefulSet) -> Result<()> {
    let (api, name) = (env.api::<StatefulSet>(), set.name_any());
    let version = set.resource_version();
    let checks = [check("resourceVersion", version, |set: &StatefulSet| set.resource_version())];
    let sample = || async { Ok(api.get(&name).await?) };
    Ok(env.consistently((LONG, LONG / 20), sample, &checks).await?)
}

/// HT1
#[test]
fn faker_fills_all_eight_fields_of_a_new_statefulset() {
    suite().run("HT1", RunOptions::new(), |env| async move {
        create_set(&env, "a").await?;
        await_converged(&env, "a", SOON).await?;
        Ok(())
    });
}

/// HT2
#[test]
fn pause_is_a_barrier() {
    suite().run("HT2", RunOptions::new(), |env| async move {
        create_set(&env, "a").await?;
        await_converged(&env, "a", SOON).await?;
        // An edit gives the next sweep something to write; the pause comes at many different
        // moments of that sweep, and from its return on nothing may be written.
        for round in 0..30 {
            set_image(&env, "a", &format!("seid:r{round}")).await?;
            sleep(Duration::from_millis(2 * round)).await;
            let pause = env.faker.pause().await;
            let paused: StatefulSet = env.api().get("a").await?;
            sleep(Duration::from_millis(60)).await;
            let later: StatefulSet = env.api().get("a").await?;
            ensure!(later.resource_version() == paused.resource_version(), "round {round}");
            drop(pause);
        }
        let _pause = env.faker.pause().await;
        let edited = set_image(&env, "a", "seid:last").await?;
        assert_untouched(&env, &edited).await
    });
}

/// HT3
#[test]
fn resume_converges_and_a_panic_resumes() {
    suite().run("HT3", RunOptions::new(), |env| async move {
        create_set(&env, "a").await?;
        let pause = env.faker.pause().await;
        set_image(&env, "a", "seid:v2").await?;
        drop(pause);
        await_converged(&env, "a", SOON).await?;

        let panicking = tokio::spawn({
            let env = env.clone();
            async move {
                let _pause = env.faker.pause().await;
                panic!("a test that fails while the faker is paused");
            }
        });
        ensure!(panicking.await.is_err());
        ensure!(!env.faker.is_paused());
        set_image(&env, "a", "seid:v3").await?;
        await_converged(&env, "a", SOON).await?;
        Ok(())
    });
}

/// HT4
#[test]
fn stop_ends_all_writes_and_may_be_repeated() {
    suite().run("HT4", RunOptions::new(), |env| async move {
        create_set(&env, "a").await?;
        await_converged(&env, "a", SOON).await?;
        env.faker.stop().await;
        let edited = set_image(&env, "a", "seid:v2").await?;
        assert_untouched(&env, &edited).await?;
        env.faker.stop().await;
        Ok(())
    });
}

#[test]
fn modes_hold_an_edit_where_a_test_wants_it() {
    suite().run("modes", RunOptions::new(), |env| async move {
        create_set(&env, "a").await?;
        await_converged(&env, "a", SOON).await?;
        env.faker.set_mode("a", Mode::ObservedNotUpdated);
        let edited = set_image(&env, "a", "seid:v2").await?;
        let opts = WaitOpts { timeout: SOON, interval: Duration::from_millis(10) };
        let seen = env.wait_for_with(opts, "the edit to be observed", || async {
            let set: StatefulSet = env.api().get("a").await?;
            let status = set.status.clone().unwrap_or_default();
            Ok(match status.observed_generation == edited.metadata.generation {
                true => Progress::Ready(status),
                false => Progress::NotYet(format!("{status:?}")),
            })
        });
        let seen = seen.await?;
        ensure!(seen.updated_replicas.unwrap_or(0) == 0 && seen.current_revision.is_some());
        ensure!(seen.current_revision == seen.update_revision);
        env.faker.set_mode("a", Mode::RolledOut);
        await_converged(&env, "a", SOON).await?;
        Ok(())
    });
}

/// Stores an Event about `object` as a controller would.
async fn post_event<K>(env: &TestEnv, object: &K, reason: &str) -> Result<()>
where
    K: kube::Resource<DynamicType = ()>,
{
    let event: Event = serde_json::from_value(json!({
        "metadata": { "name": Uuid::new_v4().to_string() },
        "involvedObject": {
            "kind": K::kind(&()), "namespace": env.ns, "name": object.name_any(),
            "uid": object.uid(),
        },
        "reason": reason, "message": "m", "type": "Normal",
    }))?;
    env.api::<Event>().create(&PostParams::default(), &event).await?;
    Ok(())
}

/// HT5
#[test]
fn events_are_told_apart_by_uid_and_reason() {
    suite().run("HT5", RunOptions::new(), |env| async move {
        let create = |name: &'static str| {
            let (env, snd) = (env.clone(), new_snd(&env.ns, name).build());
            async move { env.create_snd(&snd).await }
        };
        let predecessor = create("same").await?;
        post_event(&env, &predecessor, "RolloutStarted").await?;
        env.delete_snd("same").await?;
        env.wait_for_gone("same").await?;

        let (same, other) = (create("same").await?, create("other").await?);
        let mut config_map = ConfigMap::default();
        config_map.metadata.name = Some("same".to_owned());
        let config_map = env.api().create(&PostParams::default(), &config_map).await?;
        post_event(&env, &config_map, "RolloutStarted").await?;
        post_event(&env, &other, "RolloutStarted").await?;
        post_event(&env, &same, "RolloutStarted").await?;
        post_event(&env, &same, "RolloutSuperseded").await?;

        ensure!(env.list_events_for_snd(&same, None).await?.len() == 2);
        let superseded = env.list_events_for_snd(&same, Some("RolloutSuperseded")).await?;
        ensure!(superseded.len() == 1 && superseded[0].involved_object.uid == same.uid());
        ensure!(env.list_events_for_snd(&other, None).await?.len() == 1);
        ensure!(env.list_events_for_snd(&same, Some("Never")).await?.is_empty());
        Ok(())
    });
}

/// HT6
#[test]
fn a_wait_times_out_on_budget_and_shows_the_state() {
    suite().run("HT6", RunOptions::new(), |env| async move {
        env.create_snd(&new_snd(&env.ns, "shown").build()).await?;
        create_set(&env, "a").await?;
        let opts = WaitOpts { timeout: LONG, interval: LONG / 5 };
        let start = Instant::now();
        let never = || async { Ok(Progress::<()>::NotYet("2 of 3".to_owned())) };
        let Err(failure) = env.wait_for_with(opts, "three", never).await else {
            anyhow::bail!("it did not time out");
        };
        let off = start.elapsed().abs_diff(LONG);
        let message = failure.to_string();
        ensure!(off <= opts.interval + SOON, "off by {off:?}");
        for part in [
            "waiting for: three",
            "tests/self.rs",
            "last seen: 2 of 3",
            "SeiNodeDeployment \"shown\"",
            "StatefulSet \"a\" generation Some(1) seid=seid:v1",
            "status faker: running",
            "requests of the controllers: 0",
        ] {
            ensure!(message.contains(part), "\"{part}\" is missing in:\n{message}");
        }
        Ok(())
    });
}

/// HT7
#[test]
fn consistently_names_every_failing_field() {
    suite().run("HT7", RunOptions::new(), |env| async move {
        env.create_snd(&new_snd(&env.ns, "a").with_replicas(2).build()).await?;
        let checks = [
            check("replicas", 2, |snd: &SeiNodeDeployment| snd.spec.replicas),
            check("image", IMAGE_V2.to_owned(), |snd: &SeiNodeDeployment| {
                snd.spec.template.spec.image.clone()
            }),
            check("has status", true, |snd: &SeiNodeDeployment| snd.status.is_some()),
        ];
        let sample = || env.get_snd("a");
        let Err(failure) = env.consistently((LONG, LONG / 5), sample, &checks).await else {
            anyhow::bail!("it did not fail");
        };
        ensure!(failure.failures.len() == 2, "{failure}");
        ensure!(
            failure.failures[0].starts_with("image: wanted \"ghcr.io/sei-protocol/seid:v2.0.0\"")
        );
        ensure!(failure.failures[1].starts_with("has status: wanted true, got false (at 0."));
        ensure!(failure.to_string().contains("SeiNodeDeployment \"a\""));
        Ok(())
    });
}

/// HT8
#[tokio::test]
async fn the_sidecar_stub_is_idempotent_and_keeps_time() {
    let sidecars = Sidecars::new();
    let sidecar = sidecars.for_node("ns", "a");
    assert_eq!(sidecar.get(Uuid::new_v4()).await.unwrap(), None);

    let task_type = TaskType::ConfigureGenesis;
    let request = TaskRequest { id: Uuid::new_v4(), task_type, params: None };
    for _ in 0..2 {
        assert_eq!(sidecar.submit(&request).await.unwrap(), request.id);
    }
    assert_eq!(sidecars.submitted_count(), 1);
    let first = sidecar.get(request.id).await.unwrap().unwrap();
    assert_eq!(first.status, TaskStatus::Completed);

    let delay = Duration::from_millis(300);
    sidecars.complete_after(delay);
    // Another node: on the first the task has left its marker, and is done at once for ever.
    let sidecar = sidecars.for_node("ns", "b");
    sidecar.submit(&request).await.unwrap();
    let running = sidecar.get(request.id).await.unwrap().unwrap();
    assert_eq!(running.status, TaskStatus::Running);
    sleep(delay).await;
    let done = sidecar.get(request.id).await.unwrap().unwrap();
    assert_eq!(done.status, TaskStatus::Completed);
    let took = done.completed_at.unwrap().duration_since(done.submitted_at.unwrap());
    assert_eq!(took.as_millis(), 300);
}

const FINALIZER: &str = "test.sei.io/held";

/// A controller that does one thing: it lets deleted objects go.
fn releasing_controllers() -> ControllersFn {
    async fn release<K>(inputs: &ControllerInputs) -> Result<()>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>
            + Clone
            + std::fmt::Debug
            + serde::de::DeserializeOwned,
    {
        for object in inputs.scope.api::<K>(inputs.client.clone()).list(&Default::default()).await?
        {
            if object.meta().deletion_timestamp.is_some() {
                let namespace = object.namespace().unwrap_or_default();
                let api: Api<K> = Api::namespaced(inputs.client.clone(), &namespace);
                let patch = Patch::Merge(json!({ "metadata": { "finalizers": null } }));
                api.patch(&object.name_any(), &PatchParams::default(), &patch).await?;
            }
        }
        Ok(())
    }
    start_function(|inputs| async move {
        Ok(Controllers::spawn(|stop| async move {
            while !stop.is_cancelled() {
                release::<SeiNodeDeployment>(&inputs).await?;
                release::<SeiNode>(&inputs).await?;
                sleep(Duration::from_millis(20)).await;
            }
            Ok(())
        }))
    })
}

/// A fleet and a node of it, both held by a finalizer.
async fn create_held(env: &TestEnv) -> Result<()> {
    let mut snd = new_snd(&env.ns, "held").build();
    snd.metadata.finalizers = Some(vec![FINALIZER.to_owned()]);
    let snd = env.create_snd(&snd).await?;
    let mut node = SeiNode::new("held-0", snd.spec.template.spec.clone());
    node.metadata.finalizers = Some(vec![FINALIZER.to_owned()]);
    node.metadata.owner_references = Some(vec![controller(&snd)]);
    env.api().create(&PostParams::default(), &node).await?;
    Ok(())
}

fn controller(snd: &SeiNodeDeployment) -> OwnerReference {
    OwnerReference {
        api_version: sei_api::API_VERSION.to_owned(),
        kind: "SeiNodeDeployment".to_owned(),
        name: snd.name_any(),
        uid: snd.uid().unwrap_or_default(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}

/// What is left in the namespace of a test that has ended.
async fn left_in(client: &Client, namespace: &str) -> Result<usize> {
    let fleets: Api<SeiNodeDeployment> = Api::namespaced(client.clone(), namespace);
    let nodes: Api<SeiNode> = Api::namespaced(client.clone(), namespace);
    let sets: Api<StatefulSet> = Api::namespaced(client.clone(), namespace);
    let all = Default::default();
    let left = fleets.list(&all).await?.items.len() + nodes.list(&all).await?.items.len();
    Ok(left + sets.list(&all).await?.items.len())
}

/// HT9
#[test]
fn a_panicking_test_leaves_nothing_behind() {
    let namespace = Arc::new(std::sync::Mutex::new(String::new()));
    let seen = namespace.clone();
    let options = RunOptions::new().with_controllers(releasing_controllers());
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        suite().run("HT9 (panics on purpose)", options, |env| async move {
            seen.lock().unwrap().clone_from(&env.ns);
            create_held(&env).await?;
            create_set(&env, "a").await?;
            let _pause = env.faker.pause().await;
            panic!("on purpose");
        });
    }));
    let payload = panicked.unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"on purpose"));
    suite().block_on(async {
        let client = suite().admin().await.unwrap();
        let namespace = namespace.lock().unwrap().clone();
        assert_eq!(left_in(&client, &namespace).await.unwrap(), 0);
        let namespaces: Api<Namespace> = Api::all(client);
        let namespace = namespaces.get_opt(&namespace).await.unwrap();
        assert!(namespace.is_none_or(|ns| ns.metadata.deletion_timestamp.is_some()));
    });
}

/// HT9
#[test]
fn a_leaked_finalizer_fails_the_test_and_is_removed() {
    let namespace = Arc::new(std::sync::Mutex::new(String::new()));
    let seen = namespace.clone();
    let options = RunOptions::new().with_clean_up_limit(LONG);
    let result = suite().try_run("HT9 (leaks on purpose)", options, |env| async move {
        seen.lock().unwrap().clone_from(&env.ns);
        create_held(&env).await
    });
    let Err(Failure::Error(err)) = result else { panic!("it passed") };
    let message = format!("{err:#}");
    assert!(message.contains("leaked finalizer: SeiNodeDeployment \"held\""), "{message}");
    let left = suite().block_on(async {
        let namespace = namespace.lock().unwrap().clone();
        left_in(&suite().admin().await.unwrap(), &namespace).await.unwrap()
    });
    assert_eq!(left, 0);
}

#[test]
fn children_go_with_their_owner_and_strangers_stay() {
    let options = RunOptions::new().with_controllers(releasing_controllers());
    suite().run("gc", options, |env| async move {
        create_held(&env).await?;
        let stranger = SeiNode::new("stranger", new_snd("", "x").build().spec.template.spec);
        env.api().create(&PostParams::default(), &stranger).await?;
        env.delete_snd("held").await?;
        env.wait_for_gone("held").await?;
        let wait = env.wait_for("the child to be collected", || async {
            Ok(match env.api::<SeiNode>().get_opt("held-0").await? {
                None => Progress::Ready(()),
                Some(_) => Progress::NotYet("it is still there".to_owned()),
            })
        });
        wait.await?;
        ensure!(env.api::<SeiNode>().get_opt("stranger").await?.is_some());
        Ok(())
    });
}

#[test]
fn controllers_run_as_the_generated_role_and_are_logged() {
    let options = RunOptions::new().with_controllers(start_function(|inputs| async move {
        let namespaces: Api<Namespace> = Api::all(inputs.client.clone());
        let forbidden = namespaces.delete("default", &DeleteParams::default()).await;
        ensure!(matches!(forbidden, Err(kube::Error::Api(status)) if status.code == 403));
        Ok(Controllers::spawn(|stop| async move {
            stop.cancelled().await;
            Ok(())
        }))
    }));
    suite().run("role", options, |env| async move {
        let deletes = env.requests.matching(&Requests::any().verb(Verb::Delete));
        ensure!(deletes.len() == 1 && deletes[0].code() == Some(403), "{deletes:?}");
        ensure!(deletes[0].resource == "namespaces" && deletes[0].name == "default");
        Ok(())
    });
}

#[test]
fn history_keeps_every_version() {
    suite().run("history", RunOptions::new(), |env| async move {
        env.create_snd(&new_snd(&env.ns, "a").build()).await?;
        for replicas in 2..30 {
            env.patch_snd_spec("a", json!({ "replicas": replicas })).await?;
        }
        let last = env.patch_snd_spec("a", json!({ "replicas": 1 })).await?;
        let versions = env.history.deployments.through(&last).await?;
        let sequence = versions.sequence_of(|snd| snd.spec.replicas);
        ensure!(sequence == (1..30).chain([1]).collect::<Vec<_>>(), "{sequence:?}");
        versions.never("30 replicas", |snd| snd.spec.replicas == 30)?;
        env.delete_snd("a").await?;
        let deployments = &env.history.deployments;
        deployments.eventually("the deletion", |version| version.deleted).await?;
        Ok(())
    });
}

/// HT10
#[test]
fn parallel_tests_do_not_disturb_each_other() {
    std::thread::scope(|scope| {
        scope.spawn(|| {
            suite().run("HT10 (paused)", RunOptions::new(), |env| async move {
                create_set(&env, "a").await?;
                await_converged(&env, "a", SOON).await?;
                let _pause = env.faker.pause().await;
                let edited = set_image(&env, "a", "seid:v2").await?;
                for _ in 0..3 {
                    assert_untouched(&env, &edited).await?;
                }
                Ok(())
            });
        });
        scope.spawn(|| {
            suite().run("HT10 (running)", RunOptions::new(), |env| async move {
                create_set(&env, "a").await?;
                let start = Instant::now();
                let mut round = 0;
                while start.elapsed() < LONG * 3 {
                    await_converged(&env, "a", SOON * 2).await?;
                    round += 1;
                    set_image(&env, "a", &format!("seid:r{round}")).await?;
                }
                Ok(())
            });
        });
    });
}

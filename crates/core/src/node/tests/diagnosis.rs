//! Why a node does not come up: each cause, in which order, and that it is told once and goes.

use std::time::Duration;

use expect_test::{Expect, expect};
use sei_api::condition::Type;

use super::picture::Picture;
use super::scene::{Scene, at};
use crate::condition::find;
use crate::node::{notices, suspect};

/// What an update to `v2` that waits for its pod says of itself in this world.
fn told(world: &str) -> String {
    let scene = Scene::new(&format!(
        "node Running image=v2 current=v1 since=900 \n workload image=v2 rev=b ready=0 \n \
         {world} \n plan update at=observe-image begun=60"
    ));
    said(&scene)
}

/// The same of a node whose first plan waits for its sidecar.
fn told_of_start(world: &str) -> String {
    let scene = Scene::new(&format!(
        "node Initializing since=900 \n plan init at=configure-genesis begun=60 \n {world}"
    ));
    said(&scene)
}

/// Which of the three conditions is true, the reason and the message of `Ready`.
fn said(scene: &Scene) -> String {
    let mut scene = scene.clone();
    for it in &mut scene.status.conditions {
        it.last_transition_time.0 = at(-900);
    }
    let conditions = scene.round(None).status.conditions;
    let of = |kind: Type| find(&conditions, kind).unwrap();
    let holds = [Type::Ready, Type::Reconciling, Type::Stalled];
    let holds = holds.into_iter().find(|kind| of(*kind).status == "True").map(Type::as_str);
    let ready = of(Type::Ready);
    let mut picture = Picture::default();
    picture.line(holds.unwrap_or("nothing"), &format!("{}: {}", ready.reason, ready.message));
    picture.0
}

fn check(world: &str, expected: Expect) {
    expected.assert_eq(&told(world));
}

/// The reason in what was told.
fn reason(told: &str) -> &str {
    told.split([' ', ':']).filter(|it| !it.is_empty()).nth(1).unwrap()
}

const WAITING: &str = "pod rev=b on=m1 bare \n podcond PodScheduled True since=59 \n \
                       podcond Ready False since=50";

fn waiting(world: &str) -> String {
    format!("{WAITING} \n {world}")
}

#[test]
fn image_that_does_not_come() {
    check(
        &waiting(
            "container seid-init wait=ErrImagePull said=\"rpc error: code = NotFound desc = v2: \
             not found\"",
        ),
        expect![[r#"
            Reconciling ImagePullFailed: container "seid-init" of pod "fn-0-0" cannot start
                       since 2025-12-31T23:59:10Z: image "v2" cannot be pulled: v2: not
                       found; correct the image in the spec, or let the registry serve it
        "#]],
    );
}

#[test]
fn image_whose_name_means_nothing() {
    check(
        &waiting("container seid wait=InvalidImageName said=\"couldn't parse image name\""),
        expect![[r#"
            Stalled  InvalidImage: container "seid" of pod "fn-0-0" cannot start since
                       2025-12-31T23:59:10Z: image "v2" is no valid reference: couldn't
                       parse image name; correct the image in the spec
        "#]],
    );
}

#[test]
fn container_that_cannot_start() {
    check(
        &waiting("container seid wait=CreateContainerConfigError said=\"secret a not found\""),
        expect![[r#"
            Reconciling ContainerStartFailed: container "seid" of pod "fn-0-0" cannot start
                       since 2025-12-31T23:59:10Z: secret a not found; see kubectl -n ns
                       describe pod fn-0-0
        "#]],
    );
    check(
        &waiting("container seid wait=CrashLoopBackOff restarts=2 start=\"exec: no such file\""),
        expect![[r#"
            Reconciling ContainerStartFailed: container "seid" of pod "fn-0-0" cannot start
                       since 2025-12-31T23:59:10Z: exec: no such file; see kubectl -n ns
                       describe pod fn-0-0
        "#]],
    );
}

#[test]
fn container_that_does_not_stay_up() {
    check(
        &waiting("container seid wait=CrashLoopBackOff said=\"back-off 5m0s\" restarts=4 exit=2"),
        expect![[r#"
            Reconciling CrashLoop: container "seid" of pod "fn-0-0" does not stay up since
                       2025-12-31T23:59:10Z: its last exit code is 2; see kubectl -n ns
                       logs fn-0-0 -c seid --previous
        "#]],
    );
}

#[test]
fn container_that_takes_too_much_memory() {
    check(
        &waiting("container seid wait=CrashLoopBackOff restarts=1 oom exit=137"),
        expect![[r#"
            Reconciling OOMKilled: container "seid" of pod "fn-0-0" is not ready since
                       2025-12-31T23:59:10Z: it was killed for its use of memory; give it
                       more memory, or find what takes it: see kubectl -n ns logs fn-0-0 -c
                       seid --previous
        "#]],
    );
}

#[test]
fn pod_that_fits_nowhere() {
    check(
        "pod rev=b bare \n podcond PodScheduled False since=40 said=\"0/3 nodes are available: 3 \
         Insufficient cpu. preemption: 0/3 nodes are available.\"",
        expect![[r#"
            Reconciling Unschedulable: pod "fn-0-0" fits on no machine since
                       2025-12-31T23:59:20Z: Insufficient cpu; add or free a machine that
                       fits, or ask for less
        "#]],
    );
}

#[test]
fn volume_that_is_not_bound() {
    let pod = "pod rev=b bare \n podcond PodScheduled False since=40 said=\"0/3 nodes are \
               available: pod has unbound immediate PersistentVolumeClaims.\"";
    check(
        &format!("claim age=60 phase=Pending class=gp3 \n {pod}"),
        expect![[r#"
        Reconciling VolumeNotBound: data PVC "data-fn-0" of storage class "gp3" gives
                   no volume since 2025-12-31T23:59:20Z: pod has unbound immediate
                   PersistentVolumeClaims; its events say why: see kubectl -n ns
                   describe pvc data-fn-0
    "#]],
    );
    // One that has just been made is given a moment.
    check(
        &format!("claim age=3 phase=Pending class=gp3 \n {pod}"),
        expect![[r#"
        Reconciling Progressing: task 4 of 5: observe-image: container "seid" of pod
                   "fn-0-0" does not run yet
    "#]],
    );
}

#[test]
fn volume_that_is_lost() {
    check(
        "claim age=60 phase=Lost volume=pv-1 \n pod rev=b bare \n podcond Ready False since=40",
        expect![[r#"
            Stalled  VolumeNotBound: data PVC "data-fn-0" is without its volume since
                       2025-12-31T23:59:20Z: PersistentVolume "pv-1" is gone; restore it;
                       only if its data is not needed, delete SeiNode "fn-0" and with it
                       the PVC
        "#]],
    );
}

#[test]
fn pod_that_is_being_set_up_for_too_long() {
    let pod = |since: i64| {
        format!(
            "pod rev=b on=m1 bare \n podcond PodScheduled True since={since} \n \
             podcond PodReadyToStartContainers False since={since}"
        )
    };
    check(
        &pod(121),
        expect![[r#"
        Reconciling PodNotStarted: pod "fn-0-0" is being set up on node "m1" since
                   2025-12-31T23:57:59Z: a volume does not attach or mount, or there is
                   no network for it; its events say which: see kubectl -n ns describe
                   pod fn-0-0
    "#]],
    );
    check(
        &pod(119),
        expect![[r#"
        Reconciling Progressing: task 4 of 5: observe-image: container "seid" of pod
                   "fn-0-0" does not run yet
    "#]],
    );
}

#[test]
fn pod_that_does_not_end() {
    check(
        "pod rev=a on=m1 ended=31",
        expect![[r#"
        Reconciling PodTerminating: pod "fn-0-0" should be gone since
                   2025-12-31T23:59:29Z: the kubelet of node "m1" does not end it; look
                   at that kubelet: see kubectl -n ns describe pod fn-0-0
    "#]],
    );
    check(
        "pod rev=a on=m1 ended=31 finalizer=a.io/b",
        expect![[r#"
        Reconciling PodTerminating: pod "fn-0-0" should be gone since
                   2025-12-31T23:59:29Z: held by finalizer "a.io/b"; let whoever set it
                   finish its work
    "#]],
    );
    check(
        "pod rev=a on=m1 ended=29",
        expect![[r#"
        Reconciling Progressing: task 4 of 5: observe-image: no pod of the new revision
                   exists yet
    "#]],
    );
}

#[test]
fn pod_that_nobody_makes() {
    // The tasks before the current one were done a minute ago.
    let none = |patience: u64| {
        let mut scene = Scene::new(
            "node Running image=v2 current=v1 since=900 \n pods none \n \
             workload image=v2 rev=b ready=0 pods=0 \n pods none \n plan update at=observe-image",
        );
        scene.tempo.start_patience = Duration::from_secs(patience);
        said(&scene)
    };
    expect![[r#"
        Reconciling PodNotCreated: pod "fn-0-0" is not created since
                   2025-12-31T23:59:00Z: the StatefulSet controller reports no pod; its
                   events say why (quota, admission, ServiceAccount): see kubectl -n ns
                   describe statefulset fn-0
    "#]]
    .assert_eq(&none(59));
    expect![[r#"
        Reconciling Progressing: task 4 of 5: observe-image: no pod exists and the
                   StatefulSet reports none as updated
    "#]]
    .assert_eq(&none(61));
}

#[test]
fn machine_that_is_gone() {
    check(
        "pod rev=b on=m1 ended=400 \n host m1 Unknown since=700 said=\"Kubelet stopped \
         posting node status.\"",
        expect![[r#"
            Reconciling NodeUnreachable: node "m1" is not ready since 2025-12-31T23:48:20Z:
                       pod "fn-0-0" was on it: Kubelet stopped posting node status; bring
                       the machine back; once it is switched off for good, delete its Node
                       object
        "#]],
    );
    check(
        "pod rev=b on=m1 ended=400 \n host gone",
        expect![[r#"
        Reconciling NodeUnreachable: node "m1" does not exist since
                   2025-12-31T23:53:20Z: pod "fn-0-0" was on it; the pod garbage
                   collector removes the pod, and another takes its place
    "#]],
    );
    check(
        "pod rev=b on=m1 \n podcond Ready False since=70 \n \
         podcond ContainersReady True since=99 \n \
         host m1 False since=80 said=\"container runtime is down\"",
        expect![[r#"
            Reconciling NodeUnreachable: node "m1" is not ready since 2025-12-31T23:58:40Z:
                       pod "fn-0-0" was on it: container runtime is down; bring the machine
                       back; once it is switched off for good, delete its Node object
        "#]],
    );
    // A machine that is well, is another's, or may not be read says nothing.
    for host in ["host m1 True since=9", "host m2 False since=9", "host unreadable"] {
        let told = told(&format!("pod rev=b on=m1 ended=400 \n {host}"));
        assert!(told.contains(" PodTerminating: "), "{host}: {told}");
    }
}

#[test]
fn sidecar_task_that_fails_and_is_repeated() {
    let scene = Scene::new(
        "node Initializing since=900 \n plan init at=configure-genesis retry=3 \n \
         sidecar task=failed run=4 error=\"bucket is gone\"",
    );
    expect![[r#"
        Reconciling SidecarTaskFailed: task configure-genesis fails: bucket is gone; it
                   is repeated by itself, see kubectl -n ns logs fn-0-0 -c sei-sidecar
    "#]]
    .assert_eq(&said(&scene));
}

#[test]
fn sidecar_that_does_not_answer() {
    let up = |seconds: i64| {
        format!("pod on=m1 bare \n container sei-sidecar up={seconds} \n sidecar task=down")
    };
    expect![[r#"
        Reconciling SidecarUnreachable: the sidecar of node "fn-0" gives no usable
                   answer since 2025-12-31T23:59:29Z: sidecar unreachable: cannot
                   connect; see kubectl -n ns logs fn-0-0 -c sei-sidecar
    "#]]
    .assert_eq(&told_of_start(&up(31)));
    // It has just been started, or does not run.
    let progressing = told_of_start(&up(29));
    expect![[r#"
        Reconciling Progressing: task 6 of 9: configure-genesis: sidecar unreachable:
                   cannot connect
    "#]]
    .assert_eq(&progressing);
    let down = "pod on=m1 bare \n container sei-sidecar wait=PodInitializing \n sidecar task=down";
    assert_eq!(told_of_start(down), progressing);
    // Nothing is known of a pod.
    expect![[r#"
        Reconciling SidecarUnreachable: the sidecar of node "fn-0" gives no usable
                   answer since 2025-12-31T23:59:00Z: sidecar unreachable: cannot
                   connect; see kubectl -n ns logs fn-0-0 -c sei-sidecar
    "#]]
    .assert_eq(&told_of_start("pods unconfirmed \n sidecar task=down"));
}

#[test]
fn a_node_at_rest_tells_it_too() {
    let scene = Scene::new(
        "node Running current=v1 \n workload ready=0 \n pod on=m1 bare \n \
         podcond Ready False since=50 \n container seid wait=CrashLoopBackOff restarts=4 exit=2",
    );
    expect![[r#"
        Reconciling CrashLoop: container "seid" of pod "fn-0-0" does not stay up since
                   2025-12-31T23:59:10Z: its last exit code is 2; see kubectl -n ns
                   logs fn-0-0 -c seid --previous
    "#]]
    .assert_eq(&said(&scene));
}

/// A pod that is ready and stays has nothing wrong with it.
#[test]
fn a_ready_pod_is_no_cause() {
    let scene = Scene::new(
        "node Running current=v1 \n pod on=m1 \n podcond Ready True since=5 \n \
         container cosmos-exporter wait=CrashLoopBackOff restarts=4",
    );
    expect![[r#"
        Ready    Ready: running v1
    "#]]
    .assert_eq(&said(&scene));
}

/// Each world has two causes; the first explains the second.
#[test]
fn precedence() {
    let scheduled = "podcond PodScheduled True since=300 \n podcond Ready False since=300";
    let table = [
        ("NodeUnreachable", "pod rev=a on=m1 ended=400 \n host gone".to_owned()),
        (
            "PodTerminating",
            "pod rev=b bare \n podcond PodScheduled False since=9 said=full \n \
             pod rev=a on=m1 ended=400"
                .to_owned(),
        ),
        (
            "VolumeNotBound",
            "claim age=60 phase=Lost \n pod rev=b bare \n podcond PodScheduled False said=full"
                .to_owned(),
        ),
        (
            "NodeUnreachable",
            format!(
                "pod rev=b on=m1 bare \n {scheduled} \n podcond PodReadyToStartContainers \
                     False since=300 \n host m1 Unknown since=99"
            ),
        ),
        (
            "InvalidImage",
            waiting(
                "container seid-init wait=ImagePullBackOff \n container seid wait=InvalidImageName",
            ),
        ),
        (
            "ImagePullFailed",
            waiting(
                "container sei-sidecar wait=RunContainerError \n container seid wait=ErrImagePull",
            ),
        ),
        (
            "ContainerStartFailed",
            waiting(
                "container seid-init wait=CrashLoopBackOff restarts=1 oom \n \
                 container seid wait=RunContainerError",
            ),
        ),
        (
            "OOMKilled",
            waiting(
                "container seid wait=CrashLoopBackOff restarts=3 \n \
                 container cosmos-exporter wait=CrashLoopBackOff restarts=1 oom",
            ),
        ),
    ];
    for (expected, world) in table {
        let told = told(&world);
        assert_eq!(reason(&told), expected, "{world}: {told}");
    }
    let pod = "pod on=m1 bare \n podcond Ready False since=50 \n container sei-sidecar up=40";
    let crash = "container seid wait=CrashLoopBackOff restarts=3";
    let down = format!("plan init at=configure-genesis begun=60 retry=1 \n {pod}");
    let table = [
        ("CrashLoop", format!("{down} \n {crash} \n sidecar task=down")),
        ("SidecarTaskFailed", format!("{down} \n sidecar task=down")),
    ];
    for (expected, world) in table {
        let told = said(&Scene::new(&format!("node Initializing since=900 \n {world}")));
        assert_eq!(reason(&told), expected, "{world}: {told}");
    }
}

/// A loop does not end because the container runs for a moment between two crashes.
#[test]
fn a_crash_loop_lasts_until_the_container_outlives_its_last_run() {
    let table = [
        ("the first crash", "ended exit=1", false),
        ("the second", "ended exit=1 restarts=1", true),
        ("a good end", "ended exit=0 restarts=1", false),
        ("up again", "up=3 restarts=2 exit=1 lasted=40", true),
        ("up as long as before", "up=40 restarts=2 exit=1 lasted=40", true),
        ("up for longer", "up=41 restarts=2 exit=1 lasted=40", false),
        ("up after a short run", "up=9 restarts=2 exit=1 lasted=1", true),
        ("up longer than a moment", "up=11 restarts=2 exit=1 lasted=1", false),
        ("ready for a moment", "up=3 ready restarts=2 exit=1 lasted=40", true),
        ("ready for longer", "up=11 ready restarts=2 exit=1 lasted=40", false),
        ("up after a long life", "up=3 restarts=2 exit=1 lasted=600", false),
        ("restarted once", "up=3 restarts=1 exit=1 lasted=40", false),
        ("restarted after a good end", "up=3 restarts=2 exit=0 lasted=40", false),
    ];
    for (what, state, looping) in table {
        let told = told(&waiting(&format!("container seid {state}")));
        assert_eq!(told.contains(" CrashLoop: "), looping, "{what}: {told}");
    }
}

/// A pod whose seid may start at once is ready between two crashes; that is one trouble, with the
/// time at which it began.
#[test]
fn a_crash_loop_reads_the_same_when_the_pod_is_ready_between_crashes() {
    let crash = |since: u32, restarts: u32| {
        format!(
            "pod rev=b image=v2 on=m1 bare \n podcond Ready False since={since} \n \
             container seid wait=CrashLoopBackOff restarts={restarts} exit=1 lasted=1"
        )
    };
    let between = "pod rev=b image=v2 on=m1 \n podcond Ready True since=1 \n \
                   container seid up=1 ready restarts=3 exit=1 lasted=1";
    let scene = |world: &str| {
        Scene::new(&format!(
            "node Running image=v2 current=v2 \n workload image=v2 rev=b ready=1 \n {world}"
        ))
    };
    let mut status = scene(&crash(50, 2)).round(None).status;
    let of = |status: &sei_api::SeiNodeStatus| {
        find(&status.conditions, Type::Ready).map(|it| (it.reason.clone(), it.message.clone()))
    };
    let first = of(&status);
    assert_eq!(first.as_ref().map(|it| it.0.as_str()), Some("CrashLoop"));
    for world in [between, &crash(3, 3), between, &crash(2, 4)] {
        let next = Scene { status: status.clone(), ..scene(world) };
        let after = next.round(None).status;
        assert_eq!(of(&after), first, "{world}");
        assert_eq!(notices(&next.node, &status, &after), [], "{world}");
        status = after;
    }
}

/// The kubelet alternates between the error and its back-off; that is one trouble.
#[test]
fn what_the_kubelet_alternates_between_reads_the_same() {
    let error = "container seid wait=ErrImagePull said=\"v2: not found\"";
    let whole = "container seid wait=ImagePullBackOff said=\"ErrImagePull: v2: not found\"";
    let bare = "container seid wait=ImagePullBackOff said=\"Back-off pulling image\"";
    let scene = |container: &str| {
        Scene::new(&format!(
            "node Running image=v2 current=v1 \n workload image=v2 rev=b ready=0 \n {} \n \
             plan update at=observe-image begun=60",
            waiting(container)
        ))
    };
    let mut status = scene(error).round(None).status;
    for container in [error, whole, bare, error, bare] {
        let next = Scene { status: status.clone(), ..scene(container) };
        let after = next.round(None).status;
        let of = |status: &sei_api::SeiNodeStatus| {
            find(&status.conditions, Type::Reconciling).map(|it| it.message.clone())
        };
        if container != whole {
            assert_eq!(of(&after), of(&status), "{container}");
        }
        assert_eq!(notices(&next.node, &status, &after), [], "{container}");
        status = after;
    }
}

#[test]
fn a_cause_is_told_once_and_goes_with_its_cause() {
    let scene = |world: &str| {
        Scene::new(&format!(
            "node Running image=v2 current=v1 \n workload image=v2 rev=b ready=0 \n {world} \n \
             plan update at=observe-image begun=60"
        ))
    };
    let calm = scene("pod rev=b bare");
    let ill = scene(&waiting("container seid wait=ErrImagePull said=gone"));
    let heard = |from: &Scene, to: &Scene| {
        let next = Scene { status: from.status.clone(), ..to.clone() };
        let after = next.round(None).status;
        let told = notices(&next.node, &from.status, &after);
        let told: Vec<String> =
            told.iter().map(|it| format!("{}: {}", it.reason, it.message)).collect();
        let mut picture = Picture::default();
        told.iter().for_each(|it| picture.line("notice", it));
        picture.0
    };
    expect![[r#"
        notice   ImagePullFailed: container "seid" of pod "fn-0-0" cannot start since
                   2025-12-31T23:59:10Z: image "v2" cannot be pulled: gone; correct the
                   image in the spec, or let the registry serve it
    "#]]
    .assert_eq(&heard(&calm, &ill));
    assert_eq!(heard(&ill, &ill), "");
    assert_eq!(heard(&ill, &calm), "");
    let healed = Scene { status: ill.status.clone(), ..calm };
    expect![[r#"
        Reconciling Progressing: task 4 of 5: observe-image: container "seid" of pod
                   "fn-0-0" does not run yet
    "#]]
    .assert_eq(&said(&healed));
}

/// Only a pod that tells nothing of itself makes us ask for its machine.
#[test]
fn the_machine_is_asked_for_when_nothing_else_can_tell() {
    let table = [
        ("ready", "pod on=m1 \n podcond Ready True since=9", None),
        ("starting", "pod on=m1 bare \n podcond PodScheduled True since=9", None),
        (
            "not started for long",
            "pod on=m1 bare \n podcond PodScheduled True since=99",
            Some("m1"),
        ),
        (
            "waiting for what its kubelet tells",
            "pod on=m1 bare \n podcond PodScheduled True since=99 \n \
             container seid wait=ErrImagePull \n container cosmos-exporter wait=ContainerCreating",
            None,
        ),
        (
            "waiting for nothing that is told",
            "pod on=m1 bare \n podcond PodScheduled True since=99 \n \
             container seid wait=PodInitializing",
            Some("m1"),
        ),
        (
            "unready, started",
            "pod on=m1 \n podcond PodScheduled True since=99 \n podcond Ready False since=99",
            None,
        ),
        (
            "unready against its kubelet",
            "pod on=m1 \n podcond Ready False since=9 \n podcond ContainersReady True since=9",
            Some("m1"),
        ),
        ("going", "pod on=m1 ended=-5", None),
        ("going for too long", "pod on=m1 ended=5", Some("m1")),
        ("without a machine", "pod bare", None),
        ("of somebody else", "pod on=m1 ended=5 theirs", None),
        ("unknown", "pods unconfirmed", None),
    ];
    for (what, pod, expected) in table {
        let scene = Scene::new(&format!("node Running current=v1 \n {pod}"));
        let asked = suspect(&scene.node, &scene.seen.pods, scene.seen.now, &scene.tempo);
        assert_eq!(asked, expected, "{what}");
    }
}

//! What the plans of a node are made of, as they are stored.

use expect_test::expect;

use super::picture::Picture;
use super::scene::Scene;
use crate::plan::task_id;

/// The stored tasks of the plan that this round makes: type, budget, params.
fn stored(input: &str) -> String {
    let plan = Scene::new(input).round(None).status.plan.unwrap();
    let mut picture = Picture::default();
    for (index, task) in plan.tasks.iter().enumerate() {
        let id = task_id(plan.id.as_deref().unwrap(), &task.type_, index);
        assert_eq!(task.id, id.to_string());
        let params = task.params.clone().unwrap_or_default();
        let budget =
            if task.max_retries > 0 { format!(" #{}", task.max_retries) } else { String::new() };
        picture.line(&format!("{index}"), &format!("{}{budget} {params}", task.type_));
    }
    let phase = |it: &Option<sei_api::NodePhase>| it.as_ref().map(ToString::to_string);
    picture.line("ends", &phase(&plan.target_phase).unwrap_or_default());
    picture.line("or", &phase(&plan.failed_phase).unwrap_or_default());
    picture.0
}

#[test]
fn initialisation_of_a_node_without_peers() {
    expect![[r#"
        0        ensure-data-pvc {"namespace":"ns","nodeName":"fn-0"}
        1        apply-rbac-proxy-config {"namespace":"ns","nodeName":"fn-0"}
        2        apply-statefulset {"namespace":"ns","nodeName":"fn-0"}
        3        apply-service {"namespace":"ns","nodeName":"fn-0"}
        4        configure-genesis #180 {}
        5        config-apply {"mode":"full","overrides":{"logging.level":"info"}}
        6        config-validate {}
        7        mark-ready {}
        ends     Running
        or       Failed
    "#]]
    .assert_eq(&stored("node new \n objects absent"));
}

#[test]
fn initialisation_configures_seid_for_the_mode() {
    let peers = "peers=label,static override=chain.min_retain_blocks:7 \n peer name=fn-1";
    for (mode, rest) in
        [("archive", ""), ("validator", ""), ("archive", peers), ("validator", peers)]
    {
        let plan = stored(&format!("node new {mode} {rest} \n objects absent"));
        let full = stored(&format!("node new {rest} \n objects absent"));
        let here = format!("{{\"mode\":\"{mode}\",");
        assert_eq!(plan, full.replace("{\"mode\":\"full\",", &here));
        assert!(plan.contains(&here), "{plan}");
    }
}

#[test]
fn initialisation_with_peers_discovers_them_before_it_validates() {
    expect![[r#"
        0        ensure-data-pvc {"namespace":"ns","nodeName":"fn-0"}
        1        apply-rbac-proxy-config {"namespace":"ns","nodeName":"fn-0"}
        2        apply-statefulset {"namespace":"ns","nodeName":"fn-0"}
        3        apply-service {"namespace":"ns","nodeName":"fn-0"}
        4        replace-pod #3 {"namespace":"ns","nodeName":"fn-0"}
        5        configure-genesis #180 {}
        6        config-apply
                   {"mode":"full","overrides":{"chain.min_retain_blocks":"7","logging.level":"info"}}
        7        discover-peers #20
                   {"sources":[{"endpoints":["fn-1-0.fn-1.ns.svc.cluster.local"],"type":"dnsEndpoints"},{"addresses":["id@host:26656"],"type":"static"}]}
        8        config-validate {}
        9        mark-ready {}
        ends     Running
        or       Failed
    "#]].assert_eq(&stored(
        "node new peers=label,static override=chain.min_retain_blocks:7 \n peer name=fn-1",
    ));
}

#[test]
fn update_of_a_running_node() {
    expect![[r#"
        0        apply-statefulset {"namespace":"ns","nodeName":"fn-0"}
        1        apply-service {"namespace":"ns","nodeName":"fn-0"}
        2        replace-pod #3 {"namespace":"ns","nodeName":"fn-0"}
        3        observe-image {"namespace":"ns","nodeName":"fn-0"}
        4        mark-ready {}
        ends     Running
        or
    "#]]
    .assert_eq(&stored("node Running image=v2 current=v1 \n workload image=v1"));
}

#[test]
fn forced_keys_win_over_the_users() {
    let plan = stored("node new override=logging.level:debug \n objects absent");
    assert!(plan.contains("\"logging.level\":\"info\""), "{plan}");
}

//! Answers of Gateways, of ours and of others, in time and late.

use sei_api::gateway::{HttpRouteStatus, HttpRouteStatusParents, HttpRouteStatusParentsParentRef};

use super::*;

fn gateway() -> Gateway {
    Gateway {
        name: "edge".to_owned(),
        namespace: "gw".to_owned(),
        domain: "test".to_owned(),
        public_domain: None,
    }
}

/// An answer of `namespace/name`: the statuses of `Accepted` and `ResolvedRefs`, where given.
fn parent(of: &str, said: [Option<&str>; 2], generation: Option<i64>) -> HttpRouteStatusParents {
    let (namespace, name) = of.split_once('/').unwrap();
    let condition = |(type_, status): (&str, Option<&str>)| {
        status.map(|status| k8s::Condition {
            type_: type_.to_owned(),
            status: status.to_owned(),
            reason: format!("{type_}Reason"),
            message: "why".to_owned(),
            last_transition_time: k8s::Time(jiff::Timestamp::UNIX_EPOCH),
            observed_generation: generation,
        })
    };
    let conditions = ["Accepted", "ResolvedRefs"].into_iter().zip(said).filter_map(condition);
    HttpRouteStatusParents {
        conditions: conditions.collect(),
        controller_name: "example.net/it".to_owned(),
        parent_ref: HttpRouteStatusParentsParentRef {
            name: name.to_owned(),
            namespace: (!namespace.is_empty()).then(|| namespace.to_owned()),
            ..Default::default()
        },
    }
}

/// Reason and message for one route of generation 2 in namespace `ns` with these answers.
fn word_on(parents: Vec<HttpRouteStatusParents>) -> (Status, Reason, String) {
    let mut route = HttpRoute { status: Some(HttpRouteStatus { parents }), ..Default::default() };
    route.metadata.name = Some("r".to_owned());
    route.metadata.namespace = Some("ns".to_owned());
    route.metadata.generation = Some(2);
    let say = word([(&route, Some(&route))].into_iter(), &gateway());
    (say.status, say.reason, say.message)
}

const YES: Option<&str> = Some("True");
const NO: Option<&str> = Some("False");
const OURS: &str = "gw/edge";

#[test]
fn the_first_refusal_counts_then_silence_then_agreement() {
    let table = [
        (vec![], Reason::GatewayPending),
        (vec![parent(OURS, [YES, YES], Some(2))], Reason::Accepted),
        (vec![parent(OURS, [YES, YES], None)], Reason::Accepted),
        (vec![parent(OURS, [NO, NO], Some(2))], Reason::NotAccepted),
        (vec![parent(OURS, [YES, NO], Some(2))], Reason::RefsNotResolved),
        (vec![parent(OURS, [None, NO], Some(2))], Reason::RefsNotResolved),
        (vec![parent(OURS, [YES, None], Some(2))], Reason::GatewayPending),
        (vec![parent(OURS, [YES, Some("Unknown")], Some(2))], Reason::GatewayPending),
        // Said about the route as it was before.
        (vec![parent(OURS, [NO, YES], Some(1))], Reason::GatewayPending),
        // Several controllers speak for one parent: one refusal is enough.
        (
            vec![parent(OURS, [YES, YES], Some(2)), parent(OURS, [NO, YES], Some(2))],
            Reason::NotAccepted,
        ),
    ];
    for (parents, expected) in table {
        let (_, reason, message) = word_on(parents.clone());
        assert_eq!(reason, expected, "{message} from {parents:?}");
    }
}

#[test]
fn gateways_that_nobody_asked_are_not_heard() {
    for other in ["gw/other", "other/edge", "/edge"] {
        let (status, reason, _) = word_on(vec![parent(other, [YES, YES], Some(2))]);
        assert_eq!((status, reason), (Status::Unknown, Reason::GatewayPending), "{other}");
    }
}

#[test]
fn the_reason_of_the_gateway_is_in_the_message() {
    let (status, _, message) = word_on(vec![parent(OURS, [NO, YES], Some(2))]);
    assert_eq!(status, Status::False);
    assert_eq!(message, "HTTPRoute \"r\": AcceptedReason: why");
}

#[test]
fn a_route_that_is_not_stored_yet_has_no_answer() {
    let route = HttpRoute::default();
    let say = word([(&route, None)].into_iter(), &gateway());
    assert_eq!(say.reason, Reason::GatewayPending);
}

//! The public face in a scene. Of a fleet that is published everything is there, the Gateway has
//! taken the routes, and the name resolves.

use std::sync::Arc;

use sei_api::gateway::{
    HttpRoute, HttpRouteStatus, HttpRouteStatusParents, HttpRouteStatusParentsParentRef,
};
use sei_api::{SeiNodeDeployment, k8s};

use super::{Line, Scene, Seen, at, platform, stored};
use crate::deployment::{Doors, Resolution, Routes};
use crate::render;
use crate::render::routes::Protocol;

pub(super) fn calm(fleet: &SeiNodeDeployment) -> Doors {
    let routes = render::routes::routes(fleet, &platform().gateway);
    let routes = routes.iter().map(|it| {
        let name = it.object.metadata.name.clone().unwrap();
        (name, answered(stored(&it.object, None), "taken"))
    });
    Doors {
        service: match fleet.spec.networking {
            Some(_) => stored(&render::fleet::external_service(fleet), None),
            None => Seen::Unconfirmed,
        },
        routes: Routes::Known(routes.collect()),
        name: Resolution::Resolved,
    }
}

/// Changes the public face as `line` says.
pub(super) fn tell(scene: &mut Scene, line: &Line) {
    let word = line.word().unwrap();
    let doors = &mut scene.seen.doors;
    match line.subject.as_str() {
        "external" => {
            doors.service = stored(&render::fleet::external_service(&scene.fleet), Some(word));
        }
        "name" => {
            doors.name = match word {
                "unknown" => Resolution::Unknown,
                "pending" => Resolution::Pending,
                other => panic!("no name is \"{other}\""),
            }
        }
        "routes" => {
            doors.routes = match word {
                "unlisted" => Routes::Unlisted,
                "unreadable" => Routes::Unreadable,
                "missing" => Routes::NotInstalled,
                "none" => Routes::Known(Default::default()),
                other => panic!("no routes are \"{other}\""),
            }
        }
        "route" => {
            let mut published = scene.fleet.clone();
            published.spec.networking = Some(Default::default());
            published.spec.template.spec.validator = None;
            published.spec.template.spec.full_node = Some(Default::default());
            let protocol = Protocol::ALL.into_iter().find(|it| it.as_str() == word).unwrap();
            let routes = render::routes::routes(&published, &platform().gateway);
            let desired = routes.into_iter().find(|it| it.protocol == protocol).unwrap().object;
            let name = desired.metadata.name.clone().unwrap();
            let live = answered(stored(&desired, line.second()), "taken");
            known(doors).insert(name, live);
        }
        "gateway" => {
            let name = format!("s-{word}");
            let live = known(doors).get(&name).cloned().unwrap();
            known(doors).insert(name, answered(live, line.second().unwrap()));
        }
        other => panic!("no line about the public face is about \"{other}\""),
    }
}

fn known(doors: &mut Doors) -> &mut std::collections::BTreeMap<String, Seen<HttpRoute>> {
    match &mut doors.routes {
        Routes::Known(known) => known,
        Routes::Unlisted | Routes::Unreadable | Routes::NotInstalled => {
            panic!("routes that nobody knows")
        }
    }
}

/// What the Gateway said about a route, in one word.
fn answered(live: Seen<HttpRoute>, word: &str) -> Seen<HttpRoute> {
    let Seen::Here(live) = live else { return live };
    let mut live = Arc::unwrap_or_clone(live);
    let gateway = platform().gateway;
    let (accepted, resolved) = match word {
        "taken" => ("True", "True"),
        "refused" => ("False", "True"),
        "unresolved" => ("True", "False"),
        "silent" => {
            live.status = None;
            return Seen::Here(Arc::new(live));
        }
        other => panic!("no Gateway says \"{other}\""),
    };
    let condition = |type_: &str, status: &str| k8s::Condition {
        type_: type_.to_owned(),
        status: status.to_owned(),
        reason: if status == "True" { type_.to_owned() } else { format!("No{type_}") },
        message: "as it happens".to_owned(),
        last_transition_time: k8s::Time(at(0)),
        observed_generation: live.metadata.generation,
    };
    live.status = Some(HttpRouteStatus {
        parents: vec![HttpRouteStatusParents {
            conditions: vec![condition("Accepted", accepted), condition("ResolvedRefs", resolved)],
            controller_name: "example.net/gateway".to_owned(),
            parent_ref: HttpRouteStatusParentsParentRef {
                name: gateway.name,
                namespace: Some(gateway.namespace),
                ..Default::default()
            },
        }],
    });
    Seen::Here(Arc::new(live))
}

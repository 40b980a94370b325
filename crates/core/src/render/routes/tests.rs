//! Which routes a fleet has and where they are reached; the objects are golden files.

use sei_api::SeiNodeSpec;

use super::*;

fn fleet(mode: &str, networking: bool) -> SeiNodeDeployment {
    let mut fleet = SeiNodeDeployment::new("f", Default::default());
    fleet.metadata.namespace = Some("ns".to_owned());
    fleet.spec.networking = networking.then(Default::default);
    let node = &mut fleet.spec.template.spec;
    *node = SeiNodeSpec {
        full_node: (mode == "full").then(Default::default),
        archive: (mode == "archive").then(Default::default),
        replayer: (mode == "replayer").then(Default::default),
        validator: (mode == "validator").then(Default::default),
        ..SeiNodeSpec::default()
    };
    fleet
}

fn gateway(public: Option<&str>) -> Gateway {
    Gateway {
        name: "edge".to_owned(),
        namespace: "gw".to_owned(),
        domain: "in.test".to_owned(),
        public_domain: public.map(str::to_owned),
    }
}

#[test]
fn every_mode_but_validator_publishes_four_protocols() {
    let protocols = |mode: &str, networking| -> Vec<&str> {
        let routes = routes(&fleet(mode, networking), &gateway(None));
        routes.iter().map(|it| it.protocol.as_str()).collect()
    };
    for mode in ["full", "archive", "replayer"] {
        assert_eq!(protocols(mode, true), ["evm", "rpc", "rest", "grpc"], "{mode}");
        assert_eq!(protocols(mode, false), [""; 0], "{mode}");
    }
    assert_eq!(protocols("validator", true), [""; 0]);
}

#[test]
fn a_public_domain_adds_a_host_name_with_the_namespace() {
    let names = |public| -> Vec<String> {
        let routes = routes(&fleet("full", true), &gateway(public));
        routes.into_iter().flat_map(|it| it.object.spec.hostnames.unwrap()).collect()
    };
    assert_eq!(names(None), ["f-evm.in.test", "f-rpc.in.test", "f-rest.in.test", "f-grpc.in.test"]);
    assert_eq!(names(Some("out.test"))[..2], ["f-evm.in.test", "f-evm.ns.out.test"]);
    assert_eq!(names(Some("out.test")).len(), 8);
}

#[test]
fn the_first_host_name_is_the_one_that_is_looked_up() {
    let probed = |mode: &str, networking| probed_host(&fleet(mode, networking), &gateway(None));
    assert_eq!(probed("full", true).as_deref(), Some("f-evm.in.test"));
    assert_eq!(probed("full", false), None);
    assert_eq!(probed("validator", true), None);
}

//! What is shown of the fleet's public face: host names, and whether they lead anywhere; pure.

use sei_api::SeiNodeDeployment;
use sei_api::condition::Type;
use sei_api::k8s::Condition;

/// The public face in lines: one for the host names, one for each condition about them.
pub fn lines(deployment: &SeiNodeDeployment) -> Vec<String> {
    let Some(status) = &deployment.status else { return Vec::new() };
    let routes = status.networking_status.iter().flat_map(|it| &it.routes);
    let hosts: Vec<&str> = routes.map(|it| it.hostname.as_str()).collect();
    if hosts.is_empty() {
        return Vec::new();
    }
    let said = [Type::RouteReady, Type::RouteAccepted].into_iter();
    let said = said.filter_map(|kind| {
        status.conditions.iter().find(|it| it.type_ == kind.as_str()).map(sentence)
    });
    [format!("routes  {}", hosts.join("  "))].into_iter().chain(said).collect()
}

/// Where the fleet is reached inside the cluster.
pub fn endpoints(deployment: &SeiNodeDeployment) -> Vec<String> {
    let endpoints = deployment.status.as_ref().and_then(|it| it.endpoints.as_ref());
    let fleet = endpoints.into_iter().flat_map(|it| [&it.tendermint_rpc, &it.tendermint_rest]);
    let nodes = endpoints.into_iter().flat_map(|it| &it.nodes);
    let nodes = nodes.flat_map(|it| [&it.evm_json_rpc, &it.evm_ws]);
    fleet.chain(nodes).flatten().cloned().collect()
}

fn sentence(condition: &Condition) -> String {
    let Condition { type_, status, reason, message, .. } = condition;
    format!("{type_}  {status}, {reason}: {message}")
}

#[cfg(test)]
mod tests {
    //! Lines say what the status says.

    use serde_json::json;

    use super::*;

    fn deployment(status: serde_json::Value) -> SeiNodeDeployment {
        let spec = json!({"replicas": 1, "template": {"spec": {"chainId": "c", "image": "i"}}});
        let object = json!({
            "apiVersion": sei_api::API_VERSION, "kind": "SeiNodeDeployment",
            "metadata": {"name": "demo"}, "spec": spec, "status": status,
        });
        serde_json::from_value(object).unwrap()
    }

    #[test]
    fn host_names_and_what_is_said_of_them() {
        let condition = json!({
            "type": "RouteReady", "status": "False", "reason": "DNSPending", "message": "waiting",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        });
        let routes = json!([{"hostname": "a.test"}, {"hostname": "b.test"}]);
        let published = json!({"conditions": [condition], "networkingStatus": {"routes": routes}});
        let shown = lines(&deployment(published));
        assert_eq!(shown, ["routes  a.test  b.test", "RouteReady  False, DNSPending: waiting"]);
        assert_eq!(lines(&deployment(json!({}))), [""; 0]);
    }

    #[test]
    fn addresses_inside_the_cluster() {
        let node = json!({"name": "n", "evmJsonRpc": "http://n", "evmWs": "ws://n"});
        let endpoints = json!({"tendermintRpc": "http://rpc", "nodes": [node]});
        let shown = super::endpoints(&deployment(json!({"endpoints": endpoints})));
        assert_eq!(shown, ["http://rpc", "http://n", "ws://n"]);
    }
}

//! What is shown of the ways to the fleet: endpoints inside, host names outside, and whether they
//! lead anywhere; pure.

use sei_api::SeiNodeDeployment;
use sei_api::condition::Type;
use sei_api::k8s::Condition;

/// All ways in, short enough to stay in view: one line for the endpoints, then the public face.
pub fn live(deployment: &SeiNodeDeployment) -> Vec<String> {
    inside(deployment).into_iter().chain(lines(deployment)).collect()
}

/// The endpoints of the fleet, and of how many nodes there are more: their list has no bound.
fn inside(deployment: &SeiNodeDeployment) -> Option<String> {
    let endpoints = deployment.status.as_ref()?.endpoints.as_ref()?;
    let fleet = together([&endpoints.tendermint_rpc, &endpoints.tendermint_rest]);
    let nodes = match endpoints.nodes.len() {
        0 => String::new(),
        1 => "  EVM of 1 node".to_owned(),
        count => format!("  EVM of {count} nodes"),
    };
    let said = fleet + &nodes;
    (!said.is_empty()).then(|| format!("inside  {}", said.trim_start()))
}

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

/// Where the fleet is reached inside the cluster: a line for it, and one for each node.
pub fn endpoints(deployment: &SeiNodeDeployment) -> Vec<String> {
    let endpoints = deployment.status.as_ref().and_then(|it| it.endpoints.as_ref());
    let Some(endpoints) = endpoints else { return Vec::new() };
    let fleet = together([&endpoints.tendermint_rpc, &endpoints.tendermint_rest]);
    let fleet = (!fleet.is_empty()).then(|| format!("inside  {fleet}"));
    let nodes = endpoints
        .nodes
        .iter()
        .map(|it| format!("inside  {}: {}", it.name, together([&it.evm_json_rpc, &it.evm_ws])));
    fleet.into_iter().chain(nodes).collect()
}

fn together(addresses: [&Option<String>; 2]) -> String {
    let known: Vec<&str> = addresses.into_iter().flatten().map(String::as_str).collect();
    known.join("  ")
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
    fn endpoints_stay_in_view_and_those_of_nodes_are_counted() {
        let node = |index: usize| json!({"name": format!("n-{index}"), "evmJsonRpc": "http://n"});
        let shown = |nodes: usize| {
            let nodes: Vec<_> = (0..nodes).map(node).collect();
            let endpoints = json!({"tendermintRpc": "http://rpc", "nodes": nodes});
            let routes = json!({"routes": [{"hostname": "a.test"}]});
            live(&deployment(json!({"endpoints": endpoints, "networkingStatus": routes})))
        };
        assert_eq!(shown(3), ["inside  http://rpc  EVM of 3 nodes", "routes  a.test"]);
        assert_eq!(shown(1)[0], "inside  http://rpc  EVM of 1 node");
        assert_eq!(shown(1000)[0], "inside  http://rpc  EVM of 1000 nodes");
        let only_nodes = json!({"endpoints": {"nodes": [node(0), node(1)]}});
        assert_eq!(live(&deployment(only_nodes)), ["inside  EVM of 2 nodes"]);
        assert_eq!(live(&deployment(json!({"endpoints": {}}))), [""; 0]);
    }

    #[test]
    fn addresses_inside_the_cluster() {
        let node = json!({"name": "n", "evmJsonRpc": "http://n", "evmWs": "ws://n"});
        let endpoints = json!({"tendermintRpc": "http://rpc", "nodes": [node]});
        let shown = super::endpoints(&deployment(json!({"endpoints": endpoints})));
        assert_eq!(shown, ["inside  http://rpc", "inside  n: http://n  ws://n"]);
    }
}

//! The stores of all kinds: one watch each, shared by every controller.

use std::sync::Arc;
use std::time::Duration;

use sei_api::gateway::HttpRoute;
use sei_api::{SeiNode, SeiNodeDeployment, k8s, labels};

use super::store::{Managers, Store};

/// Everything that is watched.
///
/// Services are two stores, because labels cannot be selected by *or*: those of nodes, and those
/// of fleets that are not of a node. An unselected watch would decode every Service of the cluster.
#[derive(Debug)]
pub struct Stores {
    /// Fleets.
    pub fleets: Arc<Store<SeiNodeDeployment>>,
    /// Nodes, also those that no fleet made.
    pub nodes: Arc<Store<SeiNode>>,
    /// Workloads with our node label.
    pub statefulsets: Arc<Store<k8s::StatefulSet>>,
    /// Pods with our node label.
    pub pods: Arc<Store<k8s::Pod>>,
    /// Services with our node label.
    pub services: Arc<Store<k8s::Service>>,
    /// Services with our fleet label and no node label.
    pub fleet_services: Arc<Store<k8s::Service>>,
    /// Claims with our node label.
    pub claims: Arc<Store<k8s::PersistentVolumeClaim>>,
    /// Access rules with our node label.
    pub config_maps: Arc<Store<k8s::ConfigMap>>,
    /// Routes with our fleet label; the cluster may not have the kind.
    pub routes: Arc<Store<HttpRoute>>,
}

/// Selects what belongs to a node.
pub const OF_NODE: &str = labels::NODE;

/// Selects routes of fleets; nodes have none.
pub const ROUTE: &str = labels::NODEDEPLOYMENT;

/// Selects what belongs to a fleet and to none of its nodes.
pub const OF_FLEET: &str = "sei.io/nodedeployment,!sei.io/node";

impl Stores {
    /// Empty ones.
    #[must_use]
    pub fn new() -> Self {
        Self {
            fleets: Arc::new(Store::new("SeiNodeDeployment", Managers::Dropped)),
            nodes: Arc::new(Store::new("SeiNode", Managers::Kept).found_by(labels::NODEDEPLOYMENT)),
            statefulsets: Arc::new(Store::new("StatefulSet", Managers::Kept)),
            pods: Arc::new(Store::new("Pod", Managers::Dropped).found_by(labels::NODE)),
            services: Arc::new(Store::new("Service", Managers::Kept)),
            fleet_services: Arc::new(Store::new("FleetService", Managers::Kept)),
            claims: Arc::new(Store::new("PersistentVolumeClaim", Managers::Dropped)),
            config_maps: Arc::new(Store::new("ConfigMap", Managers::Kept)),
            routes: Arc::new(
                Store::new("HTTPRoute", Managers::Kept).found_by(labels::NODEDEPLOYMENT),
            ),
        }
    }

    /// For how long each watch has heard nothing.
    #[must_use]
    pub fn silences(&self) -> [(&'static str, Duration); 9] {
        [
            (self.fleets.kind(), self.fleets.silence()),
            (self.nodes.kind(), self.nodes.silence()),
            (self.statefulsets.kind(), self.statefulsets.silence()),
            (self.pods.kind(), self.pods.silence()),
            (self.services.kind(), self.services.silence()),
            (self.fleet_services.kind(), self.fleet_services.silence()),
            (self.claims.kind(), self.claims.silence()),
            (self.config_maps.kind(), self.config_maps.silence()),
            (self.routes.kind(), self.routes.silence()),
        ]
    }
}

impl Default for Stores {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_name_our_labels() {
        assert_eq!(OF_FLEET, format!("{},!{}", labels::NODEDEPLOYMENT, labels::NODE));
    }
}

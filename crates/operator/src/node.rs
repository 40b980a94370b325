//! SeiNode as a kind: forwards to `sei_core::node`.

use sei_api::{SeiNode, SeiNodeStatus, labels};
use sei_core::condition;
use sei_core::decision::{Conclusion, Decision, Urgency};
use sei_core::effect::Outcome;
use sei_core::node::{self, Env, Needs, Observed};
use sei_core::notice::Notice;

use crate::cluster::Key;
use crate::cluster::store::Store;
use crate::cluster::stores::Stores;
use crate::context::Context;
use crate::controller::Controller;
use crate::kind::{Kind, Written};
use crate::{observe, samples};

/// The kind of one node.
#[derive(Debug)]
pub struct Node;

impl Kind for Node {
    type Object = SeiNode;
    type Status = SeiNodeStatus;
    type Needs = Needs;
    type Observed = Observed;

    const CONTROLLER: Controller = Controller::Node;
    const KIND: &'static str = "SeiNode";
    const FINALIZER: &'static str = labels::NODE_FINALIZER;
    const MANAGER: &'static str = labels::NODE_FIELD_MANAGER;

    fn store(stores: &Stores) -> &Store<SeiNode> {
        &stores.nodes
    }

    fn status(object: &SeiNode) -> Option<&SeiNodeStatus> {
        object.status.as_ref()
    }

    fn needs(object: &SeiNode, status: &SeiNodeStatus, env: Env<'_>) -> Needs {
        node::needs(object, status, env)
    }

    async fn observe(context: &Context, object: &SeiNode, needs: Needs) -> Observed {
        observe::node(context, object, needs).await
    }

    fn decide(
        object: &SeiNode,
        status: &SeiNodeStatus,
        observed: &Observed,
        env: Env<'_>,
    ) -> Decision<SeiNodeStatus> {
        node::decide(object, status, observed, env)
    }

    fn conclude(
        subject: (&SeiNode, &SeiNodeStatus),
        observed: &Observed,
        env: Env<'_>,
        acted: (Decision<SeiNodeStatus>, &[Outcome]),
    ) -> Conclusion<SeiNodeStatus> {
        node::conclude(subject, observed, env, acted)
    }

    fn keep_times(before: &SeiNodeStatus, after: &mut SeiNodeStatus) {
        condition::keep_times(&before.conditions, &mut after.conditions);
    }

    fn urgency(before: &SeiNodeStatus, after: &SeiNodeStatus) -> Urgency {
        node::urgency(before, after)
    }

    fn notices(object: &SeiNode, change: Written<'_, SeiNodeStatus>) -> Vec<Notice> {
        node::notices(object, change.before, change.after)
    }

    fn count(context: &Context, object: &SeiNode, change: Written<'_, SeiNodeStatus>) {
        context.metrics.node_status_written(object, change.after);
        samples::node(context, object, change);
    }

    fn forget(context: &Context, key: &Key) {
        context.sidecars.forget(key);
    }
}

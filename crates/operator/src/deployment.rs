//! SeiNodeDeployment as a kind: forwards to `sei_core::deployment`.

use sei_api::{SeiNodeDeployment, SeiNodeDeploymentStatus, labels};
use sei_core::condition;
use sei_core::decision::{Conclusion, Decision, Urgency};
use sei_core::deployment::{self, Env, Needs, Observed};
use sei_core::effect::Outcome;
use sei_core::notice::Notice;

use crate::cluster::Key;
use crate::cluster::store::Store;
use crate::cluster::stores::Stores;
use crate::context::Context;
use crate::controller::Controller;
use crate::kind::{Kind, Written};
use crate::{observe, samples};

/// The kind of a fleet.
#[derive(Debug)]
pub struct Deployment;

impl Kind for Deployment {
    type Object = SeiNodeDeployment;
    type Status = SeiNodeDeploymentStatus;
    type Needs = Needs;
    type Observed = Observed;

    const CONTROLLER: Controller = Controller::Deployment;
    const KIND: &'static str = "SeiNodeDeployment";
    const FINALIZER: &'static str = labels::NODEDEPLOYMENT_FINALIZER;
    const MANAGER: &'static str = labels::NODEDEPLOYMENT_FIELD_MANAGER;

    fn store(stores: &Stores) -> &Store<SeiNodeDeployment> {
        &stores.fleets
    }

    fn status(object: &SeiNodeDeployment) -> Option<&SeiNodeDeploymentStatus> {
        object.status.as_ref()
    }

    fn needs(object: &SeiNodeDeployment, _status: &SeiNodeDeploymentStatus, env: Env<'_>) -> Needs {
        deployment::needs(object, env)
    }

    async fn observe(context: &Context, object: &SeiNodeDeployment, needs: Needs) -> Observed {
        observe::deployment(context, object, needs).await
    }

    fn decide(
        object: &SeiNodeDeployment,
        status: &SeiNodeDeploymentStatus,
        observed: &Observed,
        env: Env<'_>,
    ) -> Decision<SeiNodeDeploymentStatus> {
        deployment::decide(object, status, observed, env)
    }

    fn conclude(
        subject: (&SeiNodeDeployment, &SeiNodeDeploymentStatus),
        observed: &Observed,
        env: Env<'_>,
        acted: (Decision<SeiNodeDeploymentStatus>, &[Outcome]),
    ) -> Conclusion<SeiNodeDeploymentStatus> {
        deployment::conclude(subject, observed, env, acted)
    }

    fn keep_times(before: &SeiNodeDeploymentStatus, after: &mut SeiNodeDeploymentStatus) {
        condition::keep_times(&before.conditions, &mut after.conditions);
    }

    fn urgency(before: &SeiNodeDeploymentStatus, after: &SeiNodeDeploymentStatus) -> Urgency {
        deployment::urgency(before, after)
    }

    fn notices(
        object: &SeiNodeDeployment,
        change: Written<'_, SeiNodeDeploymentStatus>,
    ) -> Vec<Notice> {
        deployment::notices(object, change.before, change.after)
    }

    fn count(
        context: &Context,
        object: &SeiNodeDeployment,
        change: Written<'_, SeiNodeDeploymentStatus>,
    ) {
        samples::fleet(context, object, change);
    }

    fn forget(context: &Context, key: &Key) {
        context.names.forget(key);
    }
}

//! What became of a round's effects, folded into the fleet's status.

use sei_api::{DeploymentPhase, SeiNodeDeployment, SeiNodeDeploymentStatus};

use crate::decision::{Conclusion, Decision, Requeue};
use crate::deployment::{Env, Observed, doors, finalize, report, turnover};
use crate::effect::{Effect, Outcome, Resource, worst};
use crate::fault::Class;

/// The status after the effects of `decision`, which was taken on `before`.
///
/// A fault undoes the success that the decision counted on; children that were created or deleted
/// all the same are told.
pub fn conclude(
    (fleet, before): (&SeiNodeDeployment, &SeiNodeDeploymentStatus),
    seen: &Observed,
    env: Env<'_>,
    (decision, outcomes): (Decision<SeiNodeDeploymentStatus>, &[Outcome]),
) -> Conclusion<SeiNodeDeploymentStatus> {
    let results = || decision.effects.iter().zip(outcomes);
    let mut notices = decision.notices.clone();
    let about_doors = |effect: &Effect| doors::owns(fleet, effect);
    let leaving = before.phase == Some(DeploymentPhase::Terminating);
    let attended = doors::Attended {
        performed: decision.requeue != Requeue::NextPass,
        fault: worst(results().filter(|(it, _)| about_doors(it)).map(|(_, it)| it)),
    };
    // Nothing but the end of the fleet waits for the public face.
    let fault = worst(results().filter(|(it, _)| leaving || !about_doors(it)).map(|(_, it)| it));
    let undone = SeiNodeDeploymentStatus {
        observed_generation: decision.status.observed_generation,
        ..before.clone()
    };
    let (mut status, mut requeue) = match fault.map(|it| it.class) {
        None => (decision.status, decision.requeue),
        Some(Class::Waiting) => (undone, Requeue::After(env.tempo.task_poll_max)),
        Some(Class::Conflict | Class::Transient | Class::Terminal) => (undone, Requeue::Backoff),
    };
    if let (None, Some(fault)) = (fault, attended.fault) {
        requeue = doors::retry(requeue, fault, env);
    }
    // Who wrote first is nobody's trouble: the next look shows what is there now.
    let trouble = fault.filter(|it| it.class != Class::Conflict);
    let hidden = leaving.then(|| finalize::hidden(fleet, seen)).flatten();
    let trouble = trouble.or(hidden.as_ref());
    // Once only the finalizer is left, everything is cleaned up.
    if leaving && decision.effects != [Effect::RemoveFinalizer] {
        notices.extend(trouble.and_then(|it| finalize::failed(fleet, before, it)));
    }
    let wrote = decision.effects.iter().any(writes_a_child);
    let end = report::End { fleet, seen, env, trouble, wrote, doors: attended };
    report::summarize(end, &mut status);
    notices.extend(turnover::witnessed(fleet, seen, before, &status));
    notices.extend(turnover::confirmed(fleet, results(), &mut status));
    Conclusion { status, requeue, notices }
}

fn writes_a_child(effect: &Effect) -> bool {
    match effect {
        Effect::Apply { object, .. } | Effect::Create(object) => {
            object.resource() == Resource::SeiNode
        }
        Effect::SetOwners { .. }
        | Effect::Delete(_)
        | Effect::RemoveFinalizer
        | Effect::Submit(_) => false,
    }
}

//! What is said of a node in trouble, where, how often, and that it is no longer said afterwards.

use anyhow::Result;
use sei_api::SeiNode;
use sei_api::condition::{Reason, Type};
use sei_api::k8s::Condition;

use crate::cluster::{Sight, Story};

/// Waits until a node says `reason` in words that hold all of `words`, in its conditions, in one
/// event, and in the status of its fleet.
pub async fn told(story: &Story, node: &str, reason: Reason, words: &[&str]) -> Result<Sight> {
    let what = format!("saying {reason} of \"{node}\"");
    let sight = story.wait_for(&what, |sight| untold(sight, node, reason)).await?;
    let message = &ready(&sight, node).map(|it| it.message.clone()).unwrap_or_default();
    for word in words {
        assert!(message.contains(word), "{word:?} is not in {message:?}");
    }
    Ok(sight)
}

/// Asserts that a settled fleet says nothing more of a trouble that is over, and said it once.
pub fn over(sight: &Sight, node: &str, reason: Reason) {
    let conditions = sight.node(node).and_then(|it| it.status.as_ref());
    let conditions = conditions.map(|it| it.conditions.as_slice()).unwrap_or_default();
    let still: Vec<_> = conditions.iter().filter(|it| it.reason == reason.as_str()).collect();
    assert!(still.is_empty(), "\"{node}\" still says {still:?}");
    assert_eq!(in_fleet(sight, node), None, "the fleet still says it of \"{node}\"");
    assert!(!sight.is_true(Type::Stalled), "the fleet is still stalled");
    let events = sight.messages_about(node, reason.as_str());
    assert_eq!(events.len(), 1, "{events:?}");
}

fn untold(sight: &Sight, node: &str, reason: Reason) -> Option<String> {
    let said = ready(sight, node).map(|it| (it.status.as_str(), it.reason.as_str()));
    if said != Some(("False", reason.as_str())) {
        return Some(format!("Ready is {said:?}"));
    }
    let events = sight.messages_about(node, reason.as_str()).len();
    if events != 1 {
        return Some(format!("{events} events"));
    }
    let in_fleet = in_fleet(sight, node);
    (in_fleet != Some(reason.as_str())).then(|| format!("the fleet says {in_fleet:?}"))
}

/// What the fleet's status says of a node, in one word.
pub fn in_fleet<'a>(sight: &'a Sight, node: &str) -> Option<&'a str> {
    let status = sight.fleet.as_ref()?.status.as_ref()?;
    status.nodes.iter().find(|it| it.name == node)?.reason.as_deref()
}

/// The condition `Ready` of a node.
pub fn ready<'a>(sight: &'a Sight, node: &str) -> Option<&'a Condition> {
    let conditions = &sight.node(node).and_then(|it: &SeiNode| it.status.as_ref())?.conditions;
    conditions.iter().find(|it| it.type_ == Type::Ready.as_str())
}

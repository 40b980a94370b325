//! The words of conditions and events.

use std::collections::BTreeSet;

use sei_api::{condition, event};

#[test]
fn each_word_is_spelled_once_and_found_again() {
    let types: Vec<&str> = condition::Type::ALL.iter().map(|word| word.as_str()).collect();
    let reasons: Vec<&str> = condition::Reason::ALL.iter().map(|word| word.as_str()).collect();
    let events: Vec<&str> = event::Reason::ALL.iter().map(|word| word.as_str()).collect();
    for words in [&types, &reasons, &events] {
        assert_eq!(words.iter().collect::<BTreeSet<_>>().len(), words.len());
        for word in words {
            assert!(word.chars().all(|c| c.is_ascii_alphanumeric()), "{word}");
            assert!(word.starts_with(|c: char| c.is_ascii_uppercase()), "{word}");
        }
    }
    for reason in condition::Reason::ALL {
        assert_eq!(condition::Reason::from_word(reason.as_str()), Some(*reason));
    }
    assert_eq!(condition::Reason::from_word("Nonsense"), None);
}

/// Dashboards, alerts and scripts of the users look for these.
#[test]
fn words_that_others_wait_for_are_spelled_as_they_know_them() {
    for (ours, theirs) in [
        (condition::Type::ImportPvcReady.as_str(), "ImportPVCReady"),
        (condition::Reason::PvcNotReady.as_str(), "PVCNotReady"),
        (condition::Reason::HttpRouteReady.as_str(), "HTTPRouteReady"),
        (condition::Reason::CrdNotInstalled.as_str(), "CRDNotInstalled"),
        (condition::Reason::DnsPending.as_str(), "DNSPending"),
        (event::Reason::HttpRouteReady.as_str(), "HTTPRouteReady"),
        (event::Reason::CrdNotInstalled.as_str(), "CRDNotInstalled"),
        (sei_api::labels::NODEDEPLOYMENT_FINALIZER, "sei.io/seinodedeployment-finalizer"),
        (sei_api::labels::NODE_FINALIZER, "sei.io/seinode-finalizer"),
    ] {
        assert_eq!(ours, theirs);
    }
}

//! A point of a story: the n-th request of its kind, found again in another telling.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use sei_harness::request_log::{Record, Requests, Verb};

/// Of a hundred points, as many are found again. Not all: marks wait a while for the next write of
/// their object, so one telling may have a status write, or an event about one, fewer than another.
pub const RECURRING: usize = 80;

/// What requests of two tellings have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Shape {
    verb: Verb,
    resource: String,
    /// Of an Event, the object that it is about: its own name holds a UID.
    name: String,
    subresource: String,
    /// Of an Event.
    reason: String,
}

/// One request of a story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    shape: Shape,
    /// Counted from 1.
    nth: usize,
}

impl Shape {
    fn of(record: &Record) -> Self {
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let is_event = record.resource == "events";
        let about = &record.body["involvedObject"]["name"];
        Self {
            verb: record.verb,
            resource: record.resource.clone(),
            name: if is_event { text(about) } else { record.name.clone() },
            subresource: record.subresource.clone(),
            reason: text(&record.body["reason"]),
        }
    }
}

impl Point {
    /// The points of these requests, in their order.
    pub fn all<'a>(records: impl IntoIterator<Item = &'a Record>) -> Vec<Self> {
        let mut seen: BTreeMap<Shape, usize> = BTreeMap::new();
        let number = |record: &Record| {
            let shape = Shape::of(record);
            let nth = seen.entry(shape.clone()).or_default();
            *nth += 1;
            Self { nth: *nth, shape }
        };
        records.into_iter().map(number).collect()
    }

    /// Whether it is about an object of one of these kinds.
    pub fn is_about(&self, resources: &[&str]) -> bool {
        resources.contains(&self.shape.resource.as_str())
    }

    /// The request that is this point, counted from now on. For one fault: each look is a count.
    pub fn request(&self) -> Requests {
        let (point, seen) = (self.clone(), AtomicUsize::new(0));
        Requests::any().that(move |record| {
            Shape::of(record) == point.shape && seen.fetch_add(1, Ordering::SeqCst) + 1 == point.nth
        })
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shape { verb, resource, name, subresource, reason } = &self.shape;
        write!(f, "{verb:?} {resource} {name}")?;
        for detail in [subresource, reason].into_iter().filter(|it| !it.is_empty()) {
            write!(f, " {detail}")?;
        }
        write!(f, " #{}", self.nth)
    }
}

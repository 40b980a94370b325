//! What the operator says of itself: one reading of its metrics.

use std::collections::BTreeMap;

use serde::Serialize;

/// One reading of the operator's counters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scrape {
    /// Requests to the API server.
    requests: BTreeMap<Request, u64>,
    /// Passes over all objects.
    pub passes: u64,
}

/// What was asked of the API server, and the answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Request {
    verb: String,
    resource: String,
    code: String,
}

/// Requests of one kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// `get`, `create`, `patch`, `delete`, `list`, `watch`.
    pub verb: String,
    /// Plural, with the subresource.
    pub resource: String,
    /// How many.
    pub count: u64,
}

/// Requests between two readings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Requests(BTreeMap<Request, u64>);

impl Scrape {
    /// Reads the text format.
    pub fn parse(text: &str) -> Self {
        let mut scrape = Self::default();
        for line in text.lines() {
            let Some((series, value)) = line.rsplit_once(' ') else { continue };
            let Ok(value) = value.parse::<f64>() else { continue };
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let count = value as u64;
            match name {
                "sei_controller_api_requests_total" => {
                    let label = |name| label(labels, name).unwrap_or_default().to_owned();
                    let [verb, resource, code] = ["verb", "resource", "code"].map(label);
                    *scrape.requests.entry(Request { verb, resource, code }).or_default() += count;
                }
                "sei_controller_passes_total" => scrape.passes += count,
                _ => {}
            }
        }
        scrape
    }

    /// What was sent after `earlier`.
    pub fn since(&self, earlier: &Self) -> Requests {
        let difference = |(request, count): (&Request, &u64)| {
            let before = earlier.requests.get(request).copied().unwrap_or_default();
            (*count > before).then(|| (request.clone(), count - before))
        };
        Requests(self.requests.iter().filter_map(difference).collect())
    }
}

impl Requests {
    /// By verb and resource, in their order.
    pub fn rows(&self) -> Vec<Row> {
        let mut rows: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for (request, count) in &self.0 {
            *rows.entry((&request.verb, &request.resource)).or_default() += count;
        }
        let row = |((verb, resource), count): ((&str, &str), u64)| Row {
            verb: verb.to_owned(),
            resource: resource.to_owned(),
            count,
        };
        rows.into_iter().map(row).collect()
    }

    /// All but LIST and WATCH: what a rollout is charged with.
    pub fn charged(&self) -> u64 {
        self.sum(|it| !matches!(it.verb.as_str(), "list" | "watch"))
    }

    /// Listings.
    pub fn lists(&self) -> u64 {
        self.sum(|it| it.verb == "list")
    }

    /// What changes something, whatever the answer.
    pub fn writes(&self) -> u64 {
        self.sum(is_write)
    }

    /// Answers that somebody else was first.
    pub fn conflicts(&self) -> u64 {
        self.sum(|it| it.code == "409")
    }

    /// Writes of `plural` or a subresource of it that the API server accepted.
    pub fn accepted(&self, plural: &str) -> u64 {
        self.sum(|it| {
            let of = it.resource.split('/').next() == Some(plural);
            of && is_write(it) && it.code.starts_with('2')
        })
    }

    fn sum(&self, wanted: impl Fn(&Request) -> bool) -> u64 {
        self.0.iter().filter(|(request, _)| wanted(request)).map(|(_, count)| count).sum()
    }
}

fn is_write(request: &Request) -> bool {
    !matches!(request.verb.as_str(), "get" | "list" | "watch")
}

/// Value of a label in `a="b",c="d"}`; ours hold no quotes and no commas.
fn label<'a>(labels: &'a str, name: &str) -> Option<&'a str> {
    labels.trim_end_matches('}').split(',').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (key == name).then(|| value.trim_matches('"'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const EARLIER: &str = r#"
# HELP sei_controller_api_requests_total Requests
sei_controller_api_requests_total{verb="patch",resource="seinodes/status",code="200"} 5
sei_controller_passes_total{controller="seinode",namespace="a"} 3
"#;
    const LATER: &str = r#"
sei_controller_api_requests_total{verb="patch",resource="seinodes/status",code="200"} 7
sei_controller_api_requests_total{verb="patch",resource="seinodes/status",code="409"} 1
sei_controller_api_requests_total{verb="patch",resource="seinodes",code="200"} 1
sei_controller_api_requests_total{verb="list",resource="pods",code="200"} 2
sei_controller_api_requests_total{verb="create",resource="events",code="201"} 4
sei_controller_passes_total{controller="seinode",namespace="a"} 9
sei_controller_passes_total{controller="seinodedeployment",namespace="a"} 1
"#;

    #[test]
    fn requests_between_two_readings_are_counted() {
        let (earlier, later) = (Scrape::parse(EARLIER), Scrape::parse(LATER));
        assert_eq!((earlier.passes, later.passes), (3, 10));
        let sent = later.since(&earlier);
        assert_eq!((sent.charged(), sent.lists(), sent.writes()), (8, 2, 8));
        assert_eq!((sent.conflicts(), sent.accepted("seinodes")), (1, 3));
        let rows: Vec<_> = sent.rows().iter().map(|it| (it.resource.clone(), it.count)).collect();
        let expected = [("events", 4), ("pods", 2), ("seinodes", 1), ("seinodes/status", 3)];
        assert_eq!(rows, expected.map(|(resource, count)| (resource.to_owned(), count)));
    }
}

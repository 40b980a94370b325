//! One logged request, and descriptions of requests to look for.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use serde_json::Value;

/// What a request does, in the words of RBAC; `Apply` is a patch by server-side apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// Reads one object.
    Get,
    /// Reads many.
    List,
    /// Follows many.
    Watch,
    /// Makes one.
    Create,
    /// Replaces one.
    Update,
    /// Changes one by a JSON, merge or strategic merge patch.
    Patch,
    /// Changes or makes one by server-side apply.
    Apply,
    /// Deletes one.
    Delete,
    /// Deletes many.
    DeleteCollection,
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Not yet.
    Pending,
    /// The server answered with this status code.
    Answered(u16),
    /// The log answered with this status code; the server never saw the request.
    Injected(u16),
    /// The connection was cut before the server saw the request.
    ResetBefore,
    /// The server answered with this code, but the connection was cut before it was read.
    ResetAfter(u16),
    /// No answer came, for this reason.
    Failed(String),
}

/// One request.
#[derive(Clone, Debug)]
pub struct Record {
    /// When it was sent, counted from the start of the log.
    pub at: Duration,
    /// How long the answer took to begin; absent while pending.
    pub took: Option<Duration>,
    /// What it does.
    pub verb: Verb,
    /// The HTTP method.
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// The query, empty when there is none.
    pub query: String,
    /// The content type of the body, empty when there is none.
    pub content_type: String,
    /// The API group, empty for the core group.
    pub group: String,
    /// The plural of the kind, e.g. `seinodes`; empty for what is no resource.
    pub resource: String,
    /// The namespace, empty for cluster-wide requests.
    pub namespace: String,
    /// The object's name, empty for lists; of a create, the name in the body.
    pub name: String,
    /// E.g. `status`; empty for the object itself.
    pub subresource: String,
    /// The body; null when there is none or it is not JSON.
    pub body: Value,
    /// How it ended.
    pub outcome: Outcome,
}

impl Verb {
    /// Whether it changes anything.
    pub fn is_write(self) -> bool {
        !matches!(self, Self::Get | Self::List | Self::Watch)
    }
}

impl Record {
    /// The resourceVersion that the body demands, if it does.
    pub fn precondition(&self) -> Option<&str> {
        self.body["metadata"]["resourceVersion"].as_str().filter(|version| !version.is_empty())
    }

    /// The status code of the answer, injected ones included.
    pub fn code(&self) -> Option<u16> {
        match self.outcome {
            Outcome::Answered(code) | Outcome::Injected(code) | Outcome::ResetAfter(code) => {
                Some(code)
            }
            Outcome::Pending | Outcome::ResetBefore | Outcome::Failed(_) => None,
        }
    }

    pub(super) fn of(parts: &http::request::Parts, body: &[u8], at: Duration) -> Self {
        let content_type =
            parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
        let query = parts.uri.query().unwrap_or_default();
        let place = Place::of(parts.uri.path());
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let verb = verb(&parts.method, &place, query, content_type);
        let mut name = place.name.to_owned();
        if verb == Verb::Create && name.is_empty() {
            name = body["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        }
        Self {
            at,
            took: None,
            verb,
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: query.to_owned(),
            content_type: content_type.to_owned(),
            group: place.group.to_owned(),
            resource: place.resource.to_owned(),
            namespace: place.namespace.to_owned(),
            name,
            subresource: place.subresource.to_owned(),
            body,
            outcome: Outcome::Pending,
        }
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, verb, path, outcome, .. } = self;
        write!(f, "{:>8.3} s  {verb:?} {path} -> {outcome:?}", at.as_secs_f64())
    }
}

type Rule = Arc<dyn Fn(&Record) -> bool + Send + Sync>;

/// A description of requests; what is not said matches everything.
#[derive(Clone, Default)]
pub struct Requests {
    verbs: Vec<Verb>,
    group: Option<String>,
    resource: Option<String>,
    name: Option<String>,
    subresource: Option<String>,
    rule: Option<Rule>,
}

impl Requests {
    /// All requests.
    pub fn any() -> Self {
        Self::default()
    }

    /// Requests that change something.
    pub fn writes() -> Self {
        Self::any().that(|record| record.verb.is_write())
    }

    /// Of this verb, or of one of several such calls.
    #[must_use]
    pub fn verb(mut self, verb: Verb) -> Self {
        self.verbs.push(verb);
        self
    }

    /// Of this API group.
    #[must_use]
    pub fn group(self, group: &str) -> Self {
        Self { group: Some(group.to_owned()), ..self }
    }

    /// Of this plural, e.g. `seinodes`.
    #[must_use]
    pub fn resource(self, resource: &str) -> Self {
        Self { resource: Some(resource.to_owned()), ..self }
    }

    /// For the object of this name.
    #[must_use]
    pub fn name(self, name: &str) -> Self {
        Self { name: Some(name.to_owned()), ..self }
    }

    /// To this subresource; an empty one means the object itself.
    #[must_use]
    pub fn subresource(self, subresource: &str) -> Self {
        Self { subresource: Some(subresource.to_owned()), ..self }
    }

    /// For which `rule` holds too.
    #[must_use]
    pub fn that(mut self, rule: impl Fn(&Record) -> bool + Send + Sync + 'static) -> Self {
        let before = self.rule.take();
        let both =
            move |record: &Record| before.as_ref().is_none_or(|old| old(record)) && rule(record);
        self.rule = Some(Arc::new(both));
        self
    }

    /// Whether `record` is one of them.
    pub fn describes(&self, record: &Record) -> bool {
        let is = |wanted: &Option<String>, got: &str| wanted.as_ref().is_none_or(|w| w == got);
        (self.verbs.is_empty() || self.verbs.contains(&record.verb))
            && is(&self.group, &record.group)
            && is(&self.resource, &record.resource)
            && is(&self.name, &record.name)
            && is(&self.subresource, &record.subresource)
            && self.rule.as_ref().is_none_or(|rule| rule(record))
    }
}

impl fmt::Debug for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { verbs, group, resource, name, subresource, rule } = self;
        f.debug_struct("Requests")
            .field("verbs", verbs)
            .field("group", group)
            .field("resource", resource)
            .field("name", name)
            .field("subresource", subresource)
            .field("rule", &rule.is_some())
            .finish()
    }
}

/// The parts of a path: `/api/v1/…` or `/apis/{group}/{version}/…`.
#[derive(Default)]
struct Place<'a> {
    group: &'a str,
    namespace: &'a str,
    resource: &'a str,
    name: &'a str,
    subresource: &'a str,
}

impl<'a> Place<'a> {
    fn of(path: &'a str) -> Self {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let (group, rest) = match parts.as_slice() {
            ["api", _, rest @ ..] => ("", rest),
            ["apis", group, _, rest @ ..] => (*group, rest),
            _ => return Self::default(),
        };
        let (namespace, rest) = match rest {
            ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (*namespace, rest),
            _ => ("", rest),
        };
        let part = |index: usize| rest.get(index).copied().unwrap_or_default();
        Self { group, namespace, resource: part(0), name: part(1), subresource: part(2) }
    }
}

fn verb(method: &http::Method, place: &Place<'_>, query: &str, content_type: &str) -> Verb {
    let watches = query.split('&').any(|pair| pair == "watch=true" || pair == "watch=1");
    match method.as_str() {
        "POST" => Verb::Create,
        "PUT" => Verb::Update,
        "PATCH" if content_type.starts_with("application/apply-patch") => Verb::Apply,
        "PATCH" => Verb::Patch,
        "DELETE" if place.name.is_empty() => Verb::DeleteCollection,
        "DELETE" => Verb::Delete,
        _ if watches => Verb::Watch,
        _ if place.name.is_empty() && !place.resource.is_empty() => Verb::List,
        _ => Verb::Get,
    }
}

//! From a call to an HTTP request; pure.

use http::{Method, Request, header};
use sei_sidecar_api::TaskRequest;
use uuid::Uuid;

use crate::token::Token;

/// A call to one sidecar.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Call<'a> {
    Healthz,
    Livez,
    Status,
    NodeId,
    Submit(&'a TaskRequest),
    List,
    Get(Uuid),
    Delete(Uuid),
}

impl Call<'_> {
    /// A word for the log.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Healthz => "healthz",
            Self::Livez => "livez",
            Self::Status => "status",
            Self::NodeId => "node-id",
            Self::Submit(_) => "submit",
            Self::List => "list",
            Self::Get(_) => "get",
            Self::Delete(_) => "delete",
        }
    }

    /// Whether this only asks how the sidecar is, for which there is less time.
    pub(crate) fn is_probe(self) -> bool {
        match self {
            Self::Healthz | Self::Livez => true,
            Self::Status
            | Self::NodeId
            | Self::Submit(_)
            | Self::List
            | Self::Get(_)
            | Self::Delete(_) => false,
        }
    }

    /// The request to the sidecar at `base`, which ends without a slash.
    ///
    /// # Errors
    /// The URL that comes out is none; a checked template with names of Kubernetes objects in it
    /// always gives one.
    pub(crate) fn request(
        self,
        base: &str,
        token: Option<&Token>,
    ) -> Result<Request<Vec<u8>>, http::Error> {
        let mut builder =
            Request::builder().method(self.method()).uri(format!("{base}{}", self.path()));
        if let Some(token) = token {
            builder = builder.header(header::AUTHORIZATION, token.header());
        }
        let body = self.body();
        if !body.is_empty() {
            builder = builder.header(header::CONTENT_TYPE, "application/json");
        }
        builder.body(body)
    }

    fn method(self) -> Method {
        match self {
            Self::Submit(_) => Method::POST,
            Self::Delete(_) => Method::DELETE,
            Self::Healthz
            | Self::Livez
            | Self::Status
            | Self::NodeId
            | Self::List
            | Self::Get(_) => Method::GET,
        }
    }

    fn path(self) -> String {
        match self {
            Self::Healthz => "/v0/healthz".to_owned(),
            Self::Livez => "/v0/livez".to_owned(),
            Self::Status => "/v0/status".to_owned(),
            Self::NodeId => "/v0/node-id".to_owned(),
            Self::Submit(_) | Self::List => "/v0/tasks".to_owned(),
            Self::Get(id) | Self::Delete(id) => format!("/v0/tasks/{id}"),
        }
    }

    fn body(self) -> Vec<u8> {
        match self {
            // Texts, numbers and maps with text keys: this cannot fail.
            Self::Submit(request) => serde_json::to_vec(request).unwrap_or_default(),
            Self::Healthz
            | Self::Livez
            | Self::Status
            | Self::NodeId
            | Self::List
            | Self::Get(_)
            | Self::Delete(_) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use sei_sidecar_api::{ConfigIntent, ConfigMode, TaskSpec};

    use super::*;

    const ID: Uuid = Uuid::from_u128(0x27669cc2_ff5c_5954_a251_8491a7bd9284);

    fn show(call: Call<'_>, token: Option<&Token>) -> String {
        let request = call.request("http://h:8443/sei/rpc-0", token).unwrap();
        let headers: Vec<String> = request
            .headers()
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        let body = String::from_utf8_lossy(request.body()).into_owned();
        format!("{} {} [{}] {body}", request.method(), request.uri(), headers.join(", "))
    }

    #[test]
    fn every_call_has_its_verb_path_headers_and_body() {
        let overrides = [("logging.level".to_owned(), "info".to_owned())].into();
        let intent = ConfigIntent::new(ConfigMode::Full, overrides);
        let apply = TaskRequest::new(ID, &TaskSpec::ConfigApply(intent));
        let ready = TaskRequest::new(ID, &TaskSpec::MarkReady);
        let token = Token::new("t").unwrap();
        let said = [
            show(Call::Healthz, Some(&token)),
            show(Call::Livez, None),
            show(Call::Status, None),
            show(Call::NodeId, Some(&token)),
            show(Call::Submit(&apply), Some(&token)),
            show(Call::Submit(&ready), None),
            show(Call::List, None),
            show(Call::Get(ID), Some(&token)),
            show(Call::Delete(ID), None),
        ];
        expect_test::expect![[r#"
            GET http://h:8443/sei/rpc-0/v0/healthz [authorization: Bearer t] 
            GET http://h:8443/sei/rpc-0/v0/livez [] 
            GET http://h:8443/sei/rpc-0/v0/status [] 
            GET http://h:8443/sei/rpc-0/v0/node-id [authorization: Bearer t] 
            POST http://h:8443/sei/rpc-0/v0/tasks [authorization: Bearer t, content-type: application/json] {"id":"27669cc2-ff5c-5954-a251-8491a7bd9284","type":"config-apply","params":{"incremental":false,"mode":"full","overrides":{"logging.level":"info"},"targetVersion":0}}
            POST http://h:8443/sei/rpc-0/v0/tasks [content-type: application/json] {"id":"27669cc2-ff5c-5954-a251-8491a7bd9284","type":"mark-ready"}
            GET http://h:8443/sei/rpc-0/v0/tasks [] 
            GET http://h:8443/sei/rpc-0/v0/tasks/27669cc2-ff5c-5954-a251-8491a7bd9284 [authorization: Bearer t] 
            DELETE http://h:8443/sei/rpc-0/v0/tasks/27669cc2-ff5c-5954-a251-8491a7bd9284 [] "#]]
        .assert_eq(&said.join("\n"));
    }
}

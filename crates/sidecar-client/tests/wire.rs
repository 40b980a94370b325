//! The client against the simulator over real sockets, and against servers that misbehave.

use std::{sync::Arc, time::Duration};

use sei_sidecar_api::{
    DecodeFault, Health, SidecarApi, SidecarError, SidecarFactory, SidecarState, TaskRequest,
    TaskSpec, TaskStatus, TaskType, TransportKind,
};
use sei_sidecar_client::{
    ClientConfig, FixedToken, HttpSidecars, Limits, NoToken, Token, TokenFile, TokenProvider,
    UrlTemplate,
};
use sei_sidecar_sim::{
    Op, RawReply, RequestAction, RequestFault, Sidecars, Target, http::HttpFront,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::Instant,
};
use uuid::Uuid;

const ID: Uuid = Uuid::from_u128(0x27669cc2_ff5c_5954_a251_8491a7bd9284);

type Failure = Box<dyn std::error::Error>;

/// Short enough for a test, long enough for a loaded machine.
fn short() -> Limits {
    Limits {
        connect: Duration::from_millis(400),
        call: Duration::from_millis(600),
        probe: Duration::from_millis(300),
        ..Limits::default()
    }
}

fn client(template: &str, tokens: Arc<dyn TokenProvider>) -> Result<Arc<dyn SidecarApi>, Failure> {
    let template = UrlTemplate::parse(template)?;
    let config = ClientConfig { template, tokens, limits: short() };
    Ok(HttpSidecars::new(config)?.for_node("sei", "rpc-0"))
}

struct Wire {
    sidecars: Sidecars,
    front: HttpFront,
    api: Arc<dyn SidecarApi>,
}

async fn wire() -> Result<Wire, Failure> {
    let sidecars = Sidecars::new();
    let front = HttpFront::start(sidecars.clone()).await?;
    let api = client(&front.url_template(), Arc::new(NoToken))?;
    Ok(Wire { sidecars, front, api })
}

impl Wire {
    fn inject(&self, action: RequestAction) {
        self.sidecars.clear_faults();
        self.sidecars.inject_request(RequestFault::new(Target::any(), action));
    }
}

fn mark_ready() -> TaskRequest {
    TaskRequest::new(ID, &TaskSpec::MarkReady)
}

fn transport<T>(kind: TransportKind) -> Result<T, SidecarError> {
    Err(SidecarError::Transport { kind })
}

/// A server that reads a request's head and then does with the socket what it is told.
async fn server(answer: &'static [u8]) -> Result<String, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut head = [0; 4096];
            // What cannot be read or written belongs to a client that has gone.
            let _ = socket.read(&mut head).await;
            let _ = socket.write_all(answer).await;
        }
    });
    Ok(url)
}

#[tokio::test]
async fn all_calls_reach_the_sidecar_and_come_back_typed() -> Result<(), Failure> {
    let Wire { sidecars, api, front: _front } = wire().await?;
    assert!(api.livez().await?);
    assert_eq!(api.healthz().await?, Health::NotReady);
    assert_eq!(api.status().await?, SidecarState::Initializing);
    assert_eq!(api.get(ID).await?, None);
    assert_eq!(api.submit(&mark_ready()).await?, ID);
    let row = api.get(ID).await?.unwrap();
    assert_eq!((row.status, row.run), (TaskStatus::Completed, 1));
    assert!(row.completed_at.is_some());
    assert_eq!(api.healthz().await?, Health::Ready);
    assert_eq!(api.status().await?, SidecarState::Ready);
    assert_eq!(api.node_id().await?.as_str().len(), 40);
    assert_eq!(api.list().await?.len(), 1);
    assert!(api.delete(ID).await?);
    assert!(!api.delete(ID).await?);
    let submissions = sidecars.node("sei", "rpc-0").submissions();
    assert_eq!((submissions.len(), submissions[0].params.len()), (1, 0));
    Ok(())
}

#[tokio::test]
async fn both_fronts_say_the_same() -> Result<(), Failure> {
    let Wire { sidecars, api, front: _front } = wire().await?;
    let direct = sidecars.for_node("sei", "rpc-0");
    let params = serde_json::json!({"mode": "full", "overrides": {"foo.bar": "1"}});
    let spec = TaskSpec::from_stored(TaskType::ConfigApply, &params)?;
    api.submit(&TaskRequest::new(ID, &spec)).await?;
    assert_eq!(api.get(ID).await, direct.get(ID).await);
    assert_eq!(api.list().await, direct.list().await);
    assert_eq!(api.node_id().await, direct.node_id().await);
    let node = sidecars.node("sei", "rpc-0");
    node.without_identity();
    assert_eq!(api.node_id().await, direct.node_id().await);
    node.stop();
    assert_eq!(api.healthz().await, direct.healthz().await);
    assert_eq!(api.get(ID).await, direct.get(ID).await);
    Ok(())
}

#[tokio::test]
async fn status_codes_become_classes_and_redirects_are_not_followed() -> Result<(), Failure> {
    let wire = wire().await?;
    let text = RawReply::text;
    let table = [
        (text(400, "Bad Request."), "Unexpected"),
        (text(401, "Unauthorized"), "Unauthorized"),
        (text(403, "Forbidden (user=op)"), "Forbidden"),
        (text(404, "404 page not found"), "NotARoute"),
        (text(405, "Method Not Allowed"), "Unexpected"),
        (text(307, ""), "Unexpected"),
        (text(500, "boom"), "Unexpected"),
        (text(502, ""), "Unavailable"),
        (text(503, ""), "Unavailable"),
        (text(504, ""), "Unavailable"),
        (text(201, "created"), "Undecodable"),
        (RawReply::json(400, &serde_json::json!({"error": "no"})), "Rejected"),
        (RawReply::json(400, &serde_json::json!({"error": "persist task: x"})), "StoreFailed"),
        (RawReply::json(201, &serde_json::json!({"id": Uuid::nil()})), "Undecodable"),
    ];
    for (reply, want) in table {
        wire.inject(RequestAction::Reply(reply.clone()));
        let error = wire.api.submit(&mark_ready()).await.unwrap_err();
        assert_eq!(error.reason(), want, "{reply:?}");
    }
    assert_eq!(wire.sidecars.submitted_count(), 0);
    Ok(())
}

#[tokio::test]
async fn a_silent_sidecar_costs_the_limit_and_no_more() -> Result<(), Failure> {
    let wire = wire().await?;
    wire.inject(RequestAction::Hang);
    let start = Instant::now();
    assert_eq!(wire.api.healthz().await, transport(TransportKind::Timeout));
    assert!(start.elapsed() < short().call, "a probe has a shorter limit: {:?}", start.elapsed());
    let start = Instant::now();
    assert_eq!(wire.api.get(ID).await, transport(TransportKind::Timeout));
    assert!(start.elapsed() >= short().call);
    Ok(())
}

#[tokio::test]
async fn a_body_that_never_ends_costs_the_limit() -> Result<(), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await?;
        let mut request = [0; 4096];
        let _ = socket.read(&mut request).await?;
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                     content-length: 9\r\n\r\n[";
        socket.write_all(head).await?;
        // Keeps the socket open until the client closes it.
        let mut rest = Vec::new();
        socket.read_to_end(&mut rest).await
    });
    let api = client(&url, Arc::new(NoToken))?;
    assert_eq!(api.list().await, transport(TransportKind::Timeout));
    server.await??;
    Ok(())
}

#[tokio::test]
async fn lost_connections_are_told_apart() -> Result<(), Failure> {
    let wire = wire().await?;
    wire.inject(RequestAction::LoseReply);
    assert_eq!(wire.api.submit(&mark_ready()).await, transport(TransportKind::Reset));
    wire.sidecars.clear_faults();
    assert!(wire.api.get(ID).await?.is_some(), "the task was taken before the answer was lost");

    let closing = client(&server(b"").await?, Arc::new(NoToken))?;
    assert_eq!(closing.healthz().await, transport(TransportKind::Reset));

    let truncated = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                      content-length: 99\r\n\r\n[]";
    let truncated = client(&server(truncated).await?, Arc::new(NoToken))?;
    assert_eq!(truncated.list().await, transport(TransportKind::Reset));

    let babbling = client(&server(b"SSH-2.0-OpenSSH\r\n\r\n").await?, Arc::new(NoToken))?;
    assert_eq!(babbling.list().await, transport(TransportKind::Other));

    let Wire { front, api, .. } = wire;
    drop(front);
    assert!(api.healthz().await.is_err(), "also the kept connection ends with the server");

    let free = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let nobody = client(&format!("http://{free}"), Arc::new(NoToken))?;
    assert_eq!(nobody.healthz().await, transport(TransportKind::Connect));
    Ok(())
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_told_as_such() -> Result<(), Failure> {
    let template = UrlTemplate::parse("http://{node}.{namespace}.invalid:8443")?;
    let limits = Limits { probe: Duration::from_secs(10), ..short() };
    let config = ClientConfig { template, tokens: Arc::new(NoToken), limits };
    // One label longer than names may have: the resolver refuses it without asking anybody.
    let api = HttpSidecars::new(config)?.for_node("sei", &"x".repeat(64));
    let error = api.healthz().await.unwrap_err();
    assert_eq!(error.to_string(), "sidecar unreachable: name does not resolve");
    Ok(())
}

#[tokio::test]
async fn bodies_are_read_up_to_the_limit() -> Result<(), Failure> {
    let wire = wire().await?;
    let limit = short().body_max;
    let body = |length: usize| {
        let text = format!("[{}]", " ".repeat(length - 2));
        let content_type = Some("application/json".to_owned());
        RequestAction::Reply(RawReply { status: 200, content_type, body: text.into_bytes() })
    };
    wire.inject(body(limit));
    assert_eq!(wire.api.list().await, Ok(vec![]));
    wire.inject(body(limit + 1));
    let fault = DecodeFault::TooLarge { limit_bytes: limit };
    assert_eq!(wire.api.list().await, Err(SidecarError::Decode { fault }));
    Ok(())
}

#[tokio::test]
async fn a_refused_token_is_read_afresh_once() -> Result<(), Failure> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("token");
    let wire = wire().await?;
    wire.sidecars.require_token(Some("one"));
    let api = client(&wire.front.url_template(), Arc::new(TokenFile::new(&path)))?;
    assert_eq!(api.list().await, Err(SidecarError::Unauthorized), "no file, no header");
    assert_eq!(api.healthz().await, Ok(Health::NotReady), "healthz needs no token");

    std::fs::write(&path, "one\n")?;
    assert_eq!(api.list().await, Ok(vec![]));
    std::fs::write(&path, "two")?;
    wire.sidecars.require_token(Some("two"));
    assert_eq!(api.list().await, Ok(vec![]), "the cached token was refused and read again");

    wire.sidecars.require_token(Some("three"));
    assert_eq!(api.list().await, Err(SidecarError::Unauthorized), "one retry, not more");
    Ok(())
}

#[tokio::test]
async fn a_403_is_not_tried_again_and_names_what_is_missing() -> Result<(), Failure> {
    let wire = wire().await?;
    let api = client(&wire.front.url_template(), Arc::new(FixedToken(Token::new("t")?)))?;
    let denied = "Forbidden (user=op, verb=create, resource=seinodetasks, subresource=)";
    wire.inject(RequestAction::Reply(RawReply::text(403, denied)));
    let want = SidecarError::Forbidden { body: denied.to_owned() };
    assert_eq!(api.submit(&mark_ready()).await, Err(want));
    assert_eq!(wire.sidecars.node("sei", "rpc-0").calls(Op::Submit), 1);
    Ok(())
}

#[tokio::test]
async fn one_stalled_sidecar_does_not_delay_the_others() -> Result<(), Failure> {
    let wire = wire().await?;
    let config = ClientConfig {
        template: UrlTemplate::parse(&wire.front.url_template())?,
        tokens: Arc::new(NoToken),
        limits: short(),
    };
    let factory = HttpSidecars::new(config)?;
    wire.sidecars.node("sei", "rpc-0").hangs();
    let (stalled, other) = (factory.for_node("sei", "rpc-0"), factory.for_node("sei", "rpc-1"));
    let others = async {
        for _ in 0..20 {
            other.healthz().await?;
        }
        Ok::<_, SidecarError>(Instant::now())
    };
    let (stalled, others) = tokio::join!(async { (stalled.get(ID).await, Instant::now()) }, others);
    assert_eq!(stalled.0, transport(TransportKind::Timeout));
    assert!(others? < stalled.1);
    Ok(())
}

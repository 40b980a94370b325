//! What a probe hands on.

use anyhow::Result;
use kube::Config;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// 503 at first, 200 ever after.
async fn late(listener: TcpListener) -> Result<()> {
    let (mut stream, _) = listener.accept().await?;
    for answer in ["503 Service Unavailable", "200 OK"] {
        let read = stream.read(&mut [0; 4096]).await?;
        anyhow::ensure!(read > 0, "the client hung up before \"{answer}\"");
        let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n");
        stream.write_all(answer.as_bytes()).await?;
    }
    Ok(())
}

#[tokio::test]
async fn not_yet_is_an_answer() -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = format!("http://{}", listener.local_addr()?).parse()?;
    let server = tokio::spawn(late(listener));
    let client = super::client(Config::new(address))?;
    let ask = || http::Request::get("/readyz").body(Vec::new());
    client.request_text(ask()?).await.expect_err("503 is an error");
    client.request_text(ask()?).await?;
    server.await?
}

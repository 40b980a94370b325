//! How a token file is read, kept and dropped. Time stands still unless it is moved.

use tempfile::TempDir;

use super::*;

struct File {
    _directory: TempDir,
    path: PathBuf,
    tokens: TokenFile,
}

fn file() -> File {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("token");
    File { _directory: directory, tokens: TokenFile::new(&path), path }
}

impl File {
    fn write(&self, text: &str) {
        std::fs::write(&self.path, text).unwrap();
    }

    /// The header that would be sent, or why none can be.
    async fn header(&self) -> String {
        match self.tokens.token().await {
            Ok(Some(token)) => token.header().to_str().unwrap().to_owned(),
            Ok(None) => "none".to_owned(),
            Err(error) => error.to_string().replace(&self.path.display().to_string(), "FILE"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_file_is_no_token_until_it_appears() {
    let file = file();
    assert_eq!(file.header().await, "none");
    file.write(" one\n");
    assert_eq!(file.header().await, "Bearer one");
}

#[tokio::test(start_paused = true)]
async fn a_token_is_read_again_after_fifty_seconds() {
    let file = file();
    file.write("one");
    assert_eq!(file.header().await, "Bearer one");
    file.write("two");
    tokio::time::advance(Duration::from_secs(49)).await;
    assert_eq!(file.header().await, "Bearer one");
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(file.header().await, "Bearer two");
}

#[tokio::test(start_paused = true)]
async fn an_unusable_file_is_an_error_unless_an_older_token_is_there() {
    let file = file();
    file.write("\n");
    assert_eq!(
        file.header().await,
        "operator's sidecar token is unusable: file \"FILE\": it is empty"
    );
    file.write("one");
    assert_eq!(file.header().await, "Bearer one");
    for broken in ["", "a\u{7}b"] {
        file.write(broken);
        tokio::time::advance(TRUSTED_FOR).await;
        assert_eq!(file.header().await, "Bearer one");
    }
    std::fs::remove_file(&file.path).unwrap();
    assert_eq!(file.header().await, "Bearer one");

    std::fs::create_dir(&file.path).unwrap();
    file.tokens.refused(&Token::new("one").unwrap()).await;
    assert_eq!(
        file.header().await,
        "operator's sidecar token is unusable: file \"FILE\": is a directory"
    );
}

#[tokio::test(start_paused = true)]
async fn only_the_refused_token_is_dropped() {
    let file = file();
    file.write("one");
    file.header().await;
    file.write("two");
    file.tokens.refused(&Token::new("zero").unwrap()).await;
    assert_eq!(file.header().await, "Bearer one");
    file.tokens.refused(&Token::new("one").unwrap()).await;
    assert_eq!(file.header().await, "Bearer two");
}

#[test]
fn tokens_do_not_show_themselves() {
    let token = Token::new("secret").unwrap();
    assert_eq!(
        format!("{token:?} {:?}", FixedToken(token.clone())),
        "Token(..) FixedToken(Token(..))"
    );
    assert!(token.header().is_sensitive());
}

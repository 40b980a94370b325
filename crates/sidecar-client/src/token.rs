//! The operator's own token: where it comes from and how long it is trusted.

use std::{fmt, io, path::PathBuf, time::Duration};

use http::HeaderValue;
use sei_sidecar_api::{BoxFuture, SidecarError};
use tokio::{sync::Mutex, time::Instant};

/// Where a pod finds its service account's token.
pub const SERVICE_ACCOUNT_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// How long a token that was read is used before the file is read again.
///
/// The kubelet renews the file well before the token ends; a minute less ten seconds of leeway.
const TRUSTED_FOR: Duration = Duration::from_secs(50);

/// A bearer token; its text is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(HeaderValue);

/// Gives the token for a request.
pub trait TokenProvider: Send + Sync {
    /// The token to send; `None` sends no `Authorization` header at all.
    ///
    /// # Errors
    /// [`SidecarError::Token`] when there should be one and it cannot be had.
    fn token(&self) -> BoxFuture<'_, Result<Option<Token>, SidecarError>>;

    /// A sidecar did not accept this token: the next one must be read afresh.
    fn refused<'a>(&'a self, token: &'a Token) -> BoxFuture<'a, ()>;
}

/// A file that somebody keeps fresh.
///
/// A missing file means that there is no token: outside of a pod, sidecars are reached through
/// something that does not ask for one. An empty or unreadable file is an error. A token that has
/// been read once outlives such an error, until it is refused.
#[derive(Debug)]
pub struct TokenFile {
    path: PathBuf,
    cached: Mutex<Option<Cached>>,
}

/// Always the same token.
#[derive(Debug, Clone)]
pub struct FixedToken(pub Token);

/// No token.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoToken;

#[derive(Debug)]
struct Cached {
    token: Token,
    read_at: Instant,
}

impl Token {
    /// A token, without the spaces around it.
    ///
    /// # Errors
    /// It is empty, or holds what an HTTP header cannot hold.
    pub fn new(text: &str) -> Result<Self, SidecarError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(unusable("it is empty"));
        }
        let mut value = HeaderValue::from_str(&format!("Bearer {text}"))
            .map_err(|_| unusable("it holds characters that no header can hold"))?;
        value.set_sensitive(true);
        Ok(Self(value))
    }

    pub(crate) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl TokenFile {
    /// The token in this file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), cached: Mutex::new(None) }
    }

    /// The token of the pod's service account.
    pub fn service_account() -> Self {
        Self::new(SERVICE_ACCOUNT_TOKEN)
    }

    async fn read(&self) -> Result<Option<Token>, SidecarError> {
        match tokio::fs::read_to_string(&self.path).await {
            Ok(text) => Token::new(&text).map(Some).map_err(|error| self.located(error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            // The kind's own text, without the system's error number.
            Err(error) => Err(self.located(unusable(&error.kind().to_string()))),
        }
    }

    fn located(&self, error: SidecarError) -> SidecarError {
        match error {
            SidecarError::Token { detail } => {
                unusable(&format!("file \"{}\": {detail}", self.path.display()))
            }
            other => other,
        }
    }
}

impl TokenProvider for TokenFile {
    fn token(&self) -> BoxFuture<'_, Result<Option<Token>, SidecarError>> {
        Box::pin(async {
            let mut cached = self.cached.lock().await;
            if let Some(cached) = &*cached
                && cached.read_at.elapsed() < TRUSTED_FOR
            {
                return Ok(Some(cached.token.clone()));
            }
            let read = self.read().await;
            if let Ok(Some(token)) = &read {
                *cached = Some(Cached { token: token.clone(), read_at: Instant::now() });
            }
            match &*cached {
                Some(cached) => Ok(Some(cached.token.clone())),
                None => read,
            }
        })
    }

    fn refused<'a>(&'a self, token: &'a Token) -> BoxFuture<'a, ()> {
        Box::pin(async {
            let mut cached = self.cached.lock().await;
            // Another call may have read a newer one in the meantime.
            if cached.as_ref().is_some_and(|cached| cached.token == *token) {
                *cached = None;
            }
        })
    }
}

impl TokenProvider for FixedToken {
    fn token(&self) -> BoxFuture<'_, Result<Option<Token>, SidecarError>> {
        Box::pin(std::future::ready(Ok(Some(self.0.clone()))))
    }

    fn refused<'a>(&'a self, _: &'a Token) -> BoxFuture<'a, ()> {
        Box::pin(std::future::ready(()))
    }
}

impl TokenProvider for NoToken {
    fn token(&self) -> BoxFuture<'_, Result<Option<Token>, SidecarError>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn refused<'a>(&'a self, _: &'a Token) -> BoxFuture<'a, ()> {
        Box::pin(std::future::ready(()))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

fn unusable(detail: &str) -> SidecarError {
    SidecarError::Token { detail: detail.to_owned() }
}

#[cfg(test)]
mod tests;

//! What can happen to watches that run: they are cut, fall silent, or are told that they are late.

use std::io;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use http_body::Frame;
use http_body_util::{BodyExt, BodyStream, StreamBody};
use tokio::sync::broadcast;
use tower::BoxError;

use super::AnyBody;

/// Watches of one client that run, more than tests have.
const WATCHES_MAX: usize = 64;

/// What happens to a running watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tap {
    /// The connection is cut.
    Cut,
    /// No byte comes any more, and the connection stays.
    Stall,
    /// The server says that the history from here on is gone, and closes the watch.
    Expire,
}

/// Reaches the watches that run.
#[derive(Clone, Debug)]
pub(super) struct Taps(broadcast::Sender<(String, Tap)>);

type Frames = BoxStream<'static, Result<Frame<Bytes>, BoxError>>;

struct Tapped {
    inner: BodyStream<AnyBody>,
    taps: broadcast::Receiver<(String, Tap)>,
    resource: String,
    state: State,
}

enum State {
    Open,
    Silent,
    Closed,
}

impl Taps {
    pub(super) fn new() -> Self {
        Self(broadcast::Sender::new(WATCHES_MAX))
    }

    /// Does it to every running watch of `resource`; returns how many watches run in all.
    pub(super) fn tap(&self, resource: &str, tap: Tap) -> usize {
        self.0.send((resource.to_owned(), tap)).unwrap_or_default()
    }

    /// The body of a watch of `resource`, within reach.
    pub(super) fn around(&self, body: AnyBody, resource: &str) -> AnyBody {
        let tapped = Tapped {
            inner: BodyStream::new(body),
            taps: self.0.subscribe(),
            resource: resource.to_owned(),
            state: State::Open,
        };
        let frames: Frames = stream::unfold(tapped, Tapped::next).boxed();
        StreamBody::new(frames).boxed_unsync()
    }
}

impl Tapped {
    async fn next(mut self) -> Option<(Result<Frame<Bytes>, BoxError>, Self)> {
        loop {
            let silent = match self.state {
                State::Open => false,
                State::Silent => true,
                State::Closed => return None,
            };
            tokio::select! {
                biased;
                tap = self.taps.recv() => match tap {
                    Ok((resource, tap)) if resource == self.resource => match tap {
                        Tap::Stall => self.state = State::Silent,
                        Tap::Cut => {
                            self.state = State::Closed;
                            let cut = io::Error::from(io::ErrorKind::ConnectionReset);
                            return Some((Err(cut.into()), self));
                        }
                        Tap::Expire => {
                            self.state = State::Closed;
                            return Some((Ok(Frame::data(Bytes::from_static(EXPIRED))), self));
                        }
                    },
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return None,
                },
                frame = self.inner.next(), if !silent => return Some((frame?, self)),
            }
        }
    }
}

/// As the API server words it.
const EXPIRED: &[u8] = concat!(
    r#"{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"#,
    r#""status":"Failure","message":"too old resource version","reason":"Expired","code":410}}"#,
    "\n"
)
.as_bytes();

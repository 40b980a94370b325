//! The sidecar's HTTP client: token, time-outs, body limit, one retry rule.
//!
//! Start at [`HttpSidecars`]. Requests are built and replies are read by pure functions
//! (`request.rs`, `reply.rs`); `client.rs` is the only place that sends.

mod client;
mod reply;
mod request;
mod token;
mod url;

pub use client::{BuildError, ClientConfig, HttpSidecars, Limits};
pub use token::{FixedToken, NoToken, SERVICE_ACCOUNT_TOKEN, Token, TokenFile, TokenProvider};
pub use url::{IN_CLUSTER_TEMPLATE, InvalidTemplate, UrlTemplate};

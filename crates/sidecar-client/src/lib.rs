//! The sidecar's HTTP client: token, time-outs, body limit, one retry rule.

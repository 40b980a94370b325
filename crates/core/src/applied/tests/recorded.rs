//! Objects recorded from an API server.

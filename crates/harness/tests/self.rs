//! The harness tested against a real API server.

//! A faithful sidecar for tests: a pure engine and an HTTP front.

//! The sidecar's contract: wire types, task catalogue, trait and error classes. Pure.

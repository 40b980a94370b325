//! The shipped binary in a whole cluster: real StatefulSets, scheduler, garbage collection, pods.
//!
//! What scenarios on a bare API server assert of statuses, these assert of pods.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

mod cluster;
mod diagnosis;
mod kubectl;
mod life;
mod machines;
mod refusals;
mod rollout;
mod sidecars;
mod trouble;

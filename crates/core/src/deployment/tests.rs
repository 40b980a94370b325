//! Tests of a fleet's decisions: pictures of one round, and what always holds.

mod children;
mod finalize;
mod rollout;
mod rules;
mod scene;
mod status;

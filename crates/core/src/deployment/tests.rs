//! Tests of a fleet's decisions: pictures of one round, and what always holds.

mod children;
mod closing;
mod doors;
mod finalize;
mod invariants;
mod rollout;
mod rules;
mod scene;
mod status;
mod survival;
mod upkeep;

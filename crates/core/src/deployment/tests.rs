//! Tests of a fleet's decisions: pictures of one round, and what always holds.

mod children;
mod closing;
mod deadline;
mod doors;
mod finalize;
mod invariants;
mod paused;
mod rollback;
mod rollout;
mod rules;
mod scene;
mod status;
mod strategy;
mod survival;
mod turnover;
mod upkeep;

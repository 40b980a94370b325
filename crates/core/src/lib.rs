//! The brain: decides what a node and a fleet need next, and what their status says.
//!
//! Pure means: no `async`, no clock, no randomness, no environment, no files, no network and no
//! logging. Two calls with equal arguments give equal answers, today and in a replay. Time, fresh
//! ids and everything that was read arrive as arguments; everything that should happen leaves as
//! data.

pub mod applied;
pub mod condition;
pub mod decision;
pub mod deployment;
pub mod effect;
pub mod fault;
pub mod name;
pub mod node;
pub mod notice;
pub mod ownership;
pub mod plan;
pub mod platform;
pub mod quantity;
pub mod rbac;
pub mod render;
pub mod tempo;
pub mod verdict;

//! Tests of a node's decisions: pictures of one round, stories of many, and what always holds.

pub(crate) mod arbitrary;
mod book;
mod diagnosis;
mod evidence;
mod infra;
mod invariants;
pub(crate) mod line;
mod marks;
mod notices;
mod pause;
pub(crate) mod picture;
mod plans;
mod pods;
mod properties;
mod refusal;
mod repeated;
mod rest;
mod retry;
mod rules;
pub(crate) mod scene;
pub(crate) mod server;
mod sidecar;
mod stories;
pub(crate) mod survival;
pub(crate) mod world;

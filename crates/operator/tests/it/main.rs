//! Scenarios on a real kube-apiserver: the shipped wiring, judged by every version that was stored
//! and every request that was sent.

mod alerts;
mod bad_input;
mod causes;
mod deadline;
mod deletion;
mod diagnosis;
mod doors_deletion;
mod doors_foreign;
mod doors_kills;
mod foreign;
mod idle;
mod invariants;
mod meddling;
mod mid_rollout;
mod modes;
mod networking;
mod paused;
mod pods;
mod published;
mod refusal;
mod retained;
mod rollback;
mod rollout;
mod route_kind;
mod routes;
mod scaling;
mod sidecar_image;
mod status_writes;
mod strategy;
mod stuck;
mod supersession;
mod support;
mod sweeps;
mod volumes;

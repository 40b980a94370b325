//! A faithful sidecar for tests: one engine, two fronts.
//!
//! [`Sidecars`] is the handle: it makes and programs the sidecars of many nodes, gives them out in
//! process (it is a [`SidecarFactory`](sei_sidecar_api::SidecarFactory)) and, with the feature
//! `http`, over HTTP. The engine obeys the real contract, the unpleasant parts included: a failed
//! id runs again when it is submitted again, readiness dies with the process, a deleted row comes
//! back when its work ends. What surrounds a sidecar (buckets, peers, the chain) is generous until
//! a test says otherwise, so that an unprogrammed sidecar completes every well-formed task.
//!
//! Must not know the operator: a double that shares its opinions cannot contradict it.

mod engine;
mod faults;
#[cfg(feature = "http")]
pub mod http;
mod inproc;
mod journal;
mod sidecar;
mod sidecars;
mod tasks;
mod world;

pub use engine::TaskRow;
pub use faults::{Op, RawReply, RequestAction, RequestFault, Target, TaskAction, TaskFault};
pub use journal::{Event, JOURNAL_MAX, JournalEntry, Submission};
pub use sidecars::{NodeHandle, Sidecars};
pub use world::{Available, Keyring, SidecarEnv, World};

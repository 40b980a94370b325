//! The sidecar's contract: wire types, task catalogue, trait and error classes. Pure.
//!
//! Every Sei node runs a sidecar that prepares the node's disk and opens the gate in front of
//! `seid`. The operator talks to it over HTTP: it submits tasks under ids of its own choosing,
//! polls them, and asks whether the gate is open. This crate says what is said on that wire. It
//! sends nothing: [`SidecarApi`] is implemented by the HTTP client and by the simulator.

mod api;
mod error;
mod genesis;
mod go_duration;
mod gov;
mod intent;
mod peers;
mod registry;
mod spec;
mod task_type;
mod wire;

pub use api::{BoxFuture, SidecarApi, SidecarFactory};
pub use error::{Class, DecodeFault, SidecarError, TransportKind};
pub use genesis::{AssembleGenesis, GenerateGentx, GenerateIdentity, GenesisAccount, GenesisNode};
pub use go_duration::{GoDurationError, parse_go_duration};
pub use gov::{GovSoftwareUpgrade, GovVote, VoteOption};
pub use intent::{ConfigIntent, ConfigMode, Diagnostic, SCHEMA_VERSION_MAX};
pub use peers::{DiscoverPeers, PeerSource};
pub use registry::{OVERRIDE_KEYS, OverrideKey, REGISTRY_VERSION, ValueKind, override_key};
pub use spec::{
    AwaitAction, AwaitCondition, AwaitedCondition, ConfigureStateSync, ParamsError, TaskSpec,
};
pub use task_type::{TaskType, UnknownTaskType};
pub use wire::{
    Health, InvalidNodeId, NodeId, Params, SidecarState, TaskRequest, TaskResult, TaskStatus,
};

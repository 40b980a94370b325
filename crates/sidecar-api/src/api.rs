//! The port: what can be asked of one node's sidecar, and where its client comes from.

use std::{future::Future, pin::Pin, sync::Arc};

use uuid::Uuid;

use crate::{Health, NodeId, SidecarError, SidecarState, TaskRequest, TaskResult};

/// A boxed future that may move between threads.
///
/// The trait returns these, because the operator holds one `Arc<dyn SidecarApi>` per node.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One node's sidecar.
///
/// Guarantees: every call ends, with an answer or a [`SidecarError`], within the
/// implementation's time limit. Every call may be repeated with the same arguments; a submit is
/// made idempotent by its id.
///
/// Caveats: submitting the id of a *failed* task runs it again, so poll before you submit.
pub trait SidecarApi: Send + Sync {
    /// Whether the sidecar has released `seid` since it started (`GET /v0/healthz`).
    fn healthz(&self) -> BoxFuture<'_, Result<Health, SidecarError>>;

    /// Hands in a task (`POST /v0/tasks`) and returns its id, which is the id that was sent.
    ///
    /// A running or completed task of that id is left as it is, whatever its params; a failed one
    /// is executed again with the new params and the next `run`.
    fn submit<'a>(&'a self, request: &'a TaskRequest) -> BoxFuture<'a, Result<Uuid, SidecarError>>;

    /// Reads a task (`GET /v0/tasks/{id}`); `None` means that the sidecar does not know the id.
    fn get(&self, id: Uuid) -> BoxFuture<'_, Result<Option<TaskResult>, SidecarError>>;

    /// The node's p2p identity (`GET /v0/node-id`); an error until the identity exists.
    fn node_id(&self) -> BoxFuture<'_, Result<NodeId, SidecarError>>;

    /// The newest tasks, at most 100, newest `submittedAt` first (`GET /v0/tasks`).
    fn list(&self) -> BoxFuture<'_, Result<Vec<TaskResult>, SidecarError>>;

    /// Removes a task's row (`DELETE /v0/tasks/{id}`); false when there was none.
    ///
    /// Does not stop a running task: the row comes back when the work ends.
    fn delete(&self, id: Uuid) -> BoxFuture<'_, Result<bool, SidecarError>>;

    /// The sidecar's own word for its readiness (`GET /v0/status`).
    fn status(&self) -> BoxFuture<'_, Result<SidecarState, SidecarError>>;

    /// Whether the sidecar's task store answers (`GET /v0/livez`).
    fn livez(&self) -> BoxFuture<'_, Result<bool, SidecarError>>;
}

/// Gives the sidecar of a node, by the node's namespace and name.
pub trait SidecarFactory: Send + Sync {
    /// The sidecar of `node` in `namespace`. Cheap, does not connect, and cannot fail: a node
    /// that does not exist shows itself at the first call.
    fn for_node(&self, namespace: &str, node: &str) -> Arc<dyn SidecarApi>;
}

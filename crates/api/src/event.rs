//! Reasons of the Kubernetes Events that the controllers publish.

use crate::words::closed_words;

closed_words! {
    /// The reason of a Kubernetes Event. One word has one meaning for all time.
    Reason {
        /// SeiNodeDeployment: a child was created.
        SeiNodeCreated = "SeiNodeCreated",
        /// SeiNodeDeployment: a surplus child was deleted.
        SeiNodeDeleted = "SeiNodeDeleted",
        /// SeiNodeDeployment: a template change started a rollout.
        RolloutStarted = "RolloutStarted",
        /// SeiNodeDeployment: the spec moved during a rollout; its plan was replaced.
        RolloutSuperseded = "RolloutSuperseded",
        /// SeiNodeDeployment: every child was seen running the target.
        RolloutComplete = "RolloutComplete",
        /// SeiNodeDeployment: the rollout made no progress in time.
        RolloutStalled = "RolloutStalled",
        /// SeiNodeDeployment: the children go back to the last good images.
        RollbackStarted = "RollbackStarted",
        /// SeiNodeDeployment: every child was seen running the last good images again.
        RolledBack = "RolledBack",
        /// SeiNode, SeiNodeDeployment: the spec freezes the object.
        Paused = "Paused",
        /// SeiNode, SeiNodeDeployment: the spec no longer freezes the object.
        Unpaused = "Unpaused",
        /// SeiNodeDeployment: a plan was stored.
        PlanStarted = "PlanStarted",
        /// SeiNodeDeployment: a plan ended well.
        PlanComplete = "PlanComplete",
        /// SeiNodeDeployment: a plan ended in failure.
        PlanFailed = "PlanFailed",
        /// SeiNodeDeployment: its routes were applied.
        HttpRouteReady = "HTTPRouteReady",
        /// SeiNodeDeployment: the cluster has no HTTPRoute kind.
        CrdNotInstalled = "CRDNotInstalled",
        /// SeiNodeDeployment: deletion lets go of children and networking.
        RetainResources = "RetainResources",
        /// SeiNodeDeployment: networking objects could not be deleted.
        DeleteFailed = "DeleteFailed",
        /// SeiNode: entered the phase Failed.
        NodeFailed = "NodeFailed",
        /// SeiNode: moved from one phase to another.
        PhaseTransition = "PhaseTransition",
        /// SeiNode: the sidecar no longer lets the node serve.
        SidecarReadinessLost = "SidecarReadinessLost",
        /// SeiNode: the sidecar lets the node serve again.
        SidecarReadinessRestored = "SidecarReadinessRestored",
        /// SeiNode: the machine under its pod is not ready or gone.
        NodeUnreachable = "NodeUnreachable",
        /// SeiNode: its pod should have been gone since its grace period ended.
        PodTerminating = "PodTerminating",
        /// SeiNode: the StatefulSet controller creates no pod.
        PodNotCreated = "PodNotCreated",
        /// SeiNode: the data volume's claim is not bound, or has lost its volume.
        VolumeNotBound = "VolumeNotBound",
        /// SeiNode: no machine fits its pod.
        Unschedulable = "Unschedulable",
        /// SeiNode: the kubelet sets its pod up for too long.
        PodNotStarted = "PodNotStarted",
        /// SeiNode: an image's name is no valid reference.
        InvalidImage = "InvalidImage",
        /// SeiNode: the kubelet cannot pull an image.
        ImagePullFailed = "ImagePullFailed",
        /// SeiNode: a container cannot be created, or its command cannot be run.
        ContainerStartFailed = "ContainerStartFailed",
        /// SeiNode: a container was killed for its use of memory.
        OomKilled = "OOMKilled",
        /// SeiNode: a container ends soon after each of its starts.
        CrashLoop = "CrashLoop",
        /// SeiNode: a task of its sidecar failed and is repeated.
        SidecarTaskFailed = "SidecarTaskFailed",
        /// SeiNode: its sidecar gives no usable answer.
        SidecarUnreachable = "SidecarUnreachable",
        /// Any kind: a field of the schema that this build does not implement.
        NotSupportedYet = "NotSupportedYet",
        /// Any kind: a spec stored before the schema refused it.
        InvalidSpec = "InvalidSpec",
        /// Any kind: an object of that name belongs to somebody else.
        ForeignObject = "ForeignObject",
        /// SeiNodeTask: the target cannot be found or does not reach its phase.
        TargetResolveFailed = "TargetResolveFailed",
        /// SeiNodeTask: the kind is not built or its payload is missing.
        UnsupportedKind = "UnsupportedKind",
        /// SeiNodeTask: the stored payload cannot be read.
        DeserializeFailed = "DeserializeFailed",
        /// SeiNodeTask: the task was refused for good.
        TaskTerminalError = "TaskTerminalError",
        /// SeiNodeTask: the task reported failure.
        TaskFailed = "TaskFailed",
        /// SeiNodeTask: the task took longer than its bound.
        Timeout = "Timeout",
    }
}

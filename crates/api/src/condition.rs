//! Condition types, statuses and the closed set of their reasons.

use crate::words::closed_words;

closed_words! {
    /// The `type` of a condition.
    Type {
        /// kstatus: the object is what its spec asks for and serves.
        Ready = "Ready",
        /// kstatus: work towards the spec is in progress.
        Reconciling = "Reconciling",
        /// kstatus: no progress without help.
        Stalled = "Stalled",
        /// SeiNode, SeiNodeDeployment: the spec freezes the object.
        Paused = "Paused",
        /// SeiNodeDeployment: enough children are ready.
        NodesReady = "NodesReady",
        /// SeiNodeDeployment: its HTTPRoutes are applied and resolve.
        RouteReady = "RouteReady",
        /// SeiNodeDeployment: the Gateway takes its HTTPRoutes. Says what the Gateway says.
        RouteAccepted = "RouteAccepted",
        /// SeiNodeDeployment: a genesis ceremony is asked for and not complete.
        GenesisCeremonyNeeded = "GenesisCeremonyNeeded",
        /// SeiNodeDeployment: the genesis ceremony is done.
        GenesisCeremonyComplete = "GenesisCeremonyComplete",
        /// SeiNodeDeployment: a group plan is active.
        PlanInProgress = "PlanInProgress",
        /// SeiNodeDeployment: the children move to a new template.
        RolloutInProgress = "RolloutInProgress",
        /// SeiNode: the workload moves to a new image.
        NodeUpdateInProgress = "NodeUpdateInProgress",
        /// SeiNode: the sidecar lets the node serve.
        SidecarReady = "SidecarReady",
        /// SeiNode: the imported claim is usable.
        ImportPvcReady = "ImportPVCReady",
        /// SeiNode: the consensus key Secret is usable.
        SigningKeyReady = "SigningKeyReady",
        /// SeiNode: the P2P key Secret is usable.
        NodeKeyReady = "NodeKeyReady",
        /// SeiNode: the operator keyring Secrets are usable.
        OperatorKeyringReady = "OperatorKeyringReady",
        /// SeiNodeTask: the target shows the required phase.
        TargetReady = "TargetReady",
        /// SeiNodeTask: the task ended in failure.
        Failed = "Failed",
    }
}

closed_words! {
    /// The `status` of a condition.
    Status {
        /// The statement holds.
        True = "True",
        /// The statement does not hold.
        False = "False",
        /// The controller could not find out.
        Unknown = "Unknown",
    }
}

closed_words! {
    /// The `reason` of a condition. One word has one meaning for all time.
    Reason {
        /// Any type, False: it never happened to this object.
        NotStarted = "NotStarted",
        /// Any type, False: it does not apply to this object.
        NotApplicable = "NotApplicable",
        /// Ready, Stalled: the spec uses a field that this build does not implement.
        NotSupportedYet = "NotSupportedYet",
        /// Ready, Stalled: the spec breaks a rule of the schema; stored before the rule existed.
        InvalidSpec = "InvalidSpec",
        /// Ready, Stalled, RouteReady: an object at one of our names belongs to somebody else.
        ForeignObject = "ForeignObject",
        /// Ready, Reconciling, RouteReady: an object at one of our names is a dead owner's; waiting
        /// for the garbage collector.
        LeftoverObject = "LeftoverObject",
        /// Ready, Stalled: an invariant of the controller broke.
        InternalError = "InternalError",
        /// Ready, Reconciling: work is in progress.
        Progressing = "Progressing",
        /// Reconciling, Stalled, False: nothing is left to do.
        Settled = "Settled",
        /// Ready: the object is being deleted.
        Terminating = "Terminating",
        /// Reconciling, Stalled, RouteReady: the last attempt failed; another follows.
        Retrying = "Retrying",

        /// Paused True: the spec says so. Ready, Reconciling, Stalled, False: it waits for that.
        Paused = "Paused",
        /// Paused False.
        NotPaused = "NotPaused",

        /// SeiNodeDeployment, Stalled: no progress in time, and the children do not agree on why.
        ProgressDeadlineExceeded = "ProgressDeadlineExceeded",
        /// Ready, Reconciling, Stalled: the machine under the pod is not ready or gone; the pod
        /// can neither be trusted nor replaced until it is back or its Node object is removed.
        NodeUnreachable = "NodeUnreachable",
        /// Ready, Reconciling, Stalled: the pod should have been gone since its grace period
        /// ended; a finalizer or its kubelet holds it.
        PodTerminating = "PodTerminating",
        /// Ready, Reconciling, Stalled: the StatefulSet has no pod, and its controller creates
        /// none (quota, admission, a missing ServiceAccount).
        PodNotCreated = "PodNotCreated",
        /// Ready, Reconciling, Stalled: the data volume's claim is not bound, or its volume
        /// is lost.
        VolumeNotBound = "VolumeNotBound",
        /// Ready, Reconciling, Stalled: no machine fits the pod.
        Unschedulable = "Unschedulable",
        /// Ready, Reconciling, Stalled: the pod has a machine, but the kubelet sets it up for
        /// too long: a volume does not attach or mount, or there is no network for it.
        PodNotStarted = "PodNotStarted",
        /// Ready, Stalled: an image's name is no valid reference.
        InvalidImage = "InvalidImage",
        /// Ready, Reconciling, Stalled: the kubelet cannot pull an image.
        ImagePullFailed = "ImagePullFailed",
        /// Ready, Reconciling, Stalled: a container cannot be created or its command cannot be
        /// run: a missing object that it mounts or reads, a missing program.
        ContainerStartFailed = "ContainerStartFailed",
        /// Ready, Reconciling, Stalled: a container was killed for its use of memory and does
        /// not come up since.
        OomKilled = "OOMKilled",
        /// Ready, Reconciling, Stalled: a container ends soon after each of its starts.
        CrashLoop = "CrashLoop",
        /// Ready, Reconciling, Stalled: a task of the sidecar failed; it is repeated, or has
        /// ended the plan.
        SidecarTaskFailed = "SidecarTaskFailed",
        /// Ready, Reconciling, Stalled: the sidecar gives no usable answer although its
        /// container runs.
        SidecarUnreachable = "SidecarUnreachable",

        /// NodesReady True.
        AllNodesReady = "AllNodesReady",
        /// NodesReady False: some child failed.
        NodesFailed = "NodesFailed",
        /// NodesReady False: no child failed.
        NodesInitializing = "NodesInitializing",

        /// RouteReady True.
        HttpRouteReady = "HTTPRouteReady",
        /// RouteReady, RouteAccepted, False: the cluster has no HTTPRoute kind.
        CrdNotInstalled = "CRDNotInstalled",
        /// RouteReady False: the first host name does not resolve.
        DnsPending = "DNSPending",

        /// RouteAccepted True.
        Accepted = "Accepted",
        /// RouteAccepted False: the Gateway refuses a route; its own reason is in the message.
        NotAccepted = "NotAccepted",
        /// RouteAccepted False: the Gateway cannot follow a route to its Service; its own reason is
        /// in the message.
        RefsNotResolved = "RefsNotResolved",
        /// RouteAccepted Unknown: the Gateway has not spoken about every route.
        GatewayPending = "GatewayPending",

        /// GenesisCeremonyNeeded True.
        GenesisConfigured = "GenesisConfigured",
        /// GenesisCeremonyComplete True.
        CeremonyComplete = "CeremonyComplete",

        /// PlanInProgress True.
        PlanStarted = "PlanStarted",
        /// PlanInProgress False: it ended well.
        PlanComplete = "PlanComplete",
        /// PlanInProgress False: it ended in failure. SeiNode, Ready and Stalled: so did the plan.
        PlanFailed = "PlanFailed",

        /// RolloutInProgress True.
        TemplateChanged = "TemplateChanged",
        /// RolloutInProgress False: every child was seen running the target.
        RolloutComplete = "RolloutComplete",
        /// RolloutInProgress False: its plan failed.
        RolloutFailed = "RolloutFailed",
        /// RolloutInProgress True: the children go back to the last good images.
        RollingBack = "RollingBack",
        /// RolloutInProgress False, Ready, Stalled: the children run the last good images again;
        /// the template of the spec was given up.
        RolledBack = "RolledBack",

        /// NodeUpdateInProgress True.
        UpdateStarted = "UpdateStarted",
        /// NodeUpdateInProgress False: it ended well.
        UpdateComplete = "UpdateComplete",
        /// NodeUpdateInProgress False: it ended in failure.
        UpdateFailed = "UpdateFailed",
        /// NodeUpdateInProgress False: the spec returned to what runs before anything was changed.
        UpdateSuperseded = "UpdateSuperseded",

        /// SidecarReady True; kstatus Ready True.
        Ready = "Ready",
        /// SidecarReady False: it answered 503. kstatus Ready False: a pod is not ready.
        NotReady = "NotReady",
        /// SidecarReady Unknown: no usable answer.
        Unreachable = "Unreachable",

        /// ImportPVCReady True.
        PvcValidated = "PVCValidated",
        /// ImportPVCReady False: not yet.
        PvcNotReady = "PVCNotReady",
        /// ImportPVCReady False: never with this claim.
        PvcInvalid = "PVCInvalid",

        /// SigningKeyReady True.
        SigningKeyValidated = "SigningKeyValidated",
        /// SigningKeyReady False: not yet.
        SigningKeyNotReady = "SigningKeyNotReady",
        /// SigningKeyReady False: never with this Secret.
        SigningKeyInvalid = "SigningKeyInvalid",

        /// NodeKeyReady True.
        NodeKeyValidated = "NodeKeyValidated",
        /// NodeKeyReady False: not yet.
        NodeKeyNotReady = "NodeKeyNotReady",
        /// NodeKeyReady False: never with this Secret.
        NodeKeyInvalid = "NodeKeyInvalid",

        /// OperatorKeyringReady True.
        OperatorKeyringValidated = "OperatorKeyringValidated",
        /// OperatorKeyringReady False: not yet.
        OperatorKeyringNotReady = "OperatorKeyringNotReady",
        /// OperatorKeyringReady False: never with these Secrets.
        OperatorKeyringInvalid = "OperatorKeyringInvalid",

        /// TargetReady True.
        PhaseMet = "PhaseMet",
        /// TargetReady False.
        PhaseNotMet = "PhaseNotMet",
        /// SeiNodeTask Ready True.
        TaskComplete = "TaskComplete",
        /// Failed True: the target cannot be found or does not reach its phase.
        TargetResolveFailed = "TargetResolveFailed",
        /// Failed True: the kind is not built or its payload is missing.
        UnsupportedKind = "UnsupportedKind",
        /// Failed True: the stored payload cannot be read.
        DeserializeFailed = "DeserializeFailed",
        /// Failed True: the task was refused for good.
        TaskTerminalError = "TaskTerminalError",
        /// Failed True: the task reported failure.
        TaskFailed = "TaskFailed",
        /// Failed True: the task took longer than its bound.
        Timeout = "Timeout",
    }
}

//! The Kubernetes types this project uses, re-exported once.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions;

pub use apiextensions::v1::CustomResourceDefinition;
pub use k8s_openapi::api::apps::v1::{
    ControllerRevision, StatefulSet, StatefulSetPersistentVolumeClaimRetentionPolicy,
    StatefulSetSpec, StatefulSetStatus, StatefulSetUpdateStrategy,
};
pub use k8s_openapi::api::batch::v1::{Job, JobSpec, JobStatus};
pub use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
pub use k8s_openapi::api::core::v1::{
    Affinity, Capabilities, ConfigMap, ConfigMapKeySelector, ConfigMapProjection,
    ConfigMapVolumeSource, Container, ContainerPort, ContainerState, ContainerStateRunning,
    ContainerStateTerminated, ContainerStateWaiting, ContainerStatus, EmptyDirVolumeSource, EnvVar,
    EnvVarSource, Event, EventSeries, EventSource, ExecAction, HTTPGetAction, HTTPHeader,
    KeyToPath, Lifecycle, LifecycleHandler, Namespace, Node, NodeAffinity, NodeCondition,
    NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, ObjectFieldSelector, ObjectReference,
    PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimSpec,
    PersistentVolumeClaimStatus, PersistentVolumeClaimVolumeSource, Pod, PodAffinity,
    PodAffinityTerm, PodAntiAffinity, PodCondition, PodSecurityContext, PodSpec, PodStatus,
    PodTemplateSpec, Probe, ProjectedVolumeSource, ResourceClaim, ResourceRequirements,
    SeccompProfile, Secret, SecretKeySelector, SecretProjection, SecretVolumeSource,
    SecurityContext, Service, ServiceAccount, ServiceAccountTokenProjection, ServicePort,
    ServiceSpec, ServiceStatus, TCPSocketAction, Toleration, TypedLocalObjectReference, Volume,
    VolumeMount, VolumeProjection, VolumeResourceRequirements, WeightedPodAffinityTerm,
};
pub use k8s_openapi::api::rbac::v1::{
    ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject,
};
pub use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
pub use k8s_openapi::apimachinery::pkg::apis::meta::v1::{
    Condition, FieldsV1, LabelSelector, LabelSelectorRequirement, ManagedFieldsEntry, MicroTime,
    ObjectMeta, OwnerReference, Time,
};
pub use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
pub use kube::core::{CustomResourceExt, Resource, ResourceExt};

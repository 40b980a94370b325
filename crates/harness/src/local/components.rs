//! The processes around the API server: controller-manager, scheduler, kwok.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use kube::{Api, Client, api::ListParams};
use sei_api::k8s::{Node, ServiceAccount};
use tokio::time::Instant;

use super::machines;
use crate::assets;
use crate::control_plane::{ControlPlane, Server, ServerSpec};

const STAGES: &str = include_str!("stages.yaml");
/// Everything must work within this.
const START_TIMEOUT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(100);
const LOG_LINES: usize = 30;

/// Starts the three; each runs as the user that Kubernetes has roles for.
pub(super) fn start(
    control_plane: &ControlPlane,
    dir: &Path,
    pod_start: Duration,
) -> Result<Vec<Server>> {
    let kubeconfig = |user| control_plane.user_kubeconfig(user, &[]);
    let manager = manager_args(control_plane, &kubeconfig("system:kube-controller-manager")?)?;
    let scheduler = scheduler_args(&kubeconfig("system:kube-scheduler")?);
    // In kwok's own directory, so that it goes when kwok goes.
    let stages = dir.join("kwok").join("stages.yaml");
    std::fs::create_dir_all(dir.join("kwok")).context("make a directory for kwok")?;
    let millis = pod_start.as_millis().to_string();
    std::fs::write(&stages, STAGES.replace("START_MILLIS", &millis)).context("write the stages")?;
    let kwok = kwok_args(control_plane.kubeconfig_path(), &stages);
    [("kube-controller-manager", manager), ("kube-scheduler", scheduler), ("kwok", kwok)]
        .into_iter()
        .map(|(name, args)| {
            Server::spawn(&ServerSpec {
                name,
                binary: assets::binary(name)?,
                args,
                dir: dir.join(name),
                attach_output: false,
            })
        })
        .collect()
}

fn manager_args(control_plane: &ControlPlane, kubeconfig: &Path) -> Result<Vec<OsString>> {
    let pki = control_plane.pki().context("an attached cluster has its own controllers")?;
    Ok(vec![
        flag("kubeconfig", kubeconfig),
        flag("service-account-private-key-file", pki.token_keys()?.private),
        flag("root-ca-file", pki.authority_certificate()),
        // Each controller has the rights of its own account, as everywhere.
        flag("use-service-account-credentials", "true"),
        // One process, one user of them: nothing is elected and nothing is scraped.
        flag("leader-elect", "false"),
        flag("secure-port", "0"),
        // Pods leave a dead node within a test's patience.
        flag("node-monitor-grace-period", "20s"),
    ])
}

fn scheduler_args(kubeconfig: &Path) -> Vec<OsString> {
    vec![flag("kubeconfig", kubeconfig), flag("leader-elect", "false"), flag("secure-port", "0")]
}

fn kwok_args(kubeconfig: &Path, stages: &Path) -> Vec<OsString> {
    vec![
        flag("kubeconfig", kubeconfig),
        flag("config", stages),
        flag("manage-nodes-with-label-selector", machines::WITH_POWER),
        flag("node-lease-duration-seconds", "20"),
        flag("cidr", "10.244.0.0/16"),
        flag("node-ip", "10.243.0.1"),
    ]
}

fn flag(name: &str, value: impl AsRef<std::ffi::OsStr>) -> OsString {
    let mut flag = OsString::from(format!("--{name}="));
    flag.push(value);
    flag
}

/// Waits until each component has shown an effect: kwok made the nodes ready, the node lifecycle
/// controller took their taint away, and the service account controller has served `default`.
pub(super) async fn await_working(client: &Client, components: &mut [Server]) -> Result<()> {
    let deadline = Instant::now() + START_TIMEOUT;
    loop {
        let Some(missing) = missing(client).await? else { return Ok(()) };
        for component in components.iter_mut() {
            if let Some(status) = component.exited() {
                let tail = component.log_tail(LOG_LINES);
                bail!("{} ended at start ({status}):\n{tail}", component.name());
            }
        }
        if Instant::now() > deadline {
            let tails: String = components
                .iter()
                .map(|component| {
                    format!("\n--- {}\n{}", component.name(), component.log_tail(LOG_LINES))
                })
                .collect();
            bail!("the local cluster does not work after {START_TIMEOUT:?}: {missing}{tails}");
        }
        tokio::time::sleep(POLL).await;
    }
}

/// What is still to come.
async fn missing(client: &Client) -> Result<Option<String>> {
    let nodes: Api<Node> = Api::all(client.clone());
    for node in nodes.list(&ListParams::default()).await? {
        let taints = node.spec.and_then(|spec| spec.taints).unwrap_or_default();
        if taints.iter().any(|taint| taint.key.starts_with("node.kubernetes.io/")) {
            let name = node.metadata.name.unwrap_or_default();
            return Ok(Some(format!("node \"{name}\" is not ready")));
        }
    }
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), "default");
    let account = accounts.get_opt("default").await?;
    Ok(account.is_none().then(|| "there is no service account \"default\"".to_owned()))
}

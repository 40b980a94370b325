//! Installs custom resource definitions from the YAML that is shipped, not from Rust types.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use serde_json::Value;
use tokio::time::Instant;

/// All CRDs must be served within this.
const ESTABLISHED_TIMEOUT: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(100);
const FIELD_MANAGER: &str = "sei-harness";

/// The directory with the CRDs of this project, as users install them.
pub fn shipped_crds() -> PathBuf {
    crate::shipped("config/crd")
}

/// The directory with the Gateway API's CRDs, as their project publishes them.
pub fn gateway_crds() -> PathBuf {
    crate::shipped("crates/harness/gateway-api")
}

/// Applies every CRD of `dir` and waits until all are served; other documents are ignored.
///
/// # Errors
/// When the directory is missing or holds no CRD, when the server refuses one, or when one is
/// not served in time.
pub async fn install(client: &Client, dir: &Path) -> Result<Vec<String>> {
    let documents = read(dir)?;
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    let mut names = Vec::new();
    for document in &documents {
        let name = document["metadata"]["name"].as_str().context("a CRD has no name")?;
        api.patch(name, &PatchParams::apply(FIELD_MANAGER).force(), &Patch::Apply(document))
            .await
            .with_context(|| format!("the API server refuses the CRD \"{name}\""))?;
        names.push(name.to_owned());
    }
    let deadline = Instant::now() + ESTABLISHED_TIMEOUT;
    for name in &names {
        while !established(&api.get(name).await?) {
            let within = ESTABLISHED_TIMEOUT;
            ensure!(Instant::now() < deadline, "CRD \"{name}\" is not served after {within:?}");
            tokio::time::sleep(POLL).await;
        }
    }
    Ok(names)
}

fn established(crd: &CustomResourceDefinition) -> bool {
    let conditions = crd.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.into_iter().any(|c| c.type_ == "Established" && c.status == "True")
}

fn read(dir: &Path) -> Result<Vec<Value>> {
    let shown = dir.display();
    let entries = fs::read_dir(dir).with_context(|| format!("no CRDs: cannot read \"{shown}\""))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|ext| ext == "yaml" || ext == "yml"))
        .collect();
    files.sort();
    let mut crds = Vec::new();
    for file in files {
        let named = || format!("cannot read \"{}\"", file.display());
        let text = fs::read_to_string(&file).with_context(named)?;
        let documents: Vec<Value> = serde_saphyr::from_multiple(&text).with_context(named)?;
        crds.extend(documents.into_iter().filter(|d| d["kind"] == "CustomResourceDefinition"));
    }
    if crds.is_empty() {
        bail!("no CRDs in \"{shown}\"; run `make manifests`");
    }
    Ok(crds)
}

#[cfg(test)]
mod tests;

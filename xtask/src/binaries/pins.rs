//! Which Go packages become which binaries, with the flags and the key of their cache entry.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// One program of the local control plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    Etcd,
    KubeApiserver,
    KubeControllerManager,
    KubeScheduler,
    Kubectl,
    Kwok,
}

impl Binary {
    /// In build order: what the API-server tests need comes first.
    pub const ALL: [Self; 6] = [
        Self::Etcd,
        Self::KubeApiserver,
        Self::KubeControllerManager,
        Self::KubeScheduler,
        Self::Kubectl,
        Self::Kwok,
    ];

    /// The file name, which is also what people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::KubeApiserver => "kube-apiserver",
            Self::KubeControllerManager => "kube-controller-manager",
            Self::KubeScheduler => "kube-scheduler",
            Self::Kubectl => "kubectl",
            Self::Kwok => "kwok",
        }
    }

    /// The Go package of its `main`.
    pub fn package(self) -> &'static str {
        match self {
            // etcd's own build renames this package's binary from "server".
            Self::Etcd => "go.etcd.io/etcd/server/v3",
            Self::KubeApiserver => "k8s.io/kubernetes/cmd/kube-apiserver",
            Self::KubeControllerManager => "k8s.io/kubernetes/cmd/kube-controller-manager",
            Self::KubeScheduler => "k8s.io/kubernetes/cmd/kube-scheduler",
            Self::Kubectl => "k8s.io/kubernetes/cmd/kubectl",
            Self::Kwok => "sigs.k8s.io/kwok/cmd/kwok",
        }
    }
}

/// A directory with a go.mod and a go.sum that pin everything beneath it.
struct Module {
    directory: PathBuf,
    go_mod: String,
    go_sum: String,
}

impl Module {
    fn read(directory: PathBuf) -> Result<Self> {
        let read = |name| {
            let path = directory.join(name);
            fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))
        };
        let (go_mod, go_sum) = (read("go.mod")?, read("go.sum")?);
        Ok(Self { directory, go_mod, go_sum })
    }
}

/// All pins of the control plane.
pub struct Pins {
    controlplane: Module,
    kwok: Module,
}

impl Pins {
    /// Reads both modules of the checkout at `root`.
    pub fn read(root: &Path) -> Result<Self> {
        let module = |name| Module::read(root.join("tools").join(name));
        Ok(Self { controlplane: module("controlplane")?, kwok: module("kwok")? })
    }

    /// Where `go build` must run for this binary.
    pub fn directory(&self, binary: Binary) -> &Path {
        &self.module(binary).directory
    }

    /// The linker flags of this binary: no debug data, and the version it reports.
    pub fn ldflags(&self, binary: Binary) -> String {
        let go_mod = &self.module(binary).go_mod;
        let stamps = match binary {
            Binary::Etcd => String::new(),
            Binary::Kwok => {
                let version = required(go_mod, "sigs.k8s.io/kwok").unwrap_or("unknown");
                format!(" -X sigs.k8s.io/kwok/pkg/consts.Version={version}")
            }
            Binary::KubeApiserver
            | Binary::KubeControllerManager
            | Binary::KubeScheduler
            | Binary::Kubectl => {
                kubernetes_stamps(required(go_mod, "k8s.io/kubernetes").unwrap_or("v0.0.0"))
            }
        };
        format!("-s -w{stamps}")
    }

    /// Names the cache entry: equal keys mean equal binaries.
    pub fn key(&self) -> String {
        let mut hash = Sha256::new();
        let mut add = |part: &str| {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        };
        for module in [&self.controlplane, &self.kwok] {
            add(&module.go_mod);
            add(&module.go_sum);
        }
        for binary in Binary::ALL {
            add(binary.package());
            add(&self.ldflags(binary));
        }
        add(std::env::consts::OS);
        add(std::env::consts::ARCH);
        hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    fn module(&self, binary: Binary) -> &Module {
        match binary {
            Binary::Kwok => &self.kwok,
            Binary::Etcd
            | Binary::KubeApiserver
            | Binary::KubeControllerManager
            | Binary::KubeScheduler
            | Binary::Kubectl => &self.controlplane,
        }
    }
}

/// The version that a go.mod requires of `module`, so that a stamp never differs from its pin.
fn required<'a>(go_mod: &'a str, module: &str) -> Option<&'a str> {
    go_mod.lines().find_map(|line| {
        let mut words = line.trim().trim_start_matches("require ").split_whitespace();
        (words.next() == Some(module)).then(|| words.next()).flatten()
    })
}

/// Clients compare `gitMajor` and `gitMinor`, people read `gitVersion`.
fn kubernetes_stamps(version: &str) -> String {
    let mut numbers = version.trim_start_matches('v').split('.');
    let (major, minor) = (numbers.next().unwrap_or("0"), numbers.next().unwrap_or("0"));
    let stamp =
        |name: &str, value: &str| format!(" -X k8s.io/component-base/version.{name}={value}");
    [
        stamp("gitVersion", version),
        stamp("gitMajor", major),
        stamp("gitMinor", minor),
        stamp("gitTreeState", "clean"),
    ]
    .concat()
}

#[cfg(test)]
mod tests;

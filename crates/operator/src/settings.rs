//! What the process was asked to do: flags and environment, read here and nowhere else.
//!
//! Everything is checked before anything starts, and everything that is wrong is told at once.

use std::path::PathBuf;

use clap::{CommandFactory as _, FromArgMatches as _};
use sei_core::platform::Platform;
use sei_sidecar_client::UrlTemplate;

pub mod environment;
mod fault;
pub mod flags;
mod listen;
mod log;

pub use fault::{SettingFault, SettingFaults};
pub use listen::{Listen, Server};
pub use log::{Encoder, Log, Verbosity};

use environment::Environment;
use flags::Flags;

/// The settings of the process. Holds no secret.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Where metrics are served; absent: nowhere.
    pub metrics: Option<Listen>,
    /// Where the probes are served; absent: nowhere.
    pub probes: Option<Listen>,
    /// Whether only the holder of the lease works.
    pub leader_elect: bool,
    /// The kubeconfig to use; absent: as `KUBECONFIG` or the pod say.
    pub kubeconfig: Option<PathBuf>,
    /// What is logged, and how.
    pub log: Log,
    /// Which namespaces are watched.
    pub scope: Scope,
    /// The pod this process runs in; outside of a pod both are absent.
    pub pod: PodIdentity,
    /// What nodes run on.
    pub platform: Platform,
    /// Where the sidecars of nodes are.
    pub sidecar_url: UrlTemplate,
    /// Variables that are set but not served by this build, by name.
    pub unserved: Vec<&'static str>,
}

/// Which namespaces are watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of the cluster.
    Cluster,
    /// One.
    Namespace(String),
}

/// The pod this process runs in, as the downward API tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodIdentity {
    /// `POD_NAME`.
    pub name: Option<String>,
    /// `POD_NAMESPACE`.
    pub namespace: Option<String>,
}

/// Why the process does not start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Help or version was asked for; this is the text.
    Asked(String),
    /// The settings are wrong.
    Invalid(SettingFaults),
}

impl Settings {
    /// The settings of this process.
    ///
    /// # Errors
    ///
    /// See [`Settings::parse`].
    pub fn from_process() -> Result<Self, Stop> {
        let lossy = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        let args = std::env::args_os().skip(1).map(lossy).collect::<Vec<_>>();
        Self::parse(&args, &|name| std::env::var_os(name).map(lossy))
    }

    /// The settings that `args` (without the program's name) and the variables of `lookup` make.
    ///
    /// # Errors
    ///
    /// [`Stop::Asked`] for `--help` and `--version`, else [`Stop::Invalid`] with every fault:
    /// flags first, as they were given, then variables in the order of the reference.
    pub fn parse(args: &[String], lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, Stop> {
        let mut faults = Vec::new();
        let args = flags::normalise(args, &mut faults);
        let command = Flags::command().args_override_self(true);
        let matches = match command.try_get_matches_from(args) {
            Ok(matches) => matches,
            Err(error) if !error.use_stderr() => return Err(Stop::Asked(error.to_string())),
            // Everything that clap could refuse was taken out before; should it find more, say so.
            Err(error) => return Err(Stop::Invalid(SettingFault::from(error).into())),
        };
        let flags = match Flags::from_arg_matches(&matches) {
            Ok(flags) => flags,
            Err(error) => return Err(Stop::Invalid(SettingFault::from(error).into())),
        };
        let in_pod = environment::in_pod(lookup);
        let flags = flags.check(in_pod, &mut faults);
        let environment = Environment::read(lookup, &mut faults);
        match (SettingFaults::new(faults), environment) {
            (None, Some(environment)) => Ok(Self::of(flags, environment)),
            (Some(faults), _) => Err(Stop::Invalid(faults)),
            // Without a platform there is at least one fault; should there be none, start nothing.
            (None, None) => Err(Stop::Invalid(SettingFault::Unreadable.into())),
        }
    }

    fn of(flags: flags::Checked, environment: Environment) -> Self {
        Self {
            metrics: flags.metrics,
            probes: flags.probes,
            leader_elect: flags.leader_elect,
            kubeconfig: flags.kubeconfig,
            log: flags.log,
            scope: environment.scope,
            pod: environment.pod,
            platform: environment.platform,
            sidecar_url: environment.sidecar_url,
            unserved: environment.unserved,
        }
    }
}

#[cfg(test)]
mod tests;

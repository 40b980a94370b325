//! The flags: their list, their Go spellings, and what their values mean.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Arg, CommandFactory as _, Parser};

use super::fault::SettingFault;
use super::listen::{Listen, Server};
use super::log::{Encoder, Log, Verbosity};

/// Runs fleets of Sei nodes on Kubernetes: reconciles SeiNode and SeiNodeDeployment.
///
/// Flags take one dash or two, and their value after "=" or as the next argument. What nodes run on
/// comes from the environment; docs/settings.md lists both.
#[derive(Debug, Parser)]
#[command(name = "sei-operator", version)]
pub struct Flags {
    /// Where metrics are served, `:port` or `host:port`; `0` turns them off.
    #[arg(long, value_name = "ADDRESS", default_value = ":8080")]
    metrics_bind_address: String,
    /// Where `/healthz` and `/readyz` are served, `:port` or `host:port`; `0` turns them off.
    #[arg(long, value_name = "ADDRESS", default_value = ":8081")]
    health_probe_bind_address: String,
    /// Work only while holding the lease `bc1f5b0a.sei.io`. On in a pod, off elsewhere.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "true")]
    leader_elect: Option<String>,
    /// The kubeconfig to use. Without it: `KUBECONFIG`, `~/.kube/config`, or the pod's own account.
    #[arg(long, value_name = "FILE", default_value = "", hide_default_value = true)]
    kubeconfig: String,
    /// Log for people: console lines at level debug, unless the next two flags say otherwise.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "true", default_value = "false")]
    zap_devel: String,
    /// The form of the log: `json` or `console`. `json` unless `--zap-devel`.
    #[arg(long, value_name = "ENCODER")]
    zap_encoder: Option<String>,
    /// How much is logged: `debug`, `info`, `error`, `panic`, or a number: 1 is debug, more is
    /// everything. `info` unless `--zap-devel`.
    #[arg(long, value_name = "LEVEL")]
    zap_log_level: Option<String>,
    #[command(flatten)]
    not_built: NotBuilt,
}

/// Flags that manifests of older builds may carry. They are accepted at their default, because
/// that asks for nothing, and refused by name at every other value.
#[derive(Debug, clap::Args)]
struct NotBuilt {
    /// Not built: metrics are served over plain HTTP. Only `false` is accepted.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, hide = true)]
    #[arg(default_missing_value = "true", default_value = "false")]
    metrics_secure: String,
    /// Not built: metrics are served over plain HTTP. Only an empty value is accepted.
    #[arg(long, value_name = "DIRECTORY", default_value = "", hide = true)]
    metrics_cert_path: String,
    /// Not built: metrics are served over plain HTTP. Only `tls.crt` is accepted.
    #[arg(long, value_name = "FILE", default_value = "tls.crt", hide = true)]
    metrics_cert_name: String,
    /// Not built: metrics are served over plain HTTP. Only `tls.key` is accepted.
    #[arg(long, value_name = "FILE", default_value = "tls.key", hide = true)]
    metrics_cert_key: String,
    /// Not built: metrics are served over HTTP/1.1. Only `false` is accepted.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, hide = true)]
    #[arg(default_missing_value = "true", default_value = "false")]
    enable_http2: String,
    /// Not built: no stack traces are logged. Only `error` is accepted.
    #[arg(long, value_name = "LEVEL", default_value = "error", hide = true)]
    zap_stacktrace_level: String,
    /// Not built: times are logged as RFC 3339. Only `rfc3339` is accepted.
    #[arg(long, value_name = "ENCODING", default_value = "rfc3339", hide = true)]
    zap_time_encoding: String,
}

/// The flags once their values are understood.
#[derive(Debug)]
pub(super) struct Checked {
    pub metrics: Option<Listen>,
    pub probes: Option<Listen>,
    pub leader_elect: bool,
    pub kubeconfig: Option<PathBuf>,
    pub log: Log,
}

/// One flag, for the reference document.
#[derive(Debug)]
pub struct FlagDoc {
    /// With its two dashes.
    pub name: String,
    /// What it is without being given; empty if that depends, and then `help` says on what.
    pub default: String,
    /// What it does.
    pub help: String,
}

/// Every flag, in the order of the help.
#[must_use]
pub fn reference() -> Vec<FlagDoc> {
    let of = |arg: &Arg| {
        let default = arg.get_default_values().first().map(|value| value.to_string_lossy());
        FlagDoc {
            name: format!("--{}", arg.get_long().unwrap_or_default()),
            default: default.unwrap_or_default().into_owned(),
            help: arg.get_help().map(ToString::to_string).unwrap_or_default(),
        }
    };
    Flags::command().get_arguments().map(of).collect()
}

/// Rewrites Go's spellings (`-flag`, `--flag value`) to `--flag=value`, behind the name of the
/// program. What cannot be is left out and becomes a fault; help and version pass.
pub(super) fn normalise(args: &[String], faults: &mut Vec<SettingFault>) -> Vec<String> {
    let command = Flags::command();
    let known: BTreeMap<&str, &Arg> =
        command.get_arguments().filter_map(|arg| arg.get_long().map(|long| (long, arg))).collect();
    let mut normal = vec![command.get_name().to_owned()];
    let mut rest = args.iter().enumerate().peekable();
    while let Some((index, text)) = rest.next() {
        let dashless = text.strip_prefix("--").or_else(|| text.strip_prefix('-'));
        let Some(dashless) = dashless.filter(|name| !name.is_empty()) else {
            faults.push(SettingFault::NotAFlag(index + 1));
            continue;
        };
        let (name, value) = match dashless.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (dashless, None),
        };
        if matches!(name, "h" | "help" | "V" | "version") {
            normal.push(format!("--{}", long_name(name)));
            continue;
        }
        let Some(arg) = known.get(name) else {
            faults.push(SettingFault::UnknownFlag(format!("--{name}")));
            // The next argument is likely its value; a fault of its own would only distract.
            rest.next_if(|(_, next)| value.is_none() && !next.starts_with('-'));
            continue;
        };
        let value = match value {
            Some(value) => Some(value.to_owned()),
            None if is_boolean(arg) => Some("true".to_owned()),
            None => rest.next().map(|(_, next)| next.clone()),
        };
        match value {
            Some(value) => normal.push(format!("--{name}={value}")),
            None => faults.push(SettingFault::NoValue(name.to_owned())),
        }
    }
    normal
}

fn long_name(short: &str) -> &str {
    match short {
        "h" => "help",
        "V" => "version",
        long => long,
    }
}

/// Go's boolean flags take their value only after an equals sign.
fn is_boolean(arg: &Arg) -> bool {
    arg.is_require_equals_set()
}

impl Flags {
    /// Understands the values. Each that makes no sense becomes a fault and its default.
    pub(super) fn check(self, in_pod: bool, faults: &mut Vec<SettingFault>) -> Checked {
        let metrics = address(Server::Metrics, &self.metrics_bind_address, faults);
        let probes = address(Server::Probes, &self.health_probe_bind_address, faults);
        if let Some(both) = metrics.as_ref().filter(|one| probes.as_ref() == Some(one))
            && both.port() != 0
        {
            faults.push(SettingFault::SameAddress(both.clone()));
        }
        let leader_elect = self.leader_elect.as_deref();
        let leader_elect = leader_elect.and_then(|text| boolean("leader-elect", text, faults));
        let devel = boolean("zap-devel", &self.zap_devel, faults).unwrap_or(false);
        let verbosity = self.zap_log_level.and_then(|text| {
            or_fault(Verbosity::parse(&text), faults, || SettingFault::NotALevel(text))
        });
        let encoder = self.zap_encoder.and_then(|text| {
            or_fault(Encoder::parse(&text), faults, || SettingFault::NotAnEncoder(text))
        });
        let (usual_verbosity, usual_encoder) = match devel {
            true => (Verbosity::Debug, Encoder::Console),
            false => (Verbosity::Info, Encoder::Json),
        };
        self.not_built.check(faults);
        Checked {
            metrics,
            probes,
            leader_elect: leader_elect.unwrap_or(in_pod),
            kubeconfig: Some(self.kubeconfig).filter(|path| !path.is_empty()).map(PathBuf::from),
            log: Log {
                verbosity: verbosity.unwrap_or(usual_verbosity),
                encoder: encoder.unwrap_or(usual_encoder),
            },
        }
    }
}

impl NotBuilt {
    fn check(&self, faults: &mut Vec<SettingFault>) {
        const PLAIN: &str = "metrics are served over plain HTTP, a NetworkPolicy can restrict them";
        let mut refuse = |flag: &'static str, asks: bool, instead: &'static str| {
            if asks {
                faults.push(SettingFault::NotBuilt { flag, instead });
            }
        };
        refuse("metrics-secure", go_bool(&self.metrics_secure) != Some(false), PLAIN);
        refuse("metrics-cert-path", !self.metrics_cert_path.is_empty(), PLAIN);
        refuse("metrics-cert-name", self.metrics_cert_name != "tls.crt", PLAIN);
        refuse("metrics-cert-key", self.metrics_cert_key != "tls.key", PLAIN);
        let http1 = "metrics are served over HTTP/1.1";
        refuse("enable-http2", go_bool(&self.enable_http2) != Some(false), http1);
        let no_traces = "no stack traces are logged";
        refuse("zap-stacktrace-level", self.zap_stacktrace_level != "error", no_traces);
        let rfc3339 = "times are logged as RFC 3339";
        refuse("zap-time-encoding", self.zap_time_encoding != "rfc3339", rfc3339);
    }
}

fn address(server: Server, text: &str, faults: &mut Vec<SettingFault>) -> Option<Listen> {
    if text == "0" {
        return None;
    }
    or_fault(Listen::parse(text), faults, || SettingFault::NotAnAddress {
        server,
        value: text.to_owned(),
    })
}

fn boolean(flag: &'static str, text: &str, faults: &mut Vec<SettingFault>) -> Option<bool> {
    or_fault(go_bool(text), faults, || SettingFault::NotABoolean { flag, value: text.to_owned() })
}

/// The spellings that Go's flags accept.
fn go_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

fn or_fault<T>(
    value: Option<T>,
    faults: &mut Vec<SettingFault>,
    fault: impl FnOnce() -> SettingFault,
) -> Option<T> {
    if value.is_none() {
        faults.push(fault());
    }
    value
}

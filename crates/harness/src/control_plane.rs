//! A real etcd and kube-apiserver: processes, ports, certificates, users, installed CRDs.
//!
//! It has no controllers: no StatefulSet controller, no garbage collector, no scheduler.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use kube::config::{AuthInfo, KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use tempfile::TempDir;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::assets::{self, Assets};
use crate::probe;

mod crds;
mod pki;
mod server;
mod timeouts;

pub use crds::{gateway_crds, install as install_crds, shipped_crds};
pub use pki::{Pair, Pki, TokenKeys};
pub use server::{Server, ServerSpec};

/// Who the tests are.
const ADMIN: &str = "admin";
/// The group that may do everything.
const MASTERS: &str = "system:masters";
/// How often the pair is started on fresh ports before giving up.
const ATTEMPTS_MAX: u32 = 5;
/// Pause between two looks at a starting server.
const POLL: Duration = Duration::from_millis(25);
/// A starting server that does not answer a look within this is asked anew.
const LOOK_TIMEOUT: Duration = Duration::from_secs(1);
/// The `default` namespace must appear within this after the server is healthy.
const BOOTSTRAP_TIMEOUT: Duration = Duration::from_secs(5);
/// How much of a log a failure shows.
const LOG_LINES: usize = 30;

/// How to start a control plane.
#[derive(Clone, Debug)]
pub struct ControlPlaneOptions {
    /// The binaries.
    pub assets: Assets,
    /// Directories whose CRDs are installed; one without any is an error.
    pub crd_dirs: Vec<PathBuf>,
    /// Flags of the API server that replace or extend the defaults, without the dashes.
    pub api_server_flags: BTreeMap<String, String>,
    /// Each server must be healthy within this.
    pub start_timeout: Duration,
    /// Each server must have left within this, then it is killed.
    pub stop_timeout: Duration,
    /// True: the servers write to our standard error.
    pub attach_output: bool,
}

impl ControlPlaneOptions {
    /// Binaries, timeouts and output from the environment; the shipped CRDs and the Gateway API's.
    ///
    /// # Errors
    /// When binaries are missing, or a timeout variable does not parse.
    pub fn from_env() -> Result<Self> {
        Ok(Self {
            assets: assets::locate()?,
            crd_dirs: vec![shipped_crds(), gateway_crds()],
            api_server_flags: BTreeMap::new(),
            start_timeout: timeouts::from_env("KUBEBUILDER_CONTROLPLANE_START_TIMEOUT")?,
            stop_timeout: timeouts::from_env("KUBEBUILDER_CONTROLPLANE_STOP_TIMEOUT")?,
            attach_output: is_true("KUBEBUILDER_ATTACH_CONTROL_PLANE_OUTPUT"),
        })
    }
}

/// A running control plane: our own, killed when dropped, or one that is only attached to.
#[derive(Debug)]
pub struct ControlPlane {
    admin: Config,
    version: String,
    kubeconfig: PathBuf,
    own: Option<OwnServers>,
}

/// What exists only when we started the servers.
#[derive(Debug)]
struct OwnServers {
    // Field order is drop order: the server before its store, the directory last.
    api_server: Mutex<Option<Server>>,
    api_server_spec: ServerSpec,
    etcd: Server,
    endpoint: String,
    start_timeout: Duration,
    pki: Pki,
    stop_timeout: Duration,
    _dir: TempDir,
}

impl ControlPlane {
    /// Starts etcd and an API server on free loopback ports and installs the CRDs.
    ///
    /// # Errors
    /// Names the server that did not start, with the end of its log.
    pub async fn start(options: ControlPlaneOptions) -> Result<Self> {
        let mut attempt = 1;
        let (own, kubeconfig) = loop {
            match start_servers(&options).await {
                Ok(started) => break started,
                Err(StartFailure::PortTaken) if attempt < ATTEMPTS_MAX => attempt += 1,
                Err(StartFailure::PortTaken) => {
                    bail!("ports were taken by others in {ATTEMPTS_MAX} attempts")
                }
                Err(StartFailure::Other(err)) => return Err(err),
            }
        };
        Self::connect(kubeconfig, Some(own), &options.crd_dirs).await
    }

    /// Uses the cluster that `kubeconfig` reaches as an administrator.
    ///
    /// # Errors
    /// When the file does not parse or the cluster does not answer.
    pub async fn attach(kubeconfig: &Path, crd_dirs: &[PathBuf]) -> Result<Self> {
        Self::connect(kubeconfig.to_path_buf(), None, crd_dirs).await
    }

    /// Attaches to `KUBECONFIG` when `USE_EXISTING_CLUSTER` is true, else starts one.
    ///
    /// # Errors
    /// As [`ControlPlane::start`] and [`ControlPlane::attach`].
    pub async fn start_or_attach() -> Result<Self> {
        if !is_true("USE_EXISTING_CLUSTER") {
            return Self::start(ControlPlaneOptions::from_env()?).await;
        }
        let kubeconfig =
            env::var_os("KUBECONFIG").context("USE_EXISTING_CLUSTER needs KUBECONFIG")?;
        Self::attach(Path::new(&kubeconfig), &[shipped_crds()]).await
    }

    async fn connect(
        kubeconfig: PathBuf,
        own: Option<OwnServers>,
        crd_dirs: &[PathBuf],
    ) -> Result<Self> {
        let admin = config_of(&kubeconfig).await?;
        let client = Client::try_from(admin.clone())?;
        let version = client.apiserver_version().await.context("the API server is silent")?;
        let version = version.git_version;
        for dir in crd_dirs {
            install_crds(&client, dir).await?;
        }
        Ok(Self { admin, version, kubeconfig, own })
    }

    /// How an administrator reaches the API server.
    pub fn config(&self) -> Config {
        self.admin.clone()
    }

    /// An administrator's client, tied to the runtime that calls this.
    ///
    /// # Errors
    /// When the certificates cannot be loaded.
    pub fn client(&self) -> Result<Client> {
        Ok(Client::try_from(self.config())?)
    }

    /// How `name`, a member of `groups`, reaches the API server.
    ///
    /// On our own servers by a certificate, on an attached cluster by impersonation.
    ///
    /// # Errors
    /// When a certificate cannot be made, e.g. for more than two groups.
    pub async fn user(&self, name: &str, groups: &[&str]) -> Result<Config> {
        let Some(own) = &self.own else {
            let mut config = self.config();
            config.auth_info = AuthInfo {
                impersonate: Some(name.to_owned()),
                impersonate_groups: Some(groups.iter().copied().map(String::from).collect()),
                ..config.auth_info
            };
            return Ok(config);
        };
        config_of(&own.pki.kubeconfig(&own.endpoint, name, groups)?).await
    }

    /// A kubeconfig file for `name`, a member of `groups`; lives as long as the servers.
    ///
    /// # Errors
    /// As [`ControlPlane::user`], and on an attached cluster always.
    pub fn user_kubeconfig(&self, name: &str, groups: &[&str]) -> Result<PathBuf> {
        let own = self.own.as_ref().context("an attached cluster issues no certificates")?;
        own.pki.kubeconfig(&own.endpoint, name, groups)
    }

    /// The administrator's kubeconfig file; lives as long as the servers.
    pub fn kubeconfig_path(&self) -> &Path {
        &self.kubeconfig
    }

    /// The API server's version, e.g. `v1.34.4`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The certificates, when the servers are ours.
    pub fn pki(&self) -> Option<&Pki> {
        self.own.as_ref().map(|own| &own.pki)
    }

    /// The end of the servers' logs; empty for an attached cluster.
    pub fn logs(&self, lines: usize) -> String {
        let Some(own) = &self.own else { return String::new() };
        let log = |server: &Server| format!("--- {}\n{}\n", server.name(), server.log_tail(lines));
        // Nothing to show while it is restarted.
        let api_server = own.api_server.try_lock().ok();
        let api_server = api_server.as_deref().and_then(Option::as_ref).map(log);
        log(&own.etcd) + &api_server.unwrap_or_default()
    }

    /// Stops the API server and starts it again, on the same port and store.
    ///
    /// # Errors
    /// It does not come back, or the cluster is only attached to.
    pub async fn restart_api_server(&self) -> Result<()> {
        let own = self.own.as_ref().context("an attached cluster is not restarted")?;
        let mut running = own.api_server.lock().await;
        if let Some(server) = running.take() {
            server.hurry(own.stop_timeout).await?;
        }
        let mut server = Server::spawn(&own.api_server_spec)?;
        let healthy = await_healthy(&mut server, self.config(), "/readyz", own.start_timeout).await;
        *running = Some(server);
        match healthy {
            Ok(()) => Ok(()),
            Err(StartFailure::PortTaken) => bail!("the port of the API server was taken"),
            Err(StartFailure::Other(err)) => Err(err),
        }
    }

    /// Stops the API server, then etcd, and removes their directories.
    ///
    /// # Errors
    /// When a process cannot be waited for.
    pub async fn stop(self) -> Result<()> {
        let Some(own) = self.own else { return Ok(()) };
        if let Some(api_server) = own.api_server.into_inner() {
            api_server.stop(own.stop_timeout).await?;
        }
        own.etcd.stop(own.stop_timeout).await
    }
}

enum StartFailure {
    /// Somebody took a port between our look and the server's bind; another may be free.
    PortTaken,
    Other(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for StartFailure {
    fn from(err: E) -> Self {
        Self::Other(err.into())
    }
}

async fn start_servers(
    options: &ControlPlaneOptions,
) -> Result<(OwnServers, PathBuf), StartFailure> {
    let dir = tempfile::Builder::new().prefix("sei-envtest-").tempdir()?;
    let [client_port, peer_port, secure_port] = free_ports()?;
    let store = format!("http://127.0.0.1:{client_port}");
    let endpoint = format!("https://127.0.0.1:{secure_port}");

    let etcd_dir = dir.path().join("etcd");
    let mut etcd = Server::spawn(&ServerSpec {
        name: "etcd",
        binary: options.assets.etcd.clone(),
        args: etcd_args(&etcd_dir, client_port, peer_port),
        dir: etcd_dir,
        attach_output: options.attach_output,
    })?;
    // The certificates live in the server's directory, so that they go when it goes.
    let server_dir = dir.path().join("kube-apiserver");
    let pki = Pki::create(&server_dir.join("pki"))?;
    let kubeconfig = pki.kubeconfig(&endpoint, ADMIN, &[MASTERS])?;
    let api_server_spec = ServerSpec {
        name: "kube-apiserver",
        binary: options.assets.kube_apiserver.clone(),
        args: api_server_args(&pki, &store, secure_port, &options.api_server_flags)?,
        dir: server_dir,
        attach_output: options.attach_output,
    };
    // It waits for etcd by itself, and has much to do before that.
    let mut api_server = Server::spawn(&api_server_spec)?;
    let plain = Config::new(store.parse().context("the address of etcd does not parse")?);
    await_healthy(&mut etcd, plain, "/health", options.start_timeout).await?;
    let admin = config_of(&kubeconfig).await?;
    await_healthy(&mut api_server, admin.clone(), "/healthz", options.start_timeout).await?;
    await_default_namespace(admin, &api_server).await?;
    let own = OwnServers {
        api_server: Mutex::new(Some(api_server)),
        api_server_spec,
        etcd,
        endpoint,
        start_timeout: options.start_timeout,
        pki,
        stop_timeout: options.stop_timeout,
        _dir: dir,
    };
    Ok((own, kubeconfig))
}

fn etcd_args(dir: &Path, client_port: u16, peer_port: u16) -> Vec<OsString> {
    let mut data_dir = OsString::from("--data-dir=");
    data_dir.push(dir.join("data"));
    let flags = [
        format!("--listen-client-urls=http://127.0.0.1:{client_port}"),
        format!("--advertise-client-urls=http://127.0.0.1:{client_port}"),
        format!("--listen-peer-urls=http://127.0.0.1:{peer_port}"),
        // A test's data need not survive a power cut; syncing would cost most of a write.
        "--unsafe-no-fsync=true".to_owned(),
    ];
    std::iter::once(data_dir).chain(flags.map(OsString::from)).collect()
}

fn api_server_args(
    pki: &Pki,
    store: &str,
    port: u16,
    overrides: &BTreeMap<String, String>,
) -> Result<Vec<OsString>> {
    let serving = pki.server("kube-apiserver")?;
    let token_keys = pki.token_keys()?;
    let path = |path: &Path| path.display().to_string();
    let mut flags: BTreeMap<String, String> = [
        ("etcd-servers", store.to_owned()),
        ("bind-address", "127.0.0.1".to_owned()),
        ("secure-port", port.to_string()),
        ("tls-cert-file", path(&serving.certificate)),
        ("tls-private-key-file", path(&serving.key)),
        ("client-ca-file", path(&pki.authority_certificate())),
        // Every fleet has a Service with an address of its own.
        ("service-cluster-ip-range", "10.0.0.0/16".to_owned()),
        ("allow-privileged", "true".to_owned()),
        // Both plugins wait for a controller that is not there: one would refuse every pod,
        // the other would leave a deleted claim terminating for ever.
        ("disable-admission-plugins", "ServiceAccount,StorageObjectInUseProtection".to_owned()),
        ("authorization-mode", "RBAC".to_owned()),
        ("service-account-issuer", "https://127.0.0.1/".to_owned()),
        ("service-account-key-file", path(&token_keys.public)),
        ("service-account-signing-key-file", path(&token_keys.private)),
        // Nobody dials the in-cluster service, and a loopback endpoint is refused.
        ("endpoint-reconciler-type", "none".to_owned()),
    ]
    .map(|(flag, value)| (flag.to_owned(), value))
    .into();
    flags.extend(overrides.clone());
    Ok(flags.into_iter().map(|(flag, value)| format!("--{flag}={value}").into()).collect())
}

/// Waits until `path` answers 200.
async fn await_healthy(
    server: &mut Server,
    config: Config,
    path: &str,
    within: Duration,
) -> Result<(), StartFailure> {
    let client = probe::client(config)?;
    let deadline = Instant::now() + within;
    let name = server.name();
    loop {
        let request = http::Request::get(path).body(Vec::new())?;
        let answer = tokio::time::timeout(LOOK_TIMEOUT, client.request_text(request)).await;
        if matches!(answer, Ok(Ok(_))) {
            return Ok(());
        }
        if let Some(status) = server.exited() {
            let tail = server.log_tail(LOG_LINES);
            if tail.contains("address already in use") {
                return Err(StartFailure::PortTaken);
            }
            let what = format!("{name} ended at start ({status}):\n{tail}");
            return Err(anyhow::anyhow!(what).into());
        }
        if Instant::now() > deadline {
            let tail = server.log_tail(LOG_LINES);
            let what = format!("{name} is not healthy after {within:?}:\n{tail}");
            return Err(anyhow::anyhow!(what).into());
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn await_default_namespace(config: Config, api_server: &Server) -> Result<()> {
    let client = probe::client(config)?;
    let deadline = Instant::now() + BOOTSTRAP_TIMEOUT;
    loop {
        let request = http::Request::get("/api/v1/namespaces/default").body(Vec::new())?;
        if client.request_text(request).await.is_ok() {
            return Ok(());
        }
        let tail = || api_server.log_tail(LOG_LINES);
        ensure!(Instant::now() < deadline, "no namespace \"default\" appeared:\n{}", tail());
        tokio::time::sleep(POLL).await;
    }
}

/// Ports that were free a moment ago; held together, so that they differ.
fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let mut listeners = Vec::with_capacity(N);
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind(("127.0.0.1", 0)).context("no free loopback port")?;
        *port = listener.local_addr().context("a listener has no address")?.port();
        listeners.push(listener);
    }
    Ok(ports)
}

async fn config_of(kubeconfig: &Path) -> Result<Config> {
    let file = Kubeconfig::read_from(kubeconfig)
        .with_context(|| format!("cannot read \"{}\"", kubeconfig.display()))?;
    Ok(Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await?)
}

fn is_true(variable: &str) -> bool {
    env::var(variable).is_ok_and(|value| value.eq_ignore_ascii_case("true") || value == "1")
}

#[cfg(test)]
mod tests;

//! Addresses to listen on, spelled as Go spells them.

use std::fmt;

/// One of the two servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// Serves `/metrics`.
    Metrics,
    /// Serves `/healthz` and `/readyz`.
    Probes,
}

impl Server {
    /// Its name in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Metrics => "metrics",
            Self::Probes => "probes",
        }
    }

    /// The flag that sets its address.
    #[must_use]
    pub const fn flag(self) -> &'static str {
        match self {
            Self::Metrics => "--metrics-bind-address",
            Self::Probes => "--health-probe-bind-address",
        }
    }
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// On every interface: `:8080`.
    All(u16),
    /// On one address or the addresses of one name: `127.0.0.1:8080`, `[::1]:8080`.
    Host(String, u16),
}

impl Listen {
    /// Reads `:port`, `host:port` or `[address]:port`; port 0 means any free one. `None` if it is
    /// neither.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let port = port.parse().ok()?;
        if host.is_empty() {
            return Some(Self::All(port));
        }
        let bare = match host.strip_prefix('[') {
            Some(address) => address.strip_suffix(']').filter(|address| address.contains(':'))?,
            None => Some(host).filter(|host| !host.contains(':'))?,
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._:%".contains(c);
        (!bare.is_empty() && bare.chars().all(plain)).then(|| Self::Host(bare.to_owned(), port))
    }

    /// The port that was asked for.
    #[must_use]
    pub const fn port(&self) -> u16 {
        match self {
            Self::All(port) | Self::Host(_, port) => *port,
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(port) => write!(f, ":{port}"),
            Self::Host(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Host(host, port) => write!(f, "{host}:{port}"),
        }
    }
}

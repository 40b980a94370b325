//! What can be wrong with the settings, in words that say what to do.

use std::fmt;

use sei_core::platform::PlatformFault;

use super::listen::{Listen, Server};

/// One setting that is wrong. Never tells the value of something that may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingFault {
    /// A flag that this program does not have.
    #[error("unknown flag \"{0}\": --help lists the flags")]
    UnknownFlag(String),
    /// Something that is not a flag; not repeated, for it may be the secret of an unknown flag.
    #[error("argument {0} is not a flag: write values as --flag=value")]
    NotAFlag(usize),
    /// A flag without its value.
    #[error("--{0} needs a value: --{0}=value")]
    NoValue(String),
    /// A flag that is either true or false.
    #[error("--{flag} must be true or false: \"{value}\"")]
    NotABoolean {
        /// The flag.
        flag: &'static str,
        /// What was given.
        value: String,
    },
    /// An address that cannot be listened on.
    #[error(
        "{} must be :port, host:port, or 0 for no {}: \"{value}\"",
        server.flag(), server.name()
    )]
    NotAnAddress {
        /// Whose address.
        server: Server,
        /// What was given.
        value: String,
    },
    /// Both servers on one address.
    #[error(
        "--metrics-bind-address and --health-probe-bind-address are both \"{0}\": give each its \
         own port"
    )]
    SameAddress(Listen),
    /// Not a level.
    #[error("--zap-log-level must be debug, info, error, panic or a number from 1 to 127: \"{0}\"")]
    NotALevel(String),
    /// Not an encoder.
    #[error("--zap-encoder must be json or console: \"{0}\"")]
    NotAnEncoder(String),
    /// A flag of older builds that this one does not serve, at a value that asks for more than the
    /// default.
    #[error("--{flag} is not built: leave it out; {instead}")]
    NotBuilt {
        /// The flag.
        flag: &'static str,
        /// What is the case instead.
        instead: &'static str,
    },
    /// A setting of the platform.
    #[error(transparent)]
    Platform(#[from] PlatformFault),
    /// Not a template; the text tells what is wrong, not the value, which may hold a password.
    #[error("SEI_SIDECAR_URL_TEMPLATE: {0}")]
    SidecarUrl(String),
    /// Not the name of one namespace.
    #[error("SEI_WATCH_NAMESPACE must name one namespace, or be empty for all: \"{0}\"")]
    NotANamespace(String),
    /// Something that only the parser of flags knows.
    #[error("{0}")]
    Flags(String),
    /// No fault and no settings either; a bug.
    #[error("the settings cannot be read: please report this as a bug")]
    Unreadable,
}

/// Everything that is wrong with the settings. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingFaults(Vec<SettingFault>);

impl SettingFaults {
    /// The faults, if there are any.
    pub(super) fn new(faults: Vec<SettingFault>) -> Option<Self> {
        (!faults.is_empty()).then_some(Self(faults))
    }

    /// Each fault, in order.
    pub fn iter(&self) -> impl Iterator<Item = &SettingFault> {
        self.0.iter()
    }
}

impl From<SettingFault> for SettingFaults {
    fn from(fault: SettingFault) -> Self {
        Self(vec![fault])
    }
}

impl From<clap::Error> for SettingFault {
    fn from(error: clap::Error) -> Self {
        Self::Flags(error.to_string().trim().to_owned())
    }
}

impl fmt::Display for SettingFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Invalid platform configuration")?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

impl std::error::Error for SettingFaults {}

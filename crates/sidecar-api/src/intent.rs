//! The configuration intent: a node's mode and what to override in that mode's defaults.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Params, ParamsError, TaskType, override_key};

/// The newest configuration schema that the operator knows.
pub const SCHEMA_VERSION_MAX: i64 = 1;

/// What `config-apply` shall write: the mode's defaults with the overrides on top.
///
/// Always a full intent: the operator never patches the files in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigIntent {
    /// Whose defaults.
    pub mode: ConfigMode,
    /// Key to value, the layers already merged; keys are those of the registry.
    pub overrides: BTreeMap<String, String>,
    /// The schema to write; 0 means the sidecar's current one.
    pub target_version: i64,
}

/// The kinds of node that have defaults of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum ConfigMode {
    /// Signs blocks.
    Validator,
    /// Follows the chain and serves queries.
    Full,
    /// Hands out peers.
    Seed,
    /// Keeps all history.
    Archive,
}

/// One thing that is wrong with an intent; its text is `[ERROR] {field}: {message}`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("[ERROR] {field}: {message}")]
pub struct Diagnostic {
    /// Where, e.g. `overrides.foo.bar`.
    pub field: String,
    /// What.
    pub message: String,
}

impl ConfigIntent {
    /// A full intent at the sidecar's current schema.
    pub fn new(mode: ConfigMode, overrides: BTreeMap<String, String>) -> Self {
        Self { mode, overrides, target_version: 0 }
    }

    /// Everything that is wrong, in a stable order: the version, then the overrides by key.
    ///
    /// Values are checked too, strictly; the sidecar would take `12abc` for 12.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        self.version_fault().into_iter().chain(self.override_faults()).collect()
    }

    pub(crate) fn validate(&self) -> Result<(), ParamsError> {
        let faults = self.diagnostics();
        if faults.is_empty() { Ok(()) } else { Err(invalid_intent(&faults)) }
    }

    pub(crate) fn to_params(&self) -> Params {
        let mut params = Params::from_iter([
            ("mode".to_owned(), self.mode.as_str().into()),
            ("incremental".to_owned(), false.into()),
            ("targetVersion".to_owned(), self.target_version.into()),
        ]);
        self.insert_overrides(&mut params);
        params
    }

    /// Zero values are left out of stored plans, unlike on the wire.
    pub(crate) fn to_stored(&self) -> Params {
        let mut stored = Params::from_iter([("mode".to_owned(), self.mode.as_str().into())]);
        if self.target_version != 0 {
            stored.insert("targetVersion".to_owned(), self.target_version.into());
        }
        self.insert_overrides(&mut stored);
        stored
    }

    pub(crate) fn from_canonical(value: Value) -> Result<Self, ParamsError> {
        let raw: RawIntent = crate::spec::stored::read(TaskType::ConfigApply, value)?;
        if raw.incremental {
            return Err(ParamsError::stored(
                TaskType::ConfigApply,
                "incremental intents are not supported",
            ));
        }
        let mode = raw.mode.parse().map_err(|fault| invalid_intent(&[fault]))?;
        Ok(Self { mode, overrides: raw.overrides, target_version: raw.target_version })
    }

    fn version_fault(&self) -> Option<Diagnostic> {
        let version = self.target_version;
        (version > SCHEMA_VERSION_MAX).then(|| Diagnostic {
            field: "targetVersion".to_owned(),
            message: format!(
                "target version {version} exceeds maximum supported version {SCHEMA_VERSION_MAX}"
            ),
        })
    }

    fn override_faults(&self) -> impl Iterator<Item = Diagnostic> {
        self.overrides.iter().filter_map(|(name, value)| {
            let message = match override_key(name) {
                None => format!("unknown config field \"{name}\""),
                Some(key) => key.kind.check(value).err()?,
            };
            Some(Diagnostic { field: format!("overrides.{name}"), message })
        })
    }

    fn insert_overrides(&self, params: &mut Params) {
        if self.overrides.is_empty() {
            return;
        }
        let overrides = self.overrides.iter().map(|(k, v)| (k.clone(), v.as_str().into()));
        params.insert("overrides".to_owned(), Value::Object(overrides.collect()));
    }
}

impl ConfigMode {
    /// All of them, in the order in which messages list them.
    pub const ALL: [Self; 4] = [Self::Validator, Self::Full, Self::Seed, Self::Archive];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Validator => "validator",
            Self::Full => "full",
            Self::Seed => "seed",
            Self::Archive => "archive",
        }
    }
}

impl FromStr for ConfigMode {
    type Err = Diagnostic;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let message = || {
            if text.is_empty() {
                return "mode is required for non-incremental config generation".to_owned();
            }
            format!("unknown mode \"{text}\"; valid modes: validator, full, seed, archive")
        };
        Self::ALL
            .into_iter()
            .find(|mode| mode.as_str() == text)
            .ok_or_else(|| Diagnostic { field: "mode".to_owned(), message: message() })
    }
}

impl TryFrom<String> for ConfigMode {
    type Error = Diagnostic;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ConfigMode> for String {
    fn from(mode: ConfigMode) -> Self {
        mode.as_str().to_owned()
    }
}

impl fmt::Display for ConfigMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct RawIntent {
    mode: String,
    overrides: BTreeMap<String, String>,
    target_version: i64,
    incremental: bool,
}

fn invalid_intent(faults: &[Diagnostic]) -> ParamsError {
    let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
    ParamsError::invalid(TaskType::ConfigApply, format!("invalid intent: [{}]", texts.join(" ")))
}

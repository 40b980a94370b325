//! Params of the tasks that act on chain governance.

use std::{fmt, str::FromStr};

use serde::Deserialize;
use serde_json::Value;

use crate::{Params, ParamsError, TaskType};

/// Params of `gov-vote`; safe to repeat, the last vote counts and fees are paid again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GovVote {
    /// The chain; the sidecar refuses when its own differs.
    pub chain_id: String,
    /// The key that signs, by its name in the sidecar's keyring.
    pub key_name: String,
    /// The proposal, from 1.
    pub proposal_id: u64,
    /// The vote.
    pub option: VoteOption,
    /// Coins in usei.
    pub fees: String,
    /// The gas limit, from 1.
    pub gas: u64,
    /// Free text; the sidecar adds the task's id.
    pub memo: Option<String>,
}

/// Params of `gov-software-upgrade`; every execution may create another proposal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GovSoftwareUpgrade {
    /// The chain; the sidecar refuses when its own differs.
    pub chain_id: String,
    /// The key that signs, by its name in the sidecar's keyring.
    pub key_name: String,
    /// The proposal's title.
    pub title: String,
    /// The proposal's description.
    pub description: String,
    /// The upgrade's name: what the new binary answers to.
    pub upgrade_name: String,
    /// The height at which the old binary halts, from 1.
    pub upgrade_height: i64,
    /// Free text for the upgrade plan.
    pub upgrade_info: Option<String>,
    /// Coins in usei.
    pub initial_deposit: String,
    /// Coins in usei.
    pub fees: String,
    /// The gas limit, from 1.
    pub gas: u64,
    /// Free text; the sidecar adds the task's id.
    pub memo: Option<String>,
}

/// A vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VoteOption {
    /// In favour.
    Yes,
    /// Against.
    No,
    /// Counts for the quorum only.
    Abstain,
    /// Against, and the deposit shall burn.
    NoWithVeto,
}

/// The text is no vote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid vote option \"{0}\" (allowed: yes | no | abstain | no_with_veto)")]
pub struct InvalidVoteOption(pub String);

impl GovVote {
    pub(crate) fn validate(&self) -> Result<(), ParamsError> {
        check(
            TaskType::GovVote,
            &[
                (self.chain_id.is_empty(), "chainId required"),
                (self.key_name.is_empty(), "keyName required"),
                (self.proposal_id == 0, "proposalId required (must be > 0)"),
                (self.fees.is_empty(), "fees required"),
                (self.gas == 0, "gas required (must be > 0)"),
            ],
        )
    }

    pub(crate) fn to_params(&self) -> Params {
        let mut params = Params::from_iter([
            ("chainId".to_owned(), self.chain_id.as_str().into()),
            ("keyName".to_owned(), self.key_name.as_str().into()),
            ("proposalId".to_owned(), self.proposal_id.into()),
            ("option".to_owned(), self.option.as_str().into()),
            ("fees".to_owned(), self.fees.as_str().into()),
            ("gas".to_owned(), self.gas.into()),
        ]);
        insert_text(&mut params, "memo", self.memo.as_deref());
        params
    }

    pub(crate) fn from_canonical(value: Value) -> Result<Self, ParamsError> {
        let raw: RawVote = crate::spec::stored::read(TaskType::GovVote, value)?;
        let option = raw
            .option
            .parse()
            .map_err(|error: InvalidVoteOption| invalid_vote(error.to_string()))?;
        Ok(Self {
            chain_id: raw.chain_id,
            key_name: raw.key_name,
            proposal_id: raw.proposal_id,
            option,
            fees: raw.fees,
            gas: raw.gas,
            memo: raw.memo,
        })
    }
}

impl GovSoftwareUpgrade {
    pub(crate) fn validate(&self) -> Result<(), ParamsError> {
        check(
            TaskType::GovSoftwareUpgrade,
            &[
                (self.chain_id.is_empty(), "chainId required"),
                (self.key_name.is_empty(), "keyName required"),
                (self.title.is_empty(), "title required"),
                (self.description.is_empty(), "description required"),
                (self.upgrade_name.is_empty(), "upgradeName required"),
                (self.upgrade_height <= 0, "upgradeHeight required (must be > 0)"),
                (self.initial_deposit.is_empty(), "initialDeposit required"),
                (self.fees.is_empty(), "fees required"),
                (self.gas == 0, "gas required (must be > 0)"),
            ],
        )
    }

    pub(crate) fn to_params(&self) -> Params {
        let mut params = Params::from_iter([
            ("chainId".to_owned(), self.chain_id.as_str().into()),
            ("keyName".to_owned(), self.key_name.as_str().into()),
            ("title".to_owned(), self.title.as_str().into()),
            ("description".to_owned(), self.description.as_str().into()),
            ("upgradeName".to_owned(), self.upgrade_name.as_str().into()),
            ("upgradeHeight".to_owned(), self.upgrade_height.into()),
            ("initialDeposit".to_owned(), self.initial_deposit.as_str().into()),
            ("fees".to_owned(), self.fees.as_str().into()),
            ("gas".to_owned(), self.gas.into()),
        ]);
        insert_text(&mut params, "upgradeInfo", self.upgrade_info.as_deref());
        insert_text(&mut params, "memo", self.memo.as_deref());
        params
    }
}

impl VoteOption {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Abstain => "abstain",
            Self::NoWithVeto => "no_with_veto",
        }
    }
}

impl FromStr for VoteOption {
    type Err = InvalidVoteOption;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_lowercase().as_str() {
            "yes" => Ok(Self::Yes),
            "no" => Ok(Self::No),
            "abstain" => Ok(Self::Abstain),
            "no_with_veto" | "no-with-veto" => Ok(Self::NoWithVeto),
            _ => Err(InvalidVoteOption(text.to_owned())),
        }
    }
}

impl fmt::Display for VoteOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawVote {
    chain_id: String,
    key_name: String,
    proposal_id: u64,
    option: String,
    fees: String,
    gas: u64,
    memo: Option<String>,
}

/// The first rule that is broken is the error.
fn check(task: TaskType, rules: &[(bool, &str)]) -> Result<(), ParamsError> {
    match rules.iter().find(|(broken, _)| *broken) {
        Some((_, text)) => Err(ParamsError::invalid(task, *text)),
        None => Ok(()),
    }
}

fn insert_text(params: &mut Params, key: &str, text: Option<&str>) {
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        params.insert(key.to_owned(), text.into());
    }
}

fn invalid_vote(text: String) -> ParamsError {
    ParamsError::invalid(TaskType::GovVote, text)
}

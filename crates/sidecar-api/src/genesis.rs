//! Params of the tasks that start a new chain.

use std::collections::BTreeMap;

use bech32::{Bech32, primitives::decode::CheckedHrpstring};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Params, ParamsError, TaskType};

/// The prefix of every account address.
const ADDRESS_PREFIX: &str = "sei";

/// The largest integer that survives the sidecar's passage of numbers through IEEE doubles.
const EXACT_INTEGER_MAX: u64 = 1 << 53;

/// Params of `generate-identity`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GenerateIdentity {
    /// The chain to be.
    pub chain_id: String,
    /// The node's name for people; the operator sends the node's name.
    pub moniker: String,
}

/// Params of `generate-gentx`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GenerateGentx {
    /// The chain to be.
    pub chain_id: String,
    /// What the validator stakes, e.g. `10000000usei`.
    pub staking_amount: String,
    /// What its account holds, e.g. `1000000000usei`.
    pub account_balance: String,
}

/// Params of `assemble-and-upload-genesis`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AssembleGenesis {
    /// The balance of every validator's account.
    pub account_balance: String,
    /// The namespace of the nodes: part of their peer addresses.
    pub namespace: String,
    /// The validators, at least one.
    pub nodes: Vec<GenesisNode>,
    /// More accounts to fund.
    pub accounts: Vec<GenesisAccount>,
    /// `module.field[.field…]` to the JSON value that replaces it.
    pub overrides: BTreeMap<String, Value>,
}

/// A validator whose artifacts go into the genesis file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct GenesisNode {
    /// The SeiNode's name.
    pub name: String,
}

/// An account that the chain starts with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct GenesisAccount {
    /// Bech32 with the prefix `sei`.
    pub address: String,
    /// Coins, e.g. `5usei`.
    pub balance: String,
}

impl GenerateIdentity {
    pub(crate) fn validate(&self) -> Result<(), ParamsError> {
        require(
            TaskType::GenerateIdentity,
            &[("ChainID", &self.chain_id), ("Moniker", &self.moniker)],
        )
    }

    pub(crate) fn to_params(&self) -> Params {
        Params::from_iter([
            ("chainId".to_owned(), self.chain_id.as_str().into()),
            ("moniker".to_owned(), self.moniker.as_str().into()),
        ])
    }
}

impl GenerateGentx {
    pub(crate) fn validate(&self) -> Result<(), ParamsError> {
        let fields = [
            ("ChainID", &self.chain_id),
            ("StakingAmount", &self.staking_amount),
            ("AccountBalance", &self.account_balance),
        ];
        require(TaskType::GenerateGentx, &fields)
    }

    pub(crate) fn to_params(&self) -> Params {
        Params::from_iter([
            ("chainId".to_owned(), self.chain_id.as_str().into()),
            ("stakingAmount".to_owned(), self.staking_amount.as_str().into()),
            ("accountBalance".to_owned(), self.account_balance.as_str().into()),
        ])
    }
}

impl AssembleGenesis {
    const TASK: TaskType = TaskType::AssembleAndUploadGenesis;

    pub(crate) fn validate(&self) -> Result<(), ParamsError> {
        let fields = [("AccountBalance", &self.account_balance), ("Namespace", &self.namespace)];
        require(Self::TASK, &fields)?;
        if self.nodes.is_empty() {
            return Err(ParamsError::invalid(Self::TASK, "at least one node is required"));
        }
        for (index, account) in self.accounts.iter().enumerate() {
            account.check(index).map_err(|text| ParamsError::invalid(Self::TASK, text))?;
        }
        match self.overrides.iter().find_map(|(key, value)| Some((key, inexact_integer(value)?))) {
            Some((key, number)) => Err(ParamsError::invalid(
                Self::TASK,
                format!("overrides \"{key}\": write {number} as a string, it exceeds 2^53"),
            )),
            None => Ok(()),
        }
    }

    pub(crate) fn to_params(&self) -> Params {
        let nodes: Value = self.nodes.iter().map(|node| json!({"name": node.name})).collect();
        let mut params = Params::from_iter([
            ("accountBalance".to_owned(), self.account_balance.as_str().into()),
            ("namespace".to_owned(), self.namespace.as_str().into()),
            ("nodes".to_owned(), nodes),
        ]);
        if !self.accounts.is_empty() {
            let accounts = self.accounts.iter();
            let accounts = accounts.map(|a| json!({"address": a.address, "balance": a.balance}));
            params.insert("accounts".to_owned(), accounts.collect());
        }
        if !self.overrides.is_empty() {
            let overrides = self.overrides.clone().into_iter().collect();
            params.insert("overrides".to_owned(), Value::Object(overrides));
        }
        params
    }
}

impl GenesisAccount {
    fn check(&self, index: usize) -> Result<(), String> {
        for (field, text) in [("Address", &self.address), ("Balance", &self.balance)] {
            if text.is_empty() {
                return Err(format!("accounts[{index}] missing required field {field}"));
            }
        }
        let parsed = CheckedHrpstring::new::<Bech32>(&self.address)
            .map_err(|error| format!("accounts[{index}]: address \"{}\": {error}", self.address))?;
        let hrp = parsed.hrp().to_lowercase();
        if hrp == ADDRESS_PREFIX {
            return Ok(());
        }
        Err(format!(
            "accounts[{index}]: address \"{}\": hrp \"{hrp}\", expected \"{ADDRESS_PREFIX}\"",
            self.address
        ))
    }
}

/// The first missing field is the error.
pub(crate) fn require(task: TaskType, fields: &[(&str, &String)]) -> Result<(), ParamsError> {
    match fields.iter().find(|(_, text)| text.is_empty()) {
        Some((field, _)) => {
            Err(ParamsError::invalid(task, format!("missing required field {field}")))
        }
        None => Ok(()),
    }
}

/// A bare integer somewhere in `value` that the sidecar would round.
fn inexact_integer(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => {
            let magnitude = number.as_i64().map(i64::unsigned_abs).or(number.as_u64())?;
            (magnitude > EXACT_INTEGER_MAX).then(|| number.to_string())
        }
        Value::Array(items) => items.iter().find_map(inexact_integer),
        Value::Object(fields) => fields.values().find_map(inexact_integer),
        Value::Null | Value::Bool(_) | Value::String(_) => None,
    }
}

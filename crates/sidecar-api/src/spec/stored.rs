//! Reading params that a plan keeps, whoever wrote them.
//!
//! Plans written by the operator that came before spell the members as Go does (`ChainID`,
//! `TargetHeight`) and keep zero values and nulls. Both spellings are brought into ours first.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{ParamsError, TaskType};

/// Every member name of every task, in our spelling.
const MEMBERS: [&str; 39] = [
    "accountBalance",
    "accounts",
    "action",
    "address",
    "addresses",
    "backfillBlocks",
    "balance",
    "chainId",
    "condition",
    "description",
    "endpoints",
    "fees",
    "gas",
    "incremental",
    "initialDeposit",
    "keyName",
    "memo",
    "mode",
    "moniker",
    "name",
    "namespace",
    "nodeName",
    "nodes",
    "option",
    "overrides",
    "proposalId",
    "region",
    "sources",
    "stakingAmount",
    "tags",
    "targetHeight",
    "targetVersion",
    "title",
    "trustPeriod",
    "type",
    "upgradeHeight",
    "upgradeInfo",
    "upgradeName",
    "useLocalSnapshot",
];

/// Members whose keys are the user's own.
const OPAQUE: [&str; 2] = ["overrides", "tags"];

/// The same params with our member names and without nulls; `null` itself becomes `{}`.
pub(crate) fn canonical(params: &Value) -> Value {
    match params {
        Value::Null => Value::Object(serde_json::Map::new()),
        other => renamed(other),
    }
}

/// Reads canonical params.
pub(crate) fn read<T: DeserializeOwned>(task: TaskType, value: Value) -> Result<T, ParamsError> {
    serde_json::from_value(value).map_err(|error| ParamsError::stored(task, error.to_string()))
}

fn renamed(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let present = members.iter().filter(|(_, value)| !value.is_null());
            Value::Object(present.map(|(name, value)| renamed_member(name, value)).collect())
        }
        Value::Array(items) => items.iter().map(renamed).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn renamed_member(name: &str, value: &Value) -> (String, Value) {
    let ours = MEMBERS.into_iter().find(|member| member.eq_ignore_ascii_case(name));
    let ours = ours.unwrap_or(name);
    let value = if OPAQUE.contains(&ours) { value.clone() } else { renamed(value) };
    (ours.to_owned(), value)
}

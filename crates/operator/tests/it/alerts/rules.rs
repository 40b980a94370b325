//! The alerts of `config/monitoring` as they are shipped, and what they may use.

use std::collections::BTreeSet;

use anyhow::{Context, Result, anyhow};
use promql_parser::parser::{self, Expr, LabelModifier, VectorSelector};
use sei_operator::metrics::table::{self, Kind};
use serde_json::Value;

use super::promql::Sample;

/// One alert.
pub struct Alert {
    pub name: String,
    pub expr: Expr,
    /// Minutes for which `expr` has to hold before the alert fires.
    pub holds: u32,
    annotations: Vec<String>,
}

/// Every alert, in the order of the file.
pub fn all() -> Result<Vec<Alert>> {
    let text = include_str!("../../../../../config/monitoring/prometheusrule.yaml");
    let rules: Value = serde_saphyr::from_str(text)?;
    let groups = rules["spec"]["groups"].as_array().context("no groups")?;
    let rules = groups.iter().filter_map(|group| group["rules"].as_array()).flatten();
    rules.map(read).collect()
}

fn read(rule: &Value) -> Result<Alert> {
    let name = rule["alert"].as_str().context("an alert without a name")?.to_owned();
    let expr = rule["expr"].as_str().with_context(|| format!("{name}: no expr"))?;
    let expr = parser::parse(expr).map_err(|why| anyhow!("{name}: {why}"))?;
    let annotations = rule["annotations"].as_object().into_iter().flat_map(|it| it.values());
    let annotations = annotations.filter_map(Value::as_str).map(str::to_owned).collect();
    let holds = minutes(rule["for"].as_str().unwrap_or_default());
    let holds = holds.with_context(|| format!("{name}: no time in \"for\""))?;
    Ok(Alert { name, expr, holds, annotations })
}

/// Prometheus's way to write a time, as far as it is whole minutes or hours.
fn minutes(text: &str) -> Option<u32> {
    let (number, of) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u32 = number.parse().ok()?;
    match of {
        "m" => Some(number),
        "h" => number.checked_mul(60),
        _ => None,
    }
}

impl Alert {
    /// Labels that its annotations speak of and that a sample for which it fires lacks.
    pub fn unknown_labels(&self, fired: &Sample) -> Vec<String> {
        let texts = self.annotations.iter();
        let words = texts.flat_map(|text| text.split("$labels.").skip(1));
        let names = words.filter_map(|it| it.split([' ', '}']).next());
        names.filter(|it| !fired.labels.contains_key(*it)).map(str::to_owned).collect()
    }
}

/// The labels of a series; none if there is no such metric.
pub fn labels_of(series: &str) -> Option<BTreeSet<&'static str>> {
    // Prometheus itself says this of each target.
    if series == "up" {
        return Some(["job", "instance", "namespace", "pod"].into());
    }
    let parts: [(&str, &[&'static str]); 3] =
        [("_bucket", &["le"]), ("_sum", &[]), ("_count", &[])];
    let info = table::ALL.iter().find_map(|info| match info.kind {
        Kind::Counter | Kind::Gauge => (info.name == series).then_some((info, &[][..])),
        Kind::Histogram(_) => {
            let part = series.strip_prefix(info.name)?;
            parts.iter().find(|(suffix, _)| *suffix == part).map(|(_, more)| (info, *more))
        }
    });
    info.map(|(info, more)| info.labels.iter().chain(more).copied().collect())
}

/// Every selector below `expr`, and whatever `expr` uses that is not there.
pub fn selectors<'e>(expr: &'e Expr, wrong: &mut Vec<String>) -> Vec<&'e VectorSelector> {
    let (below, names): (Vec<&VectorSelector>, Option<&LabelModifier>) = match expr {
        Expr::VectorSelector(it) => {
            check(it, wrong);
            (vec![it], None)
        }
        Expr::MatrixSelector(it) => {
            check(&it.vs, wrong);
            (vec![&it.vs], None)
        }
        Expr::Paren(it) => (selectors(&it.expr, wrong), None),
        Expr::Aggregate(it) => (selectors(&it.expr, wrong), it.modifier.as_ref()),
        Expr::Binary(it) => {
            let mut below = selectors(&it.lhs, wrong);
            below.extend(selectors(&it.rhs, wrong));
            (below, it.modifier.as_ref().and_then(|it| it.matching.as_ref()))
        }
        Expr::Call(it) => (it.args.args.iter().flat_map(|it| selectors(it, wrong)).collect(), None),
        _ => (Vec::new(), None),
    };
    for label in names.into_iter().flat_map(|it| &it.labels().labels) {
        let lacks = |it: &&&VectorSelector| !known(it).contains(label.as_str());
        wrong.extend(below.iter().filter(lacks).map(|it| format!("{it} has no label {label}")));
    }
    below
}

fn check(it: &VectorSelector, wrong: &mut Vec<String>) {
    if known(it).is_empty() {
        wrong.push(format!("{it} is no metric"));
    }
    let labels = it.matchers.matchers.iter().map(|it| it.name.as_str());
    let unknown = labels.filter(|label| !known(it).contains(label));
    wrong.extend(unknown.map(|label| format!("{it} has no label {label}")));
}

fn known(it: &VectorSelector) -> BTreeSet<&'static str> {
    it.name.as_deref().and_then(labels_of).unwrap_or_default()
}

//! The documents are up to date, and what is deployed beside the operator fits it.

use std::collections::BTreeSet;

use expect_test::expect_file;
use serde_json::Value;

use super::*;
use crate::metrics::table::Info;

const RULES: &str = include_str!("../../../../config/monitoring/prometheusrule.yaml");
const RUNBOOK: &str = include_str!("../../../../docs/runbook.md");
const TROUBLESHOOTING: &str = include_str!("../../../../docs/troubleshooting.md");
const NETWORKING: &str = include_str!("../../../../docs/networking.md");

#[test]
fn the_settings_reference_is_up_to_date() {
    expect_file!["../../../../docs/settings.md"].assert_eq(&settings_md());
}

#[test]
fn the_metrics_reference_is_up_to_date() {
    expect_file!["../../../../docs/metrics.md"].assert_eq(&metrics_md());
}

#[test]
fn alerts_use_only_metrics_that_exist() {
    let exposed: BTreeSet<String> = table::ALL.iter().copied().flat_map(exposed).collect();
    let mut used = BTreeSet::new();
    for alert in alerts() {
        let expr = text(&alert, "expr");
        let names: Vec<&str> = expr
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':')
            .filter(|word| word.starts_with("sei_"))
            .collect();
        for name in &names {
            assert!(exposed.contains(*name), "{}: no metric \"{name}\"", text(&alert, "alert"));
        }
        used.extend(names.into_iter().map(str::to_owned));
    }
    assert!(used.len() > 5, "the scan found {used:?} only");
}

#[test]
fn alerts_use_only_labels_that_exist() {
    let known: BTreeSet<&str> = table::ALL
        .iter()
        .flat_map(|info| info.labels.iter().copied())
        .chain(["le", "job"])
        .collect();
    for alert in alerts() {
        let expr = text(&alert, "expr");
        let selectors = expr.split('{').skip(1).filter_map(|rest| rest.split('}').next());
        let grouped = expr
            .split(['(', ')'])
            .zip(expr.split(['(', ')']).skip(1))
            .filter(|(before, _)| before.trim_end().ends_with("by") || before.ends_with("on "))
            .map(|(_, inside)| inside);
        for label in selectors.chain(grouped).flat_map(|list| list.split(',')) {
            let label = label.split(['=', '!']).next().unwrap_or_default().trim();
            let alert = text(&alert, "alert");
            assert!(known.contains(label), "{alert}: no metric has the label \"{label}\"");
        }
    }
}

#[test]
fn alerts_tell_what_and_where_and_what_to_do() {
    for alert in alerts() {
        let name = text(&alert, "alert").to_owned();
        assert_eq!(alert["labels"]["team"], "platform", "{name}");
        assert!(["warning", "critical"].contains(&text(&alert["labels"], "severity")), "{name}");
        for annotation in ["summary", "description"] {
            assert!(!text(&alert["annotations"], annotation).is_empty(), "{name}: {annotation}");
        }
        let anchor = format!("#{}", name.to_lowercase());
        assert!(text(&alert["annotations"], "runbook").ends_with(&anchor), "{name}: runbook");
        assert!(RUNBOOK.contains(&format!("\n## {name}\n")), "{name}: no section in the runbook");
    }
}

#[test]
fn alerts_and_the_runbook_lead_to_sections_that_exist() {
    let mut led = 0;
    for alert in alerts() {
        let Some(link) = alert["annotations"]["troubleshooting"].as_str() else { continue };
        led += 1;
        let link = link.strip_prefix("docs/").unwrap();
        // The word is the operator's; `sei-core` tests that each has a section.
        let is_any = link == "troubleshooting.md#{{ $labels.reason | toLower }}";
        assert!(is_any || leads_somewhere(link), "{}: {link}", text(&alert, "alert"));
    }
    assert!(led > 5, "{led} alerts lead to a section");
    let links = RUNBOOK.split("](").skip(1).filter_map(|it| it.split(')').next());
    for link in links.filter(|link| link.contains('#')) {
        assert!(leads_somewhere(link), "runbook.md: {link}");
    }
}

fn leads_somewhere(link: &str) -> bool {
    let (file, anchor) = link.split_once('#').unwrap();
    let text = match file {
        "" => RUNBOOK,
        "troubleshooting.md" => TROUBLESHOOTING,
        "networking.md" => NETWORKING,
        other => panic!("{other} is not looked at"),
    };
    let headings = text.lines().filter_map(|line| line.strip_prefix("## "));
    headings.map(|it| it.to_lowercase().replace(' ', "-")).any(|it| it == anchor)
}

fn alerts() -> Vec<Value> {
    let rules: Value = serde_saphyr::from_str(RULES).unwrap();
    let groups = rules["spec"]["groups"].as_array().unwrap();
    groups.iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("no \"{key}\" in {value}"))
}

/// The names of the series that a scrape shows of `info`.
fn exposed(info: &Info) -> Vec<String> {
    let suffixes: &[&str] = match info.kind {
        Kind::Counter | Kind::Gauge => &[""],
        Kind::Histogram(_) => &["_bucket", "_sum", "_count"],
    };
    suffixes.iter().map(|suffix| format!("{}{suffix}", info.name)).collect()
}

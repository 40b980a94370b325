//! The figures as tables for a terminal.

use comfy_table::Table;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;

use super::goals::{goals, ratio};
use super::{AtOnce, Report, Rollouts};
use crate::driver::Pace;
use crate::scrape::Row;
use crate::stats::Spread;

/// All tables.
pub fn table(report: &Report) -> String {
    let machine = &report.machine;
    let head = format!(
        "{}, {} cores, {}, {:.1} MB",
        machine.at, machine.cores, machine.operator, machine.binary_mb
    );
    let parts = [
        head,
        times(report).to_string(),
        counts(report).to_string(),
        kinds(report).to_string(),
        sizes(report).to_string(),
        rest(report),
        verdicts(report).to_string(),
    ];
    parts.join("\n")
}

/// What takes how long.
fn times(report: &Report) -> Table {
    let mut table = titled(&["times, ms", "n", "min", "p50", "p99", "max", "× chain"]);
    let mut add = |what: String, took: &Spread, ratio: Option<f64>| {
        let figures = [took.min_ms, took.p50_ms, took.p99_ms, took.max_ms].map(short);
        let ratio = ratio.map(|it| format!("{it:.2}")).unwrap_or_default();
        let row = [what, took.rounds.to_string()].into_iter().chain(figures);
        table.add_row(row.chain([ratio]));
    };
    add("chain by hand, before".into(), &report.chain.before, None);
    add("chain by hand, after".into(), &report.chain.after, None);
    for one in &report.rollouts {
        let driver = match one.driver {
            Pace::Immediate => "immediate driver",
            Pace::Ticking => "50 ms driver",
        };
        add(format!("rollout of 2, {driver}"), &one.took, Some(ratio(one, report)));
    }
    add("resume after a stall".into(), &report.resume, None);
    add("superseding edit to its plan".into(), &report.supersede, None);
    let crowd = &report.crowd;
    add(format!("{} created at once: all", crowd.fleets), &crowd.created.all, None);
    add(format!("{} created at once: each", crowd.fleets), &crowd.created.each, None);
    let by_hand = crowd.rolled_out.all.p50_ms / crowd.by_hand_ms.max(f64::MIN_POSITIVE);
    add(format!("{} rolled out at once: all", crowd.fleets), &crowd.rolled_out.all, Some(by_hand));
    add(format!("{} rolled out at once: each", crowd.fleets), &crowd.rolled_out.each, None);
    for lone in &report.lone {
        add(format!("one rollout among {} fleets", lone.fleets), &lone.took, None);
    }
    let start = &report.start;
    add(format!("start with {} objects: first pass", start.objects), &start.ready, None);
    add(format!("start with {} objects: a rollout", start.objects), &start.rolled_out, None);
    table
}

/// What a rollout costs.
fn counts(report: &Report) -> Table {
    let columns =
        ["per rollout of 2", "requests", "writes", "lists", "409", "no-op", "passes", "CPU ms"];
    let mut table = titled(&columns);
    let row = |what: &str, it: &Rollouts| {
        let figures =
            [it.requests, it.writes, it.lists, it.conflicts, it.no_op_writes, it.passes, it.cpu_ms];
        std::iter::once(what.to_owned()).chain(figures.map(short)).collect::<Vec<_>>()
    };
    for one in &report.rollouts {
        table.add_row(row(if one.driver == Pace::Immediate { "immediate" } else { "50 ms" }, one));
    }
    let row = |what: &str, it: &AtOnce| {
        let figures = [it.requests, it.writes, it.lists].map(short);
        let rest = [it.conflicts.to_string(), String::new(), String::new(), short(it.cpu_ms)];
        std::iter::once(what.to_owned()).chain(figures).chain(rest).collect::<Vec<_>>()
    };
    let crowd = &report.crowd;
    table.add_row(row(&format!("{} at once", crowd.fleets), &crowd.rolled_out));
    table.add_row(row(&format!("{} created", crowd.fleets), &crowd.created));
    table
}

/// What is asked of the API server.
fn kinds(report: &Report) -> Table {
    let mut table = titled(&["verb", "resource", "per rollout, immediate", "in all"]);
    let Some(one) = report.rollouts.iter().find(|it| it.driver == Pace::Immediate) else {
        return table;
    };
    for Row { verb, resource, count } in &one.by_kind {
        let each = *count as f64 / one.took.rounds.max(1) as f64;
        table.add_row([verb.clone(), resource.clone(), short(each), count.to_string()]);
    }
    table
}

/// What the operator weighs.
fn sizes(report: &Report) -> Table {
    let mut table = titled(&["memory, MB", "after work", "own", "peak", "fresh", "own", "peak"]);
    for it in &report.memory {
        let figures = [it.worked, it.fresh].map(|it| [it.rss_mb, it.own_mb, it.peak_mb]);
        let what = format!("{} fleets", it.fleets);
        table.add_row(std::iter::once(what).chain(figures.concat().into_iter().map(short)));
    }
    table
}

fn rest(report: &Report) -> String {
    let idle = &report.idle;
    let lists = report.start.lists.iter().map(|it| format!("{} {}", it.count, it.resource));
    let steady = if report.chain.steady { "the run counts" } else { "the run does NOT count" };
    format!(
        "idle: {} fleets for {} s: {} writes, {} requests, {} lists, {} passes, {} ms CPU\n\
         start: lists {}\n\
         crowd of {} by hand: {} ms\n\
         chain: {} ms, before and after differ by {} %: {steady}",
        idle.fleets,
        idle.seconds,
        idle.writes,
        idle.requests,
        idle.lists,
        idle.passes,
        short(idle.cpu_ms),
        lists.collect::<Vec<_>>().join(", "),
        report.crowd.fleets,
        short(report.crowd.by_hand_ms),
        short(report.chain.mean_ms),
        short(report.chain.drift_percent),
    )
}

fn verdicts(report: &Report) -> Table {
    let mut table = titled(&["goal", "at most", "is", ""]);
    for goal in goals(report) {
        let figure = |value: f64| format!("{} {}", short(value), goal.unit).trim().to_owned();
        let verdict = if goal.is_met() { "met" } else { "MISSED" };
        let row = [goal.what.clone(), figure(goal.most), figure(goal.is), verdict.to_owned()];
        table.add_row(row);
    }
    table
}

fn titled(columns: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header(columns.iter().copied());
    table
}

/// Three digits or so: more would claim what no machine holds.
fn short(value: f64) -> String {
    match value.abs() {
        it if it < f64::EPSILON => "0".to_owned(),
        it if it < 10. => format!("{value:.2}"),
        it if it < 100. => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

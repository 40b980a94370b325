//! As much of Prometheus as our alerts need: an expression over a few scrapes, at the last of them.
//!
//! Unlike the original, `rate` and `increase` do not extrapolate to the edges of their window.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use promql_parser::label::MatchOp;
use promql_parser::parser::{
    AggregateExpr, BinaryExpr, Call, Expr, LabelModifier, MatrixSelector, VectorSelector,
};

/// Label names and values, without the metric's name.
pub type Labels = BTreeMap<String, String>;

/// One value of one series.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    pub name: String,
    pub labels: Labels,
    pub value: f64,
}

/// Scrapes in the order of their times.
#[derive(Debug, Default)]
pub struct History(Vec<(Duration, Vec<Sample>)>);

enum Value {
    Scalar(f64),
    Vector(Vec<Sample>),
}

impl History {
    /// Remembers what a scrape at this time showed.
    pub fn scraped(&mut self, at: Duration, text: &str) -> Result<()> {
        self.0.push((at, read(text)?));
        Ok(())
    }

    /// The newest scrape.
    pub fn last(&self) -> &[Sample] {
        self.0.last().map(|(_, samples)| samples.as_slice()).unwrap_or_default()
    }

    /// What an expression yields now; an alert fires for each sample.
    pub fn eval(&self, expr: &Expr) -> Result<Vec<Sample>> {
        match self.value(expr)? {
            Value::Vector(samples) => Ok(samples),
            Value::Scalar(_) => bail!("a scalar is no alert"),
        }
    }

    fn value(&self, expr: &Expr) -> Result<Value> {
        Ok(match expr {
            Expr::NumberLiteral(it) => Value::Scalar(it.val),
            Expr::Paren(it) => self.value(&it.expr)?,
            Expr::VectorSelector(it) => Value::Vector(select(it, self.last())),
            Expr::Aggregate(it) => Value::Vector(self.aggregate(it)?),
            Expr::Binary(it) => Value::Vector(self.binary(it)?),
            Expr::Call(it) => Value::Vector(self.call(it)?),
            other => bail!("not supported: {other}"),
        })
    }

    fn aggregate(&self, it: &AggregateExpr) -> Result<Vec<Sample>> {
        let Some(LabelModifier::Include(by)) = &it.modifier else { bail!("only \"by\": {it}") };
        let mut groups: BTreeMap<Labels, Vec<f64>> = BTreeMap::new();
        for sample in self.eval(&it.expr)? {
            let kept = only(&sample.labels, &by.labels);
            groups.entry(kept).or_default().push(sample.value);
        }
        let combine = |values: Vec<f64>| match it.op.to_string().as_str() {
            "sum" => Ok(values.iter().sum()),
            "max" => Ok(values.into_iter().fold(f64::NEG_INFINITY, f64::max)),
            other => bail!("not supported: {other}"),
        };
        groups.into_iter().map(|(labels, values)| Ok(nameless(labels, combine(values)?))).collect()
    }

    fn binary(&self, it: &BinaryExpr) -> Result<Vec<Sample>> {
        let left = self.eval(&it.lhs)?;
        let op = it.op.to_string();
        let right = match self.value(&it.rhs)? {
            Value::Scalar(right) => {
                let holds = |sample: &Sample| match op.as_str() {
                    "==" => Ok(sample.value.total_cmp(&right).is_eq()),
                    ">" => Ok(sample.value > right),
                    "<" => Ok(sample.value < right),
                    other => bail!("not supported: {other}"),
                };
                let mut kept = Vec::new();
                for sample in left {
                    if holds(&sample)? {
                        kept.push(sample);
                    }
                }
                return Ok(kept);
            }
            Value::Vector(right) => right,
        };
        let on = match it.modifier.as_ref().and_then(|it| it.matching.as_ref()) {
            Some(LabelModifier::Include(on)) => Some(&on.labels),
            Some(LabelModifier::Exclude(_)) => bail!("only \"on\": {it}"),
            None => None,
        };
        let key = |it: &Sample| on.map_or_else(|| it.labels.clone(), |on| only(&it.labels, on));
        Ok(match op.as_str() {
            "unless" => without(left, &right, key),
            "or" => {
                let more = without(right, &left, key);
                left.into_iter().chain(more).collect()
            }
            other => bail!("not supported: {other}"),
        })
    }

    fn call(&self, it: &Call) -> Result<Vec<Sample>> {
        let args: Vec<&Expr> = it.args.args.iter().map(AsRef::as_ref).collect();
        match (it.func.name, args.as_slice()) {
            ("absent", [Expr::VectorSelector(of)]) => {
                let is_there = !select(of, self.last()).is_empty();
                let equal = of.matchers.matchers.iter().filter(|it| it.op == MatchOp::Equal);
                let labels = equal.map(|it| (it.name.clone(), it.value.clone())).collect();
                Ok(if is_there { Vec::new() } else { vec![nameless(labels, 1.)] })
            }
            ("increase", [Expr::MatrixSelector(of)]) => Ok(self.increase(of, |grown, _| grown)),
            ("rate", [Expr::MatrixSelector(of)]) => {
                Ok(self.increase(of, |grown, took| grown / took.as_secs_f64()))
            }
            ("histogram_quantile", [Expr::NumberLiteral(rank), of]) => {
                Ok(quantiles(rank.val, self.eval(of)?))
            }
            (other, _) => bail!("not supported: {other}"),
        }
    }

    /// How much each series grew in the window, and in which time.
    fn increase(&self, of: &MatrixSelector, result: impl Fn(f64, Duration) -> f64) -> Vec<Sample> {
        let now = self.0.last().map_or(Duration::ZERO, |(at, _)| *at);
        let window = self.0.iter().filter(|(at, _)| *at + of.range >= now);
        let mut series: BTreeMap<Labels, Vec<(Duration, f64)>> = BTreeMap::new();
        for (at, samples) in window {
            for sample in select(&of.vs, samples) {
                series.entry(sample.labels).or_default().push((*at, sample.value));
            }
        }
        let grown = |(labels, points): (Labels, Vec<(Duration, f64)>)| {
            let (first, last) = (points.first()?, points.last()?);
            let steps = points.windows(2).map(|pair| match pair {
                // After a restart a counter begins again from zero.
                [(_, before), (_, after)] if after < before => *after,
                [(_, before), (_, after)] => after - before,
                _ => 0.,
            });
            let value = result(steps.sum(), last.0 - first.0);
            (points.len() > 1).then(|| nameless(labels, value))
        };
        series.into_iter().filter_map(grown).collect()
    }
}

fn select(it: &VectorSelector, samples: &[Sample]) -> Vec<Sample> {
    let named = samples.iter().filter(|sample| it.name.as_ref() == Some(&sample.name));
    let fits = |sample: &&Sample| {
        let value = |label: &str| sample.labels.get(label).map(String::as_str).unwrap_or_default();
        it.matchers.matchers.iter().all(|matcher| matcher.is_match(value(&matcher.name)))
    };
    named.filter(fits).cloned().collect()
}

/// The samples of `left` that no sample of `right` matches.
fn without(left: Vec<Sample>, right: &[Sample], key: impl Fn(&Sample) -> Labels) -> Vec<Sample> {
    let taken: BTreeSet<Labels> = right.iter().map(&key).collect();
    left.into_iter().filter(|it| !taken.contains(&key(it))).collect()
}

fn quantiles(rank: f64, buckets: Vec<Sample>) -> Vec<Sample> {
    let mut groups: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
    for mut sample in buckets {
        let bound = sample.labels.remove("le").and_then(|it| it.parse().ok());
        let Some(bound) = bound else { continue };
        groups.entry(sample.labels).or_default().push((bound, sample.value));
    }
    let of = |(labels, mut buckets): (Labels, Vec<(f64, f64)>)| {
        buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
        let wanted = rank * buckets.last()?.1;
        let index = buckets.iter().position(|(_, count)| *count >= wanted)?;
        let (low, below) = index.checked_sub(1).map_or((0., 0.), |it| buckets[it]);
        let (high, count) = buckets[index];
        let value = match high.is_infinite() {
            true => low,
            false => low + (high - low) * (wanted - below) / (count - below),
        };
        Some(nameless(labels, value))
    };
    groups.into_iter().filter_map(of).collect()
}

fn only(labels: &Labels, names: &[String]) -> Labels {
    let kept = labels.iter().filter(|(name, _)| names.contains(name));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn nameless(labels: Labels, value: f64) -> Sample {
    Sample { name: String::new(), labels, value }
}

/// The older text format, as our operator writes it.
fn read(text: &str) -> Result<Vec<Sample>> {
    let lines = text.lines().map(str::trim);
    let series = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    series.map(|line| sample(line).with_context(|| format!("cannot read {line:?}"))).collect()
}

fn sample(line: &str) -> Result<Sample> {
    let (series, value) = line.rsplit_once(' ').context("no value")?;
    let value = value.parse()?;
    let Some((name, rest)) = series.split_once('{') else {
        return Ok(Sample { name: series.to_owned(), labels: Labels::new(), value });
    };
    let mut rest = rest.strip_suffix('}').context("no end of labels")?;
    let mut labels = Labels::new();
    while let Some((label, quoted)) = rest.split_once("=\"") {
        // Names and words of ours hold no quotes; a label that does would end here too early.
        let (value, more) = quoted.split_once('"').context("no end of a value")?;
        labels.insert(label.to_owned(), value.to_owned());
        rest = more.trim_start_matches(',');
    }
    if !rest.is_empty() {
        bail!("{rest:?} is left");
    }
    Ok(Sample { name: name.to_owned(), labels, value })
}

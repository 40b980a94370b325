//! The shipped alerts, over scrapes of the shipped operator: they fire while something is stuck,
//! and neither before nor after.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use sei_api::{InPlace, SeiNodeDeploymentSpec};
use sei_harness::fixtures::{HASH_V2, IMAGE_V2, new_snd};
use sei_harness::suite::{TestEnv, cond, cond_true};
use sei_harness::wait::Progress;
use sei_operator::metrics::Metrics;
use serde_json::json;

use crate::invariants;
use crate::support::{expect, measured_scenario, settled, target};

mod promql;
mod rules;

use promql::History;
use rules::Alert;

const NAME: &str = "watched";
/// Longer than a rollout takes that is not stuck, much shorter than a person would choose.
const DEADLINE: i32 = 15;
const MINUTE: Duration = Duration::from_secs(60);

/// Scenario E, as Prometheus sees it.
#[test]
fn a_stuck_rollout_is_alerted_on_while_it_is_stuck() {
    measured_scenario("a_stuck_rollout_is_alerted_on", |env, metrics| async move {
        let watch = Watch::new(&env, metrics)?;
        settled(&env, &fleet(&env, InPlace::default())).await?;
        watch.until("at rest", &[]).await?;

        let paused = env.faker.pause().await;
        env.patch_snd_image(NAME, IMAGE_V2).await?;
        rolling(&env).await?;
        watch.until("rolling", &["SeiNodeDeploymentRolloutStuck"]).await?;
        env.wait_for_status(NAME, "a stall", |fleet| {
            expect(cond_true(fleet, "Stalled"), || format!("{:?}", cond(fleet, "Stalled")))
        })
        .await?;
        let stuck = ["SeiNodeDeploymentRolloutStuck", "SeiNodeDeploymentStalled"];
        let scrape = watch.until("stalled", &stuck).await?;
        tells_of_the_rollout(&env, &scrape).await?;
        for (minutes, fired) in [(0, 0..0), (1, 1..2), (59, 1..2), (60, 0..2)] {
            let firing = watch.firing_after(minutes)?;
            ensure!(firing == stuck[fired], "after {minutes} minutes: {firing:?}");
        }

        env.patch_snd_spec(NAME, json!({"paused": true})).await?;
        watch.until("paused", &[]).await?;

        drop(paused);
        env.patch_snd_spec(NAME, json!({"paused": false})).await?;
        env.wait_for_status(NAME, "the rollout's end", |it| invariants::complete(it, HASH_V2))
            .await?;
        watch.until("complete", &[]).await?;
        Ok(())
    });
}

#[test]
fn a_rollout_that_the_partition_holds_is_not_alerted_on() {
    measured_scenario("a_held_rollout_is_not_alerted_on", |env, metrics| async move {
        let watch = Watch::new(&env, metrics)?;
        let half = InPlace { partition: Some(1), ..InPlace::default() };
        settled(&env, &fleet(&env, half)).await?;
        env.patch_snd_image(NAME, IMAGE_V2).await?;
        rolling(&env).await?;
        env.wait_for_status(NAME, "the partition", |fleet| {
            let said = cond(fleet, "RolloutInProgress").map(|it| it.message.clone());
            let held = said.as_ref().is_some_and(|it| it.contains("held at partition 1"));
            expect(held, || format!("{said:?}"))
        })
        .await?;
        let scrape = watch.until("held", &[]).await?;
        let held = format!("rollout_held{{namespace=\"{}\",name=\"{NAME}\"}} 1", env.ns);
        ensure!(scrape.contains(&held), "{scrape}");
        Ok(())
    });
}

#[test]
fn every_alert_uses_what_the_operator_shows() {
    for alert in rules::all().unwrap() {
        let mut wrong = Vec::new();
        let selectors = rules::selectors(&alert.expr, &mut wrong);
        assert!(!selectors.is_empty() && wrong.is_empty(), "{}: {wrong:?}", alert.name);
    }
}

#[test]
fn every_alert_fires_for_what_it_names_and_for_nothing_else() {
    let alerts = rules::all().unwrap();
    let mut seen: BTreeSet<(&str, bool)> = BTreeSet::new();
    for block in include_str!("alerts/cases.txt").split("\n\n").skip(1) {
        let (head, scrapes) = block.split_once('\n').unwrap_or((block, ""));
        let (name, verdict) = head.trim().split_once(' ').unwrap();
        let alert = alerts.iter().find(|it| it.name == name).expect(name);
        let mut history = History::default();
        for (minute, scrape) in (1..).zip(scrapes.split("---")) {
            history.scraped(MINUTE * minute, scrape).unwrap();
        }
        let fired = history.eval(&alert.expr).unwrap();
        assert_eq!(fired.is_empty(), verdict == "is silent", "{block}\nyields {fired:?}");
        let unknown: Vec<String> = fired.iter().flat_map(|it| alert.unknown_labels(it)).collect();
        assert!(unknown.is_empty(), "{name}: no label {unknown:?} in {fired:?}");
        seen.insert((name, fired.is_empty()));
    }
    for alert in &alerts {
        for silent in [false, true] {
            let is_tried = seen.contains(&(alert.name.as_str(), silent));
            assert!(is_tried, "{}: no case in which it is silent: {silent}", alert.name);
        }
    }
}

fn fleet(env: &TestEnv, in_place: InPlace) -> sei_api::SeiNodeDeployment {
    let change = |spec: &mut SeiNodeDeploymentSpec| {
        spec.progress_deadline_seconds = Some(DEADLINE);
        spec.update_strategy.get_or_insert_default().in_place = Some(in_place);
    };
    new_snd(&env.ns, NAME).with_replicas(2).with(change).build()
}

async fn rolling(env: &TestEnv) -> Result<()> {
    env.wait_for_status(NAME, "the rollout", |fleet| {
        expect(target(fleet).as_deref() == Some(HASH_V2), || format!("{fleet:?}"))
    })
    .await?;
    Ok(())
}

/// What an on-call engineer asks first: from where to where, and since when.
async fn tells_of_the_rollout(env: &TestEnv, scrape: &str) -> Result<()> {
    let fleet = env.get_snd(NAME).await?;
    let status = fleet.status.unwrap_or_default();
    let hash = status.template_hash.unwrap_or_default();
    let started = status.rollout.map(|it| it.started_at.0.as_second()).unwrap_or_default();
    let object = format!("namespace=\"{}\",name=\"{NAME}\"", env.ns);
    for series in [
        format!("rollout_info{{{object},target_hash=\"{HASH_V2}\",current_hash=\"{hash}\"}} 1\n"),
        format!("rollout_started_timestamp_seconds{{{object}}} {started}\n"),
        format!("replicas{{{object},replica_state=\"desired\"}} 2\n"),
    ] {
        let series = format!("sei_controller_seinodedeployment_{series}");
        ensure!(scrape.contains(&series), "no {series} in\n{scrape}");
    }
    Ok(())
}

/// A Prometheus that scrapes the operator and evaluates the shipped rules.
struct Watch<'a> {
    env: &'a TestEnv,
    metrics: Arc<Metrics>,
    alerts: Vec<Alert>,
}

impl<'a> Watch<'a> {
    fn new(env: &'a TestEnv, metrics: Arc<Metrics>) -> Result<Self> {
        Ok(Self { env, metrics, alerts: rules::all()? })
    }

    /// Scrapes until what exactly these alerts look for is there; the scrape that shows it.
    async fn until(&self, when: &str, expected: &[&str]) -> Result<String> {
        let what = format!("the alerts {expected:?} while the fleet is {when}");
        let scraped = || async {
            let (scrape, pending) = self.pending()?;
            Ok(if pending == expected {
                Progress::Ready(scrape)
            } else {
                Progress::NotYet(format!("there is what these look for: {pending:?}"))
            })
        };
        Ok(self.env.wait_for(&what, scraped).await?)
    }

    /// The alerts that fire when the world has been as it is for so many minutes, scraped in each.
    fn firing_after(&self, minutes: u32) -> Result<Vec<&str>> {
        let mut since: BTreeMap<&str, u32> = BTreeMap::new();
        for minute in 0..=minutes {
            let (_, pending) = self.pending()?;
            since.retain(|name, _| pending.contains(name));
            pending.iter().for_each(|name| {
                since.entry(name).or_insert(minute);
            });
        }
        let holds = |name: &str| self.alerts.iter().find(|it| it.name == name).map(|it| it.holds);
        let fires = |(name, since): (_, u32)| {
            holds(name).is_some_and(|it| minutes - since >= it).then_some(name)
        };
        Ok(since.into_iter().filter_map(fires).collect())
    }

    /// The alerts whose expression holds now.
    fn pending(&self) -> Result<(String, Vec<&str>)> {
        let scrape = self.metrics.scrape(None)?.body;
        let up = "\nup{job=\"sei-k8s-controller\",instance=\"here\"} 1\n";
        let mut history = History::default();
        history.scraped(MINUTE, &format!("{scrape}{up}"))?;
        for sample in history.last() {
            let shown: BTreeSet<&str> = sample.labels.keys().map(String::as_str).collect();
            let known = rules::labels_of(&sample.name).unwrap_or_default();
            ensure!(shown.is_subset(&known), "{sample:?} is not as documented");
        }
        let mut pending = Vec::new();
        for alert in &self.alerts {
            if !history.eval(&alert.expr)?.is_empty() {
                pending.push(alert.name.as_str());
            }
        }
        pending.sort_unstable();
        Ok((scrape, pending))
    }
}

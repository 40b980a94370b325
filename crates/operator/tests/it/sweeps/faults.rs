//! Each request of a story fails in each way; in a rollout each watch breaks in each way, and the
//! API server is restarted.
//!
//! The operator runs within the test here: as shipped, but that it waits three seconds for an
//! answer, not ten, so that a request that hangs for good costs no more.

use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, ensure};
use sei_core::platform::Platform;
use sei_core::tempo::Tempo;
use sei_harness::request_log::{Fault, Requests, Tap, Verb};
use sei_harness::suite::{ControllersFn, TestEnv, start_function};
use sei_operator::limits::Limits;
use tokio::time::timeout;

use super::breadth::Sweep;
use super::is_counted;
use super::judge::{Leniency, Verdict, judge};
use super::point::{Point, RECURRING};
use super::stories::{
    CLOSING, CREATE_PUBLISHED, DELETE_PUBLISHED, RETAIN_PUBLISHED, ROLLOUT, Story,
};
use super::telling::{Account, LATE, Teller};
use crate::support::{setting, start_within};

/// Lists and watches of one telling, at most: nine kinds, each a few times. More is a hot loop.
const LISTENING_MAX: usize = 150;

/// What a restart may cost: three objects that back off, and their events.
const OUTAGE_ALLOWANCE: usize = 40;

/// What happens to the operator.
#[derive(Clone)]
enum Trouble {
    /// One request fails.
    Request(Point, Fault),
    /// The watches of a kind that run break when the rollout has begun.
    Watch(&'static str, Tap),
    /// They are cut, and 410 is all that new ones hear for a while.
    Expired(&'static str),
    /// The API server is restarted at a write of the rollout.
    Restart(Moment),
}

/// A write of a rollout.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// That of the plan.
    Plan,
    /// The first of a node's StatefulSet.
    Set,
    /// The one that says that it is complete.
    Completion,
}

#[test]
fn of_each_request() -> Result<()> {
    each_request(&ROLLOUT, &rollout()?, 8, |_| true)
}

#[test]
fn of_each_request_of_a_creation() -> Result<()> {
    // The children come to be without doors in the same way as with them, and what the nodes send
    // is tried in a rollout.
    let own = ["services", "httproutes", "seinodedeployments"];
    let calm = Arc::new(teller().undisturbed(&CREATE_PUBLISHED)?);
    each_request(&CREATE_PUBLISHED, &calm, 2, |it| it.is_about(&own))
}

#[test]
fn of_each_request_of_a_closing() -> Result<()> {
    let calm = Arc::new(teller().undisturbed(&CLOSING)?);
    each_request(&CLOSING, &calm, 2, |_| true)
}

#[test]
fn of_each_request_of_a_deletion() -> Result<()> {
    let calm = Arc::new(teller().undisturbed(&DELETE_PUBLISHED)?);
    each_request(&DELETE_PUBLISHED, &calm, 2, |_| true)
}

#[test]
fn of_each_request_of_a_retention() -> Result<()> {
    let calm = Arc::new(teller().undisturbed(&RETAIN_PUBLISHED)?);
    each_request(&RETAIN_PUBLISHED, &calm, 2, |_| true)
}

/// Fails each request of `story` that is told, in each way.
fn each_request(
    story: &'static Story,
    calm: &Arc<Account>,
    choice: usize,
    is_told: impl Fn(&Point) -> bool,
) -> Result<()> {
    let points = Point::all(calm.sent.iter().filter(|it| it.verb != Verb::Watch));
    let each = |point: Point| faults().map(move |it| Trouble::Request(point.clone(), it));
    let troubles: Vec<Trouble> = points.into_iter().filter(is_told).flat_map(each).collect();
    let sweep = Sweep { sweep: "fault", story: story.name, choice, allowance: 0, met: RECURRING };
    over(&sweep, (&teller(), story), calm, &troubles)
}

#[test]
fn of_each_watch() -> Result<()> {
    let calm = rollout()?;
    let kinds = [
        "seinodedeployments",
        "seinodes",
        "statefulsets",
        "pods",
        "services",
        "persistentvolumeclaims",
        "configmaps",
        "httproutes",
    ];
    let taps = [Tap::Cut, Tap::Stall, Tap::Expire];
    let each = |kind: &'static str| {
        taps.map(|tap| Trouble::Watch(kind, tap)).into_iter().chain([Trouble::Expired(kind)])
    };
    let troubles: Vec<Trouble> = kinds.into_iter().flat_map(each).collect();
    let sweep = Sweep { sweep: "watch", story: ROLLOUT.name, choice: 4, allowance: 0, met: 100 };
    over(&sweep, (&teller(), &ROLLOUT), &calm, &troubles)
}

#[test]
fn of_the_api_server() -> Result<()> {
    let calm = rollout()?;
    let teller = Teller { own_server: true, ..teller() };
    let allowance = OUTAGE_ALLOWANCE;
    let sweep = Sweep { sweep: "restart", story: ROLLOUT.name, choice: 1, allowance, met: 100 };
    let restarts = [Moment::Plan, Moment::Set, Moment::Completion].map(Trouble::Restart);
    over(&sweep, (&teller, &ROLLOUT), &calm, &restarts)
}

/// The rollout without troubles; told once for all.
fn rollout() -> Result<Arc<Account>> {
    static CALM: Mutex<Option<Arc<Account>>> = Mutex::new(None);
    let mut known = CALM.lock().unwrap_or_else(PoisonError::into_inner);
    let calm = match known.take() {
        Some(calm) => calm,
        None => Arc::new(teller().undisturbed(&ROLLOUT)?),
    };
    *known = Some(Arc::clone(&calm));
    Ok(calm)
}

fn teller() -> Teller {
    Teller { controllers: impatient(), own_server: false }
}

fn faults() -> impl Iterator<Item = Fault> {
    let refusals = [409, 429, 500].map(Fault::Status).into_iter();
    refusals.chain([Fault::ResetBefore, Fault::ResetAfter, Fault::Hang, Fault::HangAfter])
}

fn impatient() -> ControllersFn {
    let limits = Limits {
        request_timeout: Duration::from_secs(3),
        watch_timeout: Duration::from_secs(2),
        watch_grace: Duration::from_millis(500),
        watch_backoff_first: Duration::from_millis(100),
        watch_backoff_max: Duration::from_secs(1),
        ..Limits::default()
    };
    start_function(move |inputs| {
        let limits = limits.clone();
        async { start_within(inputs, (Tempo::default(), limits), Platform::parse(&setting)?) }
    })
}

fn over(
    sweep: &Sweep,
    (teller, story): (&Teller, &'static Story),
    calm: &Arc<Account>,
    troubles: &[Trouble],
) -> Result<()> {
    let requests = calm.sent.iter().filter(|it| is_counted(it)).count();
    sweep.over((troubles, requests), |trouble| {
        let (calm, trouble) = (Arc::clone(calm), trouble.clone());
        let name = format!("{}: {trouble}", story.name);
        teller.run(&name, |env| disturbed(env, story, calm, trouble))
    })
}

async fn disturbed(
    env: Arc<TestEnv>,
    story: &'static Story,
    calm: Arc<Account>,
    trouble: Trouble,
) -> Result<(Verdict, bool)> {
    (story.before)(Arc::clone(&env)).await?;
    let mark = env.requests.mark();
    let deed = (story.deed)(Arc::clone(&env));
    let (victims, fault) = match &trouble {
        Trouble::Request(point, fault) => (point.request(), fault.clone()),
        Trouble::Restart(moment) => (moment.request(), Fault::Delay(Duration::ZERO)),
        Trouble::Watch(..) | Trouble::Expired(_) => {
            (Requests::writes(), Fault::Delay(Duration::ZERO))
        }
    };
    let first = env.requests.inject(victims, fault, 1);
    let mut lasting = None;
    let mut happening = pin!(async {
        first.met(1).await;
        match trouble {
            Trouble::Request(..) => {}
            Trouble::Watch(kind, tap) => ensure!(env.requests.tap(kind, tap) > 0, "no watch"),
            Trouble::Expired(kind) => {
                let starts = Requests::any().verb(Verb::Watch).resource(kind);
                lasting = Some(env.requests.inject(starts, Fault::Status(410), 2));
                env.requests.tap(kind, Tap::Cut);
            }
            Trouble::Restart(_) => env.restart_api_server().await?,
        }
        Ok(())
    });
    let mut met = false;
    let mut deed = pin!(deed);
    tokio::select! {
        done = &mut deed => done?,
        happened = &mut happening => {
            happened?;
            met = true;
            deed.await?;
        }
    }
    // What has begun is not given up: a restart takes longer.
    if !met && timeout(LATE, first.met(1)).await.is_ok() {
        happening.await?;
        met = true;
    }
    let verdict = judge(&env, &calm, mark, Leniency::None).await?;
    let listening = env.requests.since(mark).iter().filter(|it| !is_counted(it)).count();
    ensure!(listening <= LISTENING_MAX, "{listening} lists and watches");
    Ok((verdict, met))
}

impl Moment {
    fn request(self) -> Requests {
        let fleet = Requests::writes().resource("seinodedeployments");
        match self {
            Self::Plan => fleet,
            Self::Set => Requests::writes().resource("statefulsets"),
            Self::Completion => {
                fleet.that(|it| it.body.to_string().contains(r#""reason":"RolloutComplete""#))
            }
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(point, fault) => write!(f, "{fault:?} at {point}"),
            Self::Watch(kind, tap) => write!(f, "{tap:?} of the watches of {kind}"),
            Self::Expired(kind) => write!(f, "410 at new watches of {kind}"),
            Self::Restart(moment) => write!(f, "a restart of the API server at {moment:?}"),
        }
    }
}

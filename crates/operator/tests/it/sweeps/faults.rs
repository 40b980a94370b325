//! Each request of a rollout fails in each way, each watch breaks in each way, and the API server
//! is restarted.
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

use super::breadth::{Sweep, is_whole};
use super::is_counted;
use super::judge::{Leniency, Verdict, judge};
use super::point::Point;
use super::stories::{ROLLOUT, Story};
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
    /// The API server is restarted when the rollout has begun.
    Restart,
}

#[test]
fn of_each_request() -> Result<()> {
    let (teller, calm) = undisturbed()?;
    let points = Point::all(calm.sent.iter().filter(|it| it.verb != Verb::Watch));
    let each = |point: Point| faults().map(move |it| Trouble::Request(point.clone(), it));
    let troubles: Vec<Trouble> = points.into_iter().flat_map(each).collect();
    let sweep = Sweep { sweep: "fault", story: ROLLOUT.name, choice: 8, allowance: 0 };
    over(&sweep, (&teller, &ROLLOUT), &calm, &troubles)
}

#[test]
fn of_each_watch() -> Result<()> {
    let (teller, calm) = undisturbed()?;
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
    let sweep = Sweep { sweep: "watch", story: ROLLOUT.name, choice: 4, allowance: 0 };
    over(&sweep, (&teller, &ROLLOUT), &calm, &troubles)
}

#[test]
fn of_the_api_server() -> Result<()> {
    if !is_whole() {
        return Ok(());
    }
    let (_, calm) = undisturbed()?;
    let teller = Teller { controllers: impatient(), own_server: true };
    let allowance = OUTAGE_ALLOWANCE;
    let sweep = Sweep { sweep: "restart", story: ROLLOUT.name, choice: 1, allowance };
    over(&sweep, (&teller, &ROLLOUT), &calm, &[Trouble::Restart])
}

/// The rollout without troubles; told once for all.
fn undisturbed() -> Result<(Teller, Arc<Account>)> {
    static CALM: Mutex<Option<Arc<Account>>> = Mutex::new(None);
    let teller = Teller { controllers: impatient(), own_server: false };
    let mut known = CALM.lock().unwrap_or_else(PoisonError::into_inner);
    let calm = match known.take() {
        Some(calm) => calm,
        None => Arc::new(teller.undisturbed(&ROLLOUT)?),
    };
    *known = Some(Arc::clone(&calm));
    Ok((teller, calm))
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
        Trouble::Watch(..) | Trouble::Expired(_) | Trouble::Restart => {
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
            Trouble::Restart => env.restart_api_server().await?,
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
    if !met {
        met = match timeout(LATE, happening).await {
            Ok(happened) => happened.map(|()| true)?,
            Err(_) => false,
        };
    }
    let verdict = judge(&env, &calm, mark, Leniency::None).await?;
    let listening = env.requests.since(mark).iter().filter(|it| !is_counted(it)).count();
    ensure!(listening <= LISTENING_MAX, "{listening} lists and watches");
    Ok((verdict, met))
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(point, fault) => write!(f, "{fault:?} at {point}"),
            Self::Watch(kind, tap) => write!(f, "{tap:?} of the watches of {kind}"),
            Self::Expired(kind) => write!(f, "410 at new watches of {kind}"),
            Self::Restart => f.write_str("a restart of the API server"),
        }
    }
}

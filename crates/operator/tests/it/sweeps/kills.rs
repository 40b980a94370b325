//! The operator is killed before and after each of its writes, and another one goes on.

use std::fmt;
use std::sync::Arc;

use anyhow::Result;
use sei_harness::request_log::{Fault, FaultHandle};
use sei_harness::suite::TestEnv;
use tokio::time::timeout;

use super::breadth::{Sweep, is_whole};
use super::is_counted;
use super::judge::{Leniency, Verdict, judge};
use super::point::{Point, RECURRING};
use super::process::shipped;
use super::stories::{
    CLOSING, CREATE, CREATE_PUBLISHED, DELETE, DELETE_PUBLISHED, RETAIN, RETAIN_PUBLISHED,
    ROLLBACK, ROLLBACK_PUBLISHED, ROLLOUT, ROLLOUT_PUBLISHED, SCALE_DOWN, SCALE_DOWN_PUBLISHED,
    SET_BACK, SET_BACK_PUBLISHED, SUPERSESSION, SUPERSESSION_PUBLISHED, Story,
};
use super::telling::{Account, LATE, Teller};

/// When the operator dies.
#[derive(Clone, Copy)]
enum Death {
    /// Before the API server sees the request.
    Before,
    /// After the API server did it, before the operator hears of it.
    After,
}

/// A death at a point.
struct Kill {
    death: Death,
    point: Point,
}

#[test]
fn of_a_creation() -> Result<()> {
    whole(&CREATE)?;
    sweep(&CREATE_PUBLISHED, 2)
}

#[test]
fn of_a_rollout() -> Result<()> {
    sweep(&ROLLOUT, 4)?;
    sweep(&ROLLOUT_PUBLISHED, 1)
}

#[test]
fn of_a_supersession() -> Result<()> {
    whole(&SUPERSESSION)?;
    sweep(&SUPERSESSION_PUBLISHED, 3)
}

#[test]
fn of_a_way_back() -> Result<()> {
    whole(&SET_BACK)?;
    sweep(&SET_BACK_PUBLISHED, 1)?;
    whole(&ROLLBACK)?;
    sweep(&ROLLBACK_PUBLISHED, 2)
}

#[test]
fn of_a_scale_down() -> Result<()> {
    whole(&SCALE_DOWN)?;
    sweep(&SCALE_DOWN_PUBLISHED, 2)
}

#[test]
fn of_a_deletion() -> Result<()> {
    whole(&DELETE)?;
    sweep(&DELETE_PUBLISHED, 2)
}

#[test]
fn of_a_retention() -> Result<()> {
    whole(&RETAIN)?;
    sweep(&RETAIN_PUBLISHED, 2)
}

#[test]
fn of_a_closing() -> Result<()> {
    sweep(&CLOSING, 2)
}

/// Of a story that its sister with doors, of which the tests alone take some cases, says again.
fn whole(story: &'static Story) -> Result<()> {
    if is_whole() { sweep(story, 0) } else { Ok(()) }
}

/// The tests alone take `choice` cases of it.
fn sweep(story: &'static Story, choice: usize) -> Result<()> {
    let teller = Teller { controllers: shipped(), own_server: false };
    let calm = Arc::new(teller.undisturbed(story)?);
    let writes = Point::all(calm.sent.iter().filter(|it| it.verb.is_write()));
    let deaths = |point: Point| {
        [Death::Before, Death::After].map(|death| Kill { death, point: point.clone() })
    };
    let kills: Vec<Kill> = writes.into_iter().flat_map(deaths).collect();
    let requests = calm.sent.iter().filter(|it| is_counted(it)).count();
    let sweep = Sweep { sweep: "kill", story: story.name, choice, allowance: 0, met: RECURRING };
    sweep.over((&kills, requests), |kill| disturbed(&teller, story, &calm, kill))
}

fn disturbed(
    teller: &Teller,
    story: &'static Story,
    calm: &Arc<Account>,
    kill: &Kill,
) -> Result<(Verdict, bool)> {
    let name = format!("{}: {kill}", story.name);
    let (calm, point, death) = (Arc::clone(calm), kill.point.clone(), kill.death);
    teller.run(&name, |env| async move {
        (story.before)(Arc::clone(&env)).await?;
        let mark = env.requests.mark();
        let fault = match death {
            Death::Before => Fault::Hang,
            Death::After => Fault::HangAfter,
        };
        let fault = env.requests.inject(point.request(), fault, 1);
        let mut succession = tokio::spawn(succession(Arc::clone(&env), fault));
        (story.deed)(Arc::clone(&env)).await?;
        let met = match timeout(LATE, &mut succession).await {
            Ok(succeeded) => succeeded?.map(|()| true)?,
            Err(_) => {
                succession.abort();
                false
            }
        };
        Ok((judge(&env, &calm, mark, Leniency::Untold).await?, met))
    })
}

/// Kills the operator at its fatal request, and starts another.
async fn succession(env: Arc<TestEnv>, fault: FaultHandle) -> Result<()> {
    fault.met(1).await;
    env.kill_controllers().await;
    drop(fault);
    env.start_controllers().await
}

impl fmt::Display for Kill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let when = match self.death {
            Death::Before => "before",
            Death::After => "after",
        };
        write!(f, "killed {when} {}", self.point)
    }
}

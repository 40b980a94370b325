//! The end of the process: the first signal asks everything to finish, the second does not ask.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Exit code after a second signal, as a shell reports an interrupted program.
const INTERRUPTED: i32 = 130;

/// A token that SIGTERM or SIGINT cancels. The second of these signals ends the process at once.
///
/// # Errors
///
/// The signals cannot be caught.
pub fn on_signal() -> io::Result<CancellationToken> {
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let shutdown = CancellationToken::new();
    let token = shutdown.clone();
    tokio::spawn(async move {
        let name = either(&mut term, &mut int).await;
        tracing::info!(signal = name, "leaving; a second signal aborts");
        token.cancel();
        let name = either(&mut term, &mut int).await;
        tracing::warn!(signal = name, "aborting");
        std::process::exit(INTERRUPTED);
    });
    Ok(shutdown)
}

async fn either(term: &mut Signal, int: &mut Signal) -> &'static str {
    tokio::select! {
        _ = term.recv() => "SIGTERM",
        _ = int.recv() => "SIGINT",
    }
}

/// Runs `work` to its end, but for no longer than `grace` after `shutdown`: then it is dropped
/// where it stands, and the answer is `None`.
pub async fn within<W: Future>(
    grace: Duration,
    shutdown: &CancellationToken,
    work: W,
) -> Option<W::Output> {
    let out_of_time = async {
        shutdown.cancelled().await;
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        biased;
        ended = work => Some(ended),
        () = out_of_time => {
            tracing::warn!(?grace, "not everything has finished in time");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn work_has_its_grace_and_no_more() {
        let grace = Duration::from_secs(5);
        for (needs, expected) in [(4, Some(())), (6, None)] {
            let shutdown = CancellationToken::new();
            let token = shutdown.clone();
            let work = async move {
                token.cancelled().await;
                tokio::time::sleep(Duration::from_secs(needs)).await;
            };
            shutdown.cancel();
            assert_eq!(within(grace, &shutdown, work).await, expected, "{needs} s");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_signal_work_takes_as_long_as_it_takes() {
        let work = tokio::time::sleep(Duration::from_secs(3600));
        let shutdown = CancellationToken::new();
        assert_eq!(within(Duration::from_secs(5), &shutdown, work).await, Some(()));
    }
}

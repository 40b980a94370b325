//! What a process has used, from the process table.

use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;

/// Ticks per second of the process table: Linux tells every program 100, whatever its own clock.
const TICKS_PER_SECOND: u64 = 100;

/// CPU time of a process since its start, user and system, to 10 ms.
pub fn cpu(pid: u32) -> Result<Duration> {
    let stat = read(pid, "stat")?;
    let ticks = ticks(&stat).context("the process table has no CPU times")?;
    Ok(Duration::from_millis(ticks * (1000 / TICKS_PER_SECOND)))
}

/// Resident memory of a process, in MB of 10⁶ bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Memory {
    /// All of it; part of that are pages of the program's file.
    pub rss_mb: f64,
    /// What it has allocated itself.
    pub own_mb: f64,
    /// The most it ever had.
    pub peak_mb: f64,
}

/// Resident memory of a process.
pub fn memory(pid: u32) -> Result<Memory> {
    let status = read(pid, "status")?;
    let mb = |field| kilobytes(&status, field).map(|it| it as f64 * 1024. / 1e6);
    let all = mb("VmRSS").zip(mb("RssAnon")).zip(mb("VmHWM"));
    let ((rss_mb, own_mb), peak_mb) = all.context("the process table has no memory figures")?;
    Ok(Memory { rss_mb, own_mb, peak_mb })
}

fn read(pid: u32, file: &str) -> Result<String> {
    let path = format!("/proc/{pid}/{file}");
    std::fs::read_to_string(&path).with_context(|| format!("read \"{path}\""))
}

/// User and system ticks: fields 14 and 15, counted after the name, which may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn kilobytes(status: &str, field: &str) -> Option<u64> {
    let line = status.lines().find(|line| line.split(':').next() == Some(field))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_behind_any_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194304 9 0 0 0 250 50 3 4 20 0 5 0 99 0";
        assert_eq!(ticks(stat), Some(300));
        let status = "Name:\tx\nVmHWM:\t    9 kB\nVmRSS:\t   2000 kB\n";
        assert_eq!(kilobytes(status, "VmRSS"), Some(2000));
        assert_eq!(kilobytes(status, "RssAnon"), None);
    }

    #[test]
    fn our_own_process_is_in_the_table() {
        let pid = std::process::id();
        assert!(cpu(pid).is_ok());
        assert!(memory(pid).is_ok_and(|it| it.rss_mb > 0. && it.peak_mb >= it.own_mb));
    }
}

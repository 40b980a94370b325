//! Several pieces of work at once, told in order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use anyhow::Result;

/// Does `work` for every number below `count`, `jobs` at a time, and hands each result to `told`,
/// in the order of the numbers and as soon as all before it are known.
///
/// # Errors
/// The first piece of work that fails; what was begun is ended, nothing else is begun.
pub fn run<T: Send>(
    (count, jobs): (usize, usize),
    work: impl Fn(usize) -> Result<T> + Sync,
    mut told: impl FnMut(T),
) -> Result<()> {
    let next = AtomicUsize::new(0);
    let (send, receive) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, count.max(1)) {
            let (send, next, work) = (send.clone(), &next, &work);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    // Nobody listens any more once a piece has failed.
                    if index >= count || send.send((index, work(index))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        let mut early = BTreeMap::new();
        let mut expected = 0;
        for (index, result) in receive {
            early.insert(index, result?);
            while let Some(result) = early.remove(&expected) {
                told(result);
                expected += 1;
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    //! Order holds, failures come out.

    use super::*;

    #[test]
    fn results_come_in_order() {
        let mut told = Vec::new();
        run((50, 4), |index| Ok(index * 2), |it| told.push(it)).unwrap();
        assert!(told.iter().copied().eq((0..50).map(|it| it * 2)), "{told:?}");
        run((0, 4), |_| Ok(()), |()| {}).unwrap();
    }

    #[test]
    fn failure_ends_it() {
        let work = |index| if index == 3 { Err(anyhow::anyhow!("three")) } else { Ok(()) };
        assert_eq!(run((1000, 2), work, |()| {}).unwrap_err().to_string(), "three");
    }
}

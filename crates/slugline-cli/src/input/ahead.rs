//! Reading ahead.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::batch::Batch;
use crate::failure::Failure;

/// Where rows come from.
pub(crate) trait Source: Send + 'static {
    /// Adds the rows that come next, at least one, to a batch that is empty, waiting for no more than
    /// the first of them. `false` after the last one; on failure the batch holds those before it.
    fn fill(&mut self, batch: &mut Batch) -> Result<bool, Failure>;
}

/// Most rows answered together.
const MOST_ROWS: usize = 4096;
/// Most bytes of texts answered together, unless one row has more.
const MOST_BYTES: usize = 2 << 20;

#[derive(Default)]
struct Shared {
    ready: Mutex<Ready>,
    changed: Condvar,
}

#[derive(Default)]
struct Ready {
    batch: Batch,
    end: Option<Result<(), Failure>>,
    /// Nobody is there to take more.
    left: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Ready> {
        // Nothing that holds the lock can leave what it guards in pieces.
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, guard: MutexGuard<'a, Ready>) -> MutexGuard<'a, Ready> {
        self.changed.wait(guard).unwrap_or_else(PoisonError::into_inner)
    }
}

/// Batches of rows that are read on a thread of its own, while those before them are answered.
pub(crate) struct ReadAhead(Arc<Shared>);

impl ReadAhead {
    /// Begins to read. The thread is left behind by a run that ends early, since its input may be a long
    /// time coming.
    pub(crate) fn start(mut source: impl Source) -> Self {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        thread::spawn(move || {
            loop {
                let mut batch = Batch::default();
                let more = source.fill(&mut batch);
                let mut ready = theirs.lock();
                while ready.batch.len() >= MOST_ROWS || ready.batch.text_bytes() >= MOST_BYTES {
                    if ready.left {
                        return;
                    }
                    ready = theirs.wait(ready);
                }
                ready.batch.append(batch);
                match more {
                    Ok(true) => {}
                    Ok(false) => ready.end = Some(Ok(())),
                    Err(failure) => ready.end = Some(Err(failure)),
                }
                let over = ready.end.is_some() || ready.left;
                drop(ready);
                theirs.changed.notify_one();
                if over {
                    return;
                }
            }
        });
        Self(shared)
    }
}

impl Drop for ReadAhead {
    fn drop(&mut self) {
        self.0.lock().left = true;
        self.0.changed.notify_one();
    }
}

impl Iterator for ReadAhead {
    type Item = (Batch, Result<(), Failure>);

    /// The rows that are here, waiting for one; with the last of them, why there are no more.
    fn next(&mut self) -> Option<Self::Item> {
        let mut ready = self.0.lock();
        if ready.left {
            return None;
        }
        while ready.batch.len() == 0 && ready.end.is_none() {
            ready = self.0.wait(ready);
        }
        let batch = std::mem::take(&mut ready.batch);
        let end = ready.end.take();
        ready.left = end.is_some();
        drop(ready);
        self.0.changed.notify_one();
        Some((batch, end.unwrap_or(Ok(()))))
    }
}

#[cfg(test)]
mod tests {
    use super::super::batch::Item;
    use super::*;

    struct Numbers(u32, u32);

    impl Source for Numbers {
        fn fill(&mut self, batch: &mut Batch) -> Result<bool, Failure> {
            if self.0 == self.1 {
                return Err(Failure::Other("broken".into()));
            }
            batch.push(&self.0.to_string(), None);
            self.0 += 1;
            Ok(true)
        }
    }

    #[test]
    fn rows_come_in_order_before_what_ends_them() {
        let mut seen = Vec::new();
        let mut ends = Vec::new();
        for (batch, end) in ReadAhead::start(Numbers(0, 20_000)) {
            assert!(batch.len() <= MOST_ROWS);
            seen.extend(batch.items().into_iter().map(|item| match item {
                Item::Text(text, None) => text.parse::<u32>().unwrap(),
                _ => panic!(),
            }));
            ends.push(end);
        }
        assert_eq!(seen, (0..20_000).collect::<Vec<_>>());
        assert!(ends.pop().unwrap().is_err() && ends.iter().all(Result::is_ok));
    }

    #[test]
    fn a_run_that_ends_early_does_not_wait() {
        let mut ahead = ReadAhead::start(Numbers(0, u32::MAX));
        assert!(ahead.next().is_some());
    }
}

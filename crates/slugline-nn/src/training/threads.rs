//! How many threads work.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use crate::NnError;

/// Most threads that [`with_threads`] starts: far above what any step can use, and far below what
/// brings a machine to its knees.
pub const MAX_THREADS: usize = 1024;

/// Runs `work` on a pool of `threads` threads, or, for 0, on the current pool (by default one thread
/// a core). The result does not depend on the number.
///
/// # Errors
/// [`NnError::Threads`] for more than [`MAX_THREADS`], or if the system refuses the threads.
///
/// ```
/// let sum: u32 = slugline_nn::with_threads(2, || (1..=4).sum())?;
/// assert_eq!(sum, 10);
/// # Ok::<(), slugline_nn::NnError>(())
/// ```
pub fn with_threads<R: Send>(
    threads: usize,
    work: impl FnOnce() -> R + Send,
) -> Result<R, NnError> {
    if threads == 0 {
        // A scope moves the work onto one of the pool's own threads, where handing out parts of it
        // costs least.
        return Ok(rayon::scope(|_| work()));
    }
    if threads > MAX_THREADS {
        return Err(NnError::Threads {
            threads,
            reason: format!("at most {MAX_THREADS} are allowed"),
        });
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|e| NnError::Threads { threads, reason: e.to_string() })?;
    Ok(pool.install(work))
}

/// Tasks for the threads of the current pool.
#[derive(Debug)]
pub(crate) struct Tasks<T> {
    /// The tasks that each thread begins with, by its number in the pool.
    queues: Vec<Vec<T>>,
    groups: usize,
}

impl<T: Send> Tasks<T> {
    /// No tasks yet; `groups` share the threads.
    pub(crate) fn new(groups: usize) -> Self {
        let queues = (0..rayon::current_num_threads()).map(|_| Vec::new()).collect();
        Self { queues, groups }
    }

    /// Adds the task with this number within its group for one of the group's threads: the same one
    /// every time, so that what the task touches is in that thread's cache from the last time.
    pub(crate) fn push(&mut self, group: usize, number: usize, task: T) {
        let (threads, groups) = (self.queues.len(), self.groups);
        let group = group % groups;
        // Threads `group`, `group + groups`, … belong to the group.
        let members = (threads - group.min(threads - 1)).div_ceil(groups);
        self.queues[(group + number % members * groups) % threads].push(task);
    }

    /// Does `work` for every task.
    ///
    /// A thread that has emptied its own queue helps with the other ones, from their ends, so that a
    /// slow thread holds nobody up; then it waits for the last task wide awake, since what follows
    /// comes within microseconds.
    pub(crate) fn run(self, work: impl Fn(T) + Sync) {
        let count = self.queues.len();
        if count == 1 {
            return self.queues.into_iter().flatten().for_each(work);
        }
        let left = AtomicUsize::new(self.queues.iter().map(Vec::len).sum());
        let queues: Vec<_> = self.queues.into_iter().map(|q| Mutex::new(q.into_iter())).collect();
        let take = |queue: usize, own: bool| {
            // A task that panics has left its queue before; the pool passes the panic on.
            let mut queue = queues[queue].lock().unwrap_or_else(PoisonError::into_inner);
            if own { queue.next() } else { queue.next_back() }
        };
        (0..count).into_par_iter().with_max_len(1).for_each(|_| {
            let own = rayon::current_thread_index().unwrap_or(0) % count;
            for other in 0..count {
                while let Some(task) = take((own + other) % count, other == 0) {
                    let _done = CountDown(&left);
                    work(task);
                }
            }
            let mut waited = 0;
            while left.load(Ordering::Acquire) > 0 {
                // Where threads outnumber the cores, the one waited for may be waiting for this one.
                if waited < SPINS {
                    waited += 1;
                    std::hint::spin_loop();
                } else {
                    std::thread::yield_now();
                }
            }
        });
    }
}

/// Turns of waiting before a thread lets others run: some hundred microseconds.
const SPINS: u32 = 4096;

/// Counts a task as done, also if it panics.
struct CountDown<'a>(&'a AtomicUsize);

impl Drop for CountDown<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_is_done_once_whatever_the_queues() {
        for threads in [1, 2, 5] {
            for groups in [1, 2, 3, 7] {
                let done: Vec<AtomicUsize> = (0..50).map(|_| AtomicUsize::new(0)).collect();
                with_threads(threads, || {
                    let mut tasks = Tasks::new(groups);
                    (0..50).for_each(|task| tasks.push(task % 7, task * task, task));
                    tasks.run(|task| {
                        done[task].fetch_add(1, Ordering::Relaxed);
                    });
                })
                .unwrap();
                assert!(done.iter().all(|d| d.load(Ordering::Relaxed) == 1));
            }
        }
    }

    #[test]
    fn a_thread_that_is_busy_elsewhere_holds_nobody_up() {
        let finished = AtomicUsize::new(0);
        with_threads(2, || {
            rayon::join(
                || {
                    let mut tasks = Tasks::new(2);
                    (0..8).for_each(|i| tasks.push(i % 2, i, i));
                    tasks.run(|_| {
                        finished.fetch_add(1, Ordering::Relaxed);
                    });
                },
                || {
                    while finished.load(Ordering::Relaxed) < 8 {
                        std::thread::yield_now();
                    }
                },
            );
        })
        .unwrap();
        assert_eq!(finished.into_inner(), 8);
    }

    #[test]
    fn an_absurd_number_of_threads_is_refused() {
        let error = with_threads(MAX_THREADS + 1, || ()).unwrap_err().to_string();
        assert_eq!(error, "cannot start 1025 worker threads: at most 1024 are allowed");
    }
}

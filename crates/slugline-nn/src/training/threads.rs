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

/// Does `work` for every task on the threads of the current pool.
///
/// `queues` holds the tasks that each thread begins with, by its number in the pool: what they touch
/// is then in that thread's cache from the last time. A thread that has emptied its own queue helps
/// with the other ones, from their ends, so that a slow thread holds nobody up; then it waits for the
/// last task wide awake, since what follows comes within microseconds.
pub(crate) fn run_tasks<T: Send>(queues: Vec<Vec<T>>, work: impl Fn(T) + Sync) {
    let count = queues.len();
    if count == 1 {
        return queues.into_iter().flatten().for_each(work);
    }
    let left = AtomicUsize::new(queues.iter().map(Vec::len).sum());
    let queues: Vec<_> = queues.into_iter().map(|q| Mutex::new(q.into_iter())).collect();
    let take = |queue: usize, own: bool| {
        // A task that panics has left its queue before; the panic itself is passed on by the pool.
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
                std::hint::spin_loop();
            } else {
                std::thread::yield_now();
            }
            waited += 1;
        }
    });
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
            for count in [1, 2, 7] {
                let done: Vec<AtomicUsize> = (0..50).map(|_| AtomicUsize::new(0)).collect();
                let mut queues = vec![Vec::new(); count];
                for task in 0..50 {
                    queues[task * task % count].push(task);
                }
                with_threads(threads, || {
                    run_tasks(queues, |task: usize| {
                        done[task].fetch_add(1, Ordering::Relaxed);
                    });
                })
                .unwrap();
                assert!(done.iter().all(|d| d.load(Ordering::Relaxed) == 1));
            }
        }
    }

    #[test]
    fn an_absurd_number_of_threads_is_refused() {
        let error = with_threads(MAX_THREADS + 1, || ()).unwrap_err().to_string();
        assert_eq!(error, "cannot start 1025 worker threads: at most 1024 are allowed");
    }
}

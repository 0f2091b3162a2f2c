//! How many threads work.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absurd_number_of_threads_is_refused() {
        let error = with_threads(MAX_THREADS + 1, || ()).unwrap_err().to_string();
        assert_eq!(error, "cannot start 1025 worker threads: at most 1024 are allowed");
    }
}

//! How many threads work.

use crate::NnError;

/// Runs `work` on a pool of `threads` threads, or, for 0, on the current pool (by default one thread
/// a core). The result does not depend on the number.
///
/// # Errors
/// [`NnError::Threads`] if the system refuses the threads.
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
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|e| NnError::Threads { threads, reason: e.to_string() })?;
    Ok(pool.install(work))
}

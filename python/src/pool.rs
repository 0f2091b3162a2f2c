//! The threads that work.
//!
//! A process that is forked has none of its parent's threads, so that a pool which its parent made would
//! wait for ever. It gets a new one.

use std::process;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use slugline::nn::with_threads;

use crate::errors::network_error;

/// A pool of one thread a core, and the process that has its threads.
struct Pool {
    process: u32,
    threads: ThreadPool,
}

static POOL: AtomicPtr<Pool> = AtomicPtr::new(ptr::null_mut());

/// The pool of this process.
#[allow(unsafe_code)]
fn pool() -> PyResult<&'static ThreadPool> {
    // SAFETY: what the pointer holds is null or a leaked box, which nothing takes back.
    let current = |pointer: *mut Pool| unsafe { pointer.as_ref() };
    let here = process::id();
    let known = POOL.load(Ordering::Acquire);
    if let Some(pool) = current(known).filter(|pool| pool.process == here) {
        return Ok(&pool.threads);
    }
    let threads = ThreadPoolBuilder::new()
        .thread_name(|number| format!("slugline-{number}"))
        .build()
        .map_err(|e| PyRuntimeError::new_err(format!("cannot start threads: {e}")))?;
    let made = Box::into_raw(Box::new(Pool { process: here, threads }));
    // Of two threads that get here together, the pool of the first stays; the other's is used once.
    let _ = POOL.compare_exchange(known, made, Ordering::AcqRel, Ordering::Acquire);
    current(made)
        .map(|pool| &pool.threads)
        .ok_or_else(|| PyRuntimeError::new_err("cannot start threads"))
}

/// Does work on so many threads, 0 for one a core, without the interpreter's lock.
pub(crate) fn work<R: Send>(
    py: Python<'_>,
    threads: usize,
    work: impl FnOnce() -> R + Send,
) -> PyResult<R> {
    py.detach(|| on(threads, work))
}

/// Does work on so many threads, 0 for one a core.
pub(crate) fn on<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> PyResult<R> {
    match threads {
        0 => Ok(pool()?.install(work)),
        _ => with_threads(threads, work).map_err(|e| network_error(&e)),
    }
}

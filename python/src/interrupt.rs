//! Long work that Ctrl-C ends, and that tells the thread that called it how far it has come.
//!
//! Python runs the handlers of signals on its main thread alone, and users expect their callbacks on the
//! thread that they called `fit` on. So the work runs on a thread of its own, and the calling thread
//! listens, holding the interpreter's lock only while it has something to say.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// How long a signal may wait.
const PATIENCE: Duration = Duration::from_millis(50);

/// The working side of a wire: sends events, and asks whether to stop.
pub(crate) struct Wire<'a, E> {
    events: Sender<E>,
    stop: &'a AtomicBool,
}

impl<E> Clone for Wire<'_, E> {
    fn clone(&self) -> Self {
        Self { events: self.events.clone(), stop: self.stop }
    }
}

impl<E> Wire<'_, E> {
    /// Tells the calling thread something.
    pub(crate) fn send(&self, event: E) {
        // Nobody listens after an error, and the work is about to stop then.
        let _ = self.events.send(event);
    }

    /// Whether the work is to end.
    pub(crate) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Does `work` on a thread of its own while the calling one handles its events, and signals.
///
/// An error of `handle`, or an exception that a signal raises, stops the work and is the result.
pub(crate) fn interruptible<E: Send, R: Send>(
    py: Python<'_>,
    work: impl FnOnce(Wire<'_, E>) -> R + Send,
    mut handle: impl FnMut(Python<'_>, E) -> PyResult<()> + Send,
) -> PyResult<R> {
    let stop = AtomicBool::new(false);
    let (events, told) = channel();
    let (result, error) = py.detach(|| {
        thread::scope(|scope| {
            let wire = Wire { events, stop: &stop };
            let worker = thread::Builder::new()
                .name("slugline-fit".into())
                .spawn_scoped(scope, move || work(wire));
            match worker {
                Ok(worker) => {
                    let error = listen(&told, &stop, &mut handle).err();
                    // An event that waits for an answer is not to wait for ever.
                    drop(told);
                    (worker.join().ok(), error)
                }
                Err(e) => {
                    let message = format!("cannot start a thread: {e}");
                    (None, Some(PyRuntimeError::new_err(message)))
                }
            }
        })
    });
    match (result, error) {
        (_, Some(error)) => Err(error),
        (Some(result), None) => Ok(result),
        (None, None) => {
            Err(PyRuntimeError::new_err("the work ended with a panic; please report it"))
        }
    }
}

fn listen<E>(
    told: &Receiver<E>,
    stop: &AtomicBool,
    handle: &mut impl FnMut(Python<'_>, E) -> PyResult<()>,
) -> PyResult<()> {
    loop {
        let result = match told.recv_timeout(PATIENCE) {
            Ok(event) => Python::attach(|py| signals(py).and_then(|()| handle(py, event))),
            Err(RecvTimeoutError::Timeout) => Python::attach(signals),
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        };
        if let Err(error) = result {
            stop.store(true, Ordering::Relaxed);
            return Err(error);
        }
    }
}

/// Runs the handlers of signals that have come.
fn signals(py: Python<'_>) -> PyResult<()> {
    py.check_signals()
}

//! From options to the end of the process.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Builder;

use crate::connection::{Drained, serve};
use crate::error::ServeError;
use crate::options::Options;
use crate::service::Service;

/// Open files beside connections: models, the log, the database.
const OTHER_FILES: u64 = 64;

/// How long the end waits for computations whose answers nobody takes.
const LAST_COMPUTATIONS: Duration = Duration::from_millis(500);

/// Serves until the process is told to end (by SIGTERM, SIGINT or Ctrl-C), then answers what is under
/// way. SIGHUP loads all models anew.
///
/// # Errors
/// [`ServeError`] where the service cannot begin, and [`ServeError::CutOff`] where requests were cut off
/// at the end.
pub fn run(options: &Options) -> Result<(), ServeError> {
    let service = Arc::new(Service::new(options.clone())?);
    raise_file_limit(options.limits.max_connections);
    let runtime =
        Builder::new_multi_thread().worker_threads(options.thread_count()).enable_all().build()?;
    let (tell, told) = channel();
    let loader = std::thread::Builder::new().name("loader".to_owned()).spawn({
        let service = Arc::clone(&service);
        move || load_anew(&service, &told)
    })?;
    let drained = runtime.block_on(serve_until_told(&service, tell));
    // Tasks let go of the service, so that the database of corrections is closed: all of it is then in
    // one file. What still computes for a client that is gone is not waited for any longer.
    runtime.shutdown_timeout(LAST_COMPUTATIONS);
    // Its panics are caught where they come about.
    let _ = loader.join();
    let Drained { cut_off } = drained?;
    match cut_off {
        0 => Ok(()),
        connections => {
            let seconds = options.timeouts.drain.as_secs_f64();
            Err(ServeError::CutOff { connections, seconds })
        }
    }
}

async fn serve_until_told(service: &Arc<Service>, tell: Sender<()>) -> Result<Drained, ServeError> {
    let address = service.options().listen;
    let refused = |source| ServeError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let bound = listener.local_addr().map_err(refused)?;
    let end = told_to_end()?;
    reload_when_told(tell.clone())?;
    for slot in service.models.slots() {
        let (model, file, checksum) = (slot.name(), slot.path().display(), &slot.model().checksum);
        tracing::info!(model, %file, checksum, "serving");
    }
    let reach = match bound.ip().is_loopback() {
        true => "this machine alone can reach it; --listen 0.0.0.0:PORT opens it to others",
        false if service.options().api_keys.is_empty() => {
            "other machines can reach it, and no key is asked for"
        }
        false => "other machines can reach it",
    };
    tracing::info!("listening on http://{bound} ({reach})");
    let drained = serve(listener, Arc::clone(service), end).await;
    tracing::info!(cut_off = drained.cut_off, "ended");
    // Until here it can be told, also where no signal does.
    drop(tell);
    Ok(drained)
}

/// Takes as many open files as connections need, as far as the system allows.
fn raise_file_limit(connections: usize) {
    let wanted = connections as u64 + OTHER_FILES;
    match rlimit::increase_nofile_limit(wanted) {
        Ok(limit) if limit < wanted => tracing::warn!(
            limit,
            wanted,
            "the limit of open files is below --max-connections: raise it (ulimit -n, LimitNOFILE)"
        ),
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "the limit of open files cannot be raised"),
    }
}

#[cfg(unix)]
fn told_to_end() -> Result<impl Future<Output = ()>, ServeError> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        // The second time the process ends at once.
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            std::process::exit(ENDED_AT_ONCE);
        });
    })
}

/// Exit code of a service that was told twice to end, as shells have it for SIGINT.
#[cfg(unix)]
const ENDED_AT_ONCE: i32 = 130;

#[cfg(not(unix))]
fn told_to_end() -> Result<impl Future<Output = ()>, ServeError> {
    Ok(async {
        // Where there is no handler, the process just ends.
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// Sends word to load all models anew whenever SIGHUP comes.
#[cfg(unix)]
fn reload_when_told(told: Sender<()>) -> Result<(), ServeError> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move { while hangup.recv().await.is_some() && told.send(()).is_ok() {} });
    Ok(())
}

#[cfg(not(unix))]
fn reload_when_told(_: Sender<()>) -> Result<(), ServeError> {
    Ok(())
}

/// Loads models anew, when it is told to and when a file has changed, until nobody can tell it any more.
/// One thread does it all: what the allocator keeps for a thread that has loaded a model is kept once.
fn load_anew(service: &Service, told: &Receiver<()>) {
    let watch = service.options().watch.filter(|every| *every > Duration::ZERO);
    loop {
        let word = match watch {
            Some(every) => told.recv_timeout(every),
            None => told.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        // A panic is told by its hook, and the models stay.
        let _ = match word {
            Ok(()) => catch_unwind(AssertUnwindSafe(|| service.reload())),
            Err(RecvTimeoutError::Timeout) => {
                catch_unwind(AssertUnwindSafe(|| service.reload_changed()))
            }
            Err(RecvTimeoutError::Disconnected) => break,
        };
    }
}

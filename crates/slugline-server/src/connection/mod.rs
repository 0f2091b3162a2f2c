//! Sockets: how connections come, wait, and end.

mod timed;

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tower_service::Service as _;

use crate::around::Peer;
use crate::gate::Counted;
use crate::router::app;
use crate::service::Service;
use timed::{Phase, Timed};

/// How long open connections may still bring a request after the service was told to end, before idle
/// ones are closed: what was sent before the client could know is answered.
const LAST_REQUESTS: Duration = Duration::from_millis(500);

/// How long to wait where the system has no room for a connection.
const NO_ROOM: Duration = Duration::from_millis(100);

/// Connections that the system may have accepted before we have, and how long to look for one.
const BACKLOG: usize = 4096;
const AT_ONCE: Duration = Duration::from_millis(1);

/// Bytes that are read of a head, and at once of a body.
const READ_BUFFER: usize = 128 << 10;

/// What came of the open connections when the service ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Those that were cut off at the deadline.
    pub cut_off: usize,
}

/// Serves connections until `end`, then answers what is under way, within the time to drain.
pub async fn serve(
    listener: TcpListener,
    service: Arc<Service>,
    end: impl Future<Output = ()>,
) -> Drained {
    let router = app(&service);
    let room = Arc::new(Semaphore::new(
        service.options().limits.max_connections.clamp(1, Semaphore::MAX_PERMITS),
    ));
    let (close, closing) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut end = pin!(end);
    loop {
        let accepted = async {
            // Nothing closes it.
            let place = Arc::clone(&room).acquire_owned().await.ok();
            (place, listener.accept().await)
        };
        tokio::select! {
            () = &mut end => break,
            Some(_) = connections.join_next() => {}
            (place, accepted) = accepted => match accepted {
                Ok((stream, peer)) => {
                    let open = open(stream, peer, router.clone(), &service, closing.clone());
                    connections.spawn(holding(place, open));
                }
                // It is over for this client alone.
                Err(error) if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionAborted
                        | io::ErrorKind::ConnectionReset
                        | io::ErrorKind::Interrupted
                ) => {}
                Err(error) => {
                    tracing::warn!(%error, "a connection cannot be accepted");
                    sleep(NO_ROOM).await;
                }
            },
        }
    }
    service.stop();
    // Clients whose connections the system has accepted already believe that they are served.
    for _ in 0..BACKLOG {
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else { break };
        let Ok(Ok((stream, peer))) = timeout(AT_ONCE, listener.accept()).await else { break };
        let open = open(stream, peer, router.clone(), &service, closing.clone());
        connections.spawn(holding(Some(place), open));
    }
    drop(listener);
    let drain = service.options().timeouts.drain;
    let deadline = Instant::now() + drain;
    tracing::info!(open = connections.len(), seconds = drain.as_secs_f64(), "draining");
    let all_ended = async |connections: &mut JoinSet<()>| {
        while connections.join_next().await.is_some() {}
    };
    let patience = LAST_REQUESTS.min(drain / 2);
    if timeout(patience, all_ended(&mut connections)).await.is_err() {
        // Idle connections close at once, others after the answer under way.
        let _ = close.send(true);
        let _ = timeout_at(deadline, all_ended(&mut connections)).await;
    }
    let cut_off = connections.len();
    connections.shutdown().await;
    Drained { cut_off }
}

/// Keeps a place among the connections for as long as one is served.
async fn holding(place: Option<OwnedSemaphorePermit>, open: impl Future<Output = ()>) {
    let _place = place;
    open.await;
}

/// Serves one connection.
fn open(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    service: &Arc<Service>,
    mut closing: watch::Receiver<bool>,
) -> impl Future<Output = ()> + use<> {
    let counted = Counted::new(&service.metrics.connections);
    let timeouts = service.options().timeouts;
    async move {
        let _counted = counted;
        // Answers are small; what is held back to fill a packet only comes later.
        let _ = stream.set_nodelay(true);
        let phase = Phase::default();
        let timed = Timed::new(stream, phase.clone(), timeouts.header, timeouts.write);
        let answer = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            let (mut router, phase) = (router.clone(), phase.clone());
            phase.headers_are_there();
            async move {
                let response = router.call(request.map(Body::new)).await;
                phase.waits();
                Ok::<_, Infallible>(response.unwrap_or_else(|never| match never {}))
            }
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(timeouts.idle).max_buf_size(READ_BUFFER);
        let mut connection = pin!(http.serve_connection(TokioIo::new(timed), answer));
        let told = async { drop(closing.wait_for(|&closing| closing).await) };
        let ended = tokio::select! {
            ended = connection.as_mut() => Some(ended),
            () = told => None,
        };
        let ended = if let Some(ended) = ended {
            ended
        } else {
            connection.as_mut().graceful_shutdown();
            connection.await
        };
        if let Err(error) = ended {
            let slow = error.is_timeout() || is_timed_out(&error);
            tracing::debug!(client = %peer.ip(), %error, slow, "a connection ended early");
        }
    }
}

fn is_timed_out(error: &hyper::Error) -> bool {
    let source = std::error::Error::source(error).and_then(|e| e.downcast_ref::<io::Error>());
    source.is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
}

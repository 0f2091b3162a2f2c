//! A stream that ends where its client is too slow.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

/// What the connection does, as its stream and its requests both see it.
#[derive(Debug, Clone, Default)]
pub(super) struct Phase(Arc<AtomicBool>);

impl Phase {
    /// A request has come, and is read and answered by other rules.
    pub(super) fn headers_are_there(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// The next request may come.
    pub(super) fn waits(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    fn has_request(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A stream whose headers must be there so long after their first byte, and whose writes must go on.
///
/// How long a connection may be idle is not its matter.
pub(super) struct Timed {
    stream: TcpStream,
    phase: Phase,
    header: Duration,
    write: Duration,
    /// When headers must be there, once some of them are.
    headers_until: Option<Pin<Box<Sleep>>>,
    /// When a write that waits must have gone on.
    write_until: Option<Pin<Box<Sleep>>>,
    /// Whether headers have begun.
    begun: bool,
}

impl Timed {
    pub(super) fn new(stream: TcpStream, phase: Phase, header: Duration, write: Duration) -> Self {
        Self { stream, phase, header, write, headers_until: None, write_until: None, begun: false }
    }

    /// Ends what waits longer than the timer, which begins now if it has not.
    fn waits(
        timer: &mut Option<Pin<Box<Sleep>>>,
        patience: Duration,
        cx: &mut Context<'_>,
    ) -> io::Result<()> {
        let timer = timer.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + patience)));
        match timer.as_mut().poll(cx) {
            Poll::Pending => Ok(()),
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    fn written<T>(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if result.is_pending() {
            Self::waits(&mut self.write_until, self.write, cx)?;
        } else {
            self.write_until = None;
        }
        result
    }
}

impl AsyncRead for Timed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.phase.has_request() {
            this.begun = false;
            this.headers_until = None;
        }
        let before = buf.filled().len();
        let result = Pin::new(&mut this.stream).poll_read(cx, buf);
        if result.is_pending() {
            if this.begun && !this.phase.has_request() {
                Self::waits(&mut this.headers_until, this.header, cx)?;
            }
            return Poll::Pending;
        }
        ready!(result)?;
        if buf.filled().len() > before && !this.phase.has_request() {
            this.begun = true;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Timed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // An answer is on its way: what comes next are the headers of another request.
        self.begun = false;
        self.headers_until = None;
        let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.begun = false;
        self.headers_until = None;
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.written(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(cx);
        self.written(cx, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.written(cx, result)
    }
}

//! One file over HTTP: mirror after mirror, attempt after attempt, until its checksum is right.

use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use ureq::http::{HeaderMap, Response, header};
use ureq::{Agent, Body, Proxy};

use super::error::{FetchError, MirrorError, MirrorFailure};
use super::part::{BLOCK, PartFile};
use super::sources::DataFile;

/// How often a wait looks whether it should end.
pub(super) const POLL: Duration = Duration::from_millis(50);

/// How patient a download is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadOptions {
    /// Limit for finding and reaching a server, handshake included. Default 10 s.
    pub connect_timeout: Duration,
    /// Limit for a server's silence, before its answer and within it. The whole download may take
    /// any time. Default 30 s.
    pub idle_timeout: Duration,
    /// How often a mirror is asked again after a passing failure: a cut connection, silence, HTTP
    /// status 408, 429 or 5xx. Anything else, and a server that cannot be reached in the first
    /// place, moves on to the next mirror at once. Default 4.
    pub retries: u32,
    /// Wait before the first retry; each further one is twice as long. Default 0.5 s.
    pub first_wait: Duration,
    /// No wait is longer, not even if the server asks for it (`Retry-After`). Default 8 s.
    pub longest_wait: Duration,
    /// How many redirects one request may follow. Default 5.
    pub max_redirects: u32,
    /// Whether the environment's `ALL_PROXY`, `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` count.
    /// Default yes.
    pub env_proxy: bool,
}

impl Default for DownloadOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(30),
            retries: 4,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(8),
            max_redirects: 5,
            env_proxy: true,
        }
    }
}

impl DownloadOptions {
    /// Wait before the retry that follows the failed attempt `attempt`, counted from 1.
    fn wait_after(&self, attempt: u32, asked_for: Option<Duration>) -> Duration {
        let doubled = 2_u32.checked_pow(attempt - 1).and_then(|f| self.first_wait.checked_mul(f));
        let own = doubled.unwrap_or(self.longest_wait);
        own.max(asked_for.unwrap_or_default()).min(self.longest_wait)
    }

    fn agent(&self) -> Agent {
        Agent::config_builder()
            .user_agent(concat!("slugline/", env!("CARGO_PKG_VERSION")))
            .accept_encoding("identity")
            .http_status_as_error(false)
            .max_redirects(self.max_redirects)
            .proxy(if self.env_proxy { Proxy::try_from_env() } else { None })
            .timeout_resolve(Some(self.connect_timeout))
            .timeout_connect(Some(self.connect_timeout))
            .timeout_recv_response(Some(self.idle_timeout))
            .timeout_per_read(Some(self.idle_timeout))
            .timeout_per_write(Some(self.idle_timeout))
            .build()
            .into()
    }
}

/// State of a download, as told to the callback of [`Locator::obtain`](super::Locator::obtain).
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Progress<'a> {
    /// Name of the file.
    pub file: &'a str,
    /// The mirror in use, if one is.
    pub url: Option<&'a str>,
    /// Bytes on this machine, those of earlier runs included. Falls where a download has to start
    /// again from its first byte.
    pub received: u64,
    /// Size of the whole file, where the server tells it.
    pub total: Option<u64>,
    /// What is going on.
    pub phase: Phase<'a>,
}

/// What a download is doing.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Phase<'a> {
    /// Another process is downloading the same file; told again and again while that lasts.
    WaitingForLock,
    /// A request is about to be sent.
    Connecting {
        /// Number of this attempt at this mirror, counted from 1.
        attempt: u32,
    },
    /// The answer has begun, or a further block of it has come.
    Receiving,
    /// A passing failure; told again and again until the next attempt.
    Retrying {
        /// What failed.
        cause: &'a MirrorError,
        /// Time left until the next attempt.
        wait: Duration,
    },
}

/// Why there is no file.
pub(super) enum Failed {
    /// No mirror delivered.
    Mirrors(Vec<MirrorFailure>),
    /// Something on this side ended the download.
    Here(FetchError),
}

impl From<FetchError> for Failed {
    fn from(error: FetchError) -> Self {
        Self::Here(error)
    }
}

/// Downloads `file` to `target` by way of `<target>.part`. The caller holds the lock on it.
pub(super) fn download(
    file: &DataFile<'_>,
    target: &Path,
    options: &DownloadOptions,
    progress: &mut dyn FnMut(Progress<'_>) -> ControlFlow<()>,
) -> Result<(), Failed> {
    let part_path = target.with_file_name(format!("{}.part", file.name));
    let mut part = PartFile::open(part_path, file.checksum, file.max_size())?;
    let fetched = if part.is_complete() {
        Ok(())
    } else {
        let mut download = Download { file, options, agent: options.agent(), progress };
        download.try_mirrors(&mut part)
    };
    match fetched {
        Ok(()) => Ok(part.commit(target)?),
        Err(failed) => {
            part.close()?;
            Err(failed)
        }
    }
}

struct Download<'a> {
    file: &'a DataFile<'a>,
    options: &'a DownloadOptions,
    agent: Agent,
    progress: &'a mut dyn FnMut(Progress<'_>) -> ControlFlow<()>,
}

/// How one attempt failed.
enum Attempt {
    /// The mirror is to blame.
    Mirror(MirrorError, Again),
    /// Something on this side ended the download.
    Here(FetchError),
}

/// Whether and when to ask the same mirror again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    Never,
    /// Without a wait: the part file was to blame, and has been emptied.
    AtOnce,
    /// After a wait, of the length that the server asks for if it does.
    Later(Option<Duration>),
}

impl From<FetchError> for Attempt {
    fn from(error: FetchError) -> Self {
        Self::Here(error)
    }
}

impl Download<'_> {
    /// The bytes that one mirror sent are continued from the next: all are the same file, and the
    /// checksum over the whole shows if they are not.
    fn try_mirrors(&mut self, part: &mut PartFile<'_>) -> Result<(), Failed> {
        let mut failures = Vec::new();
        for url in self.file.urls {
            match self.try_mirror(url, part)? {
                Ok(()) => return Ok(()),
                Err(failure) => failures.push(failure),
            }
        }
        Err(Failed::Mirrors(failures))
    }

    fn try_mirror(
        &mut self,
        url: &str,
        part: &mut PartFile<'_>,
    ) -> Result<Result<(), MirrorFailure>, FetchError> {
        let mut attempts = 1;
        loop {
            let (cause, again) = match self.attempt(url, attempts, part) {
                Ok(()) => return Ok(Ok(())),
                Err(Attempt::Here(error)) => return Err(error),
                Err(Attempt::Mirror(cause, again)) => (cause, again),
            };
            if again == Again::Never || attempts > self.options.retries {
                return Ok(Err(MirrorFailure { url: url.to_owned(), attempts, cause }));
            }
            if let Again::Later(asked_for) = again {
                let wait = self.options.wait_after(attempts, asked_for);
                self.wait(url, part.len(), &cause, wait)?;
            }
            attempts += 1;
        }
    }

    /// One request. On success the part file is complete and right.
    fn attempt(&mut self, url: &str, attempt: u32, part: &mut PartFile<'_>) -> Result<(), Attempt> {
        let start = part.len();
        self.report(url, start, None, Phase::Connecting { attempt })?;
        let mut request = self.agent.get(url);
        if start > 0 {
            request = request.header(header::RANGE, format!("bytes={start}-"));
        }
        let response = request.call().map_err(|error| self.blame(error))?;
        let total = accept(&response, part)?;
        if let Some(announced) = total {
            self.check_size(announced, true, part)?;
        }
        // Where the server has ignored the range, the part file has been emptied by now.
        let continued = part.len() > 0;
        self.receive(url, response.into_body(), total, part)?;
        if part.is_complete() {
            return Ok(());
        }
        let cause = MirrorError::WrongChecksum {
            algorithm: self.file.checksum.algorithm(),
            expected: self.file.checksum.digits().to_ascii_lowercase(),
            found: part.digits(),
            bytes: part.len(),
        };
        part.restart()?;
        // The wrong bytes may be those that were there before.
        Err(Attempt::Mirror(cause, if continued { Again::AtOnce } else { Again::Never }))
    }

    /// Appends the body to the part file.
    fn receive(
        &mut self,
        url: &str,
        body: Body,
        total: Option<u64>,
        part: &mut PartFile<'_>,
    ) -> Result<(), Attempt> {
        self.report(url, part.len(), total, Phase::Receiving)?;
        let mut reader = body.into_reader();
        let mut block = vec![0; BLOCK];
        loop {
            let n = match reader.read(&mut block) {
                Ok(0) => break,
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                // Below, the sizes tell more than the error does.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && total.is_some() => {
                    break;
                }
                Err(error) => return Err(self.blame(error.into())),
            };
            self.check_size(part.len() + n as u64, false, part)?;
            part.append(&block[..n])?;
            self.report(url, part.len(), total, Phase::Receiving)?;
        }
        match total {
            Some(expected) if part.len() < expected => Err(Attempt::Mirror(
                MirrorError::CutShort { received: part.len(), expected },
                Again::Later(None),
            )),
            _ => Ok(()),
        }
    }

    /// A file above the limit is not the one that is wanted, so its bytes are thrown away.
    fn check_size(
        &self,
        announced: u64,
        exact: bool,
        part: &mut PartFile<'_>,
    ) -> Result<(), Attempt> {
        let limit = self.file.max_size();
        if announced <= limit {
            return Ok(());
        }
        part.restart()?;
        let cause = MirrorError::TooLarge { announced, exact, limit };
        Err(Attempt::Mirror(cause, Again::Never))
    }

    /// Sorts the HTTP layer's errors into passing and lasting ones.
    ///
    /// A connection that cannot be made is not tried again: the system has already repeated it
    /// within the timeout, and on a machine without network every further try would only put off
    /// the answer.
    fn blame(&self, error: ureq::Error) -> Attempt {
        use io::ErrorKind as Kind;
        use ureq::{Error, Timeout};
        let (cause, again) = match error {
            Error::TooManyRedirects => {
                (MirrorError::Redirects { limit: self.options.max_redirects }, Again::Never)
            }
            Error::Timeout(Timeout::Connect | Timeout::Resolve) => {
                let limit = self.options.connect_timeout;
                (MirrorError::Timeout { doing: "connecting", limit }, Again::Never)
            }
            Error::Timeout(_) => {
                let limit = self.options.idle_timeout;
                (MirrorError::Timeout { doing: "waiting for data", limit }, Again::Later(None))
            }
            Error::Io(source) => {
                let passing = matches!(
                    source.kind(),
                    Kind::ConnectionReset
                        | Kind::ConnectionAborted
                        | Kind::BrokenPipe
                        | Kind::UnexpectedEof
                );
                let again = if passing { Again::Later(None) } else { Again::Never };
                (MirrorError::Transport { source }, again)
            }
            error @ Error::Protocol(_) => {
                (MirrorError::Transport { source: error.into_io() }, Again::Later(None))
            }
            error => (MirrorError::Transport { source: error.into_io() }, Again::Never),
        };
        Attempt::Mirror(cause, again)
    }

    fn wait(
        &mut self,
        url: &str,
        received: u64,
        cause: &MirrorError,
        wait: Duration,
    ) -> Result<(), FetchError> {
        let begun = Instant::now();
        loop {
            let left = wait.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Ok(());
            }
            self.report(url, received, None, Phase::Retrying { cause, wait: left })?;
            thread::sleep(left.min(POLL));
        }
    }

    fn report(
        &mut self,
        url: &str,
        received: u64,
        total: Option<u64>,
        phase: Phase<'_>,
    ) -> Result<(), FetchError> {
        let file = self.file.name;
        match (self.progress)(Progress { file, url: Some(url), received, total, phase }) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => {
                Err(FetchError::Cancelled { file: file.to_owned(), received })
            }
        }
    }
}

/// Decides by status and headers whether the body is the file, or the rest of it, and returns the
/// size of the whole file if the server tells it. Empties `part` where the body, or the next
/// attempt, begins at the first byte.
fn accept(response: &Response<Body>, part: &mut PartFile<'_>) -> Result<Option<u64>, Attempt> {
    let headers = response.headers();
    let asked = part.len();
    let status = response.status().as_u16();
    let again = match status {
        200 => {
            part.restart()?;
            return Ok(response.body().content_length());
        }
        206 if asked > 0 => {
            let found = text(headers, header::CONTENT_RANGE).unwrap_or_default();
            match parse_content_range(found) {
                Some((start, total)) if start == asked => return Ok(total),
                _ => {
                    part.restart()?;
                    let cause = MirrorError::WrongRange { asked, found: found.to_owned() };
                    return Err(Attempt::Mirror(cause, Again::AtOnce));
                }
            }
        }
        // Nothing there to continue with: the part file is not the beginning of this file.
        416 if asked > 0 => {
            part.restart()?;
            Again::AtOnce
        }
        408 | 429 | 500..=599 => {
            let seconds = text(headers, header::RETRY_AFTER).and_then(|s| s.trim().parse().ok());
            Again::Later(seconds.map(Duration::from_secs))
        }
        _ => Again::Never,
    };
    Err(Attempt::Mirror(MirrorError::Status { status }, again))
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// First byte and size of the whole file in `bytes 5-9/10`; the size is `None` for `*`.
fn parse_content_range(value: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = value.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    let total = match total {
        "*" => None,
        digits => Some(digits.parse().ok()?),
    };
    Some((start.trim().parse().ok()?, total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges() {
        for (value, expected) in [
            ("bytes 5-9/10", Some((5, Some(10)))),
            ("bytes 0-9/*", Some((0, None))),
            (" bytes 7-7/8 ", Some((7, Some(8)))),
            ("bytes */10", None),
            ("bytes 5-9", None),
            ("bytes 5-9/x", None),
            ("lines 5-9/10", None),
            ("bytes 99999999999999999999-1/2", None),
            ("", None),
        ] {
            assert_eq!(parse_content_range(value), expected, "{value:?}");
        }
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let options = DownloadOptions::default();
        let waits: Vec<_> = (1..=6).map(|n| options.wait_after(n, None).as_millis()).collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 8000]);
        assert_eq!(options.wait_after(u32::MAX, None), options.longest_wait);
    }

    #[test]
    fn a_servers_wish_counts_within_the_limit() {
        let options = DownloadOptions::default();
        let wait = |seconds| options.wait_after(1, Some(Duration::from_secs(seconds))).as_millis();
        assert_eq!([wait(0), wait(3), wait(3600)], [500, 3000, 8000]);
    }
}

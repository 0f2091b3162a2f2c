//! An HTTP server on 127.0.0.1 that misbehaves as told.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How one request is answered.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// As a good server does: ranges are honoured, one past the end is answered by 416.
    File(Vec<u8>),
    /// The same after a wait, so that others can come in between.
    Slow(Vec<u8>, Duration),
    /// As a good server does, but the connection ends after so many bytes of the body.
    Cut(Vec<u8>, usize),
    /// As a good server does, but after so many bytes of the body nothing more comes.
    Stall(Vec<u8>, usize),
    /// The whole file with status 200, whatever was asked for.
    WithoutRanges(Vec<u8>),
    /// Status 206, but from the first byte, whatever was asked for.
    WrongRange(Vec<u8>),
    /// Chunked, so without a length.
    Chunked(Vec<u8>),
    /// Chunked, but the connection ends after so many bytes of the body.
    CutChunked(Vec<u8>, usize),
    /// A status and nothing else, with these headers.
    Status(u16, Vec<(&'static str, String)>),
    /// Status 200 and this `Content-Length`, without the body.
    Announce(u64),
    /// A chunked body without end.
    Endless,
    /// The connection is closed without a word.
    HangUp,
}

/// What was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: HashMap<String, String>,
}

impl Request {
    /// First byte that was asked for, if not the whole file was.
    pub(crate) fn range(&self) -> Option<usize> {
        let range = self.headers.get("range")?;
        Some(range.strip_prefix("bytes=").unwrap().strip_suffix('-').unwrap().parse().unwrap())
    }
}

#[derive(Default)]
struct State {
    scripts: Mutex<HashMap<String, Vec<Reply>>>,
    requests: Mutex<Vec<Request>>,
    stopping: AtomicBool,
}

pub(crate) struct Server {
    address: SocketAddr,
    state: Arc<State>,
    accepting: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        let accepting = thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.stopping.load(Ordering::SeqCst) {
                    return;
                }
                let (stream, state) = (stream.unwrap(), Arc::clone(&shared));
                // A client that leaves early is part of the game, so write errors are none.
                thread::spawn(move || serve(&stream, &state));
            }
        });
        Self { address, state, accepting: Some(accepting) }
    }

    /// Answers requests for `path` by the `replies` in turn, the last one for ever.
    pub(crate) fn script(&self, path: &str, replies: impl Into<Vec<Reply>>) -> String {
        self.state.scripts.lock().unwrap().insert(path.to_owned(), replies.into());
        self.url(path)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.state.requests.lock().unwrap().clone()
    }

    /// [`Request::range`] of every request so far.
    pub(crate) fn ranges(&self) -> Vec<Option<usize>> {
        self.requests().iter().map(Request::range).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.state.stopping.store(true, Ordering::SeqCst);
        // Wakes the accepting thread.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.accepting.take() {
            let _ = thread.join();
        }
    }
}

fn serve(stream: &TcpStream, state: &State) {
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let Some(request) = read_request(stream) else { return };
    let reply = {
        let mut scripts = state.scripts.lock().unwrap();
        let script = scripts.get_mut(&request.path);
        state.requests.lock().unwrap().push(request.clone());
        match script {
            Some(replies) if replies.len() > 1 => replies.remove(0),
            Some(replies) => replies[0].clone(),
            None => Reply::Status(404, Vec::new()),
        }
    };
    let _ = answer(stream, &request, reply);
}

fn read_request(stream: &TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let path = first.strip_prefix("GET ")?.split(' ').next()?.to_owned();
    let mut headers = HashMap::new();
    for line in lines {
        let line = line.ok()?;
        if line.is_empty() {
            return Some(Request { path, headers });
        }
        let (name, value) = line.split_once(": ")?;
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    None
}

fn answer(mut to: &TcpStream, request: &Request, reply: Reply) -> std::io::Result<()> {
    match reply {
        Reply::File(body) => send_file(to, request, &body, usize::MAX),
        Reply::Slow(body, wait) => {
            thread::sleep(wait);
            send_file(to, request, &body, usize::MAX)
        }
        Reply::Cut(body, n) => send_file(to, request, &body, n),
        Reply::Stall(body, n) => {
            send_file(to, request, &body, n)?;
            // Ends when the client goes away.
            let _ = to.read(&mut [0]);
            Ok(())
        }
        Reply::WithoutRanges(body) => {
            head(to, 200, &[("Content-Length", body.len().to_string())])?;
            to.write_all(&body)
        }
        Reply::WrongRange(body) => {
            let range = format!("bytes 0-{}/{}", body.len() - 1, body.len());
            let headers = [("Content-Length", body.len().to_string()), ("Content-Range", range)];
            head(to, 206, &headers)?;
            to.write_all(&body)
        }
        Reply::Chunked(body) => {
            send_chunks(to, &body)?;
            to.write_all(b"0\r\n\r\n")
        }
        Reply::CutChunked(body, n) => send_chunks(to, &body[..n]),
        Reply::Status(status, mut headers) => {
            headers.push(("Content-Length", "0".to_owned()));
            head(to, status, &headers)
        }
        Reply::Announce(length) => head(to, 200, &[("Content-Length", length.to_string())]),
        Reply::Endless => {
            head(to, 200, &[("Transfer-Encoding", "chunked".to_owned())])?;
            loop {
                write!(to, "3e8\r\n{}\r\n", "x".repeat(1000))?;
            }
        }
        Reply::HangUp => Ok(()),
    }
}

/// The file or the range of it that was asked for; the body ends after `most` bytes.
fn send_file(
    mut to: &TcpStream,
    request: &Request,
    file: &[u8],
    most: usize,
) -> std::io::Result<()> {
    let body = match request.range() {
        None => {
            head(to, 200, &[("Content-Length", file.len().to_string())])?;
            file
        }
        Some(start) if start >= file.len() => {
            return head(to, 416, &[("Content-Range", format!("bytes */{}", file.len()))]);
        }
        Some(start) => {
            let range = format!("bytes {start}-{}/{}", file.len() - 1, file.len());
            let length = (file.len() - start).to_string();
            head(to, 206, &[("Content-Length", length), ("Content-Range", range)])?;
            &file[start..]
        }
    };
    to.write_all(&body[..body.len().min(most)])
}

fn send_chunks(mut to: &TcpStream, body: &[u8]) -> std::io::Result<()> {
    head(to, 200, &[("Transfer-Encoding", "chunked".to_owned())])?;
    for chunk in body.chunks(1000) {
        write!(to, "{:x}\r\n", chunk.len())?;
        to.write_all(chunk)?;
        to.write_all(b"\r\n")?;
    }
    Ok(())
}

fn head(
    mut to: &TcpStream,
    status: u16,
    headers: &[(&'static str, String)],
) -> std::io::Result<()> {
    write!(to, "HTTP/1.1 {status} Reason\r\nConnection: close\r\n")?;
    for (name, value) in headers {
        write!(to, "{name}: {value}\r\n")?;
    }
    to.write_all(b"\r\n")
}

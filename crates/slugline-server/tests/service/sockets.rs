//! Real connections: slow ones, many, and the end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use slugline_server::{Drained, Limits, Options, Service, Timeouts, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{TEXT, options, service};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

struct Running {
    address: SocketAddr,
    service: Arc<Service>,
    end: oneshot::Sender<()>,
    served: JoinHandle<Drained>,
}

impl Running {
    async fn start(options: Options) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = service(options);
        let (end, told) = oneshot::channel();
        let told = async {
            // One that is dropped says the same.
            let _ = told.await;
        };
        let served = tokio::spawn(serve(listener, Arc::clone(&service), told));
        Self { address, service, end, served }
    }

    async fn connect(&self) -> Connection {
        Connection(TcpStream::connect(self.address).await.unwrap())
    }

    async fn stop(self) -> Drained {
        self.end.send(()).unwrap();
        timeout(PATIENCE, self.served).await.unwrap().unwrap()
    }
}

struct Connection(TcpStream);

impl Connection {
    async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Status, headers and body of the next response; `None` where the connection ends before.
    async fn read(&mut self) -> Option<(u16, String, Value)> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            match timeout(PATIENCE, self.0.read(&mut byte)).await.expect("no response") {
                Ok(1) => head.push(byte[0]),
                _ => return None,
            }
        }
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        timeout(PATIENCE, self.0.read_exact(&mut body)).await.unwrap().unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Some((status, head, serde_json::from_slice(&body).unwrap_or_default()))
    }

    /// How long it takes until the server closes.
    async fn closed_after(mut self) -> Duration {
        let begun = Instant::now();
        let mut rest = Vec::new();
        // A reset is an end too.
        let _ = timeout(PATIENCE, self.0.read_to_end(&mut rest)).await.expect("not closed");
        begun.elapsed()
    }
}

fn classify(text: &str) -> String {
    let body = json!({ "text": text }).to_string();
    format!(
        "POST /v1/classify HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn impatient() -> Options {
    let of = Duration::from_millis;
    let timeouts = Timeouts {
        header: of(300),
        body: of(300),
        idle: of(1_200),
        write: of(400),
        drain: of(2_000),
        ..Timeouts::default()
    };
    Options { timeouts, ..options() }
}

fn about(time: Duration, milliseconds: u64) -> bool {
    // Late on a busy machine, never early.
    time >= Duration::from_millis(milliseconds * 9 / 10)
        && time <= Duration::from_millis(milliseconds + 3_000)
}

#[tokio::test]
async fn requests_follow_each_other_on_a_connection() {
    let running = Running::start(options()).await;
    let mut connection = running.connect().await;
    for _ in 0..3 {
        connection.write(classify(TEXT)).await;
        let (status, _, body) = connection.read().await.unwrap();
        assert_eq!((status, body["label"].is_string()), (200, true));
    }
    // Sent without waiting for the answers.
    connection
        .write(classify("coffee") + &classify("gold") + "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        .await;
    let mut answers = Vec::new();
    for _ in 0..3 {
        answers.push(connection.read().await.unwrap().2);
    }
    assert!(answers[0] != answers[1] && answers[2]["status"] == "ok", "{answers:?}");
    assert_eq!(running.stop().await, Drained { cut_off: 0 });
}

#[tokio::test]
async fn slow_clients_are_dropped() {
    let running = Running::start(impatient()).await;
    let mut headers = running.connect().await;
    headers.write("POST /v1/cla").await;
    let time = headers.closed_after().await;
    assert!(about(time, 300), "headers: {time:?}");
    // A byte every now and then is no reason to wait longer.
    let mut drops = running.connect().await;
    let begun = Instant::now();
    for byte in b"GET /healthz HTTP/1.1\r\nx: ".iter().cycle() {
        if drops.0.write_all(&[*byte]).await.is_err() || begun.elapsed() > PATIENCE {
            break;
        }
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "drops: {:?}", begun.elapsed());

    let mut body = running.connect().await;
    let request = classify(TEXT);
    body.write(&request[..request.len() - 10]).await;
    let (status, _, problem) = body.read().await.unwrap();
    assert_eq!((status, &problem["code"]), (408, &json!("request_timeout")));
    assert!(body.closed_after().await < Duration::from_secs(3));

    let idle = running.connect().await;
    let time = idle.closed_after().await;
    assert!(about(time, 1_200), "idle: {time:?}");
    let mut used = running.connect().await;
    used.write(classify(TEXT)).await;
    assert_eq!(used.read().await.unwrap().0, 200);
    // Longer than headers may take, shorter than a connection may be idle.
    tokio::time::sleep(Duration::from_millis(700)).await;
    used.write(classify(TEXT)).await;
    assert_eq!(used.read().await.unwrap().0, 200);
    let time = used.closed_after().await;
    assert!(about(time, 1_200), "idle after a request: {time:?}");
    running.stop().await;
}

#[tokio::test]
async fn who_does_not_read_is_dropped() {
    let running = Running::start(impatient()).await;
    let mut connection = running.connect().await;
    let question = json!({ "texts": vec![TEXT; 1000], "top_k": "all" }).to_string();
    let request = format!(
        "POST /v1/classify HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{question}",
        question.len()
    );
    // Answers of megabytes, more than the system keeps for us.
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let sent = timeout(Duration::from_secs(3), connection.0.write_all(request.as_bytes()));
        if let Ok(Err(_)) = sent.await {
            break;
        }
    }
    assert!(begun.elapsed() < PATIENCE);
    // The others are served.
    let mut other = running.connect().await;
    other.write(classify(TEXT)).await;
    assert_eq!(other.read().await.unwrap().0, 200);
    assert_eq!(running.stop().await, Drained { cut_off: 0 });
}

#[tokio::test]
async fn refusals_arrive_though_the_body_is_still_coming() {
    let limits = Limits { max_body: 10_000, ..Limits::default() };
    let api_keys = vec!["a-key-of-some-length".to_owned()];
    for (options, status) in
        [(Options { limits, ..options() }, 413), (Options { api_keys, limits, ..options() }, 401)]
    {
        let running = Running::start(options).await;
        let mut connection = running.connect().await;
        connection.write(classify(&"x".repeat(5_000_000))).await;
        assert_eq!(connection.read().await.unwrap().0, status);
        // The connection is of further use.
        connection.write("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await;
        assert_eq!(connection.read().await.unwrap().0, 200);
        running.stop().await;
    }
}

#[tokio::test]
async fn a_body_need_not_come_to_be_refused() {
    let limits = Limits { max_body: 10_000, ..Limits::default() };
    let running = Running::start(Options { limits, ..options() }).await;
    for expect in ["", "expect: 100-continue\r\n"] {
        let mut connection = running.connect().await;
        let begun = Instant::now();
        connection
            .write(format!(
                "POST /v1/classify HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{expect}\
                 content-length: 10001\r\n\r\n"
            ))
            .await;
        // No "100 Continue" before it.
        assert_eq!(connection.read().await.unwrap().0, 413, "{expect}");
        assert!(begun.elapsed() < Duration::from_millis(1_500), "{:?}", begun.elapsed());
        assert!(connection.closed_after().await < Duration::from_secs(3));
    }
    running.stop().await;
}

#[tokio::test]
async fn rubbish_is_answered() {
    let running = Running::start(options()).await;
    for rubbish in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"HELO example.org\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /v1/classify HTTP/1.1\r\ncontent-length: -5\r\n\r\n",
        b"POST /v1/classify HTTP/1.1\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabc",
        b"POST /v1/classify HTTP/1.1\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    ] {
        let mut connection = running.connect().await;
        connection.write(rubbish).await;
        let (status, ..) = connection.read().await.expect("closed without a word");
        assert_eq!(status, 400, "{rubbish:?}");
    }
    let mut connection = running.connect().await;
    connection.write(classify(TEXT)).await;
    assert_eq!(connection.read().await.unwrap().0, 200);
    assert_eq!(running.stop().await, Drained { cut_off: 0 });
}

#[tokio::test]
async fn connections_beyond_the_limit_wait() {
    let limits = Limits { max_connections: 2, ..Limits::default() };
    let running = Running::start(Options { limits, ..options() }).await;
    let (mut first, mut second) = (running.connect().await, running.connect().await);
    for connection in [&mut first, &mut second] {
        connection.write(classify(TEXT)).await;
        assert_eq!(connection.read().await.unwrap().0, 200);
    }
    let mut third = running.connect().await;
    third.write(classify(TEXT)).await;
    assert!(timeout(Duration::from_millis(300), third.0.readable()).await.is_err());
    drop(first);
    assert_eq!(third.read().await.unwrap().0, 200);
    running.stop().await;
}

#[tokio::test]
async fn the_end_waits_for_what_is_under_way() {
    let running = Running::start(impatient()).await;
    let (mut idle, mut late, mut slow) =
        (running.connect().await, running.connect().await, running.connect().await);
    for connection in [&mut idle, &mut late] {
        connection.write(classify(TEXT)).await;
        connection.read().await.unwrap();
    }
    let request = classify(TEXT);
    let (beginning, rest) = request.split_at(request.len() - 10);
    slow.write(beginning).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let (address, service) = (running.address, Arc::clone(&running.service));
    let stopping = tokio::spawn(running.stop());
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(TcpStream::connect(address).await.is_err());
    // Both bring a request after the end was told.
    late.write(classify(TEXT)).await;
    slow.write(rest).await;
    for connection in [&mut late, &mut slow] {
        let (status, head, _) = connection.read().await.unwrap();
        assert_eq!((status, head.contains("connection: close")), (200, true), "{head}");
    }
    assert!(idle.closed_after().await < Duration::from_secs(3));
    assert_eq!(stopping.await.unwrap(), Drained { cut_off: 0 });
    drop(service);
}

#[tokio::test]
async fn connections_that_wait_to_be_accepted_are_served_at_the_end() {
    let running = Running::start(impatient()).await;
    // The service does not run until this task waits: the system alone takes these connections.
    let connect = || {
        let mut stream = std::net::TcpStream::connect(running.address).unwrap();
        std::io::Write::write_all(&mut stream, classify(TEXT).as_bytes()).unwrap();
        stream.set_nonblocking(true).unwrap();
        Connection(TcpStream::from_std(stream).unwrap())
    };
    let connections: Vec<_> = (0..20).map(|_| connect()).collect();
    let stopping = tokio::spawn(running.stop());
    for mut connection in connections {
        assert_eq!(connection.read().await.expect("no answer").0, 200);
    }
    assert_eq!(stopping.await.unwrap(), Drained { cut_off: 0 });
}

#[tokio::test]
async fn the_end_does_not_wait_for_ever() {
    let mut options = impatient();
    options.timeouts.body = Duration::from_secs(60);
    options.timeouts.drain = Duration::from_millis(600);
    let running = Running::start(options).await;
    let mut slow = running.connect().await;
    let request = classify(TEXT);
    slow.write(&request[..request.len() - 10]).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(running.stop().await, Drained { cut_off: 1 });
}

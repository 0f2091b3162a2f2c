//! Finding and downloading data files, against a server on this machine.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

mod server;

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use server::{Reply, Server};
use sha2::{Digest, Sha256};
use slugline::corpus::fetch::{
    Checksum, DataFile, DownloadOptions, FetchError, Locator, MirrorError, MirrorFailure, Phase,
    Progress, REUTERS_ARCHIVE,
};
use tempfile::TempDir;

const NAME: &str = "words.bin";

/// 200,000 bytes without a period, so that a byte at the wrong place shows.
fn content() -> Vec<u8> {
    let mut state = 1_u32;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(200_000)
    .collect()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |hex, b| format!("{hex}{b:02x}"))
}

/// A cache folder, the locator for it, and the checksum of [`content`].
struct Setup {
    cache: TempDir,
    sha256: String,
    locator: Locator,
}

impl Setup {
    fn new() -> Self {
        let cache = tempfile::tempdir().unwrap();
        let locator = Locator::default()
            .with_cache_dir(Some(cache.path().to_owned()))
            .with_options(options());
        Self { cache, sha256: sha256(&content()), locator }
    }

    fn obtain(&self, urls: &[&str]) -> Result<PathBuf, FetchError> {
        self.obtain_with(urls, &mut |_| ControlFlow::Continue(()))
    }

    fn obtain_with(
        &self,
        urls: &[&str],
        progress: &mut dyn FnMut(Progress<'_>) -> ControlFlow<()>,
    ) -> Result<PathBuf, FetchError> {
        self.locator.obtain(&file(urls, &self.sha256), progress)
    }

    /// Obtains the file and checks that the cache then holds it and nothing else.
    fn obtain_right(&self, urls: &[&str]) {
        let path = self.obtain(urls).unwrap();
        assert_eq!(path, self.cache.path().join(NAME));
        assert!(fs::read(path).unwrap() == content(), "the file has other bytes");
        assert_eq!(self.cached(), [NAME]);
    }

    /// Fails to obtain the file, and returns what the mirrors did.
    fn obtain_failures(&self, urls: &[&str]) -> Vec<MirrorFailure> {
        let error = self.obtain(urls).unwrap_err();
        assert!(!self.cache.path().join(NAME).exists());
        match error {
            FetchError::DownloadFailed { failures, .. } => failures,
            other => panic!("{other:?}"),
        }
    }

    /// Names in the cache folder, in order.
    fn cached(&self) -> Vec<String> {
        let entries = fs::read_dir(self.cache.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn part(&self) -> PathBuf {
        self.cache.path().join(format!("{NAME}.part"))
    }
}

fn options() -> DownloadOptions {
    DownloadOptions {
        connect_timeout: Duration::from_secs(2),
        idle_timeout: Duration::from_secs(10),
        retries: 2,
        first_wait: Duration::from_millis(5),
        longest_wait: Duration::from_millis(20),
        env_proxy: false,
        ..DownloadOptions::default()
    }
}

fn file<'a>(urls: &'a [&'a str], sha256: &'a str) -> DataFile<'a> {
    DataFile { name: NAME, urls, checksum: Checksum::Sha256(sha256), size: 200_000 }
}

#[test]
fn plain_download() {
    let (server, setup) = (Server::start(), Setup::new());
    let url = server.script("/f", [Reply::File(content())]);
    let mut seen = Vec::new();
    let path = setup
        .obtain_with(&[&url], &mut |p| {
            assert_eq!((p.file, p.url), (NAME, Some(&*url)));
            seen.push((p.received, p.total));
            ControlFlow::Continue(())
        })
        .unwrap();
    assert!(fs::read(path).unwrap() == content());
    assert_eq!(setup.cached(), [NAME]);
    assert_eq!(seen.first(), Some(&(0, None)));
    assert_eq!(seen.last(), Some(&(200_000, Some(200_000))));
    assert!(seen.is_sorted_by_key(|(received, _)| *received));

    let request = &server.requests()[0];
    assert_eq!(request.headers["user-agent"], concat!("slugline/", env!("CARGO_PKG_VERSION")));
    assert_eq!(request.headers["accept-encoding"], "identity");
    assert_eq!(request.range(), None);

    setup.obtain_right(&[&url]);
    assert_eq!(server.requests().len(), 1, "a file that is there is not downloaded again");
}

#[test]
fn the_cache_folder_is_made() {
    let (server, setup) = (Server::start(), Setup::new());
    let url = server.script("/f", [Reply::File(content())]);
    let deep = setup.cache.path().join("a/b");
    let locator = setup.locator.clone().with_cache_dir(Some(deep.clone()));
    let path =
        locator.obtain(&file(&[&url], &setup.sha256), &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(path, deep.join(NAME));
}

#[test]
fn cut_connections_are_continued() {
    let (server, setup) = (Server::start(), Setup::new());
    let replies =
        [Reply::Cut(content(), 70_000), Reply::Cut(content(), 50_001), Reply::File(content())];
    let url = server.script("/f", replies);
    setup.obtain_right(&[&url]);
    assert_eq!(server.ranges(), [None, Some(70_000), Some(120_001)]);
}

#[test]
fn a_connection_that_is_always_cut_ends_after_the_retries() {
    let (server, setup) = (Server::start(), Setup::new());
    let url = server.script("/f", [Reply::Cut(content(), 1000)]);
    let failures = setup.obtain_failures(&[&url]);
    assert_eq!(failures[0].attempts, 3);
    assert!(
        matches!(failures[0].cause, MirrorError::CutShort { received: 3000, expected: 200_000 }),
        "{:?}",
        failures[0].cause
    );
    assert_eq!(fs::read(setup.part()).unwrap(), content()[..3000]);
}

#[test]
fn a_hang_up_is_tried_again() {
    let (server, setup) = (Server::start(), Setup::new());
    let url = server.script("/f", [Reply::HangUp, Reply::File(content())]);
    setup.obtain_right(&[&url]);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn the_next_run_continues() {
    let (server, setup) = (Server::start(), Setup::new());
    fs::write(setup.part(), &content()[..123_456]).unwrap();
    let url = server.script("/f", [Reply::File(content())]);
    setup.obtain_right(&[&url]);
    assert_eq!(server.ranges(), [Some(123_456)]);
}

#[test]
fn the_next_mirror_continues() {
    let (server, setup) = (Server::start(), Setup::new());
    let broken = [Reply::Cut(content(), 60_000), Reply::Status(404, Vec::new())];
    let broken = server.script("/broken", broken);
    let good = server.script("/good", [Reply::File(content())]);
    setup.obtain_right(&[&broken, &good]);
    assert_eq!(server.ranges(), [None, Some(60_000), Some(60_000)]);
}

#[test]
fn a_complete_part_needs_no_server() {
    let setup = Setup::new();
    fs::write(setup.part(), content()).unwrap();
    setup.obtain_right(&["http://127.0.0.1:1/f"]);
}

#[test]
fn a_server_without_ranges_starts_again() {
    let (server, setup) = (Server::start(), Setup::new());
    let replies = [Reply::Cut(content(), 70_000), Reply::WithoutRanges(content())];
    let url = server.script("/f", replies);
    setup.obtain_right(&[&url]);
    assert_eq!(server.ranges(), [None, Some(70_000)]);
}

#[test]
fn a_wrong_range_starts_again() {
    let (server, setup) = (Server::start(), Setup::new());
    fs::write(setup.part(), &content()[..1000]).unwrap();
    let url = server.script("/f", [Reply::WrongRange(content()), Reply::File(content())]);
    setup.obtain_right(&[&url]);
    assert_eq!(server.ranges(), [Some(1000), None]);
}

#[test]
fn a_part_of_another_file_starts_again() {
    let (server, setup) = (Server::start(), Setup::new());
    fs::write(setup.part(), [7; 5000]).unwrap();
    let url = server.script("/f", [Reply::File(content())]);
    setup.obtain_right(&[&url]);
    assert_eq!(server.ranges(), [Some(5000), None]);
}

#[test]
fn a_part_longer_than_the_file_starts_again() {
    let (server, setup) = (Server::start(), Setup::new());
    fs::write(setup.part(), vec![7; 200_001]).unwrap();
    let url = server.script("/f", [Reply::File(content())]);
    setup.obtain_right(&[&url]);
    assert_eq!(server.ranges(), [Some(200_001), None]);
}

#[test]
fn a_wrong_checksum_leaves_nothing_behind() {
    let (server, setup) = (Server::start(), Setup::new());
    let mut wrong = content();
    wrong[100_000] ^= 1;
    let url = server.script("/f", [Reply::File(wrong.clone())]);
    let failures = setup.obtain_failures(&[&url]);
    assert_eq!((failures.len(), failures[0].attempts), (1, 1));
    match &failures[0].cause {
        MirrorError::WrongChecksum { algorithm, expected, found, bytes } => {
            assert_eq!(
                (*algorithm, expected, found, *bytes),
                ("SHA-256", &setup.sha256, &sha256(&wrong), 200_000)
            );
        }
        other => panic!("{other:?}"),
    }
    assert!(!setup.part().exists());
}

#[test]
fn after_a_wrong_checksum_comes_the_next_mirror() {
    let (server, setup) = (Server::start(), Setup::new());
    let wrong = server.script("/wrong", [Reply::File(b"something else".to_vec())]);
    let good = server.script("/good", [Reply::File(content())]);
    setup.obtain_right(&[&wrong, &good]);
    assert_eq!(server.ranges(), [None, None]);
}

#[test]
fn md5_counts_too() {
    let (server, setup) = (Server::start(), Setup::new());
    let url = server.script("/f", [Reply::File(b"abc".to_vec())]);
    // RFC 1321, appendix A.5: the digests of `abc` and of the empty text.
    let right = "900150983cd24fb0d6963f7d28e17f72";
    let wrong = "d41d8cd98f00b204e9800998ecf8427e";
    let urls = [&*url];
    let with = |digits| DataFile { checksum: Checksum::Md5(digits), ..file(&urls, "") };
    let mut go_on = |_: Progress<'_>| ControlFlow::Continue(());
    let error = setup.locator.obtain(&with(wrong), &mut go_on).unwrap_err().to_string();
    assert!(error.contains(&format!("wrong MD5: expected {wrong}, found {right}")), "{error}");
    setup.locator.obtain(&with(right), &mut go_on).unwrap();
}

#[test]
fn redirects_are_followed_with_the_range() {
    let (server, setup) = (Server::start(), Setup::new());
    let to = |path| Reply::Status(302, vec![("Location", server.url(path))]);
    let url = server.script("/f", [to("/g")]);
    server.script("/g", [to("/h")]);
    server.script("/h", [Reply::Cut(content(), 70_000), Reply::File(content())]);
    setup.obtain_right(&[&url]);
    let last = server.requests().pop().unwrap();
    assert_eq!((last.path.as_str(), last.range()), ("/h", Some(70_000)));
}

#[test]
fn a_loop_of_redirects_ends() {
    let (server, setup) = (Server::start(), Setup::new());
    let url = server.script("/f", [Reply::Status(301, vec![("Location", server.url("/f"))])]);
    let failures = setup.obtain_failures(&[&url]);
    assert!(matches!(failures[0].cause, MirrorError::Redirects { limit: 5 }), "{failures:?}");
    assert_eq!(server.requests().len(), 6);
}

#[test]
fn not_found_is_final() {
    let (server, setup) = (Server::start(), Setup::new());
    for status in [404, 403, 410] {
        let url = server.script(&format!("/{status}"), [Reply::Status(status, Vec::new())]);
        let failures = setup.obtain_failures(&[&url]);
        assert_eq!(failures[0].attempts, 1);
        let cause = failures[0].cause.to_string();
        assert_eq!(cause, format!("the server answered with HTTP status {status}"));
    }
    assert_eq!(server.requests().len(), 3);
    assert!(!setup.part().exists());
}

#[test]
fn a_servers_trouble_passes() {
    let (server, setup) = (Server::start(), Setup::new());
    let busy = Reply::Status(429, vec![("Retry-After", "0".to_owned())]);
    let replies = [Reply::Status(500, Vec::new()), busy, Reply::File(content())];
    let url = server.script("/f", replies);
    let mut waits = 0;
    setup
        .obtain_with(&[&url], &mut |p| {
            if let Phase::Retrying { cause, wait } = p.phase {
                assert!(matches!(cause, MirrorError::Status { status: 500 | 429 }), "{cause:?}");
                assert!(wait <= options().longest_wait);
                waits += 1;
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(server.requests().len(), 3);
    assert!(waits >= 2);
}

#[test]
fn a_silent_server_is_left() {
    let (server, mut setup) = (Server::start(), Setup::new());
    let idle_timeout = Duration::from_millis(300);
    setup.locator = setup.locator.with_options(DownloadOptions { idle_timeout, ..options() });
    let replies = [
        Reply::Slow(content(), Duration::from_secs(2)),
        Reply::Stall(content(), 1000),
        Reply::Stall(content(), 0),
    ];
    let url = server.script("/f", replies);
    let begun = Instant::now();
    let failures = setup.obtain_failures(&[&url]);
    assert_eq!(failures[0].attempts, 3);
    assert!(
        matches!(failures[0].cause, MirrorError::Timeout { doing: "waiting for data", .. }),
        "{failures:?}"
    );
    assert!(begun.elapsed() >= idle_timeout * 3);
    assert!(begun.elapsed() < Duration::from_secs(9), "{:?}", begun.elapsed());
    assert_eq!(server.ranges(), [None, None, Some(1000)]);
}

#[test]
fn an_unreachable_server_is_not_asked_again() {
    let setup = Setup::new();
    let refused = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/f", listener.local_addr().unwrap())
    };
    let failures = setup.obtain_failures(&[&refused]);
    assert_eq!(failures[0].attempts, 1);
    assert!(matches!(failures[0].cause, MirrorError::Transport { .. }), "{failures:?}");
}

#[test]
fn too_much_is_refused() {
    let (server, setup) = (Server::start(), Setup::new());
    let announced = server.script("/announced", [Reply::Announce(800_001)]);
    let endless = server.script("/endless", [Reply::Endless]);
    let failures = setup.obtain_failures(&[&announced, &endless]);
    assert!(
        matches!(
            failures[0].cause,
            MirrorError::TooLarge { announced: 800_001, exact: true, limit: 800_000 }
        ),
        "{failures:?}"
    );
    assert!(
        matches!(failures[1].cause, MirrorError::TooLarge { exact: false, limit: 800_000, .. }),
        "{failures:?}"
    );
    assert_eq!([failures[0].attempts, failures[1].attempts], [1, 1]);
    assert!(!setup.part().exists());
}

#[test]
fn a_body_without_length_is_taken() {
    let (server, setup) = (Server::start(), Setup::new());
    let url = server.script("/f", [Reply::Chunked(content())]);
    setup.obtain_right(&[&url]);
}

#[test]
fn a_cut_without_a_length_is_continued() {
    let (server, setup) = (Server::start(), Setup::new());
    let url = server.script("/f", [Reply::CutChunked(content(), 70_000), Reply::File(content())]);
    setup.obtain_right(&[&url]);
    assert_eq!(server.ranges(), [None, Some(70_000)]);
}

#[test]
fn several_at_once_download_once() {
    let (server, setup) = (Server::start(), Setup::new());
    let url = server.script("/f", [Reply::Slow(content(), Duration::from_millis(200))]);
    let waited = std::sync::atomic::AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut waits = false;
                let path = setup
                    .obtain_with(&[&url], &mut |p| {
                        waits |= matches!(p.phase, Phase::WaitingForLock);
                        ControlFlow::Continue(())
                    })
                    .unwrap();
                assert!(fs::read(path).unwrap() == content());
                waited.fetch_add(u32::from(waits), std::sync::atomic::Ordering::SeqCst);
            });
        }
    });
    assert_eq!(server.requests().len(), 1);
    assert!(waited.into_inner() > 0);
    assert_eq!(setup.cached(), [NAME]);
}

#[test]
fn a_stopped_download_is_kept_and_continued() {
    let (server, setup) = (Server::start(), Setup::new());
    let url = server.script("/f", [Reply::File(content())]);
    let error = setup
        .obtain_with(&[&url], &mut |p| {
            if p.received > 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .unwrap_err();
    let FetchError::Cancelled { file, received } = error else { panic!("{error:?}") };
    assert_eq!(file, NAME);
    assert!(received > 0 && received < 200_000, "{received}");
    assert!(fs::read(setup.part()).unwrap() == content()[..received as usize]);
    setup.obtain_right(&[&url]);
    assert_eq!(server.ranges(), [None, Some(received as usize)]);
}

#[test]
fn a_wait_can_be_stopped() {
    let (server, setup) = (Server::start(), Setup::new());
    let url = server.script("/f", [Reply::Status(503, Vec::new())]);
    let options = DownloadOptions {
        first_wait: Duration::from_secs(60),
        longest_wait: Duration::from_secs(60),
        ..options()
    };
    let begun = Instant::now();
    let mut polls = 0;
    let error = setup
        .locator
        .clone()
        .with_options(options)
        .obtain(&file(&[&url], &setup.sha256), &mut |p| {
            polls += u32::from(matches!(p.phase, Phase::Retrying { .. }));
            if polls == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .unwrap_err();
    assert!(matches!(error, FetchError::Cancelled { received: 0, .. }), "{error:?}");
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn folders_are_searched_in_order() {
    let setup = Setup::new();
    let (named, env) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let put = |dir: &Path| fs::write(dir.join(NAME), "packed by the user").unwrap();
    let wanted = file(&["http://127.0.0.1:1/f"], &setup.sha256);
    let locator = setup.locator.clone().with_env_dir(Some(env.path().to_owned()));
    assert_eq!(locator.find(&wanted).unwrap(), None);

    put(setup.cache.path());
    assert_eq!(locator.find(&wanted).unwrap(), Some(setup.cache.path().join(NAME)));
    put(env.path());
    assert_eq!(locator.find(&wanted).unwrap(), Some(env.path().join(NAME)));

    let locator = locator.with_data_dir(Some(named.path().to_owned()));
    assert_eq!(locator.find(&wanted).unwrap(), None, "a named folder is the only one searched");
    put(named.path());
    let path = locator.obtain(&wanted, &mut |_| panic!("no download")).unwrap();
    assert_eq!(path, named.path().join(NAME));
}

#[test]
fn a_named_folder_without_the_file_is_an_error() {
    let (server, setup) = (Server::start(), Setup::new());
    let url = server.script("/f", [Reply::File(content())]);
    let named = tempfile::tempdir().unwrap();
    let urls = [&*url];
    let obtain = |dir: PathBuf| {
        let locator = setup.locator.clone().with_data_dir(Some(dir));
        let wanted = file(&urls, &setup.sha256);
        locator.obtain(&wanted, &mut |_| ControlFlow::Continue(())).unwrap_err().to_string()
    };
    let message = obtain(named.path().to_owned());
    assert!(
        message.contains(NAME) && message.contains(named.path().to_str().unwrap()),
        "{message}"
    );
    assert!(!message.contains("not a folder"), "{message}");
    let message = obtain(named.path().join("nowhere"));
    assert!(message.contains("which is not a folder"), "{message}");
    assert!(server.requests().is_empty());
}

#[test]
fn an_environment_folder_without_the_file_is_passed_over() {
    let (server, setup) = (Server::start(), Setup::new());
    let url = server.script("/f", [Reply::File(content())]);
    let locator = setup.locator.clone().with_env_dir(Some("/nowhere/at/all".into()));
    let path =
        locator.obtain(&file(&[&url], &setup.sha256), &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(path, setup.cache.path().join(NAME));
}

#[test]
fn offline_says_all_there_is_to_say() {
    let setup = Setup::new();
    let locator =
        setup.locator.clone().with_env_dir(Some("/data/of/mine".into())).with_offline(true);
    let error = locator.obtain(&REUTERS_ARCHIVE, &mut |_| panic!("no download")).unwrap_err();
    assert!(matches!(error, FetchError::Offline(_)));
    let message = error.to_string();
    let cache = setup.cache.path().to_str().unwrap();
    let parts = ["`reuters21578.tar.gz`", cache, "/data/of/mine", "`sample`", "--data-dir"];
    for part in parts.iter().chain(REUTERS_ARCHIVE.urls).chain(&["SLUGLINE_DATA_DIR"]) {
        assert!(message.contains(part), "{part} is not in:\n{message}");
    }
    assert!(setup.cached().is_empty());
}

#[test]
fn a_failed_download_says_the_same_and_why() {
    let (server, setup) = (Server::start(), Setup::new());
    let urls = [server.url("/a"), server.url("/b")];
    let message = setup.obtain(&[&urls[0], &urls[1]]).unwrap_err().to_string();
    let cache = setup.cache.path().to_str().unwrap();
    for part in [NAME, "HTTP status 404 (1 attempt)", &urls[0], &urls[1], cache, "`sample`"] {
        assert!(message.contains(part), "{part} is not in:\n{message}");
    }
}

#[test]
fn without_a_cache_folder_nothing_is_downloaded() {
    let locator = Locator::default().with_options(options());
    let error = locator.obtain(&REUTERS_ARCHIVE, &mut |_| panic!("no download")).unwrap_err();
    assert!(matches!(error, FetchError::NoCacheFolder(_)), "{error:?}");
    assert!(error.to_string().contains("`sample`"));
}

#[test]
fn a_cache_folder_that_cannot_be_made_is_named() {
    let setup = Setup::new();
    let blocked = setup.cache.path().join("file");
    fs::write(&blocked, "").unwrap();
    let inside = blocked.join("cache");
    let locator = setup.locator.clone().with_cache_dir(Some(inside.clone()));
    let error = locator
        .obtain(&file(&["http://127.0.0.1:1/f"], &setup.sha256), &mut |_| panic!("no download"))
        .unwrap_err();
    assert!(error.to_string().contains(inside.to_str().unwrap()), "{error}");
}

#[test]
fn names_do_not_lead_out_of_the_folder() {
    let setup = Setup::new();
    for name in ["../words.bin", "/etc/hosts", "a/b", "..", "", "a/"] {
        let wanted = DataFile { name, ..file(&[], &setup.sha256) };
        let error = setup.locator.find(&wanted).unwrap_err();
        assert!(matches!(error, FetchError::BadName { .. }), "{name:?}: {error:?}");
    }
}

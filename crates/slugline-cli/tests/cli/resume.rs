//! `slugline train --resume`: ended by whatever signal, the same file to the last byte.

use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use super::{Place, Running};

/// Files of the checkpoint of `m.slug`.
fn parts(place: &Place) -> Vec<PathBuf> {
    let folder = place.path().join("m.slug.checkpoint");
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|ending| ending == "safetensors")).collect()
}

/// Starts a run, and kills it some time after its first checkpoint was written. Gives whether it was
/// still under way.
fn kill_after(place: &Place, line: &str, delay: Duration) -> bool {
    let mut child = Running(place.command(line.split_whitespace()).spawn().unwrap());
    let start = Instant::now();
    while parts(place).is_empty() && child.0.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < Duration::from_secs(120), "no checkpoint");
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(delay);
    let under_way = child.0.try_wait().unwrap().is_none();
    // On Unix this is SIGKILL: nothing is told, nothing cleaned up.
    let _ = child.0.kill();
    child.0.wait().unwrap();
    under_way
}

/// Numbers that look random and are the same in every run.
fn delays() -> impl Iterator<Item = Duration> {
    (1_u64..).map(|i| Duration::from_millis(i.wrapping_mul(2_654_435_761) % 97))
}

const LINES: [&str; 7] = [
    "train sample --preset notebook --max-features 1000 --epochs 12",
    "train sample --optimizer adam --dropout 0.3 --max-features 800 --epochs 12",
    "train sample --optimizer adam --sparse-rule lazy --schedule linear --max-features 800 \
     --average 4 --epochs 12",
    "train sample --optimizer adagrad --learning-rate 0.1 --max-features 800 --epochs 12",
    "train sample --optimizer sgd --momentum 0.9 --nesterov --learning-rate 0.1 --max-features 800 \
     --epochs 12 --patience 2",
    "train sample --ensemble 3 --hidden 24,16 --dropout 0.2 --max-features 800 --epochs 12",
    "train sample --preset auto",
];

#[test]
fn kill_9_at_any_time_changes_no_byte() {
    let mut delays = delays();
    for line in LINES {
        let place = Place::new();
        let whole = place.path().join("whole.slug");
        place.run(&format!("{line} -q -o whole.slug --checkpoint-every none")).ok();
        let whole = fs::read(whole).unwrap();
        let every = format!("{line} -q -o m.slug --checkpoint-every 0");
        let mut interrupted = 0;
        let mut resume = "";
        for threads in [1, 2, 3] {
            let line = format!("{every} {resume} --threads {threads}");
            interrupted += u32::from(kill_after(&place, &line, delays.next().unwrap()));
            resume = "--resume";
        }
        assert!(interrupted > 0, "{line}: never under way when killed");
        place.run(&format!("{every} --resume --threads 2")).ok();
        let model = fs::read(place.path().join("m.slug")).unwrap();
        assert!(model == whole, "{line}");
        assert!(!place.path().join("m.slug.checkpoint").exists(), "{line}");
    }
}

#[test]
fn without_a_checkpoint_it_begins_from_the_start() {
    let place = Place::new();
    let line = "train sample --max-features 300 --hidden 8 --epochs 2";
    place.run(&format!("{line} -q -o whole.slug")).ok();
    let said = place.run(&format!("{line} -o m.slug --resume"));
    assert!(said.err.contains("no m.slug.checkpoint: beginning from the start"), "{}", said.err);
    said.ok();
    let bytes = |name: &str| fs::read(place.path().join(name)).unwrap();
    assert!(bytes("whole.slug") == bytes("m.slug"));
    // Nothing is left of a run so short, nor was anything written.
    assert!(!place.path().join("m.slug.checkpoint").exists());
}

#[test]
#[cfg(unix)]
fn ctrl_c_says_how_to_go_on() {
    let place = Place::new();
    let line = "train sample --max-features 500 --epochs 40 --hidden 16 -o m.slug";
    place.run(&format!("{} -q -o whole.slug", line.replace(" -o m.slug", ""))).ok();
    let kept = format!("{line} --checkpoint-every 0 --format json");
    let mut child = Running(place.command(kept.split_whitespace()).spawn().unwrap());
    while parts(&place).is_empty() {
        assert!(child.0.try_wait().unwrap().is_none(), "ended before its first checkpoint");
        std::thread::sleep(Duration::from_millis(1));
    }
    let id = child.0.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let (mut talk, mut out) = (String::new(), String::new());
    child.0.stderr.take().unwrap().read_to_string(&mut talk).unwrap();
    child.0.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    assert_eq!(child.0.wait().unwrap().code(), Some(0), "{talk}");
    let wanted = "what was reached is saved; the same command with --resume goes on from the last \
        checkpoint";
    assert!(talk.contains(wanted), "{talk}");
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["checkpoint"], "m.slug.checkpoint");

    let said = place.run(&format!("{line} --resume --format json"));
    assert!(said.err.contains("going on from m.slug.checkpoint"), "{}", said.err);
    let report = said.json();
    assert!(report["checkpoint"].is_null() && report["epochs"] == 40);
    let bytes = |name: &str| fs::read(place.path().join(name)).unwrap();
    assert!(bytes("whole.slug") == bytes("m.slug"));
}

#[test]
fn what_cannot_be_gone_on_from_is_refused_with_what_to_do() {
    let place = Place::new();
    let line = "train sample --max-features 500 --hidden 16 -o m.slug";
    let run = format!("{line} --epochs 100000 --checkpoint-every 0 -q");
    assert!(kill_after(&place, &run, Duration::from_millis(30)));
    let refused = |more: &str| place.run(&format!("{line} --resume {more}")).refused_after_talk();
    let error = refused("--epochs 7 --seed 2");
    assert!(
        error.contains("m.slug.checkpoint/network.safetensors, which is of another run"),
        "{error}"
    );
    assert!(error.contains("settings.epochs is 100000 there and 7 here"), "{error}");
    assert!(error.contains("or delete m.slug.checkpoint to begin from the start"), "{error}");

    let file = parts(&place).pop().unwrap();
    let good = fs::read(&file).unwrap();
    for (bytes, wanted) in [
        (&good[..good.len() / 2], "the file ends after"),
        (&good[..100], "the file ends after"),
        (b"rubbish, and more of it than a header", "found something else"),
    ] {
        fs::write(&file, bytes).unwrap();
        let error = refused("--epochs 100000");
        assert!(error.contains(wanted) && error.contains("; delete m.slug.checkpoint"), "{error}");
    }
    let mut flipped = good.clone();
    let last = flipped.len() - 1;
    flipped[last] ^= 1;
    fs::write(&file, flipped).unwrap();
    assert!(refused("--epochs 100000").contains("the file is damaged"));
    // Without --resume the run begins anew, and says what that drops.
    fs::write(&file, good).unwrap();
    let said = place.run(&format!("{line} --epochs 2"));
    assert!(said.err.contains("is dropped; --resume would have gone on from it"), "{}", said.err);
    said.ok();
    assert!(!place.path().join("m.slug.checkpoint").exists());
}

//! What a checkpoint keeps, and what is refused.

use std::time::Duration;

use super::*;
use crate::classifier::{Classifier, ClassifierError, TrainingOptions, ValidationSplit};
use crate::corpus::{Corpus, CorpusInfo, SequenceOptions};
use crate::nn::{BatchReport, Callback, Flow};

fn corpus() -> Corpus {
    let info = CorpusInfo {
        name: "tiny".into(),
        description: "made up".into(),
        class_names: vec!["grain".into(), "bank".into()],
    };
    let texts: Vec<(String, u32)> = (0..24)
        .map(|i| match i % 2 {
            0 => (format!("wheat and corn fell w{}", i / 3), 0),
            _ => (format!("the bank cut the rate w{}", i / 4), 1),
        })
        .collect();
    let pairs = texts.iter().map(|(text, class)| (text.as_str(), *class));
    let options = SequenceOptions { num_words: Some(30), test_split: 0.0, ..Default::default() };
    Corpus::from_texts(info, pairs, &options).unwrap()
}

fn options() -> TrainingOptions {
    TrainingOptions {
        max_features: 30,
        hidden: vec![4],
        epochs: 5,
        batch_size: 4,
        validation: ValidationSplit::First(4),
        ..Default::default()
    }
}

/// Stops in a step of an epoch.
struct StopAt(usize, usize);

impl Callback for StopAt {
    fn on_batch_end(&mut self, report: &BatchReport) -> Flow {
        if (report.epoch, report.step) == (self.0, self.1) { Flow::Stop } else { Flow::Continue }
    }
}

/// Notes the epochs that are trained.
struct Epochs(Vec<usize>);
impl Callback for Epochs {
    fn on_epoch_end(&mut self, logs: &crate::nn::EpochLogs, _: &crate::nn::Sequential) -> Flow {
        self.0.push(logs.epoch);
        Flow::Continue
    }
}

const ALWAYS: Interval = Interval::Every(Duration::ZERO);

/// A run that was stopped in its fourth epoch, and the path of its one file.
fn stopped(folder: &Path) -> PathBuf {
    let kept = Checkpoints::new(folder, ALWAYS);
    assert!(!kept.exists().unwrap());
    Classifier::train_resumable(&corpus(), &options(), &mut [&mut StopAt(4, 2)], &kept).unwrap();
    assert!(kept.exists().unwrap() && kept.take_failure().is_none());
    folder.join("network.safetensors")
}

fn go_on(folder: &Path, options: &TrainingOptions) -> Result<Classifier, ClassifierError> {
    let kept = Checkpoints::new(folder, Interval::Never).resuming(true);
    Classifier::train_resumable(&corpus(), options, &mut [], &kept)
}

#[test]
fn a_stopped_run_goes_on_to_the_same_bytes() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("m.checkpoint");
    let whole = Classifier::train(&corpus(), &options()).unwrap().to_bytes().unwrap();
    let file = stopped(&folder);
    let again = go_on(&folder, &TrainingOptions { threads: 2, ..options() }).unwrap();
    assert!(again.to_bytes().unwrap() == whole);
    // Only what the checkpoint did not have is trained: without the file, all of it.
    let mut epochs = Epochs(Vec::new());
    let kept = Checkpoints::new(&folder, Interval::Never).resuming(true);
    Classifier::train_resumable(&corpus(), &options(), &mut [&mut epochs], &kept).unwrap();
    assert_eq!(epochs.0, [4, 5]);
    std::fs::remove_file(&file).unwrap();
    assert!(go_on(&folder, &options()).unwrap().to_bytes().unwrap() == whole);
}

#[test]
fn a_run_from_the_start_drops_what_an_earlier_one_left() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("m.checkpoint");
    stopped(&folder);
    // As a run leaves that is killed while it writes.
    std::fs::write(folder.join(".slugline-x1.part"), "half").unwrap();
    let again = go_on(&folder, &options()).unwrap();
    assert!(
        again.to_bytes().unwrap()
            == Classifier::train(&corpus(), &options()).unwrap().to_bytes().unwrap()
    );
    let other = folder.join("notes.txt");
    std::fs::write(&other, "mine").unwrap();
    let kept = Checkpoints::new(&folder, Interval::Never);
    Classifier::train_resumable(&corpus(), &options(), &mut [], &kept).unwrap();
    assert!(!kept.exists().unwrap() && other.is_file());
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    // What is not ours is not removed, and the folder stays with it.
    kept.remove().unwrap();
    assert!(other.is_file());
    std::fs::remove_file(&other).unwrap();
    kept.remove().unwrap();
    assert!(!folder.exists());
    kept.remove().unwrap();
}

#[test]
fn the_checkpoint_of_another_run_is_refused_with_what_differs() {
    let place = tempfile::tempdir().unwrap();
    stopped(place.path());
    let other = TrainingOptions { epochs: 6, seed: 3, ..options() };
    let error = go_on(place.path(), &other).unwrap_err().to_string();
    let wanted = "network.safetensors, which is of another run: settings.epochs is 5 there and 6 here, \
        settings.seed is 0 there and 3 here; give the same data and settings, or delete ";
    assert!(error.contains(wanted), "{error}");

    let mut texts = corpus();
    texts.train.push(&[1, 4, 5], 0);
    let kept = Checkpoints::new(place.path(), Interval::Never).resuming(true);
    let error = Classifier::train_resumable(&texts, &options(), &mut [], &kept).unwrap_err();
    assert!(error.to_string().contains("data.fingerprint is "), "{error}");
}

#[test]
fn a_damaged_file_is_refused_wherever_it_is_damaged() {
    let place = tempfile::tempdir().unwrap();
    let file = stopped(place.path());
    let good = std::fs::read(&file).unwrap();
    let refused = |bytes: &[u8]| {
        std::fs::write(&file, bytes).unwrap();
        let error = go_on(place.path(), &options()).unwrap_err();
        let ClassifierError::Checkpoint(CheckpointError::Unusable { .. }) = error else {
            panic!("{error}")
        };
        let error = error.to_string();
        assert!(error.contains("network.safetensors: ") && error.contains("; delete "), "{error}");
        error
    };
    for length in (0..good.len()).step_by(97).chain([7, 8, 9, good.len() - 1]) {
        let error = refused(&good[..length]);
        // Cut within the header's length or first words, it is said to be short all the same.
        let short = error.contains(&format!("ends after {length} of "));
        assert!(short || error.contains("is damaged"), "{length}: {error}");
    }
    for at in (0..good.len()).step_by(89) {
        let mut bad = good.clone();
        bad[at] ^= 4;
        refused(&bad);
    }
    let mut longer = good.clone();
    longer.push(0);
    assert!(refused(&longer).contains("is damaged"));
    assert!(refused(b"{\"a model\": false}").contains("found something else"));
    let model = Classifier::train(&corpus(), &options()).unwrap().to_bytes().unwrap();
    assert!(refused(&model).contains("found something else"));
    let mut later = good.clone();
    later[VERSION_AT] = b'2';
    assert!(refused(&later).contains("expected format 1, found 2"));
    std::fs::write(&file, &good).unwrap();
    go_on(place.path(), &options()).unwrap();
}

/// Where the digit of the version stands.
const VERSION_AT: usize =
    8 + br#"{"__metadata__":{"slugline":"{\"format\":\"slugline checkpoint\",\"version\":"#.len();

#[test]
fn a_file_under_another_part_s_name_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let file = stopped(place.path());
    std::fs::rename(&file, place.path().join("network-1.safetensors")).unwrap();
    let two = TrainingOptions { ensemble: 2, ..options() };
    let kept = Checkpoints::new(place.path(), ALWAYS);
    assert!(go_on(place.path(), &two).unwrap_err().to_string().contains("settings.ensemble is 1"));
    Classifier::train_resumable(&corpus(), &two, &mut [], &kept).unwrap();
    let path = |i| place.path().join(format!("network-{i}.safetensors"));
    assert!(path(1).is_file() && path(2).is_file());
    std::fs::rename(path(1), path(2)).unwrap();
    let error = go_on(place.path(), &two).unwrap_err().to_string();
    assert!(error.contains("expected the part \"network-2\", found \"network-1\""), "{error}");
}

#[test]
fn a_disk_that_takes_nothing_does_not_end_the_run() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("a file");
    std::fs::write(&file, "").unwrap();
    // No folder can be made within a file.
    let kept = Checkpoints::new(file.join("m.checkpoint"), ALWAYS);
    let trained = Classifier::train_resumable(&corpus(), &options(), &mut [], &kept);
    match trained {
        Ok(_) => {
            let failure = kept.take_failure().expect("what went wrong is told").to_string();
            assert!(failure.starts_with("cannot write the checkpoint"), "{failure}");
            assert!(kept.take_failure().is_none());
        }
        // Some systems refuse to look into such a folder at once.
        Err(e) => assert!(e.to_string().starts_with("cannot read the checkpoint"), "{e}"),
    }
}

#[test]
fn intervals_bound_the_cost() {
    let seconds = Duration::from_secs;
    assert_eq!(Interval::Never.wait(10, None), None);
    assert_eq!(Interval::Every(seconds(3)).wait(1 << 30, Some(seconds(9))), Some(seconds(3)));
    let automatic = Interval::Automatic;
    assert_eq!(automatic.wait(1000, None), Some(seconds(10)));
    assert_eq!(automatic.wait(300_000_000, None), Some(seconds(300)));
    assert_eq!(automatic.wait(300_000_000, Some(Duration::from_millis(500))), Some(seconds(50)));
    assert_eq!(automatic.wait(300_000_000, Some(Duration::from_millis(5))), Some(seconds(10)));
    // A short run writes nothing, whatever it trains.
    let place = tempfile::tempdir().unwrap();
    let kept = Checkpoints::new(place.path(), automatic);
    Classifier::train_resumable(&corpus(), &options(), &mut [], &kept).unwrap();
    assert!(!kept.exists().unwrap());
}

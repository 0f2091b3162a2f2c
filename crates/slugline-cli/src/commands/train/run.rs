//! A training run from the data to the saved model.

use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use slugline::checkpoint::Checkpoints;
use slugline::classifier::{Classifier, ClassifierError, FoldOptions, FoldsRecord};
use slugline::corpus::{Documents, LabelKind, Labels};
use slugline::nn::{Callback, Flow, NnError, StopReason};

use super::TrainArgs;
use super::logs::Logs;
use super::report::Report;
use crate::commands::runs::note_run;
use crate::failure::Failure;
use crate::interrupt;
use crate::options::{Data, FromPlan, HeldOut, TrainingPlan, quoted};
use crate::output::{Choosing, Console, STRONG, TrainingBar, fold_line, grouped, write_json};

/// A run on which everything is settled.
pub(super) struct TrainRun<'a> {
    pub(super) args: &'a TrainArgs,
    pub(super) data: Data,
    pub(super) plan: Plan,
    pub(super) output: PathBuf,
    pub(super) checkpoints: Checkpoints,
}

/// Trains from the start, or goes on with a model.
pub(super) enum Plan {
    New(Box<TrainingPlan>),
    From(FromPlan, Box<Classifier>),
}

impl Plan {
    fn command(&self, data: &str) -> String {
        match self {
            Self::New(plan) => plan.command(data),
            Self::From(plan, _) => plan.command(data),
        }
    }

    /// The files that are read beside the data, and what they are.
    pub(super) fn paths(&self) -> Vec<(&'static str, PathBuf)> {
        match self {
            Self::New(plan) => plan.paths(),
            Self::From(plan, _) => plan.paths(),
        }
    }

    fn epochs(&self) -> usize {
        match self {
            Self::New(plan) => plan.epochs(),
            Self::From(plan, parent) => plan.epochs(parent),
        }
    }

    fn seed(&self) -> u64 {
        match self {
            Self::New(plan) => plan.seed(),
            Self::From(plan, _) => plan.seed(),
        }
    }

    /// Whether the program chooses by itself.
    fn chooses(&self) -> bool {
        matches!(self, Self::New(plan) if plan.auto.is_some())
    }
}

/// Documents with the name that models and reports give them, and those to be shown again.
#[derive(Clone, Copy)]
struct Material<'a> {
    documents: &'a Documents,
    name: &'a str,
    old: Option<&'a Documents>,
}

/// What came of a run.
struct Trained {
    classifier: Result<Classifier, ClassifierError>,
    started: SystemTime,
    fit_time: Duration,
    /// Steps made in the epoch in which it was stopped.
    step: usize,
    folds: Option<FoldsRecord>,
    /// The documents that the model is to carry an index of.
    to_index: Option<Documents>,
}

impl TrainRun<'_> {
    pub(super) fn run(mut self, console: Console) -> Result<(), Failure> {
        let inputs: Vec<String> = self.args.data.iter().map(|input| quoted(input)).collect();
        let data = format!("{}{}", inputs.join(" "), self.args.read.words());
        let folds = self.args.folds.map(|folds| format!(" --folds {folds}"));
        let command = format!("{}{}", self.plan.command(&data), folds.unwrap_or_default());
        if console.verbose {
            console.note(format_args!("{command}"));
        }
        self.announce(console)?;
        let trained = self.train(console);
        if let Some(failure) = self.checkpoints.take_failure() {
            went_on_without(&failure, console);
        }
        let Trained { classifier, started, fit_time, step, folds, to_index } =
            trained.map_err(|e| self.ended(e))?;
        let (classifier, diverged) = match classifier {
            Ok(classifier) => (classifier, None),
            Err(ClassifierError::Diverged { error, reached }) => (*reached, Some(error)),
            Err(error) => return Err(self.ended(error.into())),
        };
        let mut classifier = classifier.with_command(command);
        if let Some(folds) = folds {
            classifier = classifier.with_cross_validation(folds);
        }
        if let Some(documents) = to_index {
            // Whatever becomes of the index, the training is not lost.
            classifier.save(&self.output)?;
            let documents = match &self.plan {
                Plan::New(_) => documents,
                Plan::From(..) => under_classes(&documents, classifier.class_names())?,
            };
            classifier = classifier.with_index(&documents)?;
        }
        classifier.save(&self.output)?;
        let noted = !self.args.record.no_record;
        let run = noted.then(|| note_run(&classifier, &self.output, started, fit_time, console));
        let record = classifier.record();
        if record.history.stop_reason == StopReason::Interrupted {
            console.note(format_args!(
                "stopped in epoch {}, after step {step} of it; what was reached is saved; {}",
                record.history.epochs.len() + 1,
                self.way_on()
            ));
        } else {
            self.checkpoints.remove()?;
        }
        if let Some(error) = diverged {
            let (path, epochs) = (self.output.display(), record.history.epochs.len());
            return Err(Failure::Other(format!(
                "{error}\n  the model as it was after epoch {epochs} is saved as {path}"
            )));
        }
        let report = Report {
            classifier: &classifier,
            output: &self.output,
            fit_time,
            checkpoint: self.checkpoints.exists()?,
            run: run.flatten(),
        };
        if console.json() { write_json(&report.as_json()) } else { report.print(console) }
    }

    /// Says what becomes of a checkpoint that is there, and of an index that is not kept.
    fn announce(&self, console: Console) -> Result<(), Failure> {
        let folder = Checkpoints::beside(&self.output);
        let folder = folder.display();
        match (self.args.resume, self.checkpoints.exists()?) {
            (true, true) => console.note(format_args!("going on from {folder}")),
            (true, false) => console.note(format_args!("no {folder}: beginning from the start")),
            (false, true) => console.note(format_args!(
                "beginning from the start: the checkpoint of an earlier run in {folder} is dropped; \
                 --resume would have gone on from it"
            )),
            (false, false) => {}
        }
        if let Plan::From(plan, parent) = &self.plan
            && parent.index().is_some()
            && !self.args.index
        {
            console.note(format_args!(
                "the index of training documents of {} is not kept; --index makes a new one",
                plan.model().display()
            ));
        }
        Ok(())
    }

    /// How to go on with a run that was interrupted.
    fn way_on(&self) -> &'static str {
        match self.checkpoints.exists() {
            Ok(true) => "the same command with --resume goes on from the last checkpoint",
            _ => "there is no checkpoint yet to go on from",
        }
    }

    /// Adds to the end of a run that was interrupted how to go on with it.
    fn ended(&self, error: Failure) -> Failure {
        match error {
            Failure::Classifier(ClassifierError::Interrupted) => {
                Failure::Other(format!("{}; {}", ClassifierError::Interrupted, self.way_on()))
            }
            error => error,
        }
    }

    /// Trains on the data, after a cross-validation if one is asked for, and says how long it took
    /// after they were loaded.
    fn train(&mut self, console: Console) -> Result<Trained, Failure> {
        let name = self.data.name();
        let (mut documents, apart) = match (&self.data, &self.plan) {
            (Data::Dataset(dataset), Plan::New(plan)) if !plan.takes_text() => {
                if let Some(HeldOut::File(file)) = &plan.held_out {
                    return Err(Failure::Usage {
                        command: "train",
                        problem: format!(
                            "--validation {file}: the numbered words of {name} have no file to \
                             validate on; add --preset text, or name a number or a share"
                        ),
                    });
                }
                let corpus = self.args.files.load(*dataset, &plan.sequences, console)?;
                console.note(format_args!(
                    "{STRONG}{name}{STRONG:#}: {} training documents, {} classes. {}",
                    grouped(corpus.train.len()),
                    corpus.class_names.len(),
                    corpus.description,
                ));
                let (samples, names) = (corpus.train.len(), &corpus.class_names);
                let options = plan.options_for(samples, LabelKind::Single, names)?;
                let documents = match self.args.folds.is_some() || self.args.index {
                    true => Some(self.args.files.documents(*dataset, console)?.train),
                    false => None,
                };
                interrupt::watch()?;
                let logs = Logs::open(&self.args.logs)?;
                let folds = match &documents {
                    Some(all) => self.cross_validate(all, None, &name, console)?,
                    None => None,
                };
                let kept = &self.checkpoints;
                let fit = |watching: &mut [&mut dyn Callback], _: Choosing| {
                    Classifier::train_resumable(&corpus, &options, watching, kept)
                };
                let trained = self.timed(console, folds, logs, fit);
                let to_index = documents.filter(|_| self.args.index);
                return Ok(Trained { to_index, ..trained });
            }
            (data, _) => {
                let found = self.documents(data, console)?;
                self.with_held_out(found, console)?
            }
        };
        let old = match &self.plan {
            Plan::From(plan, _) => plan.replay(),
            Plan::New(_) => None,
        };
        let old = old.map(|data| self.documents(&data, console)).transpose()?;
        let old = old.map(|(documents, _)| documents);
        interrupt::watch()?;
        let logs = Logs::open(&self.args.logs)?;
        let folds = self.cross_validate(&documents, apart.as_ref(), &name, console)?;
        let mut to_index = None;
        if let Some(apart) = apart {
            // What is apart is not trained on.
            to_index = self.args.index.then(|| documents.clone());
            documents.append(&apart)?;
        }
        if self.plan.chooses() {
            console.note(format_args!("choosing by a share of the documents that is held out …"));
        }
        let material = Material { documents: &documents, name: &name, old: old.as_ref() };
        let trained = self.timed(console, folds, logs, |watching, choosing| {
            self.fit(material, watching, &choosing, &self.checkpoints)
        });
        let to_index = to_index.or_else(|| self.args.index.then_some(documents));
        Ok(Trained { to_index, ..trained })
    }

    /// Runs the last training, with its bar, its logs and its time.
    fn timed(
        &self,
        console: Console,
        folds: Option<FoldsRecord>,
        mut logs: Logs,
        fit: impl FnOnce(&mut [&mut dyn Callback], Choosing) -> Result<Classifier, ClassifierError>,
    ) -> Trained {
        let mut bar = TrainingBar::new(console, self.plan.epochs());
        let choosing = bar.choosing();
        let (started, start) = (SystemTime::now(), Instant::now());
        let mut watching: Vec<&mut dyn Callback> = vec![&mut bar];
        watching.extend(logs.callbacks());
        let classifier = fit(&mut watching, choosing);
        let (fit_time, step) = (start.elapsed(), bar.step);
        drop(bar);
        for failure in logs.take_failures() {
            went_on_without(&failure, console);
        }
        Trained { classifier, started, fit_time, step, folds, to_index: None }
    }

    /// Trains on documents by the plan.
    fn fit(
        &self,
        Material { documents, name, old }: Material<'_>,
        callbacks: &mut [&mut dyn Callback],
        choosing: &Choosing,
        kept: &Checkpoints,
    ) -> Result<Classifier, ClassifierError> {
        match &self.plan {
            Plan::From(plan, parent) => plan.train(parent, (documents, name), old, callbacks, kept),
            Plan::New(plan) => {
                let chooses = plan.auto.is_some();
                let go_on = || {
                    if chooses {
                        choosing.step();
                    }
                    if interrupt::asked() { Flow::Stop } else { Flow::Continue }
                };
                plan.train_resumable(documents, name, &go_on, callbacks, kept)
            }
        }
    }

    /// The training documents of a corpus or of files, and those that the files set apart to validate on.
    fn documents(
        &self,
        data: &Data,
        console: Console,
    ) -> Result<(Documents, Option<Documents>), Failure> {
        Ok(match data {
            Data::Dataset(dataset) => (self.args.files.documents(*dataset, console)?.train, None),
            Data::Files(files) => {
                let found = self.args.read.read(files, None, console)?;
                (found.train, found.validation)
            }
        })
    }

    /// The scores of the plan on documents that it did not see, if they are asked for. What was set
    /// apart to validate on validates in every fold.
    fn cross_validate(
        &self,
        documents: &Documents,
        apart: Option<&Documents>,
        name: &str,
        console: Console,
    ) -> Result<Option<FoldsRecord>, Failure> {
        let Some(folds) = self.args.folds else { return Ok(None) };
        let options = FoldOptions { folds, seed: self.plan.seed() };
        let found = Classifier::cross_validate(
            documents,
            name,
            options,
            &mut |fold, train| {
                let mut bar = TrainingBar::of_fold(console, self.plan.epochs(), fold, folds);
                let kept = self.checkpoints.within(&format!("fold-{}", fold + 1));
                let mut all = train.clone();
                if let Some(apart) = apart {
                    all.append(apart)?;
                }
                let choosing = bar.choosing();
                let material = Material { documents: &all, name, old: None };
                self.fit(material, &mut [&mut bar], &choosing, &kept)
            },
            &mut |fold, scores| {
                console.note(format_args!("fold {}/{folds}   {}", fold + 1, fold_line(scores)));
            },
        )?;
        Ok(Some(found.record))
    }

    /// The documents to train on, and those that were set apart to validate on, by a file of their own or
    /// by the data themselves; the plan holds out as many from the end then.
    fn with_held_out(
        &mut self,
        (train, validation): (Documents, Option<Documents>),
        console: Console,
    ) -> Result<(Documents, Option<Documents>), Failure> {
        let (count, classes) = (train.len(), train.class_names().len());
        let kind = match train.label_kind() {
            LabelKind::Single => "",
            LabelKind::Multi => ", any number of them a document",
            LabelKind::Soft => ", a share of each a document",
        };
        console.note(format_args!(
            "{STRONG}{}{STRONG:#}: {} training documents, {classes} classes{kind}",
            self.data.name(),
            grouped(count),
        ));
        let unused = |validation: Option<Documents>, why: &str| {
            if let Some(unused) = validation {
                console.note(format_args!(
                    "{} documents for validation are not used, since {why}",
                    grouped(unused.len()),
                ));
            }
        };
        let Plan::New(plan) = &mut self.plan else {
            unused(validation, "--from holds out a share of its own");
            return Ok((train, None));
        };
        let held_out = match (&plan.held_out, validation) {
            (Some(HeldOut::File(file)), _) => {
                Some(self.args.read.read_held_out(file, &train, console)?)
            }
            (Some(HeldOut::Split(_)), validation) => {
                unused(validation, "--validation says otherwise");
                None
            }
            (_, validation) => validation,
        };
        if let Some(held_out) = &held_out {
            console.note(format_args!(
                "{} documents to validate on; they are not trained on",
                grouped(held_out.len()),
            ));
            plan.hold_out_last(held_out.len());
        }
        Ok((train, held_out))
    }
}

/// Documents of one class each under the classes of a model that has learned from them, and from others
/// before.
fn under_classes(documents: &Documents, classes: &[String]) -> Result<Documents, NnError> {
    // A class that the model lacks has no documents.
    let place = |name: &String| classes.iter().position(|class| class == name).unwrap_or_default();
    let places: Vec<u32> = documents.class_names().iter().map(|name| place(name) as u32).collect();
    let labels = documents.labels().first_classes().into_iter().flatten();
    let labels = labels.map(|class| places[class as usize]).collect();
    let mut all = Documents::new(classes.to_vec()).with_content(documents.content());
    for text in documents.texts() {
        all.push_text(text);
    }
    all.with_labels(Labels::Single(labels))
}

/// Says what kept a part of the record from being written.
fn went_on_without(failure: &dyn Error, console: Console) {
    let because = failure.source().map(|e| format!(": {e}")).unwrap_or_default();
    console.note(format_args!("{failure}{because}; the training went on without"));
}

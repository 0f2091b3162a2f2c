//! Which documents a model is scored on, and how they are loaded.

use clap::Args;
use slugline::classifier::Classifier;
use slugline::corpus::Documents;
use slugline::corpus::read::ReadOptions;
use slugline::evaluation::{Evaluation, EvaluationOptions};
use slugline::nn::with_threads;

use super::{Data, DataArgs, Part, ReadArgs, threads};
use crate::failure::Failure;
use crate::output::Console;

/// The part of the data that is scored, and where the data are.
#[derive(Debug, Clone, Args)]
pub(crate) struct ScoredArgs {
    /// Which part of the corpus, or of files that have parts
    #[arg(long, value_enum, default_value_t = Part::Test)]
    pub(crate) split: Part,
    /// Threads to work on, 0 for one a core
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = threads())]
    threads: usize,
    #[command(flatten)]
    read: ReadArgs,
    #[command(flatten)]
    files: DataArgs,
}

/// What is named, or else the corpus that the model was trained on. `command` is the one that is run.
pub(crate) fn data_to_score(
    command: &'static str,
    named: &[String],
    classifier: &Classifier,
) -> Result<Data, Failure> {
    if !named.is_empty() {
        return Ok(Data::of(named));
    }
    let trained_on = &classifier.record().corpus.name;
    trained_on.parse().map(Data::Dataset).map_err(|_| Failure::Usage {
        command,
        problem: format!("name the DATA to score on: the model was trained on {trained_on}"),
    })
}

impl ScoredArgs {
    /// Scores the model on the part that is asked for. A model of a numbered corpus is scored on the
    /// corpus as it was numbered for the training, without its texts; any other on texts, which are given
    /// back beside the scores.
    pub(crate) fn score(
        &self,
        data: &Data,
        classifier: &Classifier,
        options: &EvaluationOptions,
        console: Console,
    ) -> Result<(Evaluation, Option<Documents>), Failure> {
        if let (Data::Dataset(dataset), Some(vectorizer)) =
            (data, classifier.vectorizer().as_multi_hot())
        {
            let corpus = self.files.load(*dataset, vectorizer.options(), console)?;
            classifier.check_corpus(&corpus)?;
            note_other_documents(console, classifier, &corpus.fingerprint());
            let documents = self.split.of(&corpus);
            let evaluation = self.on_threads(|| classifier.evaluate_with(documents, options))??;
            return Ok((evaluation, None));
        }
        let documents = self.documents(data, classifier, console)?;
        let name = data.name();
        let score = || classifier.evaluate_documents_with(&documents, &name, options);
        let evaluation = self.on_threads(score)??;
        Ok((evaluation, Some(documents)))
    }

    /// The texts and labels of the part that is asked for; all of them where files have no parts.
    pub(crate) fn documents(
        &self,
        data: &Data,
        classifier: &Classifier,
        console: Console,
    ) -> Result<Documents, Failure> {
        match data {
            Data::Dataset(dataset) => {
                let documents = self.files.documents(*dataset, console)?;
                // A numbered corpus has another fingerprint than its texts.
                if classifier.vectorizer().as_multi_hot().is_none() {
                    note_other_documents(console, classifier, &documents.train.fingerprint());
                }
                Ok(match self.split {
                    Part::Train => documents.train,
                    Part::Test => documents.test,
                })
            }
            Data::Files(files) => {
                let found = self.read.read(files, Some(classifier.class_names()), console)?;
                Ok(match (self.split, found.test) {
                    (Part::Test, Some(test)) => test,
                    _ => found.train,
                })
            }
        }
    }

    /// How files are read.
    pub(crate) fn reading(&self) -> ReadOptions {
        self.read.options()
    }

    /// Runs something on as many threads as are asked for.
    pub(crate) fn on_threads<R: Send>(&self, f: impl FnOnce() -> R + Send) -> Result<R, Failure> {
        Ok(with_threads(self.threads, f)?)
    }
}

/// Says so where the training documents are not those of the model.
fn note_other_documents(console: Console, classifier: &Classifier, fingerprint: &str) {
    if fingerprint != classifier.record().corpus.fingerprint {
        console.note(format_args!(
            "note: these are not the same documents as in training; some of them may have been \
             trained on"
        ));
    }
}

//! A grid: its plan, its run, its table and its picture.

use std::cmp::Ordering;
use std::io::Write;
use std::time::Instant;

use serde_json::json;
use slugline::classifier::{Classifier, Spread, TrainingOptions, ValidationSplit};
use slugline::corpus::{Corpus, Documents, LabelKind, SequenceOptions};
use slugline::plot::{Axis, Chart, Panel, Picture, PlotFormat, Point, Series};
use slugline::tune::{GridPoint, Metric, PointScores, SweepRun, grid, sweep};

use super::{TuneArgs, usage};
use crate::commands::train::check_output;
use crate::failure::Failure;
use crate::interrupt;
use crate::options::{Data, HeldOut, Sweep, TrainingPlan, plan_of, quoted};
use crate::output::{
    Align, BEST, Console, STRONG, Table, TrainingBar, check_not_read, grouped, out, score,
    write_json,
};

/// A grid on which everything is settled.
pub(super) struct GridRun<'a> {
    args: &'a TuneArgs,
    data: Data,
    points: Vec<GridPoint>,
    /// The training of each point, its seed left aside.
    plans: Vec<TrainingPlan>,
    seeds: Vec<u64>,
}

/// What is trained on, as the last point needed it.
enum Loaded {
    Corpus(Box<Corpus>, SequenceOptions),
    /// Those to train on; and these with those behind them that the data set apart to validate on, for
    /// the points that do not say themselves what is held out.
    Documents(Box<Documents>, Option<Documents>),
}

impl<'a> GridRun<'a> {
    pub(super) fn new(args: &'a TuneArgs, data: Data) -> Result<Self, Failure> {
        if !matches!(args.metric, Metric::Accuracy | Metric::MicroF1 | Metric::LogLoss) {
            let name = args.metric.name();
            return Err(usage(format!(
                "--metric {name} is not measured while training; with --sweep, use accuracy, micro_f1 or \
                 log_loss"
            )));
        }
        let names: Vec<&str> = args.sweep.iter().map(|sweep| sweep.name.as_str()).collect();
        if let Some(i) = (1..names.len()).find(|&i| names[..i].contains(&names[i])) {
            let name = names[i];
            return Err(usage(format!(
                "{name} is swept twice; give all its values in one --sweep"
            )));
        }
        for target in args.output.iter().chain(&args.plot) {
            check_not_read(target, data.paths().map(|path| ("the data", path)))?;
        }
        if let Some(path) = &args.plot {
            PlotFormat::of(path)?;
        }
        if let Some(path) = &args.output {
            check_output(path)?;
        }
        let sweeps: Vec<(String, Vec<String>)> =
            args.sweep.iter().map(|s| (s.name.clone(), s.values.clone())).collect();
        let points = grid(&sweeps);
        let plan = |point| {
            let plan = plan_of(point, args.preset.name(), args.seed, args.threads);
            plan.map_err(|problem| usage(format!("{}: {problem}", words(&point.settings))))
        };
        let plans: Vec<TrainingPlan> = points.iter().map(plan).collect::<Result<_, _>>()?;
        let file = plans.iter().find_map(|plan| match &plan.held_out {
            Some(HeldOut::File(file)) => Some(file),
            _ => None,
        });
        if let Some(file) = file {
            return Err(usage(format!(
                "validation {file}: a sweep takes a number or a share of the documents to validate on"
            )));
        }
        // How many documents there are makes no difference to whether any are held out.
        if plans.iter().any(|plan| plan.options(1).validation == ValidationSplit::None) {
            let problem =
                "a sweep compares by documents held out; leave `validation` as it is, or set it";
            return Err(usage(problem.into()));
        }
        let seeds = (0..args.seeds).map(|i| args.seed.wrapping_add(i)).collect();
        Ok(Self { args, data, points, plans, seeds })
    }

    pub(super) fn run(&self, console: Console) -> Result<(), Failure> {
        interrupt::watch()?;
        let mut loaded = None;
        let mut best: Option<(Spread, usize, Classifier)> = None;
        let mut number = 0;
        let mut train = |number, seed| self.train(number, seed, &mut loaded, console);
        let mut each = |point: &PointScores, classifiers: Vec<Classifier>| {
            let (reached, loss) = (point.score(), point.val_loss);
            console.note(format_args!(
                "{STRONG}{}{STRONG:#}: {} {} ± {}, loss {} ± {}, {:.1} s each",
                words(&point.point.settings),
                title(point),
                score(reached.mean),
                score(reached.std),
                score(loss.mean),
                score(loss.std),
                point.seconds.mean
            ));
            let spread = point.get(self.args.metric);
            let better = best.as_ref().is_none_or(|(best, ..)| self.order(spread, *best).is_gt());
            if self.args.output.is_some() && better {
                let runs = point.runs.iter().zip(classifiers);
                // The first of equals.
                let one = runs.reduce(|a, b| match self.order_runs(b.0, a.0) {
                    Ordering::Greater => b,
                    _ => a,
                });
                best = one.map(|(_, classifier)| (spread, number, classifier));
            }
            number += 1;
        };
        let scores = sweep(&self.points, &self.seeds, &mut train, &mut each)?;
        if scores.is_empty() {
            return Err(Failure::Other("stopped before a point was trained".into()));
        }
        if scores.len() < self.points.len() {
            console.note(format_args!(
                "stopped after {} of {} points",
                scores.len(),
                self.points.len()
            ));
        }
        if let (Some(path), Some((_, number, classifier))) = (&self.args.output, best) {
            let command = self.command(number, classifier.record().options.seed)?;
            classifier.with_command(command).save(path)?;
        }
        if let Some(path) = &self.args.plot {
            self.chart(&scores).save(path, self.args.theme.theme())?;
        }
        if console.json() { self.write_json(&scores) } else { self.print(&scores) }
    }

    /// Trains a point and says how long that took.
    fn train(
        &self,
        number: usize,
        seed: u64,
        loaded: &mut Option<Loaded>,
        console: Console,
    ) -> Result<(Classifier, f64), Failure> {
        let mut plan = self.plans[number].clone();
        let fits = match loaded {
            None => false,
            Some(Loaded::Corpus(_, options)) => !plan.takes_text() && *options == plan.sequences,
            Some(Loaded::Documents(..)) => matches!(self.data, Data::Files(_)) || plan.takes_text(),
        };
        if !fits {
            *loaded = Some(self.load(&plan, console)?);
        }
        let mut bar = TrainingBar::new(Console { quiet: true, ..console }, plan.epochs());
        let name = self.data.name();
        let start;
        let trained = match loaded {
            Some(Loaded::Corpus(corpus, _)) => {
                let (samples, names) = (corpus.train.len(), &corpus.class_names);
                let options = plan.options_for(samples, LabelKind::Single, names)?;
                start = Instant::now();
                let options = TrainingOptions { seed, ..options };
                Classifier::train_with(corpus, &options, &mut [&mut bar])
            }
            Some(Loaded::Documents(train, both)) => {
                let both = both.as_ref().filter(|_| plan.held_out.is_none());
                if let Some(both) = both {
                    plan.hold_out_last(both.len() - train.len());
                }
                let documents = both.unwrap_or(train);
                let (kind, names) = (documents.label_kind(), documents.class_names());
                let options = plan.options_for(documents.len(), kind, names)?;
                start = Instant::now();
                let options = TrainingOptions { seed, ..options };
                Classifier::train_documents(documents, &name, &options, &mut [&mut bar])
            }
            None => return Err(Failure::Other("nothing was loaded".into())),
        };
        Ok((trained?, start.elapsed().as_secs_f64()))
    }

    /// Loads what the training of a plan takes.
    fn load(&self, plan: &TrainingPlan, console: Console) -> Result<Loaded, Failure> {
        Ok(match &self.data {
            Data::Dataset(dataset) if plan.takes_text() => {
                let found = self.args.files.documents(*dataset, console)?;
                Loaded::Documents(Box::new(found.train), None)
            }
            Data::Dataset(dataset) => {
                let corpus = self.args.files.load(*dataset, &plan.sequences, console)?;
                Loaded::Corpus(Box::new(corpus), plan.sequences.clone())
            }
            Data::Files(files) => {
                let found = self.args.read.read(files, None, console)?;
                let held_out = self.plans.iter().filter(|plan| plan.held_out.is_none()).count();
                let both = match found.validation {
                    Some(apart) if held_out == 0 => {
                        console.note(format_args!(
                            "{} documents for validation are not used, since the sweep says otherwise",
                            grouped(apart.len())
                        ));
                        None
                    }
                    Some(apart) => {
                        let mut both = found.train.clone();
                        both.append(&apart)?;
                        Some(both)
                    }
                    None => None,
                };
                Loaded::Documents(Box::new(found.train), both)
            }
        })
    }

    fn order(&self, a: Spread, b: Spread) -> Ordering {
        self.args.metric.order(a.mean, b.mean)
    }

    fn order_runs(&self, a: &SweepRun, b: &SweepRun) -> Ordering {
        let metric = self.args.metric;
        metric.order(a.get(metric), b.get(metric))
    }

    /// The place of the best point, the first of equals.
    fn best(&self, scores: &[PointScores]) -> usize {
        let of = |i: usize| scores[i].get(self.args.metric);
        (0..scores.len()).rev().max_by(|&a, &b| self.order(of(a), of(b))).unwrap_or(0)
    }

    /// The command of `train` that makes the model of a point again.
    fn command(&self, number: usize, seed: u64) -> Result<String, Failure> {
        let inputs: Vec<String> = self.args.data.iter().map(|input| quoted(input)).collect();
        let data = format!("{}{}", inputs.join(" "), self.args.read.words());
        let plan = plan_of(&self.points[number], self.args.preset.name(), seed, self.args.threads);
        Ok(plan.map_err(usage)?.command(&data))
    }

    fn write_json(&self, scores: &[PointScores]) -> Result<(), Failure> {
        let path = |path: &Option<std::path::PathBuf>| {
            path.as_ref().map(|path| path.display().to_string())
        };
        write_json(&json!({
            "data": self.data.name(),
            "preset": self.args.preset.name(),
            "seeds": self.seeds,
            "metric": self.args.metric,
            "model": path(&self.args.output),
            "plot": path(&self.args.plot),
            "best": self.best(scores),
            "points": scores,
        }))
    }

    fn print(&self, scores: &[PointScores]) -> Result<(), Failure> {
        let names = self.varied();
        let mut header: Vec<(String, Align)> =
            names.iter().map(|sweep| (sweep.name.clone(), Align::Right)).collect();
        let title = scores.first().map_or("accuracy", title);
        for name in ["parameters", title, "±", "loss", "±", "best epoch", "seconds"] {
            let align = if name == "±" { Align::Left } else { Align::Right };
            header.push((name.to_owned(), align));
        }
        header.push((String::new(), Align::Left));
        let mut table = Table::of(header);
        let best = self.best(scores);
        for (place, point) in scores.iter().enumerate() {
            let values = point.point.settings.iter();
            let mut cells: Vec<String> = values
                .filter(|(name, _)| names.iter().any(|sweep| sweep.name == *name))
                .map(|(_, value)| value.clone())
                .collect();
            let spread = |spread: Spread| {
                if self.seeds.len() > 1 { score(spread.std) } else { String::new() }
            };
            let mark = if place == best { format!("{BEST}best{BEST:#}") } else { String::new() };
            cells.extend([
                grouped(point.parameters),
                score(point.score().mean),
                spread(point.score()),
                score(point.val_loss.mean),
                spread(point.val_loss),
                format!("{:.1}", point.best_epoch.mean),
                format!("{:.2}", point.seconds.mean),
                mark,
            ]);
            table.push(cells, false);
        }
        let mut out = out();
        write!(out, "{table}")?;
        for (what, path) in [("model", &self.args.output), ("plot", &self.args.plot)] {
            if let Some(path) = path {
                writeln!(out, "  {what}: {BEST}{}{BEST:#}", path.display())?;
            }
        }
        out.flush()?;
        Ok(())
    }

    /// The sweeps that have more than one value, or all where none has.
    fn varied(&self) -> Vec<&Sweep> {
        let varied: Vec<&Sweep> = self.args.sweep.iter().filter(|s| s.values.len() > 1).collect();
        if varied.is_empty() { self.args.sweep.iter().collect() } else { varied }
    }

    /// Accuracy and loss by the first setting, one line for each combination of the other ones.
    fn chart(&self, scores: &[PointScores]) -> Chart {
        let varied = self.varied();
        let (first, others) = (varied[0], &varied[1..]);
        let axis = Axis::of(first.name.replace('-', " "), &first.values);
        let value = |point: &PointScores, name: &str| {
            let found = point.point.settings.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let name = |point: &PointScores| {
            let parts = others.iter().map(|sweep| {
                format!("{} {}", sweep.name.replace('-', " "), value(point, &sweep.name))
            });
            parts.collect::<Vec<_>>().join(", ")
        };
        let mut names: Vec<String> = Vec::new();
        for point in scores {
            let name = name(point);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let panel = |label: &str, of: fn(&PointScores) -> Spread| {
            let series = names.iter().map(|series| {
                let members = scores.iter().filter(|point| name(point) == *series);
                let mut points: Vec<Point> = members
                    .filter_map(|point| {
                        let own = value(point, &first.name);
                        let place = first.values.iter().position(|value| *value == own)?;
                        let Spread { mean: y, std: spread } = of(point);
                        Some(Point { x: axis.ticks[place].at, y, spread })
                    })
                    .collect();
                points.sort_by(|a, b| a.x.total_cmp(&b.x));
                Series { name: series.clone(), points }
            });
            Panel {
                x: axis.clone(),
                y_label: label.to_owned(),
                series: series.collect(),
                rule: None,
            }
        };
        let seeds = match self.seeds.len() {
            1 => String::new(),
            n => format!(", mean and spread of {n} seeds"),
        };
        Chart {
            title: format!("{}{seeds}", self.data.name()),
            panels: vec![
                panel(
                    &format!("validation {}", scores.first().map_or("accuracy", title)),
                    PointScores::score,
                ),
                panel("validation loss", |point| point.val_loss),
            ],
        }
    }
}

/// The name of the score that a point has beside its loss.
fn title(point: &PointScores) -> &'static str {
    if point.val_micro_f1.is_some() { "micro F1" } else { "accuracy" }
}

/// Settings as people write them.
fn words(settings: &[(String, String)]) -> String {
    settings.iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
}

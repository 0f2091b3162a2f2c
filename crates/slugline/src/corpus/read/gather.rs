//! Rows to documents.

use std::collections::{BTreeMap, HashMap};

use super::Skipped;
use super::error::ReadError;
use super::options::{LabelUse, OnError, ReadOptions};
use super::row::{Part, Row, RowLabels};
use crate::corpus::{Content, Documents, LabelKind, Labels};
use crate::nn::Matrix;

/// The rows of one part.
struct Gathered {
    documents: Documents,
    labels: LabelRows,
    weights: Vec<f32>,
}

impl Gathered {
    /// Leaves out the documents that have no label among others that have shares.
    fn with_labels_alone(self, skipped: &mut Skipped) -> Result<Self, ReadError> {
        let (mut kept, mut labels) = (Vec::new(), LabelRows::default());
        for (i, row) in self.labels.rows().enumerate() {
            if row.is_empty() {
                let place = self.documents.place(i).unwrap_or_else(|| unreachable!("set for each"));
                skipped.note(place, NO_SHARES.into());
            } else {
                kept.push(i);
                labels.all.extend_from_slice(row);
                labels.ends.push(labels.all.len());
            }
        }
        let none = Labels::Multi(vec![Vec::new(); self.documents.len()]);
        let documents = self.documents.with_labels(none)?.select(&kept);
        let weights = kept.iter().map(|&i| self.weights[i]).collect();
        Ok(Self { documents, labels, weights })
    }
}

/// What is wrong with a row without a label among others that have shares.
const NO_SHARES: &str = "expected shares or a label, found none";

/// Classes of each document with their shares, numbered in order of first appearance in the data. They
/// lie end to end: a small allocation for each of very many documents would keep the memory of their
/// rows from being used again.
#[derive(Default)]
struct LabelRows {
    all: Vec<(u32, f32)>,
    ends: Vec<usize>,
}

impl LabelRows {
    fn rows(&self) -> impl Iterator<Item = &[(u32, f32)]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| &self.all[std::mem::replace(&mut start, end)..end])
    }
}

/// Collects rows into documents.
pub(super) struct Gatherer<'a> {
    options: &'a ReadOptions,
    numbers: HashMap<String, u32>,
    names: Vec<String>,
    parts: BTreeMap<u8, Gathered>,
    several: bool,
    shares: bool,
    weighted: bool,
    pub(super) empty_texts: u64,
}

/// Documents by the part that they are for.
pub(super) struct Parts {
    pub(super) train: Option<Documents>,
    pub(super) validation: Option<Documents>,
    pub(super) test: Option<Documents>,
}

impl<'a> Gatherer<'a> {
    pub(super) fn new(options: &'a ReadOptions) -> Self {
        let names = options.class_names.clone().unwrap_or_default();
        let numbers = names.iter().cloned().zip(0..).collect();
        Self {
            options,
            numbers,
            names,
            parts: BTreeMap::new(),
            several: options.label_separator.is_some(),
            shares: false,
            weighted: false,
            empty_texts: 0,
        }
    }

    /// Adds a row.
    pub(super) fn push(&mut self, row: Row) -> Result<(), ReadError> {
        let listed = matches!(row.labels, RowLabels::Many(_));
        let labels = match row.labels {
            RowLabels::None => Vec::new(),
            RowLabels::One(name) => vec![(name, 1.0)],
            RowLabels::Many(names) => {
                self.several = true;
                names.into_iter().map(|name| (name, 1.0)).collect()
            }
            RowLabels::Shares(shares) => {
                self.shares = true;
                let sum: f64 = shares.iter().map(|(_, share)| share).sum();
                shares.into_iter().map(|(name, share)| (name, share / sum)).collect()
            }
        };
        let one = listed && self.options.multi_label == Some(false);
        if one && self.options.labels == LabelUse::Required && labels.len() != 1 {
            let problem = format!("expected one label, found {}", labels.len());
            return Err(ReadError::Row { place: row.place, problem });
        }
        let mut numbered = Vec::with_capacity(labels.len());
        for (name, share) in labels {
            match self.number(name) {
                Ok(number) => numbered.push((number, share as f32)),
                Err(problem) => return Err(ReadError::Row { place: row.place, problem }),
            }
        }
        self.empty_texts += u64::from(row.text.trim().is_empty());
        let part = row.part.unwrap_or(Part::Train) as u8;
        let gathered = self.parts.entry(part).or_insert_with(|| Gathered {
            documents: Documents::new(Vec::new()),
            labels: LabelRows::default(),
            weights: Vec::new(),
        });
        gathered.documents.push_text(&row.text);
        gathered.documents.set_last_place(&row.place.source, row.place.row);
        gathered.labels.all.append(&mut numbered);
        gathered.labels.ends.push(gathered.labels.all.len());
        self.weighted |= row.weight.is_some();
        gathered.weights.push(row.weight.unwrap_or(1.0));
        Ok(())
    }

    /// The number of a class.
    fn number(&mut self, name: String) -> Result<u32, String> {
        if let Some(&number) = self.numbers.get(&name) {
            return Ok(number);
        }
        if let Some(known) = &self.options.class_names {
            let mut listed: Vec<&str> = known.iter().take(12).map(String::as_str).collect();
            if known.len() > listed.len() {
                listed.push("…");
            }
            return Err(format!(
                "the label {name:?} is none of the {} classes: {}",
                known.len(),
                listed.join(", ")
            ));
        }
        let number = self.names.len() as u32;
        self.names.push(name.clone());
        self.numbers.insert(name, number);
        Ok(number)
    }

    /// The documents, their classes in the order of names where they were not known before. Rows that are
    /// found to be bad only now, beside all others, are noted in `skipped` if they may be.
    pub(super) fn finish(
        self,
        content: Content,
        skipped: &mut Skipped,
    ) -> Result<Parts, ReadError> {
        let kind = match (self.shares, self.options.multi_label) {
            (true, _) => LabelKind::Soft,
            (false, Some(true)) => LabelKind::Multi,
            (false, None) if self.several => LabelKind::Multi,
            (false, _) => LabelKind::Single,
        };
        let mut order: Vec<u32> = (0..self.names.len() as u32).collect();
        if self.options.class_names.is_none() {
            order.sort_by(|&a, &b| self.names[a as usize].cmp(&self.names[b as usize]));
        }
        let mut place = vec![0; order.len()];
        for (new, &old) in (0..).zip(&order) {
            place[old as usize] = new;
        }
        let names: Vec<String> = order.iter().map(|&i| self.names[i as usize].clone()).collect();
        let mut parts = Parts { train: None, validation: None, test: None };
        for (part, mut gathered) in self.parts {
            for label in &mut gathered.labels.all {
                label.0 = place[label.0 as usize];
            }
            if kind == LabelKind::Soft && self.options.on_error == OnError::Skip {
                gathered = gathered.with_labels_alone(skipped)?;
            }
            let documents = gathered.documents.with_class_names(names.clone());
            let documents = documents.with_content(content);
            let documents = match self.options.labels {
                LabelUse::Ignored => {
                    let none = Labels::Multi(vec![Vec::new(); documents.len()]);
                    documents.with_labels(none)?
                }
                LabelUse::Required => {
                    let labels = labels(kind, &gathered.labels, names.len(), &documents)?;
                    documents.with_labels(labels)?
                }
            };
            let weights = self.weighted.then_some(gathered.weights);
            let documents = documents.with_weights(weights)?;
            let slot = match part {
                p if p == Part::Validation as u8 => &mut parts.validation,
                p if p == Part::Test as u8 => &mut parts.test,
                _ => &mut parts.train,
            };
            *slot = Some(documents);
        }
        Ok(parts)
    }
}

/// The labels of documents in the form of their kind.
fn labels(
    kind: LabelKind,
    all: &LabelRows,
    classes: usize,
    documents: &Documents,
) -> Result<Labels, ReadError> {
    let place = |i| documents.place(i).unwrap_or_else(|| unreachable!("set for each"));
    Ok(match kind {
        LabelKind::Single => {
            let one = |(i, labels): (usize, &[(u32, f32)])| match labels {
                [(class, _)] => Ok(*class),
                other => {
                    let problem = format!("expected one label, found {}", other.len());
                    Err(ReadError::Row { place: place(i), problem })
                }
            };
            Labels::Single(all.rows().enumerate().map(one).collect::<Result<_, _>>()?)
        }
        LabelKind::Multi => {
            let set = |labels: &[(u32, f32)]| {
                let mut set: Vec<u32> = labels.iter().map(|label| label.0).collect();
                set.sort_unstable();
                set.dedup();
                set
            };
            Labels::Multi(all.rows().map(set).collect())
        }
        LabelKind::Soft => {
            let mut rows = Matrix::zeros(all.ends.len(), classes);
            let each = rows.data_mut().chunks_exact_mut(classes.max(1)).zip(all.rows());
            for (i, (row, labels)) in each.enumerate() {
                // A list of labels among shares gives each the same share.
                let sum: f32 = labels.iter().map(|(_, share)| share).sum();
                if sum <= 0.0 {
                    return Err(ReadError::Row { place: place(i), problem: NO_SHARES.into() });
                }
                for &(class, share) in labels {
                    row[class as usize] += share / sum;
                }
            }
            Labels::Soft(rows)
        }
    })
}

//! Which of the columns of a row is what.

use super::layout::Layout;
use super::options::{LabelUse, ReadOptions};

/// The places of the columns that a row is made of.
pub(super) struct Roles {
    pub(super) text: Vec<usize>,
    pub(super) label: Option<usize>,
    pub(super) weight: Option<usize>,
    pub(super) split: Option<usize>,
    /// Columns that are handed on.
    pub(super) keep: Vec<usize>,
    /// What stands between several labels.
    pub(super) separator: Option<String>,
}

impl Roles {
    /// `place` gives the place of a column, if there is one.
    pub(super) fn new(
        layout: &Layout,
        options: &ReadOptions,
        mut place: impl FnMut(&String) -> Option<usize>,
    ) -> Self {
        let label = layout.label.as_ref().filter(|_| options.labels != LabelUse::Ignored);
        Self {
            text: layout.text.iter().filter_map(&mut place).collect(),
            label: label.and_then(&mut place),
            weight: layout.weight.as_ref().and_then(&mut place),
            split: layout.split.as_ref().and_then(&mut place),
            keep: options.keep.iter().filter_map(&mut place).collect(),
            separator: options.label_separator.clone(),
        }
    }
}

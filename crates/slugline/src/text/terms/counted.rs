//! Rows of features as they are counted and weighed.

use rayon::prelude::*;
use slugline_nn::{CsrMatrix, NnError};

use super::weights::class_spread;
use crate::corpus::Labels;

/// Numbers of class counts that are held at a time.
const COUNTS: usize = 1 << 24;

/// Rows of counts, and then of values, end to end.
pub(super) struct Counted {
    pub(super) indices: Vec<u32>,
    pub(super) values: Vec<f32>,
    pub(super) indptr: Vec<usize>,
    /// Rows that there will be.
    rows: usize,
}

/// The rows of one chunk.
#[derive(Default)]
pub(super) struct Part {
    pub(super) indices: Vec<u32>,
    pub(super) values: Vec<f32>,
    /// Where each row ends.
    pub(super) ends: Vec<usize>,
}

impl Counted {
    pub(super) fn new(rows: usize) -> Self {
        let mut indptr = Vec::with_capacity(rows + 1);
        indptr.push(0);
        Self { indices: Vec::new(), values: Vec::new(), indptr, rows }
    }

    pub(super) fn append(&mut self, part: &Part) {
        let before = self.indices.len();
        let needed = before + part.indices.len();
        if needed > self.indices.capacity() {
            // As many as all rows will have if they are like those so far: doubling would take up
            // to twice the memory, where one matrix may be most of it.
            let done = self.indptr.len() - 1 + part.ends.len();
            let all = (needed as f64 / done as f64 * self.rows as f64 * 1.02) as usize;
            self.indices.reserve_exact(all.max(needed) - before);
            self.values.reserve_exact(all.max(needed) - before);
        }
        self.indices.extend_from_slice(&part.indices);
        self.values.extend_from_slice(&part.values);
        self.indptr.extend(part.ends.iter().map(|end| before + end));
    }

    /// The number of rows that have each feature.
    pub(super) fn document_frequencies(&self, width: usize) -> Vec<u32> {
        let mut df = vec![0; width];
        self.indices.iter().for_each(|&feature| df[feature as usize] += 1);
        df
    }

    /// Multiplies the factor of each feature by `floor` plus its [`class_spread`]. Beside the rows, each
    /// class has so many `earlier` documents, none of which has a feature.
    pub(super) fn spread(
        &self,
        rows: &[usize],
        labels: &Labels,
        earlier: &[u64],
        floor: f32,
        factors: &mut [f32],
    ) {
        let of: Vec<Vec<u32>> = rows.iter().map(|&row| labels.classes(row)).collect();
        let classes = earlier.len();
        let mut sizes = earlier.to_vec();
        of.iter().flatten().for_each(|&class| sizes[class as usize] += 1);
        // As many features at a time as have room for a count of each class.
        let step = (COUNTS / classes.max(1)).max(1);
        factors.par_chunks_mut(step).enumerate().for_each(|(number, factors)| {
            let first = number * step;
            let mut counts = vec![0_u32; factors.len() * classes];
            for (ends, classes_of) in self.indptr.windows(2).zip(&of) {
                let row = &self.indices[ends[0]..ends[1]];
                let from = row.partition_point(|&feature| (feature as usize) < first);
                for &feature in &row[from..] {
                    let at = feature as usize - first;
                    if at >= factors.len() {
                        break;
                    }
                    for &class in classes_of {
                        counts[at * classes + class as usize] += 1;
                    }
                }
            }
            for (factor, counts) in factors.iter_mut().zip(counts.chunks_exact(classes)) {
                *factor *= floor + class_spread(counts, &sizes);
            }
        });
    }

    /// The rows as one matrix.
    ///
    /// # Errors
    /// Those of [`CsrMatrix::new`].
    pub(super) fn into_matrix(self, width: usize) -> Result<CsrMatrix, NnError> {
        CsrMatrix::new(width, self.indptr, self.indices, self.values)
    }
}

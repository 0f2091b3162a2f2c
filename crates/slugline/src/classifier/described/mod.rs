//! Answers and models as other programs see them: the JSON of the command line and of the service.

mod answer;
mod model;

pub use answer::{DescribedAnswer, Ranked};
pub use model::{DescribedIndex, DescribedModel, EpochSeries, FoldsSummary, Provenance};

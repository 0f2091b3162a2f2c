//! Slugline turns labelled text into a classifier: train, look, evaluate, explain, ship.
//!
//! The modules stand along the road of a document:
//!
//! 1. [`corpus`]: labelled documents, numbered and split
//! 2. [`check`]: what is wrong with them, before they are trusted
//! 3. [`text`]: text to sparse feature rows
//! 4. [`nn`]: the network over them (the crate `slugline-nn`)
//! 5. [`classifier`]: all of it in one piece: text in, label and probabilities out
//! 6. [`decision`]: what is answered by the probabilities, and when `unknown`
//! 7. [`evaluation`]: scores, and the baselines to hold them against
//! 8. [`compare`]: two classifiers side by side, and whether they differ by chance
//! 9. [`explain`]: why a label, word by word
//! 10. [`nearest`]: the training documents that are most like a text
//! 11. [`tune`]: better settings by search, and plain grids
//! 12. [`model_file`]: a classifier as one file, checked before it answers
//! 13. [`exchange`]: models for other programs, and networks from them
//! 14. [`checkpoint`]: a training run on the disk, to go on after whatever ended it
//! 15. [`logs`]: its epochs, written down for other programs to draw
//! 16. [`runs`]: past trainings in a local database
//! 17. [`feedback`]: corrections of answers, for the next training
//! 18. [`plot`]: pictures of what was found
//! 19. [`report`]: pages that show it
//!
//! ```
//! use slugline::classifier::{Classifier, TrainingOptions};
//! use slugline::corpus::{sample, SequenceOptions};
//!
//! let options = TrainingOptions { max_features: 2000, hidden: vec![32], epochs: 4, ..Default::default() };
//! let corpus = sample::load(&SequenceOptions { num_words: Some(2000), ..Default::default() })?;
//! let classifier = Classifier::train(&corpus, &options)?;
//! let scores = classifier.evaluate(&corpus.test)?;
//! assert!(scores.accuracy > scores.baselines.majority);
//! println!("{}", classifier.predict("The harvest was delayed by rain.").label);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod check;
pub mod checkpoint;
pub mod classifier;
pub mod compare;
mod container;
pub mod corpus;
mod database;
pub mod decision;
pub mod evaluation;
pub mod exchange;
pub mod explain;
pub mod feedback;
mod hex;
pub mod logs;
pub mod model_file;
pub mod nearest;
mod number;
pub mod plot;
pub mod report;
pub mod runs;
pub mod text;
pub mod tune;

pub use slugline_nn as nn;

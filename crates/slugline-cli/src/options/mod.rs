//! Arguments that commands share, and settings as arguments.

mod data;
mod features;
mod loss;
mod parse;
mod read;
mod settings;
mod training;

pub(crate) use data::{DataArgs, Part, dataset};
pub(crate) use parse::{HeldOut, one_of, similarity, threads};
pub(crate) use read::{Data, ReadArgs, quoted};
pub(crate) use settings::{Setting, loading_settings, training_settings};
pub(crate) use training::{TrainingArgs, TrainingPlan};

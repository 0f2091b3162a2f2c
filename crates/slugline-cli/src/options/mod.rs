//! Arguments that commands share, and settings as arguments.

mod data;
mod going_on;
mod parse;
mod read;
mod settings;
mod training;

pub(crate) use data::{DataArgs, Part, dataset};
pub(crate) use going_on::{FromArgs, FromPlan};
pub(crate) use parse::{interval, one_of, similarity, threads};
pub(crate) use read::{Data, ReadArgs, quoted};
pub(crate) use settings::{Setting, loading_settings, training_settings};
pub(crate) use training::{TrainingArgs, TrainingPlan};

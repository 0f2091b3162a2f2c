//! Arguments that commands share, and settings as arguments.

mod data;
mod parse;
mod quantity;
mod read;
mod settings;
mod sweep;
mod training;

pub(crate) use data::{DataArgs, Part, dataset};
pub(crate) use parse::{one_of, positive, similarity, threads};
pub(crate) use quantity::{duration, size};
pub(crate) use read::{Data, ReadArgs, quoted};
pub(crate) use settings::{Setting, loading_settings, training_settings};
pub(crate) use sweep::{Sweep, plan_of};
pub(crate) use training::{TrainingArgs, TrainingPlan};

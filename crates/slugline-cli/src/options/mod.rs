//! Arguments that commands share, and settings as arguments.

mod answers;
mod bootstrap;
mod data;
mod features;
mod going_on;
mod loading;
mod loss;
mod optimizer;
mod parse;
mod plan;
mod quantity;
mod read;
mod records;
mod scored;
mod settings;
mod sweep;
mod theme;
mod training;

pub(crate) use answers::{AnswerArgs, LimitArgs};
pub(crate) use bootstrap::BootstrapArgs;
pub(crate) use data::{DataArgs, Part, dataset};
pub(crate) use going_on::{FromArgs, FromPlan};
pub(crate) use parse::{HeldOut, interval, one_of, positive, similarity, threads};
pub(crate) use plan::TrainingPlan;
pub(crate) use quantity::{duration, since, size};
pub(crate) use read::{Data, FormArgs, ReadArgs, note_skipped, quoted};
pub(crate) use records::{LogArgs, RecordArgs};
pub(crate) use scored::{ScoredArgs, data_to_score};
pub(crate) use settings::{loading_settings, training_settings};
pub(crate) use sweep::{Sweep, plan_of};
pub(crate) use theme::PlotTheme;
pub(crate) use training::TrainingArgs;

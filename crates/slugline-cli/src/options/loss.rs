//! The loss and its settings as arguments.

use clap::Args;
use slugline::classifier::{Settings, TrainingOptions};
use slugline::nn::Loss;

use super::parse::{field, one_of};
use super::settings::with_default;
use super::training::preset;

/// A help text with the default of the losses that have the setting.
fn losses(text: &str, name: &str) -> String {
    let all = Loss::NAMES.into_iter().filter_map(Loss::by_name);
    let of = |loss| TrainingOptions { loss, ..TrainingOptions::default() }.settings();
    with_default(text, name, &all.flat_map(of).collect::<Vec<_>>())
}

/// What is made small.
#[derive(Debug, Args)]
#[command(next_help_heading = "Training")]
pub(crate) struct LossArgs {
    #[arg(long, value_name = "NAME",
        value_parser = one_of(Loss::NAMES, |name| Loss::by_name(name).map(|loss| loss.name())),
        help = preset("What is made small; sparse_categorical_crossentropy takes integer labels and \
            trains the same model. For documents with any number of labels its binary form, if not \
            given", "loss"))]
    loss: Option<&'static str>,
    #[arg(long, value_name = "SHARE", value_parser = field!(Settings.label_smoothing),
        help = preset("Share of each target spread over the classes (all but \
            sparse_categorical_crossentropy and mean_squared_error)", "label_smoothing"))]
    label_smoothing: Option<f32>,
    #[arg(long, value_name = "X", value_parser = field!(Settings.gamma),
        help = losses("How much less samples count that are answered well (focal losses)", "gamma"))]
    gamma: Option<f32>,
    #[arg(long, value_name = "X", value_parser = field!(Settings.alpha),
        help = losses("Factor of categorical_focal_crossentropy; weight of yes beside no with \
            --apply-class-balancing", "alpha"))]
    alpha: Option<f32>,
    /// Weigh yes by alpha and no by 1 - alpha (`binary_focal_crossentropy`)
    #[arg(long)]
    apply_class_balancing: bool,
}

impl LossArgs {
    /// The settings with what is given.
    pub(super) fn add_to(&self, settings: Settings) -> Settings {
        Settings {
            loss: self.loss,
            label_smoothing: self.label_smoothing,
            gamma: self.gamma,
            alpha: self.alpha,
            apply_class_balancing: self.apply_class_balancing.then_some(true),
            ..settings
        }
    }
}

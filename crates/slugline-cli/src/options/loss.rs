//! The loss and its settings as arguments.

use clap::Args;
use slugline::nn::Loss;

use super::parse::{above_zero, given, not_negative, one_of, share};
use super::settings::{loss_settings, with};
use super::training::{preset, usage};
use crate::failure::Failure;

/// [`with`] the default of the losses that have the setting.
fn losses(text: &str, name: &str) -> String {
    let of = |loss: &str| Loss::by_name(loss).map(|loss| loss_settings(&loss)).unwrap_or_default();
    let mut found = Loss::NAMES.into_iter().flat_map(of).filter(|setting| setting.name == name);
    found.next().map_or_else(|| text.to_owned(), |setting| with(text, setting.value))
}

/// What is made small.
#[derive(Debug, Args)]
#[command(next_help_heading = "Training")]
pub(crate) struct LossArgs {
    #[arg(long, value_name = "NAME", value_parser = one_of(Loss::NAMES, Loss::by_name),
        help = preset("What is made small; sparse_categorical_crossentropy takes integer labels and \
            trains the same model. For documents with any number of labels its binary form, if not \
            given", "loss"))]
    loss: Option<Loss>,
    #[arg(long, value_name = "SHARE", value_parser = share,
        help = preset("Share of each target spread over the classes (all but \
            sparse_categorical_crossentropy and mean_squared_error)", "label-smoothing"))]
    label_smoothing: Option<f32>,
    #[arg(long, value_name = "X", value_parser = not_negative,
        help = losses("How much less samples count that are answered well (focal losses)", "gamma"))]
    gamma: Option<f32>,
    #[arg(long, value_name = "X", value_parser = above_zero,
        help = losses("Factor of categorical_focal_crossentropy; weight of yes beside no with \
            --apply-class-balancing", "alpha"))]
    alpha: Option<f32>,
    /// Weigh yes by alpha and no by 1 - alpha (`binary_focal_crossentropy`)
    #[arg(long)]
    apply_class_balancing: bool,
}

impl LossArgs {
    /// The arguments that are given.
    pub(crate) fn given(&self) -> Vec<&'static str> {
        given([
            ("--loss", self.loss.is_some()),
            ("--label-smoothing", self.label_smoothing.is_some()),
            ("--gamma", self.gamma.is_some()),
            ("--alpha", self.alpha.is_some()),
            ("--apply-class-balancing", self.apply_class_balancing),
        ])
    }

    /// Whether a loss is named.
    pub(crate) fn is_named(&self) -> bool {
        self.loss.is_some()
    }

    /// The loss named, or else the base, with what is given.
    pub(crate) fn loss(&self, base: Loss) -> Result<Loss, Failure> {
        let mut loss = self.loss.unwrap_or(base);
        let name = loss.name();
        let refused = |argument: &str, meant: &str| {
            usage(format!("{argument} has no meaning for --loss {name}; use {meant}"))
        };
        if let Some(value) = self.label_smoothing {
            match &mut loss {
                Loss::CategoricalCrossentropy { label_smoothing }
                | Loss::BinaryCrossentropy { label_smoothing }
                | Loss::CategoricalFocalCrossentropy { label_smoothing, .. }
                | Loss::BinaryFocalCrossentropy { label_smoothing, .. } => *label_smoothing = value,
                Loss::SparseCategoricalCrossentropy | Loss::MeanSquaredError => {
                    let meant = "categorical_crossentropy or binary_crossentropy";
                    return Err(refused("--label-smoothing", meant));
                }
            }
        }
        let focal = "categorical_focal_crossentropy or binary_focal_crossentropy";
        for (argument, value) in [("--gamma", self.gamma), ("--alpha", self.alpha)] {
            let Some(value) = value else { continue };
            match &mut loss {
                Loss::CategoricalFocalCrossentropy { gamma, alpha, .. }
                | Loss::BinaryFocalCrossentropy { gamma, alpha, .. } => {
                    *(if argument == "--gamma" { gamma } else { alpha }) = value;
                }
                _ => return Err(refused(argument, focal)),
            }
        }
        match &mut loss {
            Loss::BinaryFocalCrossentropy { apply_class_balancing, alpha, .. } => {
                if !(0.0..=1.0).contains(alpha) {
                    let problem = "--alpha is from 0 to 1 for --loss binary_focal_crossentropy";
                    return Err(usage(problem.into()));
                }
                *apply_class_balancing |= self.apply_class_balancing;
            }
            _ if self.apply_class_balancing => {
                return Err(refused("--apply-class-balancing", "binary_focal_crossentropy"));
            }
            _ => {}
        }
        Ok(loss)
    }
}

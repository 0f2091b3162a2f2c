//! The loss and its settings.

use super::{Settings, SettingsError};
use crate::nn::Loss;

const FOCAL: &str = "categorical_focal_crossentropy or binary_focal_crossentropy";

/// The settings of a loss that are there to be set.
#[derive(Default)]
struct Knobs<'a> {
    label_smoothing: Option<&'a mut f32>,
    gamma: Option<&'a mut f32>,
    alpha: Option<&'a mut f32>,
    apply_class_balancing: Option<&'a mut bool>,
}

impl<'a> Knobs<'a> {
    fn of(loss: &'a mut Loss) -> Self {
        let none = Self::default();
        match loss {
            Loss::CategoricalCrossentropy { label_smoothing }
            | Loss::BinaryCrossentropy { label_smoothing } => {
                Self { label_smoothing: Some(label_smoothing), ..none }
            }
            Loss::CategoricalFocalCrossentropy { alpha, gamma, label_smoothing } => Self {
                label_smoothing: Some(label_smoothing),
                gamma: Some(gamma),
                alpha: Some(alpha),
                ..none
            },
            Loss::BinaryFocalCrossentropy {
                apply_class_balancing,
                alpha,
                gamma,
                label_smoothing,
            } => Self {
                label_smoothing: Some(label_smoothing),
                gamma: Some(gamma),
                alpha: Some(alpha),
                apply_class_balancing: Some(apply_class_balancing),
            },
            Loss::SparseCategoricalCrossentropy | Loss::MeanSquaredError => none,
        }
    }
}

/// Sets what is given; whether it is there to be set.
fn turn<T>(value: Option<T>, knob: Option<&mut T>) -> bool {
    match (value, knob) {
        (Some(value), Some(knob)) => *knob = value,
        (Some(_), None) => return false,
        (None, _) => {}
    }
    true
}

impl Settings {
    /// The loss named, or else the base, with what is given.
    pub(super) fn set_loss(&self, base: Loss) -> Result<Loss, SettingsError> {
        let mut loss = self.loss.and_then(Loss::by_name).unwrap_or(base);
        let name = loss.name();
        let knobs = Knobs::of(&mut loss);
        let smoothed = "categorical_crossentropy or binary_crossentropy";
        let balancing = (self.apply_class_balancing, knobs.apply_class_balancing);
        for (done, setting, instead) in [
            (turn(self.label_smoothing, knobs.label_smoothing), "label_smoothing", smoothed),
            (turn(self.gamma, knobs.gamma), "gamma", FOCAL),
            (turn(self.alpha, knobs.alpha), "alpha", FOCAL),
            (turn(balancing.0, balancing.1), "apply_class_balancing", "binary_focal_crossentropy"),
        ] {
            if !done {
                return Err(SettingsError::Loss { name: setting, loss: name, instead });
            }
        }
        match loss {
            Loss::BinaryFocalCrossentropy { alpha, .. } if !(0.0..=1.0).contains(&alpha) => {
                Err(SettingsError::Alpha)
            }
            loss => Ok(loss),
        }
    }

    /// Tells a loss and its settings.
    pub(super) fn tell_loss(&mut self, loss: &Loss) {
        let mut loss = *loss;
        self.loss = Some(loss.name());
        let knobs = Knobs::of(&mut loss);
        self.label_smoothing = knobs.label_smoothing.copied();
        self.gamma = knobs.gamma.copied();
        self.alpha = knobs.alpha.copied();
        self.apply_class_balancing = knobs.apply_class_balancing.copied();
    }
}

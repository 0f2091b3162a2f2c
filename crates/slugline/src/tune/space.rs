//! What can be chosen: a list of named choices over the settings of a training run.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::classifier::{ClassWeight, TrainingOptions};
use crate::nn::{Initializer, LearningRate, Loss};
use crate::text::{Idf, Norm, Selection, TermFrequency, VectorizerOptions};

/// The value of every choice, by name.
pub type Settings = Map<String, Value>;

/// Puts a value into the settings.
type Set = Box<dyn Fn(&mut TrainingOptions) + Send + Sync>;

/// A setting that is searched over.
pub(super) struct Choice {
    pub(super) name: &'static str,
    /// The values tried, and what each does.
    pub(super) values: Vec<(Value, Set)>,
    read: Box<dyn Fn(&TrainingOptions) -> Value + Send + Sync>,
}

/// The JSON form of a number, a name or a list of these, by its text: 0.1 in single precision is 0.1.
fn json(value: &impl Serialize) -> Value {
    let text = serde_json::to_string(value).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// A choice among `values`; `read` and `write` say where it stands.
fn choice<T: Serialize + Clone + Send + Sync + 'static>(
    name: &'static str,
    values: Vec<T>,
    read: fn(&TrainingOptions) -> T,
    write: fn(&mut TrainingOptions, T),
) -> Choice {
    let values = values.into_iter().map(|value| {
        let set: Set = {
            let value = value.clone();
            Box::new(move |options| write(options, value.clone()))
        };
        (json(&value), set)
    });
    Choice { name, values: values.collect(), read: Box::new(move |options| json(&read(options))) }
}

/// [`choice`] of a setting of the features.
fn feature<T: Serialize + Clone + Send + Sync + 'static>(
    name: &'static str,
    values: Vec<T>,
    read: fn(&VectorizerOptions) -> T,
    write: fn(&mut VectorizerOptions, T),
) -> Choice {
    let values = values.into_iter().map(|value| {
        let set: Set = {
            let value = value.clone();
            Box::new(move |options| {
                write(
                    options.vectorizer.get_or_insert_with(VectorizerOptions::default),
                    value.clone(),
                );
            })
        };
        (json(&value), set)
    });
    let read = move |options: &TrainingOptions| {
        options.vectorizer.as_ref().map_or(Value::Null, |features| json(&read(features)))
    };
    Choice { name, values: values.collect(), read: Box::new(read) }
}

/// Every choice, in the order in which they are drawn and told, for settings near to a recipe.
pub(super) fn choices(recipe: &TrainingOptions) -> Vec<Choice> {
    let mut all = feature_choices();
    all.extend(network_choices(recipe.optimizer.learning_rate().at(0)));
    all
}

/// Learning rates around one, to three digits.
fn rates(rate: f64) -> Vec<f64> {
    let around = [0.4, 0.6, 1.0, 1.6, 2.5].map(|factor| rate * factor);
    around.iter().map(|rate| format!("{rate:.2e}").parse().unwrap_or(*rate)).collect()
}

fn feature_choices() -> Vec<Choice> {
    let weights = || vec![0.2_f32, 0.3, 0.4, 0.5, 0.7, 1.0];
    vec![
        feature("word_min_df", vec![1, 2], |f| f.words.min_df, |f, n| f.words.min_df = n),
        feature("word_ngrams", vec![1, 2, 2, 3], |f| f.word_ngrams, |f, n| f.word_ngrams = n),
        feature("ngram_min_df", vec![1, 2, 3, 5], |f| f.ngrams.min_df, |f, n| f.ngrams.min_df = n),
        feature("ngram_weight", weights(), |f| f.ngrams.weight, |f, w| f.ngrams.weight = w),
        feature(
            "prefix_lengths",
            vec![vec![], vec![4], vec![5], vec![4, 6], vec![3, 5]],
            |f| f.prefix_lengths.clone(),
            |f, lengths: Vec<usize>| f.prefix_lengths = lengths,
        ),
        feature(
            "prefix_min_df",
            vec![1, 2, 3],
            |f| f.prefixes.min_df,
            |f, n| f.prefixes.min_df = n,
        ),
        feature("prefix_weight", weights(), |f| f.prefixes.weight, |f, w| f.prefixes.weight = w),
        feature(
            "char_ngrams",
            vec![None, None, Some((2, 4)), Some((3, 3)), Some((3, 5))],
            |f| f.char_ngrams,
            |f, range| f.char_ngrams = range,
        ),
        feature("char_min_df", vec![2, 3, 5], |f| f.chars.min_df, |f, n| f.chars.min_df = n),
        feature("char_weight", weights(), |f| f.chars.weight, |f, w| f.chars.weight = w),
        feature(
            "punctuation",
            vec![false, true],
            |f| f.analyzer.punctuation,
            |f, on| f.analyzer.punctuation = on,
        ),
        feature(
            "mask_digits",
            vec![false, true],
            |f| f.analyzer.mask_digits,
            |f, on| f.analyzer.mask_digits = on,
        ),
        feature(
            "max_features",
            vec![Some(1 << 15), Some(1 << 17), Some(1 << 19)],
            |f| f.max_features,
            |f, n| f.max_features = n,
        ),
        feature(
            "tf",
            vec![TermFrequency::Log, TermFrequency::Binary, TermFrequency::Count],
            |f| f.tf,
            |f, tf| f.tf = tf,
        ),
        feature(
            "idf",
            vec![Idf::SqrtSmooth, Idf::Smooth, Idf::None],
            |f| f.idf,
            |f, idf| f.idf = idf,
        ),
        feature(
            "class_spread",
            vec![None, Some(0.05), Some(0.1), Some(0.3)],
            |f| f.class_spread,
            |f, floor| f.class_spread = floor,
        ),
        feature("norm", vec![Norm::L2, Norm::L2, Norm::None], |f| f.norm, |f, norm| f.norm = norm),
    ]
}

fn network_choices(rate: f64) -> Vec<Choice> {
    vec![
        choice("hidden", [0, 16, 32, 64, 128, 256].to_vec(), units, set_units),
        choice(
            "dropout",
            vec![0.0, 0.2, 0.35, 0.5, 0.65],
            |o| o.dropout,
            |o, share: f32| o.dropout = share,
        ),
        choice(
            "label_smoothing",
            vec![0.0, 0.05, 0.1, 0.15, 0.25],
            |o| match o.loss {
                Loss::CategoricalCrossentropy { label_smoothing }
                | Loss::BinaryCrossentropy { label_smoothing } => label_smoothing,
                _ => 0.0,
            },
            |o, share: f32| match &mut o.loss {
                Loss::CategoricalCrossentropy { label_smoothing }
                | Loss::BinaryCrossentropy { label_smoothing } => *label_smoothing = share,
                _ => {}
            },
        ),
        choice(
            "class_weight",
            ClassWeight::RULES.to_vec(),
            |o| o.class_weight.clone(),
            |o, weight| o.class_weight = weight,
        ),
        choice("learning_rate", rates(rate), |o| o.optimizer.learning_rate().at(0), set_rate),
        choice("epochs", vec![3, 4, 6, 8, 10, 15, 20, 30], |o| o.epochs, |o, n| o.epochs = n),
        choice("batch_size", vec![16, 32, 64, 128, 256], |o| o.batch_size, |o, n| o.batch_size = n),
    ]
}

/// Units of the first hidden layer, 0 where there is none.
fn units(options: &TrainingOptions) -> usize {
    options.hidden.first().copied().unwrap_or(0)
}

/// One hidden layer of so many units, or none. Starting weights drawn within a limit keep its
/// proportion to `1/√units`.
fn set_units(options: &mut TrainingOptions, wanted: usize) {
    let before = units(options);
    if let Initializer::RandomUniform { limit } = &mut options.kernel_initializer
        && before > 0
        && wanted > 0
    {
        *limit *= (before as f32 / wanted as f32).sqrt();
    }
    options.hidden = if wanted == 0 { Vec::new() } else { vec![wanted] };
}

/// Another learning rate to start with; a schedule keeps its shape.
fn set_rate(options: &mut TrainingOptions, wanted: f64) {
    let rate = match options.optimizer.learning_rate().clone() {
        LearningRate::PolynomialDecay {
            initial_learning_rate,
            decay_steps,
            end_learning_rate,
            power,
        } => LearningRate::PolynomialDecay {
            initial_learning_rate: wanted,
            decay_steps,
            end_learning_rate: end_learning_rate / initial_learning_rate * wanted,
            power,
        },
        LearningRate::CosineDecay {
            decay_steps, alpha, warmup_target: None, warmup_steps, ..
        } => LearningRate::CosineDecay {
            initial_learning_rate: wanted,
            decay_steps,
            alpha,
            warmup_target: None,
            warmup_steps,
        },
        _ => LearningRate::Constant(wanted),
    };
    options.optimizer = options.optimizer.clone().with_learning_rate(rate);
}

/// The value of every choice.
pub(super) fn settings_of(choices: &[Choice], options: &TrainingOptions) -> Settings {
    choices.iter().map(|choice| (choice.name.to_owned(), (choice.read)(options))).collect()
}

/// Random settings near a recipe: each choice is left as it is or drawn anew, with even odds.
/// `draw(n)` is to give an even number below `n`.
pub(super) fn vary(
    choices: &[Choice],
    recipe: &TrainingOptions,
    draw: &mut impl FnMut(usize) -> usize,
) -> TrainingOptions {
    let mut options = recipe.clone();
    for choice in choices {
        if draw(2) == 1 {
            (choice.values[draw(choice.values.len())].1)(&mut options);
        }
    }
    tidy(&mut options);
    options
}

/// Puts what has no effect back to its default, so that equal settings look equal.
fn tidy(options: &mut TrainingOptions) {
    if options.hidden.is_empty() {
        options.dropout = 0.0;
        options.kernel_initializer = TrainingOptions::default().kernel_initializer;
    }
    let Some(features) = &mut options.vectorizer else { return };
    if features.word_ngrams == 1 {
        features.ngrams = Selection::default();
    }
    if features.prefix_lengths.is_empty() {
        features.prefixes = Selection::default();
    }
    if features.char_ngrams.is_none() {
        features.chars = Selection::default();
    }
}

/// The settings for so many training documents: a falling learning rate reaches its end with the last
/// step.
pub(super) fn for_samples(options: &TrainingOptions, samples: usize) -> TrainingOptions {
    let mut options = options.clone();
    let steps = (samples.div_ceil(options.batch_size.max(1)).max(1) * options.epochs) as u64;
    let rate = match options.optimizer.learning_rate().clone() {
        LearningRate::PolynomialDecay {
            initial_learning_rate, end_learning_rate, power, ..
        } => LearningRate::PolynomialDecay {
            initial_learning_rate,
            decay_steps: steps,
            end_learning_rate,
            power,
        },
        LearningRate::CosineDecay {
            initial_learning_rate,
            alpha,
            warmup_target,
            warmup_steps,
            ..
        } => LearningRate::CosineDecay {
            initial_learning_rate,
            decay_steps: steps,
            alpha,
            warmup_target,
            warmup_steps,
        },
        other => other,
    };
    options.optimizer = options.optimizer.with_learning_rate(rate);
    options
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::classifier::AutoOptions;
    use crate::classifier::recipe::candidates;
    use crate::corpus::LabelKind;

    fn recipe() -> TrainingOptions {
        candidates(1000, 1000, 20, 100.0, AutoOptions::default(), LabelKind::Single).remove(0)
    }

    #[test]
    fn every_value_is_read_as_it_was_set() {
        for choice in choices(&recipe()) {
            for (value, set) in &choice.values {
                let mut options = recipe();
                set(&mut options);
                assert_eq!((choice.read)(&options), *value, "{}", choice.name);
                options.vectorizer.unwrap().check().unwrap();
            }
        }
    }

    #[test]
    fn the_recipe_lies_in_the_space() {
        for options in candidates(1000, 1000, 20, 100.0, AutoOptions::default(), LabelKind::Single)
        {
            for (name, value) in settings_of(&choices(&recipe()), &options) {
                let choice =
                    choices(&recipe()).into_iter().find(|choice| choice.name == name).unwrap();
                let known = choice.values.iter().any(|(known, _)| *known == value);
                // A recipe without n-grams of characters says nothing of them, and chooses epochs by
                // the number of documents.
                let free = ["char_min_df", "char_weight", "epochs"].contains(&choice.name);
                assert!(known || free, "{name} is {value}");
            }
        }
    }

    #[test]
    fn a_rate_that_falls_reaches_its_end_with_the_last_step() {
        let mut options = recipe();
        (options.epochs, options.batch_size) = (3, 32);
        let rate = for_samples(&options, 100).optimizer.learning_rate().clone();
        assert_eq!(rate.at(0), options.optimizer.learning_rate().at(0));
        assert!(rate.at(11) > rate.at(12) && rate.at(12) == rate.at(13));
    }

    #[test]
    fn starting_weights_keep_their_proportion() {
        let mut options = recipe();
        let limit = |options: &TrainingOptions| match options.kernel_initializer {
            Initializer::RandomUniform { limit } => limit,
            other => panic!("{other:?}"),
        };
        let (units, before) = (options.hidden[0], limit(&options));
        set_units(&mut options, 4 * units);
        assert!((limit(&options) * 2.0 / before - 1.0).abs() < 1e-6);
        set_rate(&mut options, 1.0);
        let LearningRate::PolynomialDecay { end_learning_rate, .. } =
            options.optimizer.learning_rate()
        else {
            panic!()
        };
        assert!((end_learning_rate - 0.01).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn what_is_drawn_can_be_run(numbers in prop::collection::vec(any::<u32>(), 60)) {
            let mut numbers = numbers.into_iter();
            let mut draw = |n: usize| numbers.next().unwrap_or(0) as usize % n;
            let options = vary(&choices(&recipe()), &recipe(), &mut draw);
            options.vectorizer.as_ref().unwrap().check().unwrap();
            prop_assert!(!options.layers(3).is_empty());
            let mut again = options.clone();
            tidy(&mut again);
            prop_assert_eq!(again, options);
        }
    }
}

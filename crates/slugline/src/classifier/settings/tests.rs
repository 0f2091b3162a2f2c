//! What settings mean, in every form, and what is refused.

use serde_json::{Value as Json, json};

use super::*;
use crate::classifier::{AutoOptions, ClassifierError, Preset, TrainingOptions};
use crate::corpus::{Documents, LabelKind, SequenceOptions};
use crate::decision::Aim;
use crate::nn::{Flow, LearningRate, Loss, Optimizer};

fn settings(json: Json) -> Settings {
    serde_json::from_value(json).unwrap()
}

fn plan(json: Json) -> TrainingPlan {
    settings(json).plan().unwrap()
}

/// What is said to settings that cannot be read, or have no plan.
fn refusal(json: Json) -> String {
    match serde_json::from_value::<Settings>(json) {
        Err(error) => error.to_string(),
        Ok(settings) => settings.plan().unwrap_err().to_string(),
    }
}

#[test]
fn presets_survive_json() {
    for preset in Preset::ALL {
        let spelled = Settings::of(preset);
        let json = serde_json::to_string(&spelled).unwrap();
        let read: Settings = serde_json::from_str(&json).unwrap();
        assert_eq!(read, spelled, "{json}");
        let plan = read.plan().unwrap();
        assert_eq!((plan.preset(), plan.auto), (Some(preset), None));
        assert_eq!(plan.options(9000), preset.options());
        assert_eq!(
            plan.options(9000),
            Settings { preset: Some(preset.into()), ..Settings::default() }
                .plan()
                .unwrap()
                .options(9000)
        );
    }
    let auto = Settings::of(Base::Auto);
    let read: Settings = serde_json::from_value(serde_json::to_value(&auto).unwrap()).unwrap();
    assert_eq!(read, auto);
    assert_eq!(read.plan().unwrap().auto, Some(AutoOptions::default()));
    assert_eq!(serde_json::to_string(&Settings::default()).unwrap(), "{}");
}

#[test]
fn a_preset_tells_all_that_has_a_meaning_for_it() {
    let told = serde_json::to_value(Settings::of(Preset::Text)).unwrap();
    for name in Settings::NAMES {
        let other = [
            "gamma",
            "alpha",
            "apply_class_balancing",
            "momentum",
            "nesterov",
            "rho",
            "initial_accumulator",
            "epsilon_placement",
            "weight_decay",
        ];
        assert_eq!(told.get(name).is_none(), other.contains(name), "{name}");
    }
    assert_eq!(told["beta_1"], json!(0.9));
    assert_eq!((&told["char_ngrams"], &told["lowercase"]), (&json!("none"), &json!(true)));
    assert_eq!(told["hidden"], json!([64]));
}

#[test]
fn every_loss_and_optimizer_is_told_as_it_was() {
    for loss in Loss::NAMES.into_iter().filter_map(Loss::by_name) {
        for optimizer in Optimizer::NAMES.into_iter().filter_map(Optimizer::by_name) {
            let options = TrainingOptions { optimizer, loss, ..TrainingOptions::default() };
            let json = serde_json::to_value(Settings::from(&options)).unwrap();
            assert_eq!(plan(json).options(9000), options);
        }
    }
}

#[test]
fn what_is_meant_where_no_preset_is_named() {
    assert!(plan(json!({})).auto.is_some());
    let auto = plan(json!({"seed": 7, "validation": 0.1, "average": 2, "threshold": "f1"})).auto;
    let auto = auto.unwrap();
    assert_eq!((auto.seed, auto.average), (7, 2));
    assert_eq!(auto.validation, ValidationSplit::Fraction(0.1));
    assert_eq!(auto.decision.threshold, Threshold::Fitted(Aim::F1));
    assert_eq!(plan(json!({"epochs": 2})).preset(), Some(Preset::Notebook));
    assert_eq!(plan(json!({"epochs": 2, "min_df": 2})).preset(), Some(Preset::Text));
    let maxlen = LoadingSettings { maxlen: Some(OrNone::Value(9)), ..LoadingSettings::default() };
    let loaded = Settings::default().plan_loading(&maxlen).unwrap();
    assert_eq!((loaded.preset(), loaded.takes_text()), (Some(Preset::Notebook), false));
    assert_eq!((loaded.sequences.maxlen, loaded.sequences.num_words), (Some(9), Some(10_000)));
    let refused = settings(json!({"idf": "none"})).plan_loading(&maxlen).unwrap_err();
    let want = "maxlen has no meaning for preset text; use preset notebook";
    assert_eq!(refused.to_string(), want);
}

#[test]
fn values_have_the_forms_that_people_expect() {
    let same = |name: &str, forms: &[Json]| {
        let read = |form: &Json| settings(json!({ name: form }));
        for form in forms {
            assert_eq!(read(form), read(&forms[0]), "{name}: {form}");
            assert_ne!(read(form), Settings::default(), "{name}: {form}");
        }
        read(&forms[0])
    };
    let hidden = same("hidden", &[json!([64, 32]), json!("64,32")]);
    assert_eq!(hidden.hidden, Some(vec![64, 32]));
    assert_eq!(same("hidden", &[json!(8), json!([8]), json!("8")]).hidden, Some(vec![8]));
    assert_eq!(same("hidden", &[json!("none"), json!([])]).hidden, Some(Vec::new()));
    let parts = same("char_ngrams", &[json!([3, 5]), json!("3-5")]);
    assert_eq!(parts.char_ngrams, Some(OrNone::Value((3, 5))));
    let four = same("char_ngrams", &[json!(4), json!("4"), json!([4, 4])]);
    assert_eq!(four.char_ngrams, Some(OrNone::Value((4, 4))));
    assert_eq!(same("char_ngrams", &[json!("none")]).char_ngrams, Some(OrNone::None));
    assert_eq!(same("prefixes", &[json!([4, 6]), json!("4,6")]).prefixes, Some(vec![4, 6]));
    let count = same("validation", &[json!(500), json!("500")]).validation;
    assert_eq!(count, Some(ValidationSplit::First(500)));
    let share = same("validation", &[json!(0.2), json!("0.2")]).validation;
    assert_eq!(share, Some(ValidationSplit::Fraction(0.2)));
    let nothing = same("validation", &[json!("none"), json!(0)]).validation;
    assert_eq!(nothing, Some(ValidationSplit::None));
    let factors = same("class_weight", &[json!({"b": 2, "a": 0.1}), json!({"a": 0.1, "b": 2.0})]);
    let want = [("a".to_owned(), 0.1), ("b".to_owned(), 2.0)];
    assert_eq!(factors.class_weight, Some(ClassWeight::Named(want.into())));
    let root = same("class_weight", &[json!("sqrt")]).class_weight;
    assert_eq!(root, Some(ClassWeight::SquareRoot));
    let all = same("threshold", &[json!(0.35), json!("0.35")]).threshold;
    assert_eq!(all, Some(Threshold::All(0.35)));
    let aim = same("threshold", &[json!("precision=0.9")]).threshold;
    assert_eq!(aim, Some(Threshold::Fitted(Aim::Precision(0.9))));
    assert_eq!(same("lowercase", &[json!(false), json!("no")]).lowercase, Some(false));
    assert_eq!(same("patience", &[json!("none")]).patience, Some(OrNone::None));
    assert_eq!(same("patience", &[json!(3), json!("3")]).patience, Some(OrNone::Value(3)));
    let small = same("epsilon", &[json!(1e-7), json!("1e-7"), json!("0.0000001")]);
    assert_eq!(small.epsilon, Some(1e-7));
    let accents = same("normalization", &[json!("strip-accents")]).normalization;
    assert_eq!(accents, Some(Normalization::StripAccents));
    assert_eq!(same("seed", &[json!(u64::MAX)]).seed, Some(u64::MAX));
    assert_eq!(settings(json!({"epochs": null, "hashing": null})), Settings::default());
}

#[test]
fn all_that_can_be_said_survives_json() {
    for json in [
        json!({"max_features": 5000, "ngrams": 3, "char_ngrams": [3, 5], "prefixes": [4, 6]}),
        json!({"min_df": 1, "max_df": 0.5, "tf": "bm25", "idf": "bm25", "norm": "l1"}),
        json!({"class_spread": 0.1, "hashing": 18, "token_rule": "scikit-learn", "lowercase": false}),
        json!({"feature_scaling": "max_abs", "schedule": "cosine", "sparse_rule": "lazy"}),
        json!({"optimizer": "sgd", "learning_rate": 0.5, "momentum": 0.9, "nesterov": true}),
        json!({"epsilon": 1e-7, "epsilon_placement": "inside", "validation": "none"}),
        json!({"class_weight": {"a": 0.1}, "threshold": "recall=0.9", "min_confidence": 0.2}),
    ] {
        assert_eq!(serde_json::to_value(settings(json.clone())).unwrap(), json);
    }
    let loading = json!({"maxlen": "none", "oov_char": 2, "test_split": 0.3});
    let read: LoadingSettings = serde_json::from_value(loading.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), loading);
    let spelled = LoadingSettings::from(&SequenceOptions::default());
    let want = SequenceOptions { num_words: Some(10), ..SequenceOptions::default() };
    assert_eq!(spelled.options(10), want);
}

#[test]
fn values_that_do_not_fit_are_named() {
    for (json, want) in [
        (json!({"hiden": 4}), "unknown setting `hiden`; known are preset, max_features, "),
        (json!({"dropout": 1.5}), "dropout is 1.5: expected a number of at least 0 and below 1"),
        (json!({"dropout": "half"}), "dropout is \"half\": expected a number"),
        (json!({"hidden": [64, 0]}), "hidden is [64,0]: expected numbers from 1 to 65536"),
        (json!({"hidden": "64,,4"}), "hidden is \"64,,4\""),
        (json!({"hidden": [1.5]}), "hidden is [1.5]"),
        (json!({"hidden": ""}), "hidden is \"\""),
        (json!({"char_ngrams": [5, 3]}), "char_ngrams is [5,3]: expected two numbers from 1 to 8"),
        (json!({"char_ngrams": [3, 4, 5]}), "char_ngrams is [3,4,5]"),
        (json!({"prefixes": [65]}), "prefixes is [65]"),
        (
            json!({"max_features": 0}),
            "max_features is 0: expected a whole number from 1 to 16777216",
        ),
        (json!({"epochs": 2.5}), "epochs is 2.5: expected a whole number"),
        (json!({"epochs": 0}), "epochs is 0"),
        (json!({"epochs": [1]}), "epochs is [1]"),
        (json!({"seed": -1}), "seed is -1"),
        (json!({"min_df": 0}), "min_df is 0"),
        (json!({"max_df": 0}), "max_df is 0: expected a number above 0 and up to 1"),
        (json!({"l2": "inf"}), "l2 is \"inf\""),
        (json!({"epsilon": 0}), "epsilon is 0: expected a number above 0"),
        (json!({"hashing": 3}), "hashing is 3: expected a number of bits from 4 to 30, or `none`"),
        (json!({"class_spread": -1}), "class_spread is -1"),
        (json!({"tf": "tfidf"}), "tf is \"tfidf\": expected one of binary, count, log, bm25"),
        (json!({"preset": "best"}), "preset is \"best\": expected one of auto, text, notebook"),
        (json!({"loss": "adam"}), "loss is \"adam\": expected one of categorical_crossentropy, "),
        (json!({"optimizer": "adamax"}), "expected one of sgd, rmsprop, adagrad, adam, adamw"),
        (json!({"lowercase": "maybe"}), "lowercase is \"maybe\": expected yes or no"),
        (json!({"validation": 1.5}), "validation is 1.5: expected a number of samples (1000)"),
        (json!({"validation": -1}), "validation is -1"),
        (json!({"threshold": 1.5}), "threshold is 1.5: expected f1, precision=P"),
        (
            json!({"class_weight": "even"}),
            "class_weight is \"even\": expected none, balanced, sqrt",
        ),
        (json!({"class_weight": {"a": -1}}), "class_weight is {\"a\":-1}"),
        (json!({"class_weight": {"a": "2"}}), "class_weight is {\"a\":\"2\"}"),
        (json!({"ensemble": 65}), "ensemble is 65"),
        (json!({"threads": 1025}), "threads is 1025"),
    ] {
        let error = refusal(json);
        assert!(error.contains(want), "{error} should contain {want}");
    }
    // So they are where a program has set them.
    let set = Settings { dropout: Some(f32::NAN), ..Settings::default() };
    assert!(set.plan().unwrap_err().to_string().starts_with("dropout is NaN: expected"));
    let set = Settings { loss: Some("sgd"), ..Settings::default() };
    assert!(set.plan().unwrap_err().to_string().starts_with("loss is sgd: expected one of"));
}

#[test]
fn settings_without_a_meaning_are_refused() {
    for (json, want) in [
        (
            json!({"preset": "auto", "nesterov": true, "tf": "log", "epochs": 3}),
            "epochs, nesterov, tf is chosen by preset auto; leave it out, or add preset text or notebook",
        ),
        (
            json!({"preset": "notebook", "ngrams": 2, "tf": "log"}),
            "ngrams, tf has no meaning for preset notebook; use preset text",
        ),
        (
            json!({"optimizer": "adam", "rho": 0.5, "momentum": 0.1}),
            "momentum, rho has no meaning for optimizer adam",
        ),
        (
            json!({"loss": "mean_squared_error", "label_smoothing": 0.1}),
            "label_smoothing has no meaning for loss mean_squared_error; use \
             categorical_crossentropy or binary_crossentropy",
        ),
        (
            json!({"gamma": 1}),
            "gamma has no meaning for loss categorical_crossentropy; use \
             categorical_focal_crossentropy or binary_focal_crossentropy",
        ),
        (
            json!({"loss": "categorical_focal_crossentropy", "apply_class_balancing": true}),
            "apply_class_balancing has no meaning for loss categorical_focal_crossentropy; use \
             binary_focal_crossentropy",
        ),
        (
            json!({"loss": "binary_focal_crossentropy", "alpha": 2}),
            "alpha is from 0 to 1 for loss binary_focal_crossentropy",
        ),
        (
            json!({"hidden": "none", "dropout": 0.5}),
            "dropout acts on hidden layers, and hidden none leaves none",
        ),
        (json!({"validation": "none"}), "validation none leaves preset auto nothing to choose by"),
        (
            json!({"preset": "notebook", "average": 2, "patience": 3}),
            "average takes the mean of the last epochs, and patience goes back to one of them; use \
             one of the two",
        ),
        (json!({"epochs": 3, "average": 4}), "average 4 of only 3 epochs"),
        (
            json!({"preset": "notebook", "max_features": "none"}),
            "max_features is none: expected a whole number from 1 to 16777216 for preset notebook",
        ),
    ] {
        assert_eq!(refusal(json), want);
    }
}

#[test]
fn another_optimizer_has_its_own_defaults() {
    let of = |json| plan(json).options(9000).optimizer;
    assert_eq!(of(json!({"preset": "text", "optimizer": "rmsprop"})), Optimizer::rmsprop());
    let own = of(json!({"optimizer": "rmsprop", "learning_rate": 0.01}));
    let rate = LearningRate::Constant(0.01);
    assert_eq!(own, Optimizer::rmsprop_keras2().with_learning_rate(rate));
}

#[test]
fn a_schedule_ends_with_the_run() {
    let json = json!({"schedule": "linear", "epochs": 2, "batch_size": 100, "validation": 50});
    // 301 samples make 4 steps an epoch.
    let options = plan(json).options(351);
    let rate = options.optimizer.learning_rate();
    assert_eq!((rate.at(0), rate.at(4), rate.at(8)), (0.001, 0.0005, 0.0));
}

#[test]
fn loss_and_factors_go_with_the_documents() {
    let names = ["a".to_owned(), "b".to_owned()];
    let of = |json, kind| plan(json).options_for(9, kind, &names);
    let loss = of(json!({"label_smoothing": 0.1}), LabelKind::Multi).unwrap().loss;
    assert_eq!(loss, Loss::BinaryCrossentropy { label_smoothing: 0.1 });
    let named = of(json!({"loss": "categorical_crossentropy"}), LabelKind::Multi).unwrap().loss;
    assert_eq!(named, Loss::CATEGORICAL_CROSSENTROPY);
    assert!(of(json!({"class_weight": {"a": 2}}), LabelKind::Single).is_ok());
    let error = of(json!({"class_weight": {"c": 2}}), LabelKind::Single).unwrap_err();
    assert!(matches!(error, ClassifierError::ClassWeightName { .. }), "{error}");
}

#[test]
fn what_only_a_program_can_set_is_told_all_the_same() {
    let mut options = Preset::Text.options();
    if let Some(features) = &mut options.vectorizer {
        features.ngrams.min_df = 5;
    }
    options.optimizer = options.optimizer.with_learning_rate(LearningRate::ExponentialDecay {
        initial_learning_rate: 0.5,
        decay_steps: 10,
        decay_rate: 0.5,
        staircase: false,
    });
    let told = options.settings();
    let value = |name: &str| {
        let found = told.iter().find(|setting| setting.name == name);
        found.map(|setting| setting.value.as_str())
    };
    assert_eq!((value("min_df"), value("max_df")), (Some("2/5/2/2"), Some("1")));
    assert_eq!((value("learning_rate"), value("schedule")), (Some("0.5"), Some("custom")));
    assert_eq!((value("epsilon"), value("threads")), (Some("1e-7"), None));
}

fn documents() -> Documents {
    let mut documents = Documents::new(vec!["grain".into(), "metal".into()]);
    for i in 0..40 {
        documents.push(&format!("wheat and corn fell {i}"), 0);
        documents.push(&format!("gold and silver rose {i}"), 1);
    }
    documents
}

#[test]
fn every_plan_trains() {
    let documents = documents();
    for json in [
        json!({"threads": 1}),
        json!({"preset": "text", "epochs": 3, "class_weight": {"grain": 2}}),
        json!({"preset": "notebook", "epochs": 3, "validation": 10, "batch_size": 8}),
    ] {
        let trained = plan(json).train(&documents, "news", &|| Flow::Continue, &mut []).unwrap();
        assert_eq!(trained.predict("silver").label, "metal");
    }
}

#[test]
fn every_plan_ends_when_asked_to() {
    let documents = documents();
    let stopped = |json| plan(json).train(&documents, "news", &|| Flow::Stop, &mut []);
    assert!(matches!(stopped(json!({})), Err(ClassifierError::Interrupted)));
    let reached = stopped(json!({"ngrams": 1})).unwrap();
    assert!(reached.record().history.epochs.is_empty());
}

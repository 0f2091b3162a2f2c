//! The plans and commands that arguments make.

use clap::Parser;
use slugline::classifier::{ClassWeight, TrainingOptions, ValidationSplit};
use slugline::corpus::LabelKind;
use slugline::nn::Loss;

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    args: TrainingArgs,
}

fn plan(words: &str) -> TrainingPlan {
    Line::try_parse_from(format!("x {words}").split_whitespace()).unwrap().args.plan().unwrap()
}

fn refusal(words: &str) -> String {
    let line = Line::try_parse_from(format!("x {words}").split_whitespace()).unwrap();
    line.args.plan().unwrap_err().to_string()
}

#[test]
fn no_setting_leaves_the_choice_to_the_program() {
    for words in ["", "--preset auto", "--seed 0 --threads 3"] {
        assert_eq!(plan(words).command("reuters"), "slugline train reuters --preset auto");
    }
    let seeded = plan("--seed 7");
    assert_eq!(seeded.auto.unwrap().seed, 7);
    assert_eq!(seeded.command("x.csv"), "slugline train x.csv --preset auto --seed 7");
    let decided = "slugline train x.csv --preset auto --threshold precision=0.9 \
        --min-confidence 0.2 --seed 7";
    let line = "--seed 7 --min-confidence 0.2 --threshold precision=0.9 --max-unknown-words 1";
    assert_eq!(plan(line).command("x.csv"), decided);
    let together = plan("--preset auto --average 2 --ensemble 3");
    let auto = together.auto.unwrap();
    assert_eq!((auto.average, auto.ensemble), (2, 3));
    let command = together.command("x.csv");
    assert_eq!(command, "slugline train x.csv --preset auto --average 2 --ensemble 3");
    assert!(plan("--epochs 3").auto.is_none());
    let refused = refusal("--preset auto --epochs 3 --nesterov");
    assert!(refused.starts_with("--epochs, --nesterov is chosen by --preset auto"), "{refused}");
}

#[test]
fn no_argument_but_the_preset_gives_the_preset() {
    let plan = plan("--preset notebook");
    assert_eq!(plan.options(8982), TrainingOptions::default());
    assert_eq!(plan.sequences.num_words, Some(10_000));
    assert_eq!(plan.command("reuters"), "slugline train reuters --preset notebook");
}

/// Arguments in the order of the command, none of them a default.
const LINES: &[&str] = &[
    "--seed 1",
    "--average 3 --ensemble 2",
    "--max-features 2000 --hidden 8 --activation gelu --dropout 0.25 --l1 0.001 --l2 0.01",
    "--hidden none --epochs 6 --batch-size 128 --validation 0.2 --patience 3",
    "--loss sparse_categorical_crossentropy --class-weight balanced --threshold f1",
    "--threshold 0.25 --min-confidence 0.1 --max-unknown-words 0.5 --seed 2",
    "--loss binary_crossentropy --label-smoothing 0.1 --validation none",
    "--label-smoothing 0.1 --learning-rate 0.0005 --schedule cosine --epsilon-placement inside",
    "--optimizer sgd --learning-rate 0.5 --momentum 0.9 --nesterov --sparse-rule lazy",
    "--optimizer adagrad --schedule linear --initial-accumulator 0 --epsilon 1e-3",
    "--optimizer adam --beta-1 0.8 --beta-2 0.99",
    "--optimizer adamw --weight-decay 0.1 --epochs 2",
    "--rho 0.95 --epsilon 1e-5 --skip-top 20 --maxlen 300 --test-split 0.3 --split-seed 7",
    "--start-char none --oov-char none --index-from 0",
    "--loss categorical_focal_crossentropy --label-smoothing 0.1 --gamma 1.5 --alpha 2",
    "--loss binary_focal_crossentropy --alpha 0.75 --apply-class-balancing",
];

/// The same of text features.
const TEXT_LINES: &[&str] = &[
    "--max-features 5000 --ngrams 3 --char-ngrams 3-5 --prefixes 4,6 --min-df 1 --max-df 0.5",
    "--tf bm25 --idf bm25 --norm l1 --class-spread 0.1 --hashing 18 --token-rule scikit-learn",
    "--normalization strip-accents --lowercase no --punctuation yes --mask-digits yes",
    "--tf count --idf sqrt --norm none --hidden none --dropout 0 --epochs 3 --validation 0.3",
    "--optimizer adamw --validation none --class-weight sqrt --seed 3",
];

#[test]
fn the_command_makes_the_plan_again() {
    for line in LINES {
        let first = plan(&format!("--preset notebook {line}"));
        let command = first.command("reuters");
        let words = command.strip_prefix("slugline train reuters --preset notebook").unwrap();
        assert_eq!(words.trim(), *line);
        let second = plan(&format!("--preset notebook {words}"));
        assert_eq!(first.options(8982), second.options(8982));
        assert_eq!(first.sequences, second.sequences);
    }
}

#[test]
fn the_command_makes_text_features_again() {
    for line in TEXT_LINES {
        let first = plan(&format!("--preset text {line}"));
        let command = first.command("x.csv");
        let words = command.strip_prefix("slugline train x.csv --preset text").unwrap();
        assert_eq!(words.trim(), *line);
        let second = plan(&format!("--preset text {words}"));
        assert_eq!(first.options(500), second.options(500));
        first.options(500).vectorizer.unwrap().check().unwrap();
    }
    assert_eq!(
        plan("--ngrams 1").command("x.csv"),
        "slugline train x.csv --preset text --ngrams 1"
    );
    assert_eq!(plan("--preset text").options(9), Preset::Text.options());
    assert!(plan("--min-df 2").takes_text() && !plan("--epochs 2").takes_text());
    let refused = refusal("--preset notebook --ngrams 2 --tf log");
    assert_eq!(refused, "--ngrams, --tf has no meaning for --preset notebook; use --preset text");
    assert!(refusal("--idf none --maxlen 9").contains("--maxlen has no meaning for --preset text"));
}

#[test]
fn what_is_held_out_goes_with_the_choice_too() {
    for (words, want) in [
        ("--validation 0.1", " --validation 0.1"),
        ("--validation 500 --seed 2", " --validation 500 --seed 2"),
        ("--preset auto --validation 'held", " --validation ''\\''held'"),
    ] {
        let plan = plan(words);
        assert!(plan.auto.is_some());
        assert_eq!(plan.command("x"), format!("slugline train x --preset auto{want}"));
    }
    let mut apart = plan("--validation held.csv");
    apart.hold_out_last(7);
    assert_eq!(apart.auto.unwrap().validation, ValidationSplit::Last(7));
    assert_eq!(apart.command("x"), "slugline train x --preset auto --validation held.csv");
    let mut set = plan("--preset text --validation held.csv --epochs 2");
    set.hold_out_last(7);
    assert_eq!(set.options(20).validation, ValidationSplit::Last(7));
    let command = set.command("x");
    assert_eq!(command, "slugline train x --preset text --epochs 2 --validation held.csv");
    assert!(refusal("--validation none").contains("nothing to choose by"));
}

#[test]
fn losses_and_weights_follow_the_labels() {
    let names = ["a".to_owned(), "b".to_owned()];
    let of = |words: &str, kind| plan(words).options_for(9, kind, &names).map(|o| o.loss);
    let loss = of("--preset text --label-smoothing 0.1", LabelKind::Multi).unwrap();
    assert_eq!(loss, Loss::BinaryCrossentropy { label_smoothing: 0.1 });
    // A loss that was named is kept, and the library says what is wrong with it.
    let named = of("--loss categorical_crossentropy", LabelKind::Multi).unwrap();
    assert_eq!(named, Loss::CATEGORICAL_CROSSENTROPY);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.csv");
    std::fs::write(&path, "a,2\n").unwrap();
    let words = format!("--preset text --class-weight {}", path.display());
    let plan = plan(&words);
    let options = plan.options_for(9, LabelKind::Single, &names).unwrap();
    assert_eq!(options.class_weight, ClassWeight::Named([("a".to_owned(), 2.0)].into()));
    assert_eq!(plan.command("x"), format!("slugline train x {words}"));
    let error = plan.options_for(9, LabelKind::Single, &names[1..]).unwrap_err().to_string();
    assert!(error.contains("w.csv:1: \"a\" is none of the 1 classes: b"), "{error}");
}

#[test]
fn the_command_tells_what_differs_and_nothing_else() {
    let same = plan("--epochs 20 --threads 3 --optimizer rmsprop --epsilon-placement outside");
    assert_eq!(same.command("x"), "slugline train x --preset notebook");
}

#[test]
fn a_schedule_ends_with_the_run() {
    let options =
        plan("--schedule linear --epochs 2 --batch-size 100 --validation 50").options(351);
    // 301 samples make 4 steps an epoch.
    let rate = options.optimizer.learning_rate();
    assert_eq!((rate.at(0), rate.at(4), rate.at(8)), (0.001, 0.0005, 0.0));
}

#[test]
fn arguments_without_a_meaning_are_refused() {
    assert_eq!(
        refusal("--optimizer adam --rho 0.5 --momentum 0.1"),
        "--momentum, --rho has no meaning for --optimizer adam"
    );
    let label_smoothing = refusal("--loss mean_squared_error --label-smoothing 0.1");
    assert!(label_smoothing.contains("has no meaning for --loss mean_squared_error"));
    assert!(refusal("--gamma 1").contains("--gamma has no meaning for --loss categorical_cross"));
    let balancing = refusal("--loss categorical_focal_crossentropy --apply-class-balancing");
    assert!(balancing.contains("use binary_focal_crossentropy"), "{balancing}");
    assert!(refusal("--loss binary_focal_crossentropy --alpha 2").contains("from 0 to 1"));
    assert!(refusal("--hidden none --dropout 0.5").contains("--hidden none leaves none"));
    let both = refusal("--preset notebook --average 2 --patience 3");
    assert!(both.contains("use one of the two"), "{both}");
    assert_eq!(refusal("--epochs 3 --average 4"), "--average 4 of only 3 epochs");
}

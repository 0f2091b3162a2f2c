//! Help, exit codes, colour: what all commands have in common.

use super::{Place, model};

const COMMANDS: &[&str] = &[
    "demo",
    "check",
    "train",
    "tune",
    "evaluate",
    "compare",
    "threshold",
    "predict",
    "explain",
    "inspect",
    "plot",
    "report",
    "datasets list",
    "datasets info",
    "datasets show",
    "datasets fetch",
    "runs",
    "runs list",
    "runs show",
    "runs compare",
    "runs remove",
    "runs path",
    "serve",
    "feedback list",
    "feedback export",
    "feedback remove",
    "completions",
];

#[test]
fn every_command_has_help_with_examples() {
    let place = Place::new();
    for command in COMMANDS {
        let short = place.run(&format!("{command} -h")).ok();
        let long = place.run(&format!("{command} --help")).ok();
        assert!(short.contains(&format!("Usage: slugline {command}")), "{short}");
        assert!(!short.contains("Examples:"), "{short}");
        assert!(long.contains("Examples:\n  slugline "), "{long}");
        assert!(long.lines().all(|line| line.chars().count() <= 100), "{long}");
    }
    let all = place.run("--help").ok();
    for wanted in ["Examples:", "Exit codes:", "SLUGLINE_DATA_DIR", "NO_COLOR"] {
        assert!(all.contains(wanted), "{all}");
    }
    assert_eq!(place.run("--version").ok(), format!("slugline {}\n", env!("CARGO_PKG_VERSION")));
}

/// The values come from the library's options, so a change there has to show here.
#[test]
fn help_shows_the_defaults_of_the_preset() {
    let help = Place::new().run("train -h").ok();
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for wanted in [
        "the most documents [default: 10000]",
        "linear model [default: 64,64]",
        "hidden layers [default: relu]",
        "training samples [default: 20]",
        "Samples a step [default: 512]",
        "[default: categorical_crossentropy]",
        "if nothing is given [default: 1000]",
        "[default: rmsprop]",
        "[default: sgd 0.01, rmsprop 0.001, adagrad 0.001, adam 0.001, adamw 0.001]",
        "(rmsprop) [default: 0.9]",
        "[default: 1e-7]",
        "(rmsprop) [default: outside]",
        "before the split [default: 113]",
        "words alone [default: 2]",
        "fewer documents are left out [default: 2]",
        "that of Keras [default: smooth]",
        "(focal losses) [default: 2]",
    ] {
        assert!(help.contains(wanted), "{wanted} in {help}");
    }
}

#[test]
fn wrong_usage_ends_with_2() {
    let place = Place::new();
    for (line, wanted) in [
        ("train", "<DATA>"),
        ("serve", "[NAME=]FILE"),
        ("feedback remove f", "ID"),
        ("tarin sample", "'train'"),
        ("train sample --preset auto --epochs 3", "--epochs is chosen by --preset auto"),
        ("train a.csv --delimiter ab", "one ASCII character, or `tab`"),
        ("train a.csv --input-format xls", "jsonl"),
        ("train sample --epoch 3", "'--epochs'"),
        ("train sample --epochs 0", "--epochs"),
        ("train sample --threads 1025", "--threads"),
        ("demo --threads 100000", "--threads"),
        ("train sample --batch-size 100000000000", "--batch-size"),
        ("train sample --hidden 0", "`none`"),
        ("train sample --dropout 1", "below 1"),
        ("train sample --validation 1.5", "a share (0.2)"),
        ("train sample --optimizer adamax", "adamw"),
        ("train sample --optimizer adam --rho 0.5", "--rho has no meaning for --optimizer adam"),
        ("train sample --loss mean_squared_error --label-smoothing 0.1", "no meaning"),
        ("train sample --preset nootbook", "notebook"),
        ("train sample --gamma 2", "use categorical_focal_crossentropy"),
        ("train sample --preset notebook --ngrams 2", "use --preset text"),
        ("train sample --ngrams 2 --maxlen 9", "--maxlen has no meaning for --preset text"),
        ("train sample --char-ngrams 5-3", "with a dash (3-5)"),
        ("train sample --hashing 3", "from 4 to 30"),
        ("train sample --validation none", "nothing to choose by"),
        ("train sample --epochs 2 --validation held.csv", "add --preset text"),
        ("train sample -q -v", "--verbose"),
        ("compare x.slug", "<B>"),
        ("compare x.slug y.slug sample --confidence 1", "--confidence"),
        ("predict x.slug y.txt --text z", "--text"),
        ("predict x.slug --top-k 0", "`all`"),
        ("runs compare 1", "ID"),
        ("runs remove", "ID"),
        ("runs remove 1 --all", "--all"),
        ("runs --since yesterday", "days ago such as 7d"),
        ("runs --sort size", "val_accuracy"),
        ("datasets", "Usage"),
        ("datasets show sample minus", "<NUMBER>"),
    ] {
        let said = place.run(line);
        assert_eq!(said.code, Some(2), "{line}: {}", said.err);
        assert!(said.err.contains(wanted), "{line}: {}", said.err);
        assert_eq!(said.out, "", "{line}");
    }
    assert_eq!(place.run("").code, Some(2));
    let usage = place.run("train sample --optimizer adam --rho 0.5").refused(2);
    assert!(usage.contains("Usage: slugline train [OPTIONS] <DATA>..."), "{usage}");
}

#[test]
fn failures_end_with_1_and_say_what_is_wrong() {
    let place = Place::new();
    std::fs::write(place.path().join("garbage.slug"), [0xA5; 5000]).unwrap();
    let model = model();
    for (line, wanted) in [
        ("predict missing.slug --text x", "missing.slug\n  because: "),
        ("inspect garbage.slug", "garbage.slug: expected a Slugline model file"),
        ("evaluate garbage.slug sample", "`slugline train` makes model files"),
        (&format!("predict {model} missing.txt"), "cannot read missing.txt\n  because: "),
        (&format!("predict {model} ."), ". is a folder"),
        ("train sample -o missing/model.slug", "no folder missing; make it first"),
        ("train sample --log-csv .", "which is a folder; name a file"),
        ("train sample --log-csv missing/x.csv", "no folder missing; make it first"),
        ("train samlpe", "no corpus of that name: known are sample, reuters, reuters-clean"),
        ("train sample.csv", "there is no file or folder \"sample.csv\""),
        ("train sample -o .", "which is a folder; name a file"),
        ("train reuters", "downloads are switched off"),
        ("train reuters --data-dir .", "`reuters21578.tar.gz` is not in the data folder ."),
        ("train sample -q --epochs 2 --class-weight missing.csv", "cannot read missing.csv"),
        ("train sample -q --validation 8800", "leaves 0 of 8800 training samples"),
        ("datasets show sample 8800", "it has 8,800 documents, counted from 0"),
    ] {
        let err = place.run(line).refused(1);
        assert!(err.contains(wanted), "{line}: {err}");
    }
    let err = place.run("train reuters").refused(1);
    for wanted in ["https://", "SLUGLINE_DATA_DIR", "`sample` needs no file", "cache"] {
        assert!(err.contains(wanted), "{err}");
    }
}

#[test]
fn colour_is_only_where_it_is_wanted() {
    let place = Place::new();
    let escapes = |line: &str, variables: &[(&str, &str)]| {
        let mut command = place.command(line.split_whitespace());
        command.envs(variables.iter().copied());
        let output = command.output().unwrap();
        assert!(output.status.success());
        [output.stdout, output.stderr].map(|stream| stream.contains(&0x1b))
    };
    let small = "train sample -o x.slug --max-features 100 --hidden none --epochs 1";
    assert_eq!(escapes(small, &[]), [false, false]);
    assert_eq!(escapes(&format!("{small} --color always"), &[]), [true, true]);
    assert_eq!(escapes(small, &[("CLICOLOR_FORCE", "1")]), [true, true]);
    assert_eq!(escapes(small, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]), [false, false]);
    assert_eq!(escapes(&format!("{small} --color never"), &[("CLICOLOR_FORCE", "1")]), [false; 2]);
    let json = format!("{small} --format json --color always");
    assert_eq!(escapes(&json, &[]), [false, true]);
}

#[test]
fn completions_are_printed() {
    let place = Place::new();
    for (shell, wanted) in
        [("bash", "complete -F _slugline"), ("zsh", "#compdef slugline"), ("fish", "-c slugline")]
    {
        assert!(place.run(&format!("completions {shell}")).ok().contains(wanted), "{shell}");
    }
}

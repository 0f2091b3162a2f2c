//! `slugline demo`.

use super::{Place, numbers};

#[test]
fn the_tour_makes_every_stop() {
    let place = Place::new();
    let said = place.run("demo");
    assert_eq!(said.err, "");
    let out = said.ok();
    for stop in 1..=9 {
        assert!(out.contains(&format!("{stop} of 9 · ")), "{out}");
    }
    for wanted in [
        "These newswires are generated, not real news.",
        "football",
        "  ids  1 ",
        "features are 1",
        "640,064",
        "647,214",
        "epoch 20/20   loss 0.",
        "Overfitting begins after epoch ",
        "There validation loss is lowest",
        "always the largest class",
        "random permutation",
        "46 probabilities, sum 1.000000; the largest is that of label ",
        "sparse_categorical_crossentropy: the same model.",
        "All 647,214 weights are equal to the last bit.",
        "64, 4            128     640,554",
        "slugline demo --data reuters",
    ] {
        assert!(out.contains(wanted), "{wanted} in {out}");
    }
    assert_eq!(out.lines().filter(|line| line.trim_start().starts_with("epoch ")).count(), 20);
    assert!(out.lines().all(|line| line.chars().count() <= 100), "{out}");
}

#[test]
fn the_tour_in_figures() {
    let place = Place::new();
    let tour = place.run("demo --seed 1 --format json --threads 2").json();
    assert_eq!(tour["data"]["generated"], true);
    assert_eq!(tour["seed"], 1);
    assert_eq!(tour["summary"]["parameters"], 647_214);
    let val_loss = numbers(&tour["history"]["val_loss"]);
    assert_eq!(val_loss.len(), 20);
    let best = tour["overfits_after"].as_u64().unwrap() as usize;
    assert!(val_loss.iter().all(|loss| *loss >= val_loss[best - 1]));
    let accuracy = tour["evaluation"]["accuracy"].as_f64().unwrap();
    assert!((0.75..0.90).contains(&accuracy), "{accuracy}");
    assert!((tour["prediction"]["sum"].as_f64().unwrap() - 1.0).abs() < 1e-6);
    let label = tour["prediction"]["label"].as_str().unwrap();
    let probabilities = tour["prediction"]["probabilities"].as_object().unwrap();
    assert_eq!((probabilities.len(), probabilities.keys().next().unwrap().as_str()), (46, label));
    assert_eq!(tour["integer_labels_same_model"], true);
    let rows = tour["bottleneck"].as_array().unwrap();
    let accuracy = |row: usize| rows[row]["best_val_accuracy"].as_f64().unwrap();
    assert!(accuracy(2) + 0.03 < accuracy(1), "{rows:?}");
}

//! `slugline predict`.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;

use serde_json::Value;

use super::{Place, Running, model};

fn objects(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_line_gets_an_answer_in_its_place() {
    let place = Place::new();
    let texts = "The cup tie was won by the home side.\r\n\r\nShares fell.\nno end of line";
    fs::write(place.path().join("wires.txt"), texts).unwrap();
    let model = model();
    let from_file = place.run(&format!("predict {model} wires.txt --format json")).ok();
    for line in
        [format!("predict {model} --format json"), format!("predict {model} - --format json")]
    {
        assert_eq!(place.run_with_input(&line, texts.as_bytes()).ok(), from_file);
    }
    let answers = objects(&from_file);
    let words: Vec<u64> = answers.iter().map(|a| a["words"].as_u64().unwrap()).collect();
    assert_eq!(words, [9, 0, 2, 4]);
    for answer in &answers {
        let probabilities = answer["probabilities"].as_object().unwrap();
        assert_eq!(probabilities.len(), 5);
        let label = match answer["words"].as_u64().unwrap() {
            0 => "unknown",
            _ => probabilities.keys().next().unwrap().as_str(),
        };
        assert_eq!(answer["label"], label);
        let values: Vec<f64> = probabilities.values().map(|p| p.as_f64().unwrap()).collect();
        assert!(values.windows(2).all(|pair| pair[0] >= pair[1]), "{values:?}");
        assert!(answer["unknown_words"].as_u64().unwrap() <= answer["words"].as_u64().unwrap());
    }
}

#[test]
fn text_and_json_say_the_same() {
    let place = Place::new();
    let run = |more: &[&str]| {
        let args = ["predict", model(), "--text", "Shares fell\nfurther", "--text", "x"];
        super::Said::of(place.command(args.iter().chain(more)).output().unwrap()).ok()
    };
    let json = objects(&run(&["--format", "json", "-k", "all"]));
    assert_eq!(json.len(), 2);
    let probabilities = json[0]["probabilities"].as_object().unwrap();
    assert_eq!(probabilities.len(), 46);
    let sum: f64 = probabilities.values().map(|p| p.as_f64().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-5, "{sum}");

    let text = run(&["--top-k", "2"]);
    let cells: Vec<&str> = text.lines().next().unwrap().split('\t').collect();
    let wanted: Vec<String> = probabilities
        .iter()
        .take(2)
        .flat_map(|(name, p)| [name.clone(), format!("{:.4}", p.as_f64().unwrap())])
        .collect();
    assert_eq!(cells, wanted);
    assert_eq!(text.lines().count(), 2);
}

#[test]
fn threads_do_not_change_the_answers() {
    let place = Place::new();
    let texts: Vec<String> = (0..5000)
        .map(|i| format!("shares of firm {i} fell {} pct in {}", i % 97, 1900 + i % 100))
        .collect();
    let input = texts.join("\n");
    let answers = |threads: u32| {
        let line = format!("predict {} --format json --threads {threads}", model());
        place.run_with_input(&line, input.as_bytes()).ok()
    };
    let alone = answers(1);
    assert_eq!(alone.lines().count(), 5000);
    assert!(answers(3) == alone);
}

#[test]
fn a_text_is_answered_as_soon_as_it_is_complete() {
    let place = Place::new();
    let mut command = place.command(["predict", model(), "-k", "1"]);
    let mut child = Running(command.stdin(Stdio::piped()).spawn().unwrap());
    let mut input = child.0.stdin.take().unwrap();
    let mut output = BufReader::new(child.0.stdout.take().unwrap());
    for text in ["wheat\n", "gold\n"] {
        input.write_all(text.as_bytes()).unwrap();
        let mut answer = String::new();
        output.read_line(&mut answer).unwrap();
        assert!(answer.contains('\t'), "{answer}");
    }
    drop(input);
    assert_eq!(output.read_to_string(&mut String::new()).unwrap(), 0);
    assert!(child.0.wait().unwrap().success());
}

#[test]
fn a_line_that_is_no_text_ends_the_answers() {
    let place = Place::new();
    fs::write(place.path().join("bad.txt"), b"wheat\ncaf\xE9 prices\ngold\n").unwrap();
    let said = place.run(&format!("predict {} bad.txt -k 1", model()));
    assert_eq!((said.code, said.out.lines().count()), (Some(1), 1));
    assert!(said.err.starts_with("error: bad.txt, line 2: not UTF-8 text (byte 4"), "{}", said.err);
    assert!(said.err.contains("iconv"), "{}", said.err);
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let place = Place::new();
    let mut command = place.command(["predict", model()]);
    let mut child = Running(command.stdin(Stdio::piped()).spawn().unwrap());
    let mut input = child.0.stdin.take().unwrap();
    let mut output = BufReader::new(child.0.stdout.take().unwrap());
    let writer = std::thread::spawn(move || {
        let texts = "shares fell\n".repeat(1000);
        // Goes on until the command has gone.
        while input.write_all(texts.as_bytes()).is_ok() {}
    });
    let mut first = String::new();
    output.read_line(&mut first).unwrap();
    drop(output);
    writer.join().unwrap();
    assert_eq!(child.0.wait().unwrap().code(), Some(0));
    let mut err = String::new();
    child.0.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!(err, "");
}

#[test]
fn a_closed_pipe_ends_the_run_while_its_input_is_silent() {
    let place = Place::new();
    for threads in ["1", "2"] {
        let mut command = place.command(["predict", model(), "--threads", threads]);
        let mut child = Running(command.stdin(Stdio::piped()).spawn().unwrap());
        let mut input = child.0.stdin.take().unwrap();
        let mut output = BufReader::new(child.0.stdout.take().unwrap());
        input.write_all(b"wheat\n").unwrap();
        output.read_line(&mut String::new()).unwrap();
        drop(output);
        input.write_all(b"gold\n").unwrap();
        // The input stays open and says nothing more.
        assert_eq!(child.0.wait().unwrap().code(), Some(0));
        drop(input);
    }
}

#[test]
fn no_text_gives_no_answer() {
    let place = Place::new();
    assert_eq!(place.run_with_input(&format!("predict {}", model()), b"").ok(), "");
}

#[test]
fn nothing_that_is_read_is_written_over() {
    let place = Place::new();
    std::fs::write(place.path().join("wires.txt"), "wheat rose\n").unwrap();
    std::fs::copy(model(), place.path().join("m.slug")).unwrap();
    for (target, read) in [("wires.txt", "the input"), ("m.slug", "the model")] {
        let err = place.run(&format!("predict m.slug wires.txt -o ./{target}")).refused(1);
        assert!(err.contains(&format!("which is {read} that is read")), "{err}");
    }
    place.run("predict m.slug wires.txt -o out.tsv").ok();
    place.run("predict m.slug wires.txt -o out.tsv").ok();
}

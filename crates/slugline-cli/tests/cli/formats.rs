//! Files in many forms: read, described, answered.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use super::{Place, model};

fn objects(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn rows_of_a_table_are_answered_with_what_is_kept_of_them() {
    let place = Place::new();
    let write = |name: &str, content: &str| fs::write(place.path().join(name), content).unwrap();
    write("a.csv", "id,body\n7,\"Shares fell,\nand further.\"\n8,The cup tie was won.\n");
    write(
        "a.jsonl",
        "{\"id\":7,\"body\":\"Shares fell,\\nand further.\"}\n{\"id\":8,\"body\":\"The cup tie was won.\"}\n",
    );
    let run = |file: &str, more: &str| {
        place.run(&format!("predict {} {file} --keep id -k 1 {more}", model())).ok()
    };
    let (csv, lines) =
        (objects(&run("a.csv", "--format json")), objects(&run("a.jsonl", "--format json")));
    assert_eq!(csv.iter().map(|a| a["row"].as_u64().unwrap()).collect::<Vec<_>>(), [2, 4]);
    assert_eq!(lines.iter().map(|a| a["row"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2]);
    assert_eq!((&csv[0]["kept"], &lines[0]["kept"]), (&json!({"id": "7"}), &json!({"id": 7})));
    assert_eq!(csv[1]["probabilities"], lines[1]["probabilities"]);
    assert_eq!(csv[0]["words"], 4);
    let text = run("a.csv", "");
    assert!(text.starts_with("7\t"), "{text}");
    assert_eq!(text, run("a.jsonl", ""));

    let piped = place.run_with_input(
        &format!("predict {} - --input-format jsonl --text id,body --keep id -k 1", model()),
        b"{\"id\":\"Shares\",\"body\":\"fell\"}\n",
    );
    assert!(piped.err.contains("-: JSON lines, text in `id`, `body`"), "{}", piped.err);
    assert!(piped.ok().starts_with("Shares\t"));
    let refused = place.run(&format!("predict {} a.csv --keep nr", model())).refused(1);
    assert!(refused.contains("--keep takes one of `id`, `body`"), "{refused}");
    let refused = place.run(&format!("predict {} --keep nr --text x", model())).refused(2);
    assert!(refused.contains("--keep names columns"), "{refused}");
}

#[test]
fn bad_rows_stop_or_leave_a_mark_in_their_place() {
    let place = Place::new();
    let rows = "{\"text\":\"Shares fell.\"}\n{\"text\":7}\n{\"text\":\"Gold rose.\"}\n";
    fs::write(place.path().join("a.jsonl"), rows).unwrap();
    let line = format!("predict {} a.jsonl --format json", model());
    let stopped = place.run(&line);
    assert_eq!((objects(&stopped.out).len(), stopped.code), (1, Some(1)));
    assert!(stopped.err.contains("a.jsonl:2: expected a text in `text`, found 7"));

    let skipped = place.run(&format!("{line} --on-error skip"));
    assert!(skipped.err.contains("1 bad rows were skipped"), "{}", skipped.err);
    let answers = objects(&skipped.ok());
    assert_eq!(answers[1], json!({"row": 2, "error": "expected a text in `text`, found 7"}));
    assert_eq!((&answers[2]["row"], answers.len()), (&json!(3), 3));

    fs::write(place.path().join("a.txt"), b"fine\nnot \xE9 fine\nfine\n").unwrap();
    let text = place.run(&format!("predict {} a.txt --on-error skip", model())).ok();
    assert_eq!(text.lines().map(str::is_empty).collect::<Vec<_>>(), [false, true, false]);
}

#[test]
fn answers_go_to_a_file_that_is_whole_or_not_there() {
    let place = Place::new();
    fs::write(place.path().join("a.txt"), b"Shares fell.\nGold rose.\n").unwrap();
    fs::write(place.path().join("bad.txt"), b"Shares fell.\n\xE9\n").unwrap();
    let said = place.run(&format!("predict {} a.txt", model())).ok();
    assert_eq!(place.run(&format!("predict {} a.txt -o answers.tsv", model())).ok(), "");
    let path = place.path().join("answers.tsv");
    assert_eq!(fs::read_to_string(&path).unwrap(), said);
    place.run(&format!("predict {} bad.txt -o answers.tsv", model())).refused(1);
    assert_eq!(fs::read_to_string(&path).unwrap(), said);
    place.run(&format!("predict {} bad.txt -o other.tsv", model())).refused(1);
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 3);
    let refused = place.run(&format!("predict {} a.txt -o no/where.tsv", model())).refused(1);
    assert!(refused.contains("there is no folder"), "{refused}");
}

#[test]
fn rows_are_answered_as_they_come() {
    use std::io::{BufRead, BufReader};

    let place = Place::new();
    let mut child = place
        .command(["predict", model(), "-", "--input-format", "jsonl", "--text", "text"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..3 {
        stdin.write_all(b"{\"text\":\"Shares fell.\"}\n").unwrap();
        assert!(!answers.next().unwrap().unwrap().is_empty());
    }
    drop(stdin);
    assert!(answers.next().is_none() && child.wait().unwrap().success());
}

#[test]
fn lists_of_features_are_trained_on_scored_and_answered() {
    let place = Place::new();
    let pair = |i| format!("+1 3:{} 9:0.5 # up\n-1 4:{} 9:0.5\n", 1 + i % 3, 1 + i % 4);
    let lines: Vec<String> = (0..60).map(pair).collect();
    fs::write(place.path().join("a.svm"), lines.concat()).unwrap();
    let trained = place.run("train a.svm -o m.slug --format json").json();
    let candidates = trained["auto"]["candidates"].as_array().unwrap();
    assert!(
        candidates.iter().all(|c| c["features"].as_str().unwrap().starts_with("given features"))
    );
    assert_eq!(place.run("evaluate m.slug a.svm --format json").json()["accuracy"], 1.0);
    let answers = objects(&place.run("predict m.slug a.svm --format json").ok());
    assert_eq!((answers.len(), &answers[1]["label"]), (120, &json!("-1")));
    let piped = place.run_with_input("predict m.slug -k 1", b"3:2\n4:1 77:1\n").ok();
    let labels: Vec<&str> = piped.lines().filter_map(|line| line.split('\t').next()).collect();
    assert_eq!(labels, ["1", "-1"]);
    assert_eq!(place.run("inspect m.slug --format json").json()["words"], 0);

    fs::write(place.path().join("t.csv"), "text,label\nx,1\ny,-1\n").unwrap();
    for line in ["predict m.slug t.csv", "evaluate m.slug t.csv -q"] {
        let refused = place.run(line).refused(1);
        assert!(refused.contains("the model reads lists of features"), "{refused}");
    }
    let settings = "--hidden none --epochs 2 --validation none --feature-scaling max_abs_unit";
    let trained = place.run(&format!("train a.svm {settings} --format json -o n.slug")).json();
    let command = trained["command"].as_str().unwrap();
    assert!(command.contains("--feature-scaling max_abs_unit"), "{command}");
}

#[test]
fn files_are_described() {
    let place = Place::new();
    let table = "id,title,topics,split\n1,Wheat fell.,grain|usa,train\n2,,,train\n3,Gold,metal,test\n4,x,y\n";
    fs::write(place.path().join("a.csv"), table).unwrap();
    let line = "datasets info a.csv --label-separator |";
    let info = place.run(&format!("{line} --format json")).json();
    assert_eq!(info["label_kind"], "multi");
    assert!(info["layouts"][0].as_str().unwrap().contains("text in `title`, label in `topics`"));
    assert_eq!(info["train"]["documents"], 2);
    assert_eq!(info["train"]["lengths"], json!({"min": 0, "median": 1.0, "mean": 1.0, "max": 2}));
    assert_eq!(
        (&info["train"]["empty_texts"], &info["train"]["unlabelled"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        info["classes"][1],
        json!({"name": "metal", "train": 0, "validation": 0, "test": 1})
    );
    assert_eq!((&info["bad_rows"], &info["bad_row_list"][0]["row"]), (&json!(1), &json!(5)));
    let text = place.run(line).ok();
    for part in ["labels: any number of classes a document", "a.csv:5: expected 4 columns, found 3"]
    {
        assert!(text.contains(part), "{text}");
    }
    let refused = place.run("datasets info nothing").refused(1);
    assert!(refused.contains("no corpus of that name"), "{refused}");
}

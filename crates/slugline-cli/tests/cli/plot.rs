//! `slugline plot`.

use super::{Place, model, numbers};

const KINDS: [&str; 6] =
    ["curves", "confusion", "reliability", "architecture", "classes", "embedding"];

#[test]
fn every_kind_is_drawn_in_both_forms_and_themes() {
    let place = Place::new();
    for kind in KINDS {
        let line = |end: &str| format!("plot {} --kind {kind} -o {kind}.{end}", model());
        let said = place.run(&line("svg"));
        assert_eq!(said.err, "", "{kind}");
        assert_eq!(said.ok(), format!("  plot: {kind}.svg\n"));
        place.run(&(line("png") + " --theme dark")).ok();
        let svg = std::fs::read_to_string(place.path().join(format!("{kind}.svg"))).unwrap();
        assert!(svg.starts_with("<svg") && svg.contains("sample"), "{kind}: {svg}");
        assert!(!svg.contains("NaN"), "{kind}");
        let png = std::fs::read(place.path().join(format!("{kind}.png"))).unwrap();
        assert!(png.starts_with(b"\x89PNG") && png.ends_with(b"IEND\xaeB`\x82"), "{kind}");
    }
}

#[test]
fn what_is_drawn_can_be_had_as_data() {
    let place = Place::new();
    let data = |kind: &str| {
        let more = if kind == "embedding" { " --points 100" } else { "" };
        place.run(&format!("plot {} --kind {kind}{more} --format json", model())).json()
    };
    for kind in KINDS {
        let found = data(kind);
        assert_eq!((found["kind"].as_str(), found["plot"].is_null()), (Some(kind), true));
        let documents = ["confusion", "reliability", "embedding"].contains(&kind);
        assert_eq!(found.get("split").is_some(), documents, "{kind}");
    }
    assert_eq!(numbers(&data("curves")["val_loss"]).len(), 3);
    let confusion = data("confusion");
    let rows = confusion["counts"].as_array().unwrap();
    let sizes: Vec<f64> = rows.iter().map(|row| numbers(row).iter().sum()).collect();
    assert!(sizes.windows(2).all(|w| w[0] >= w[1]), "{sizes:?}");
    assert_eq!(sizes.iter().sum::<f64>(), 2200.0);
    let evaluation = place.run(&format!("evaluate {} --format json", model())).json();
    assert_eq!(confusion["accuracy"], evaluation["accuracy"]);
    let reliability = data("reliability");
    assert_eq!(
        (&reliability["ece"], &reliability["bins"]),
        (&evaluation["ece"], &evaluation["bins"])
    );
    assert_eq!(data("architecture")["layers"][0]["parameters"], 2000 * 16 + 16);
    assert_eq!(data("classes")["classes"].as_array().unwrap().len(), 46);
    let map = data("embedding");
    let points = map["points"].as_array().unwrap();
    assert_eq!((points.len(), &map["documents"]), (100, &2200.into()));
    assert_eq!(points[1]["document"], 22);
    assert!(map["explained"][0].as_f64().unwrap() >= map["explained"][1].as_f64().unwrap());

    let by_name = place
        .run(&format!("plot {} -k confusion --order name --format json -o c.svg", model()))
        .json();
    let names: Vec<&str> =
        by_name["classes"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert!(names.is_sorted() && by_name["plot"] == "c.svg", "{names:?}");
    assert!(place.path().join("c.svg").is_file());
}

#[test]
fn what_has_no_meaning_is_refused() {
    let place = Place::new();
    let model = model();
    for (line, wanted) in [
        ("--kind curves sample -o a.svg", "takes no DATA"),
        ("--kind curves", "-o FILE.svg"),
        ("--kind classes --order name -o a.svg", "belongs to --kind confusion"),
        ("--kind confusion --points 3 -o a.svg", "belongs to --kind embedding"),
        ("--kind shapes -o a.svg", "architecture"),
        ("-o a.svg", "--kind"),
    ] {
        let said = place.run(&format!("plot {model} {line}"));
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{line}: {}", said.err);
        assert!(said.err.contains(wanted), "{line}: {}", said.err);
    }
    // Before the model is opened.
    for (target, wanted) in [
        ("a.gif", "ends in .svg or .png"),
        ("none/a.svg", "no folder none"),
        (".", "ends in .svg or .png"),
    ] {
        let err = place.run(&format!("plot missing.slug --kind curves -o {target}")).refused(1);
        assert!(err.contains(wanted), "{target}: {err}");
    }
    std::fs::write(place.path().join("a.svg"), "before").unwrap();
    let err = place.run(&format!("plot {model} -k confusion none.csv -o a.svg")).refused(1);
    assert!(err.contains("none.csv"), "{err}");
    assert_eq!(std::fs::read_to_string(place.path().join("a.svg")).unwrap(), "before");
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1);
}

#[test]
fn models_of_any_number_of_labels_have_their_pictures() {
    let place = Place::new();
    let mut rows = "text,label\n".to_owned();
    for i in 0..80 {
        rows += [
            "wheat and corn rose,grain\n",
            "gold and silver fell,metal\n",
            "wheat rose and gold fell,grain|metal\n",
        ][i % 3];
    }
    std::fs::write(place.path().join("news.csv"), rows).unwrap();
    place.run("train news.csv --label-separator | --preset text --epochs 2 -q -o m.slug").ok();
    let multi = "news.csv --label-separator |";
    let refused = place.run(&format!("plot m.slug {multi} -k confusion -o c.svg"));
    assert_eq!(refused.code, Some(2), "{}", refused.err);
    assert!(refused.err.contains("use --kind reliability"), "{}", refused.err);
    assert!(!place.path().join("c.svg").exists());
    let unnamed = place.run("plot m.slug -k reliability -o r.svg").refused(2);
    assert!(unnamed.contains("name the DATA to score on"), "{unnamed}");
    for (kind, wanted) in [
        (format!("{multi} -k reliability"), "documents times labels"),
        (format!("{multi} -k embedding"), "grain"),
        ("-k curves".into(), "micro F1"),
        ("-k architecture".into(), "any number of classes"),
        ("-k classes".into(), "metal"),
    ] {
        place.run(&format!("plot m.slug {kind} -q -o p.svg")).ok();
        let svg = std::fs::read_to_string(place.path().join("p.svg")).unwrap();
        assert!(svg.contains(wanted), "{kind}: {svg}");
    }
}

#[test]
fn numbers_are_as_short_as_they_are_meant() {
    let place = Place::new();
    place.run("train sample -q -o m.slug --max-features 50 --dropout 0.3 --epochs 1").ok();
    let data = place.run("plot m.slug -k architecture --format json").ok();
    assert!(data.contains("\"rate\":0.3,") || data.contains("\"rate\":0.3}"), "{data}");
}

#[test]
#[cfg(unix)]
fn a_name_that_xml_cannot_say_spoils_no_picture() {
    let place = Place::new();
    let name = "od\u{1}d\n<b>.csv";
    let rows = "text,label\n".to_owned() + &"wheat rose,grain\ngold fell,metal\n".repeat(20);
    std::fs::write(place.path().join(name), rows).unwrap();
    let train = ["train", name, "-q", "-o", "m.slug", "--preset", "text", "--epochs", "2"];
    assert!(place.command(train).status().unwrap().success());
    place.run("plot m.slug -k curves -o c.png").ok();
    place.run("plot m.slug -k curves -o c.svg").ok();
    let svg = std::fs::read_to_string(place.path().join("c.svg")).unwrap();
    assert!(!svg.contains('\u{1}') && svg.contains("&lt;b&gt;"), "{svg}");
}

#[test]
fn nothing_that_is_read_is_drawn_over() {
    let place = Place::new();
    let rows = "text,label\nwheat rose,grain\ngold fell,metal\n";
    std::fs::write(place.path().join("data.svg"), rows).unwrap();
    let err = place.run(&format!("plot {} -k confusion data.svg -o data.svg", model())).refused(1);
    assert!(err.contains("cannot write to data.svg, which is the data that is read"), "{err}");
    std::fs::copy(model(), place.path().join("m.svg")).unwrap();
    let err = place.run("plot m.svg -k curves -o ./m.svg").refused(1);
    assert!(err.contains("which is the model that is read"), "{err}");
}

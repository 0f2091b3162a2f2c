use super::*;
use crate::classifier::{TrainingOptions, ValidationSplit};
use crate::corpus::{LabelKind, Labels};
use crate::nn::{Loss, Matrix, Optimizer};
use crate::text::VectorizerOptions;

fn documents() -> Documents {
    let mut documents = Documents::new(vec!["grain".into(), "metal".into(), "none <&>".into()]);
    for i in 0..30 {
        documents.push(&format!("wheat rose {i}"), 0);
        documents.push(&format!("gold fell {i}"), 1);
    }
    documents
}

fn options() -> TrainingOptions {
    TrainingOptions {
        vectorizer: Some(VectorizerOptions::default()),
        hidden: vec![6],
        optimizer: Optimizer::adam(),
        epochs: 30,
        batch_size: 8,
        validation: ValidationSplit::None,
        ..TrainingOptions::default()
    }
}

fn trained(documents: &Documents, options: &TrainingOptions) -> Classifier {
    Classifier::train_documents(documents, "wires", options, &mut []).unwrap()
}

#[test]
fn what_is_wrong_comes_first_and_once() {
    let mut documents = documents();
    let classifier = trained(&documents, &options());
    documents.push("gold fell again <script>", 0);
    documents.push("wheat wheat", 1);
    documents.push("", 2);
    let report = Report::new(&classifier, &documents, "x", ReportOptions::default()).unwrap();
    let wrong: Vec<usize> = report.wrong.iter().map(|d| d.document).collect();
    assert!(wrong.contains(&60) && wrong.contains(&61), "{wrong:?}");
    assert!(report.wrong.is_sorted_by(|a, b| a.probability >= b.probability));
    assert!(report.hardest.is_sorted_by(|a, b| a.loss >= b.loss));
    assert!(report.hardest.iter().all(|d| !wrong.contains(&d.document)));
    let pair = report.confused.iter().find(|p| p.truth == "grain").unwrap();
    assert_eq!((pair.answer.as_str(), pair.documents, pair.support), ("metal", 1, 31));
    assert_eq!(pair.examples[0].document, 60);
    let why = pair.examples[0].why.as_ref().unwrap();
    assert_eq!((why.label.as_str(), why.against.as_deref()), ("metal", Some("grain")));

    let page = report.html(&classifier).unwrap();
    assert!(page.contains("none &#60;&#38;&#62;") && !page.contains("again <script>"));
    assert!(page.contains("Trained on fewer than 20 documents: none"));
    assert_eq!(page.matches("class=\"document\"").count(), {
        let of_pairs: usize = report.confused.iter().map(|pair| pair.examples.len()).sum();
        of_pairs + report.wrong.len() + report.hardest.len()
    });
}

#[test]
fn every_kind_of_labels_and_features_makes_a_page() {
    let documents = documents();
    let sets = (0..documents.len() as u32).map(|i| if i % 5 == 0 { vec![] } else { vec![i % 2] });
    let multi = Labels::Multi(sets.collect());
    let shares = (0..documents.len()).flat_map(|i| [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]][i % 2]);
    let soft = Labels::Soft(Matrix::new(documents.len(), 3, shares.collect()).unwrap());
    for (labels, kind) in [(multi, LabelKind::Multi), (soft, LabelKind::Soft)] {
        let documents = documents.clone().with_labels(labels).unwrap();
        let loss = match kind {
            LabelKind::Multi => Loss::BINARY_CROSSENTROPY,
            _ => Loss::CategoricalCrossentropy { label_smoothing: 0.0 },
        };
        let classifier = trained(&documents, &TrainingOptions { loss, ..options() });
        let report = Report::new(&classifier, &documents, "x", ReportOptions::default()).unwrap();
        assert_eq!(report.evaluation.label_kind, kind);
        assert_eq!(report.hardest.len(), 12);
        let page = report.html(&classifier).unwrap();
        assert_eq!(page.contains("id=\"confusions\""), kind == LabelKind::Soft);
    }
    let hashed = VectorizerOptions { hashing: Some(6), ..VectorizerOptions::default() };
    let classifier =
        trained(&documents, &TrainingOptions { vectorizer: Some(hashed), ..options() });
    let few = ReportOptions { documents: 0, pairs: 0, texts: false, ..ReportOptions::default() };
    let report = Report::new(&classifier, &documents, "x", few).unwrap();
    assert!(report.words.is_empty() && report.wrong.is_empty());
    assert!(report.html(&classifier).unwrap().contains("are those that it was trained on"));
}

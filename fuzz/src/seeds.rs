//! The seeds: small inputs from which the targets start.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use slugline::corpus::read::Format;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    out.write_all(bytes).expect("memory");
    out.finish().expect("memory")
}

/// A seed of `read_options`: format (0 to guess), the bits of the options, the file.
fn options(format: u8, bits: u16, content: &[u8]) -> Vec<u8> {
    [&[format][..], &bits.to_le_bytes(), content].concat()
}

/// Writes the seeds of all targets into a folder.
///
/// # Errors
/// What the system says of the files.
pub fn write(folder: &Path) -> io::Result<()> {
    let seeds = Seeds(folder);
    files(&seeds)?;
    newswires(&seeds)?;
    texts(&seeds)?;
    settings(&seeds)
}

struct Seeds<'a>(&'a Path);

impl Seeds<'_> {
    fn add(&self, target: &str, name: &str, content: &[u8]) -> io::Result<()> {
        let folder = self.0.join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(name), content)
    }
}

fn files(seeds: &Seeds<'_>) -> io::Result<()> {
    let csv =
        b"label,text,weight,split\na,\"Wheat, \"\"corn\"\"\",1,train\nb,\"Gold\nrose\",0.5,test\n";
    let jsonl = b"{\"text\":\"Wheat\\n\",\"label\":\"a\"}\n\n{\"label\":[\"a\",\"b\"],\"text\":\"Gold \\u00e9\"}\n{\"text\":\"x\",\"label\":{\"a\":3,\"b\":1}}\n";
    let fasttext = b"__label__a wheat fell\n__label__b __label__a gold rose\n";
    seeds.add("read_file", "table.csv", csv)?;
    seeds.add(
        "read_file",
        "bare.csv",
        b"a;Wheat fell sharply in the week\r\nb;Gold rose again in London.\r\na;Corn rose.\r\n",
    )?;
    seeds.add("read_file", "table.tsv", b"text\ttopic\nWheat\ta\nGold\tb\n")?;
    seeds.add("read_file", "marked.csv", b"\xEF\xBB\xBFtext|label\nx|a\n\xFF|b\n")?;
    seeds.add("read_file", "lines.jsonl", jsonl)?;
    seeds.add("read_file", "fasttext.txt", fasttext)?;
    let svmlight = b"# two features\n+1 qid:3 1:0.5 7:-2 # a\n-1 2:1e-3\n1,2 3:1\n";
    seeds.add("read_file", "features.svm", svmlight)?;
    seeds.add("read_options", "features.svm", &options(7, 0x2400, svmlight))?;
    let rows = [("Wheat fell", "a"), ("Gold rose", "b"), ("", "a")];
    let rows = rows.map(|(text, label)| (text.to_owned(), label.to_owned()));
    for (number, format) in [(5, Format::Parquet), (6, Format::Arrow)] {
        let Some(file) = super::reading::written(format, &rows) else { continue };
        seeds.add("read_file", format.name(), &file)?;
        seeds.add("read_options", format.name(), &options(number, 0x2006, &file))?;
    }
    seeds.add("read_file", "table.csv.gz", &gzip(csv))?;
    seeds.add("read_file", "twice.jsonl.gz", &[gzip(jsonl), gzip(jsonl)].concat())?;
    seeds.add("read_file", "table.csv.zst", &zstd::encode_all(&csv[..], 3)?)?;

    seeds.add("read_options", "guessed.csv", &options(0, 0, csv))?;
    seeds.add("read_options", "table.csv", &options(1, 0x606E, csv))?;
    seeds.add(
        "read_options",
        "skipped.csv",
        &options(1, 0x2000, b"text,label\nx,a\ny\nz, \n\"w,a\n"),
    )?;
    seeds.add("read_options", "table.tsv", &options(2, 0x0084, b"text\tlabel\nWheat\ta\n"))?;
    seeds.add("read_options", "lines.jsonl", &options(3, 0xA000, jsonl))?;
    seeds.add(
        "read_options",
        "separated.jsonl",
        &options(3, 0x4018, b"{\"text\":\"x\",\"label\":\"a|b\"}\n"),
    )?;
    seeds.add("read_options", "fasttext.txt", &options(4, 0x3000, fasttext))?;
    seeds.add("read_options", "folder", &options(8, 0, b"wheat\0gold\0corn\0\xFF\0"))?;

    for format in 0..Format::ALL.len() as u8 {
        let rows =
            [&[format, format % 3][..], b"Wheat, \"fell\"\nGold'\t\xC3\xA9 x", &[13, 0, 9, 4, 3]];
        seeds.add("read_back", &format!("format-{format}"), &rows.concat())?;
    }
    Ok(())
}

fn newswires(seeds: &Seeds<'_>) -> io::Result<()> {
    seeds.add("reuters_sgml", "wires.sgm", b"<!DOCTYPE lewis SYSTEM \"lewis.dtd\">\n<REUTERS TOPICS=\"YES\"><DATE>1</DATE><TOPICS><D>grain</D><D>corn</D></TOPICS><TEXT><BODY>Wheat &lt;fell>\n Reuter\n&#3;</BODY></TEXT></REUTERS>\n<REUTERS><TOPICS><D>grain</D></TOPICS></REUTERS>\n<REUTERS><TOPICS></TOPICS><BODY>caf\xE9</BODY></REUTERS>\n")?;
    seeds.add(
        "reuters_sgml",
        "no-body.sgm",
        b"<!DOCTYPE lewis>\n<REUTERS><DATE>1</DATE><TOPICS><D>grain</D></TOPICS></REUTERS>",
    )?;
    seeds.add("reuters_sgml", "empty.tar.gz", &gzip(&[0; 1024]))?;
    let (pickle, x, y) = super::reuters::arrays();
    seeds.add("reuters_keras", "archive", &[&[0][..], &super::reuters::npz(&x, &y)].concat())?;
    seeds.add("reuters_keras", "lists", &[&[1][..], &pickle].concat())?;
    seeds.add("reuters_keras", "x", &[&[2][..], &x].concat())?;
    seeds.add("reuters_keras", "y", &[&[3][..], &y].concat())?;
    seeds.add("reuters_keras", "words", b"\x04{\"the\": 2, \"of\": 1, \"caf\\u00e9\": 3}")?;
    Ok(())
}

fn texts(seeds: &Seeds<'_>) -> io::Result<()> {
    let texts = "Don't pay 3.14 a_b: ÉTÉ naïve\u{301}, 東京タワー हिन्दी 👩‍🚀🙂 İı ß ΟΔΟΣ ﬁ ™";
    for rule in 0..5_u8 {
        let input = [&[rule % 4, 1, rule, 1, rule % 2][..], texts.as_bytes()].concat();
        seeds.add("analyzer", &format!("rule-{rule}"), &input)?;
    }
    let lines = "wheat fell 1987\nwheat rose\n\ngold rose rose\nété 東京";
    for kind in 0..4_u8 {
        // The shortest part of words, the rule that cuts, then the rest of the options.
        let mut input = vec![kind, 1, 1, 0, 0, 0];
        input.extend([[1, 0, 0].as_slice(), &[kind % 4], &[1, 0, 0], &[kind], &[1, 0, 0]].concat());
        input.extend([1, 1, 0, 0, 0, kind, kind, kind, kind]);
        input.extend(lines.as_bytes());
        seeds.add("vectorizer", &format!("kind-{kind}"), &input)?;
    }
    for count in 0..3_u8 {
        let input: Vec<u8> = (0..120)
            .map(|i: u8| if i.is_multiple_of(9) { count } else { i.wrapping_mul(37) })
            .collect();
        seeds.add("stored_terms", &format!("count-{count}"), &input)?;
    }
    seeds.add(
        "check",
        "lines",
        "awheat\nbwheat\naCafÃ© au lait\nawheat\n\u{3}x\u{FFFD}\na\nb…\n".as_bytes(),
    )?;
    Ok(())
}

fn settings(seeds: &Seeds<'_>) -> io::Result<()> {
    for (kind, file) in super::model::FILES.iter().enumerate() {
        seeds.add("model_file", &format!("model-{kind}"), file)?;
        seeds.add("model_edited", &format!("as-it-is-{kind}"), &[kind as u8, 0])?;
        for edit in 0..8_u8 {
            let input = [kind as u8, 1, edit, 9, 3, 1, 5, 2, 8, 4, 77, 200];
            seeds.add("model_edited", &format!("edit-{edit}-{kind}"), &input)?;
        }
    }

    let archive = super::exchange::ARCHIVE;
    seeds.add("keras_archive", "archive", &[&[0], archive].concat())?;
    for (part, name) in super::exchange::PARTS.iter().enumerate() {
        let content = super::exchange::part(archive, name);
        seeds.add("keras_archive", name, &[&[part as u8 + 1][..], &content].concat())?;
    }

    seeds.add("options_json", "training", br#"{"hidden":[4],"epochs":2,"dropout":0.5,"l2":0.001,"optimizer":{"adam":{"learning_rate":0.01}},"validation":{"fraction":0.25},"batch_size":4,"patience":1,"class_weight":"balanced"}"#)?;
    let terms = br#"{"analyzer":{"normalization":"nfkc","tokens":"unicode","punctuation":false,"mask_digits":true},"words":{"min_df":2,"max_df":0.9,"weight":0.5},"word_ngrams":2,"prefix_lengths":[3],"char_ngrams":[2,3],"tf":{"bm25":{"k1":1.2,"b":0.75}},"idf":"bm25","norm":"l2","max_features":50,"class_spread":0.1}"#;
    seeds.add("options_json", "vectorizer", terms)?;
    seeds.add(
        "options_json",
        "training-terms",
        &[&b"{\"epochs\":1,\"hidden\":[],\"vectorizer\":"[..], terms, b"}"].concat(),
    )?;
    seeds.add(
        "options_json",
        "analyzer",
        br#"{"normalization":"strip_accents","lowercase":false,"tokens":"scikit_learn"}"#,
    )?;
    seeds.add(
        "options_json",
        "sequences",
        br#"{"num_words":100,"skip_top":2,"maxlen":null,"oov_char":null}"#,
    )?;
    seeds.add("options_json", "settings", br#"{"preset":"text","hidden":[8],"char_ngrams":[3,5],"prefixes":"none","validation":0.25,"class_weight":{"grain":2},"threshold":"precision=0.9","optimizer":"adamw","schedule":"cosine","hashing":"none","lowercase":"no"}"#)?;
    let loading =
        br#"{"skip_top":2,"maxlen":300,"oov_char":"none","start_char":1,"test_split":0.3}"#;
    seeds.add("options_json", "loading", loading)?;
    Ok(())
}

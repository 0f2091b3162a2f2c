"""Writes what scikit-learn, Keras and bm25s make of small texts, for the tests of the text features.

    python scripts/goldens/text_features.py [--data-dir DIR]

The output is crates/slugline/tests/golden/text_features.json; with DIR, a folder that holds
20news-bydate.jsonl.gz, also text_features_20news.json beside it. The texts below are written for this
purpose. Each case holds the settings of the reference program and, as `slugline`, those of
VectorizerOptions that mean the same.
"""

import argparse
import gzip
import hashlib
import json
import os
import pathlib
import platform
import sys
import unicodedata

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import bm25s
import keras
import numpy as np
import scipy
import sklearn
from keras.src.legacy.preprocessing.text import Tokenizer
from sklearn.feature_extraction.text import (
    CountVectorizer,
    TfidfVectorizer,
    strip_accents_unicode,
)

import golden_json

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "crates/slugline/tests/golden"

TEXTS = {
    "plain": [
        "The wheat harvest was late, and the price of wheat rose.",
        "Gold rose; silver rose less. Gold's price is in dollars, the price of tin is not.",
        "The bank's rate: 4-1/2 pct, from 4 pct -- a rise of half a pct in the week.",
        "",
        "rain rain rain RAIN, go away!",
        "Corn and wheat and corn and rye: the harvest was late in the north, early in the south.",
        "It's what it's: don't say it isn't (e-mail me@home.example).",
        "x y z",
        "In 1987 the price of 10,000 tonnes of corn_oil was $3.50 a unit\tand fell\nin 1988.",
    ],
    "plain_unseen": [
        "Wheat and barley rose in 1987, the price of gold did not.",
        "nothing of this was ever heard",
        "",
        "the the the the price, price of WHEAT",
        "I don't know what it's about, said the bank's chairman.",
    ],
    "unicode": [
        "Le café fermé; une journée d'été à Nîmes, où l'on rêve.",
        "Le cafe\u0301 ferme\u0301 et la garc\u0327on",
        "Straße, STRASSE und Maß; größer als GRÖSSE. ẞ",
        "ISPARTA ılık, İstanbul ILIK; diyarbakır DİYARBAKIR",
        "東京タワーは高い。中文 分詞 測試 東京タワー",
        "हिन्दी भाषा और हिन्दी कविता",
        "ok 👍🏽 ok👩‍🚀 🙂🙂 ☃ snow☃man",
        "ΟΔΥΣΣΕΥΣ Ὀδυσσεύς οδος ΟΔΟΣ.",
        "ﬁne ﬂow; ＦＵＬＬ ｗｉｄｔｈ ４２ Ⅳ ⅳ x² ½ ٤٢ Ⓐb ab\u200dcd",
        "Привет, МИР! ЁЛКА ёлка й и\u0306",
        "a\u00a0b\u3000cd\u2028ef\u2009gh – “ij” ‘kl’s kl’s",
        "naïve naive NAÏVE na\u0131ve",
    ],
    "unicode_unseen": [
        "CAFÉ café cafe\u0301 cafe",
        "straße strasse ẞ",
        "İSTANBUL istanbul ISTANBUL ıstanbul",
        "東京 タワー 東京タワー हिन्दी 👍🏽",
        "ΟΔΟΣ οδός ёлка ﬁne fine ４２ 42",
    ],
}


def fixed(rows, names):
    """Rows of a matrix as lists term, value, term, value, … in the order of the terms."""
    rows = rows.tocsr()
    out = []
    for i in range(rows.shape[0]):
        row = rows[[i]]
        pairs = sorted((names[j], float(f"{v:.9g}")) for j, v in zip(row.indices, row.data) if v)
        out.append([item for pair in pairs for item in pair])
    return out


def ties(vectorizer, texts, names):
    """Of a vectorizer with max_features: names that must be kept, and names that tie for the rest."""
    settings = {**vectorizer.get_params(), "max_features": None}
    everything = CountVectorizer(
        **{k: v for k, v in settings.items() if k in CountVectorizer().get_params()}
    )
    counts = everything.fit_transform(texts)
    times = np.asarray(counts.sum(axis=0)).ravel()
    listed = everything.get_feature_names_out()
    last = np.sort(times)[::-1][len(names) - 1]
    return (
        sorted(n for n, t in zip(listed, times) if t > last),
        sorted(n for n, t in zip(listed, times) if t == last),
    )


def slugline(settings, tfidf):
    """VectorizerOptions of the same meaning."""
    s = dict(settings)
    s.pop("dtype", None)
    nothing = {"min_df": 2**32 - 1}
    selection = {"min_df": s.pop("min_df", 1), "max_df": s.pop("max_df", 1.0)}
    shortest, longest = s.pop("ngram_range", (1, 1))
    analyzer = {"normalization": "none", "lowercase": s.pop("lowercase", True)}
    if s.pop("strip_accents", None) == "unicode":
        analyzer["normalization"] = "strip_accents"
    options = {"analyzer": analyzer}
    pattern = s.pop("token_pattern", None)
    if s.pop("analyzer", "word") == "char_wb":
        analyzer["tokens"] = "whitespace"
        options |= {"words": nothing, "char_ngrams": [shortest, longest], "chars": selection}
    else:
        analyzer["tokens"] = "whitespace" if pattern == r"\S+" else "scikit_learn"
        assert pattern in (None, r"\S+") and shortest <= 2
        options |= {
            "words": selection if shortest == 1 else nothing,
            "word_ngrams": longest,
            "ngrams": selection,
        }
    if (most := s.pop("max_features", None)) is not None:
        options["max_features"] = most
    binary, sublinear = s.pop("binary", False), s.pop("sublinear_tf", False)
    options["tf"] = "binary" if binary else "log" if sublinear else "count"
    if tfidf:
        smooth = s.pop("smooth_idf", True)
        options["idf"] = ("smooth" if smooth else "plain") if s.pop("use_idf", True) else "none"
        options["norm"] = s.pop("norm", "l2") or "none"
    assert not s, s
    return options


def sklearn_case(texts, kind, settings):
    vectorizer = kind(**settings)
    x = vectorizer.fit_transform(TEXTS[texts])
    names = vectorizer.get_feature_names_out()
    case = {
        "program": f"sklearn {kind.__name__}",
        "settings": {k: list(v) if isinstance(v, tuple) else v for k, v in settings.items()},
        "slugline": slugline(settings, kind is TfidfVectorizer),
        "texts": texts,
        "names": sorted(names),
    }
    if "max_features" in settings:
        # argsort's order of equals is NumPy's affair: values are given where no tie decides.
        above, tied = ties(vectorizer, TEXTS[texts], names)
        case |= {"names": above, "tied": tied, "features": len(names)}
        if kind is TfidfVectorizer and settings.get("norm", "l2") is not None:
            return case
        keep = [i for i, name in enumerate(names) if name in above]
        x, names = x[:, keep], names[keep]
        unseen = vectorizer.transform(TEXTS[f"{texts}_unseen"])[:, keep]
    else:
        unseen = vectorizer.transform(TEXTS[f"{texts}_unseen"])
    return case | {"rows": fixed(x, names), "unseen": fixed(unseen, names)}


def sklearn_cases():
    count = [
        {},
        {"lowercase": False},
        {"strip_accents": "unicode"},
        {"token_pattern": r"\S+"},
        {"ngram_range": (1, 2)},
        {"ngram_range": (1, 3), "min_df": 2},
        {"ngram_range": (2, 2)},
        {"ngram_range": (2, 3)},
        {"min_df": 2},
        {"max_df": 0.25},
        {"min_df": 2, "max_df": 0.4},
        {"binary": True},
        {"max_features": 8},
        {"max_features": 8, "binary": True},
        {"max_features": 1},
        {"max_features": 30, "ngram_range": (1, 2), "min_df": 2},
        {"analyzer": "char_wb", "ngram_range": (1, 1)},
        {"analyzer": "char_wb", "ngram_range": (2, 4)},
        {"analyzer": "char_wb", "ngram_range": (3, 3), "min_df": 2, "lowercase": False},
        {"analyzer": "char_wb", "ngram_range": (3, 5), "max_df": 0.4, "strip_accents": "unicode"},
        {"analyzer": "char_wb", "ngram_range": (5, 8)},
    ]
    tfidf = [
        {},
        {"sublinear_tf": True},
        {"norm": "l1"},
        {"norm": None},
        {"use_idf": False},
        {"use_idf": False, "norm": None, "sublinear_tf": True},
        {"use_idf": False, "norm": "l1", "binary": True},
        {"binary": True},
        {"smooth_idf": False},
        {"smooth_idf": False, "norm": None, "sublinear_tf": True},
        {"ngram_range": (1, 2), "sublinear_tf": True, "min_df": 2},
        {"ngram_range": (1, 2), "sublinear_tf": True, "max_df": 0.5, "strip_accents": "unicode"},
        {"max_features": 10, "norm": None},
        {"analyzer": "char_wb", "ngram_range": (2, 5), "sublinear_tf": True},
        {"analyzer": "char_wb", "ngram_range": (3, 4), "min_df": 2, "norm": "l1"},
    ]
    return [
        sklearn_case(texts, kind, settings)
        for kind, all_settings in [(CountVectorizer, count), (TfidfVectorizer, tfidf)]
        for settings in all_settings
        for texts in ["plain", "unicode"]
    ]


def keras_case(texts, num_words, mode):
    tokenizer = Tokenizer(num_words=num_words)
    tokenizer.fit_on_texts(TEXTS[texts])
    width = num_words or len(tokenizer.word_index) + 1
    names = [None] + [tokenizer.index_word[i] for i in range(1, width)]
    options = {
        "analyzer": {"normalization": "none", "tokens": "keras"},
        "tf": {"freq": "count", "tfidf": "log"}.get(mode, mode),
        "idf": "keras" if mode == "tfidf" else "none",
        "norm": "l1" if mode == "freq" else "none",
    }
    if num_words:
        # Keras takes the words of the most occurrences in every mode; our binary, of the most documents.
        options["max_features"] = num_words - 1

    def rows(key):
        matrix = tokenizer.texts_to_matrix(TEXTS[key], mode=mode)
        return fixed(scipy.sparse.csr_array(matrix), names)

    return {
        "program": "keras Tokenizer",
        "settings": {"num_words": num_words, "mode": mode},
        "slugline": options,
        "texts": texts,
        "names": sorted(names[1:]),
        "rows": rows(texts),
        "unseen": rows(f"{texts}_unseen"),
    }


def keras_cases():
    cases = []
    for texts in ["plain", "unicode"]:
        for num_words in [None, 12]:
            for mode in ["binary", "count", "freq", "tfidf"]:
                if num_words is None or mode != "binary":
                    cases.append(keras_case(texts, num_words, mode))
    return cases


def text_vectorization_case(mode):
    """Keras's layer; its first column counts unknown words, for which we have no feature."""
    texts = "plain"
    layer = keras.layers.TextVectorization(standardize="lower", split="whitespace", output_mode=mode)
    layer.adapt(TEXTS[texts])
    names = layer.get_vocabulary()[1:]

    def rows(key):
        return fixed(scipy.sparse.csr_array(np.asarray(layer(TEXTS[key]))[:, 1:]), names)

    return {
        "program": "keras TextVectorization",
        "settings": {"standardize": "lower", "split": "whitespace", "output_mode": mode},
        "slugline": {
            "analyzer": {"normalization": "none", "tokens": "whitespace"},
            "tf": "binary" if mode == "multi_hot" else "count",
            "idf": "keras" if mode == "tf_idf" else "none",
        },
        "texts": texts,
        "names": sorted(names),
        "rows": rows(texts),
        "unseen": rows(f"{texts}_unseen"),
    }


def bm25_case(k1, b):
    """Lucene's BM25, whose values lack the factor k1 + 1 of the original formula."""
    texts = TEXTS["plain"]
    analyze = CountVectorizer().build_analyzer()
    tokens = [analyze(text) for text in texts]
    retriever = bm25s.BM25(method="lucene", k1=k1, b=b, dtype="float64", backend="numpy")
    retriever.index(tokens, show_progress=False)
    names = sorted(set(sum(tokens, [])))
    scores = np.array([retriever.get_scores([name]) * (k1 + 1) for name in names]).T
    return {
        "program": "bm25s",
        "settings": {"method": "lucene", "k1": k1, "b": b, "factor": k1 + 1},
        "slugline": {
            "analyzer": {"normalization": "none", "tokens": "scikit_learn"},
            "tf": {"bm25": {"k1": k1, "b": b}},
            "idf": "bm25",
        },
        "texts": "plain",
        "names": names,
        "rows": fixed(scipy.sparse.csr_array(scores), names),
    }


def ranges(of):
    """The code points, surrogates left out, for which `of` holds: first, last, first, last, …"""
    points = [p for p in range(sys.maxunicode + 1) if not 0xD800 <= p < 0xE000 and of(chr(p))]
    out = []
    for p in points:
        if out and out[-1] == p - 1:
            out[-1] = p
        else:
            out += [p, p]
    return out


def characters():
    """What Python takes for part of a word, and what strip_accents makes of each character."""
    import re

    word = re.compile(r"\w")
    unassigned = ranges(lambda c: unicodedata.category(c) in ("Cn", "Co"))
    hash = hashlib.sha256()
    for p in range(sys.maxunicode + 1):
        c = chr(p)
        if 0xD800 <= p < 0xE000 or unicodedata.category(c) in ("Cn", "Co") or 0x1C <= p < 0x20:
            continue
        hash.update(" ".join(strip_accents_unicode(f"a{c}b").split()).encode() + b"\n")
    return {
        "unicode": unicodedata.unidata_version,
        "unassigned": unassigned,
        "word": ranges(lambda c: word.match(c) is not None),
        "stripped_sha256": hash.hexdigest(),
    }


def newsgroups(folder):
    """Figures of 20 Newsgroups by date, the training part."""
    path = folder / "20news-bydate.jsonl.gz"
    texts = []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            document = json.loads(line)
            if document["split"] == "train":
                texts.append(document["text"])
    cases = []
    for settings in [
        {"sublinear_tf": True},
        {"ngram_range": (1, 2), "min_df": 2, "max_df": 0.5, "sublinear_tf": True},
        {"analyzer": "char_wb", "ngram_range": (3, 3), "min_df": 5},
    ]:
        vectorizer = TfidfVectorizer(**settings)
        x = vectorizer.fit_transform(texts)
        names = vectorizer.get_feature_names_out()
        rows = [0, 1000, len(texts) - 1]
        cases.append(
            {
                "settings": {k: list(v) if isinstance(v, tuple) else v for k, v in settings.items()},
                "slugline": slugline(settings, True),
                "features": len(names),
                "nnz": int(x.nnz),
                "sum": float(x.sum()),
                # Sorted by the bytes of UTF-8, which is the order of code points.
                "names_sha256": hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest(),
                "rows": [
                    {
                        "row": i,
                        "nnz": int(x[[i]].nnz),
                        "sum": float(x[[i]].sum()),
                        "largest": float(x[[i]].max()),
                        "names_sha256": hashlib.sha256(
                            "\n".join(sorted(names[x[[i]].indices])).encode()
                        ).hexdigest(),
                    }
                    for i in rows
                ],
            }
        )
    return {
        "data_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "documents": len(texts),
        "cases": cases,
    }


def origin():
    return {
        "made_by": "scripts/goldens/text_features.py",
        "python": platform.python_version(),
        "scikit-learn": sklearn.__version__,
        "scipy": scipy.__version__,
        "numpy": np.__version__,
        "keras": keras.__version__,
        "bm25s": bm25s.__version__,
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data-dir", type=pathlib.Path, default=os.environ.get("SLUGLINE_DATA_DIR"))
    arguments = parser.parse_args()
    cases = sklearn_cases() + keras_cases()
    cases += [text_vectorization_case(mode) for mode in ["multi_hot", "count", "tf_idf"]]
    cases += [bm25_case(1.2, 0.75), bm25_case(2.0, 0.0), bm25_case(0.5, 1.0)]
    golden = {**origin(), "texts": TEXTS, "cases": cases, "characters": characters()}
    golden_json.write(FOLDER / "text_features.json", golden)
    if arguments.data_dir:
        figures = {**origin(), **newsgroups(pathlib.Path(arguments.data_dir))}
        golden_json.write(FOLDER / "text_features_20news.json", figures)


if __name__ == "__main__":
    main()

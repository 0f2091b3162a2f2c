"""scikit-learn's checks of a classifier, one by one, with texts in place of numbers."""

from __future__ import annotations

import copy
import inspect
import pickle
import warnings

import joblib
import numpy as np
import pandas
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks, get_tags
from sklearn.utils.estimator_checks import estimator_checks_generator

import slugline
from slugline import SluglineClassifier

from conftest import wires

METHODS = ["predict", "predict_proba", "predict_log_proba", "decision_function"]


def estimator(**settings) -> SluglineClassifier:
    return SluglineClassifier(preset="text", min_df=1, epochs=8, batch_size=16, **{"learning_rate": 0.02, **settings})


def binary():
    texts, labels = wires(80, classes=2)
    return texts, np.array(labels)


def three():
    texts, labels = wires(90)
    return texts, np.array(labels)


#: Names of scikit-learn's checks, and the test of this file that is the same for texts.
PORTED: dict[str, object] = {}


def ports(*names: str):
    def mark(test):
        PORTED.update(dict.fromkeys(names, test))
        return test

    return mark


#: Checks that texts leave no meaning, and why.
WITHOUT_MEANING = {
    "check_n_features_in": "texts have no columns",
    "check_n_features_in_after_fitting": "texts have no columns",
    "check_estimators_partial_fit_n_features": "texts have no columns",
    "check_fit2d_1feature": "texts have no columns",
    "check_fit2d_1sample": "one text: test_too_few_texts_are_refused",
    "check_fit2d_predict1d": "texts are one-dimensional",
    "check_fit1d": "texts are one-dimensional",
    "check_complex_data": "texts are not numbers",
    "check_estimators_nan_inf": "missing texts: test_texts.py",
    "check_estimators_dtypes": "forms of texts: test_texts.py",
    "check_estimator_sparse_tag": "texts are no matrix",
    "check_estimator_sparse_array": "texts are no matrix",
    "check_estimator_sparse_matrix": "texts are no matrix",
    "check_f_contiguous_array_estimator": "texts are no matrix",
    "check_array_api_input": "texts are no array of numbers",
    "check_positive_only_tag_during_fit": "texts are not numbers",
    "check_sparsify_coefficients": "there is no coef_",
    "check_non_transformer_estimators_n_iter": "there is no max_iter; n_iter_ is tested below",
    "check_readonly_memmap_input": "texts in Python cannot be changed",
    "check_sample_weight_equivalence_on_sparse_data": "texts are no matrix",
    "check_sample_weight_equivalence_on_dense_data": "a text of weight 2 is one text in vocabulary, "
    "batches and folds; test_weights_of_samples_count has what holds",
}


def test_every_check_is_ported_or_has_no_meaning():
    yielded = {
        getattr(check, "func", check).__name__
        for _, check in estimator_checks_generator(slugline.SparseMLPClassifier())
    }
    assert yielded <= set(PORTED) | set(WITHOUT_MEANING), yielded - set(PORTED) - set(WITHOUT_MEANING)
    known = {name for name in dir(estimator_checks) if name.startswith("check_")}
    assert not set(PORTED) & set(WITHOUT_MEANING)
    assert {name for name in PORTED if name in known}


@pytest.mark.parametrize(
    "check",
    [
        "check_estimator_cloneable",
        "check_estimator_tags_renamed",
        "check_valid_tag_types",
        "check_estimator_repr",
        "check_no_attributes_set_in_init",
        "check_mixin_order",
        "check_do_not_raise_errors_in_init_or_set_params",
        "check_parameters_default_constructible",
        "check_get_params_invariance",
        "check_set_params",
        "check_estimator_get_tags_default_keys",
    ],
)
def test_scikit_learn_s_checks_that_need_no_data(check):
    run = getattr(estimator_checks, check, None)
    if run is None:
        pytest.skip("this version of scikit-learn has no such check")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run("SluglineClassifier", SluglineClassifier())


ports(
    "check_estimator_cloneable",
    "check_estimator_tags_renamed",
    "check_valid_tag_types",
    "check_estimator_repr",
    "check_no_attributes_set_in_init",
    "check_mixin_order",
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_parameters_default_constructible",
    "check_get_params_invariance",
    "check_set_params",
)(test_scikit_learn_s_checks_that_need_no_data)


@ports("check_estimator_tags", "check_fit_score_takes_y")
def test_what_it_says_of_itself():
    tags = get_tags(SluglineClassifier())
    assert tags.estimator_type == "classifier" and is_classifier(SluglineClassifier())
    assert tags.input_tags.string and not tags.input_tags.two_d_array
    assert tags.target_tags.required and tags.classifier_tags.multi_label
    assert issubclass(SluglineClassifier, (ClassifierMixin, BaseEstimator))
    for method in ("fit", "partial_fit", "score"):
        assert list(inspect.signature(getattr(SluglineClassifier, method)).parameters)[1:3] == ["X", "y"]


@ports(
    "check_estimators_fit_returns_self",
    "check_estimators_overwrite_params",
    "check_dont_overwrite_attributes",
    "check_dict_unchanged",
    "check_estimators_overwrite_params",
    "check_dont_overwrite_parameters",
    "check_no_attributes_set_in_init",
)
def test_fit_leaves_parameters_and_predict_leaves_everything():
    texts, y = three()
    model = estimator(hidden=(8,))
    before = copy.deepcopy(model.get_params())
    public = {name for name in vars(model) if not name.startswith("_")}
    assert model.fit(texts, y) is model
    assert model.get_params() == before
    added = {name for name in vars(model) if not name.startswith("_")} - public
    assert all(name.endswith("_") for name in added)
    state = dict(vars(model))
    for method in METHODS:
        getattr(model, method)(texts)
    model.explain(texts[0])
    assert vars(model) == state


@ports("check_estimators_unfitted", "check_fit_check_is_fitted")
def test_what_is_not_fitted_says_so():
    model = SluglineClassifier()
    for method in METHODS:
        with pytest.raises(NotFittedError, match="not fitted"):
            getattr(model, method)(["wheat"])
    for call in (lambda: model.explain("wheat"), lambda: model.save("x"), lambda: model.report(["a"], ["b"])):
        with pytest.raises(NotFittedError):
            call()
    from sklearn.utils.validation import check_is_fitted

    with pytest.raises(NotFittedError):
        check_is_fitted(model)
    check_is_fitted(estimator().fit(*three()))


@ports("check_classifiers_train", "check_classifiers_classes", "check_classifier_data_not_an_array")
@pytest.mark.parametrize("data", [binary, three])
@pytest.mark.parametrize("form", [list, np.array, pandas.Series, lambda y: np.array(y, dtype=object)])
def test_it_learns_and_its_outputs_have_the_right_shapes(data, form):
    texts, y = data()
    model = estimator().fit(texts, form(y))
    classes = np.unique(y)
    assert model.classes_.tolist() == classes.tolist()
    predicted = model.predict(texts)
    assert predicted.shape == (len(texts),)
    assert np.mean(predicted == y) > 0.9 and model.score(texts, y) > 0.9
    probabilities = model.predict_proba(texts)
    assert probabilities.shape == (len(texts), len(classes))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(classes[probabilities.argmax(axis=1)], predicted)
    np.testing.assert_array_equal(model.predict_log_proba(texts), np.log(probabilities))
    decision = model.decision_function(texts)
    if len(classes) == 2:
        assert decision.shape == (len(texts),)
        np.testing.assert_array_equal(classes[(decision > 0).astype(int)], predicted)
    else:
        assert decision.shape == (len(texts), len(classes))
        np.testing.assert_array_equal(classes[decision.argmax(axis=1)], predicted)
    assert model.n_iter_ == len(model.loss_curve_) == 8
    assert len(model.validation_scores_) == 8


@ports("check_decision_proba_consistency")
def test_probabilities_rise_with_decisions():
    texts, y = binary()
    model = estimator().fit(texts, y)
    order = np.argsort(model.decision_function(texts))
    assert (np.diff(model.predict_proba(texts)[order, 1]) >= 0).all()


@ports("check_classifiers_regression_target")
def test_numbers_are_no_classes():
    texts, _ = three()
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        estimator().fit(texts, np.linspace(0, 1, len(texts)))


@ports("check_supervised_y_no_nan", "check_requires_y_none")
def test_missing_classes_are_refused():
    texts, y = three()
    with pytest.raises(ValueError, match="y to be passed, but the target y is None"):
        estimator().fit(texts, None)
    for missing in (np.nan, np.inf):
        with pytest.raises(ValueError, match="NaN or infinity"):
            estimator().fit(texts, np.r_[np.zeros(len(texts) - 1), missing])
    with pytest.raises(ValueError, match="NaN or None, first in row 3"):
        estimator().fit(texts, [*y[:3], None, *y[4:]])


@ports("check_supervised_y_2d")
def test_a_column_of_classes_is_taken_with_a_warning():
    texts, y = three()
    with pytest.warns(DataConversionWarning):
        model = estimator().fit(texts, y[:, None])
    np.testing.assert_array_equal(model.predict(texts), estimator().fit(texts, y).predict(texts))


@ports("check_classifiers_one_label", "check_classifiers_one_label_sample_weights")
def test_one_class_is_learned_where_asked_and_refused_where_nothing_can_be_chosen():
    texts, y = three()
    one = np.full(len(texts), "grain")
    assert set(estimator().fit(texts, one).predict(texts)) == {"grain"}
    with pytest.raises(ValueError, match="at least two classes"):
        SluglineClassifier().fit(texts, one)


@ports("check_estimators_empty_data_messages")
def test_no_texts_are_refused():
    with pytest.raises(ValueError):
        estimator().fit([], [])
    with pytest.raises(ValueError, match="90 documents and labels for 2"):
        estimator().fit(three()[0], ["a", "b"])


def test_too_few_texts_are_refused():
    with pytest.raises(ValueError, match="too few to learn from"):
        SluglineClassifier().fit(["wheat"], ["grain"])


@ports("check_dtype_object")
def test_what_is_no_text_is_refused():
    texts, y = three()
    with pytest.raises(TypeError, match="document 2 is of type dict: expected a str"):
        estimator().fit([*texts[:2], {"foo": "bar"}, *texts[3:]], y)


@ports("check_methods_sample_order_invariance", "check_methods_subset_invariance")
def test_answers_do_not_depend_on_what_else_is_asked():
    texts, y = three()
    model = estimator().fit(texts, y)
    order = np.random.default_rng(0).permutation(len(texts))
    for method in METHODS:
        whole = getattr(model, method)(texts)
        np.testing.assert_array_equal(getattr(model, method)([texts[i] for i in order]), whole[order])
        one_by_one = np.concatenate([getattr(model, method)([text]) for text in texts])
        np.testing.assert_array_equal(one_by_one, whole)


@ports("check_fit_idempotent")
def test_a_second_fit_gives_the_same_model():
    texts, y = three()
    model = estimator().fit(texts, y)
    first = model.classifier_
    assert model.fit(texts, y).classifier_ == first
    assert clone(model).fit(texts, y).classifier_ == first
    assert estimator(random_state=5).fit(texts, y).classifier_ != first
    state = np.random.RandomState(3)
    assert estimator(random_state=state).fit(texts, y).classifier_ != first


@ports("check_estimators_pickle")
@pytest.mark.parametrize("load", [lambda m: pickle.loads(pickle.dumps(m)), copy.deepcopy])
def test_it_comes_back_from_a_pickle(load, tmp_path):
    texts, y = three()
    model = estimator().fit(texts, y)
    again = load(model)
    for method in METHODS:
        np.testing.assert_array_equal(getattr(again, method)(texts), getattr(model, method)(texts))
    joblib.dump(model, tmp_path / "model.joblib")
    assert joblib.load(tmp_path / "model.joblib").classifier_ == model.classifier_


@ports(
    "check_sample_weights_pandas_series",
    "check_sample_weights_not_an_array",
    "check_sample_weights_list",
    "check_sample_weights_not_overwritten",
)
def test_weights_come_in_every_form():
    texts, y = three()
    weight = np.linspace(0.5, 1.5, len(texts))
    before = weight.copy()
    wanted = estimator().fit(texts, y, sample_weight=weight).classifier_
    np.testing.assert_array_equal(weight, before)
    for form in (list, pandas.Series, lambda w: w.astype(np.float32)):
        assert estimator().fit(texts, y, sample_weight=form(weight)).classifier_ == wanted
    plain, ones = estimator().fit(texts, y), estimator().fit(texts, y, np.ones(len(y)))
    np.testing.assert_array_equal(plain.predict_proba(texts), ones.predict_proba(texts))


@ports("check_sample_weights_shape", "check_all_zero_sample_weights_error")
def test_weights_that_cannot_be_used_are_refused():
    texts, y = three()
    for weight in (np.ones(3), np.ones((len(y), 2)), -np.ones(len(y)), np.full(len(y), np.nan)):
        with pytest.raises((ValueError, TypeError)):
            estimator().fit(texts, y, sample_weight=weight)


@ports("check_class_weight_classifiers", "check_class_weight_balanced_linear_classifier")
@pytest.mark.parametrize("data", [binary, three])
def test_classes_count_by_their_weights(data):
    texts, y = data()
    classes = np.unique(y)
    weight = {name: (1000.0 if name == classes[0] else 0.0001) for name in classes}
    model = estimator(class_weight=weight).fit(texts, y)
    assert np.mean(model.predict(texts) == classes[0]) > 0.87
    assert estimator(class_weight="balanced").fit(texts, y).score(texts, y) > 0.9


@ports("check_pipeline_consistency")
def test_a_pipeline_is_what_it_holds():
    texts, y = three()
    pipe = make_pipeline(FunctionTransformer(), estimator()).fit(texts, y)
    alone = estimator().fit(texts, y)
    np.testing.assert_array_equal(pipe.predict_proba(texts), alone.predict_proba(texts))


def test_searches_folds_and_calibration():
    texts, y = three()
    search = GridSearchCV(estimator(), {"hidden": [(8,), (16,)], "ngrams": [1, 2]}, cv=2, n_jobs=2)
    assert search.fit(texts, y).best_score_ > 0.8
    assert cross_val_score(estimator(), texts, y, cv=3).mean() > 0.8
    assert cross_val_predict(estimator(), np.array(texts), y, cv=3, method="predict_proba").shape == (90, 3)
    calibrated = CalibratedClassifierCV(estimator(), cv=2).fit(texts, y)
    np.testing.assert_allclose(calibrated.predict_proba(texts).sum(axis=1), 1, atol=1e-6)
    from sklearn.frozen import FrozenEstimator

    frozen = CalibratedClassifierCV(FrozenEstimator(estimator().fit(texts, y))).fit(texts, y)
    assert (frozen.predict(texts) == y).mean() > 0.9


def test_without_settings_the_program_chooses():
    texts, labels = wires(200)
    model = SluglineClassifier().fit(texts, labels)
    assert model.score(texts, labels) > 0.98
    assert model.classifier_.record["auto"]["candidates"]


def test_numbers_as_classes_and_answers_left_open():
    texts, labels = wires(150)
    y = np.array([{"grain": 3, "metal": 7, "ship": 11}[label] for label in labels])
    model = estimator(min_confidence=0.999999).fit(texts, y)
    predicted = model.predict(["nothing of this is known", *texts])
    assert predicted.dtype.kind == "i" and predicted[0] == -1
    words = estimator(min_confidence=0.999999).fit(texts, labels)
    assert words.predict(["nothing of this is known"]).tolist() == ["unknown"]


@ports(
    "check_classifiers_multilabel_output_format_predict",
    "check_classifiers_multilabel_output_format_predict_proba",
    "check_classifiers_multilabel_output_format_decision_function",
    "check_classifiers_multilabel_representation_invariance",
)
def test_any_number_of_labels_a_text():
    texts, labels = wires(150)
    both = [f"{a} {b}" for a, b in zip(texts, texts[1:])]
    names = ["grain", "metal", "ship"]
    y = np.array([[name in pair for name in names] for pair in zip(labels, labels[1:])], dtype=int)
    model = estimator().fit(both, y)
    predicted = model.predict(both)
    assert (predicted.shape, predicted.dtype) == (y.shape, y.dtype)
    assert model.predict_proba(both).shape == model.decision_function(both).shape == y.shape
    assert (predicted == y).mean() > 0.9
    assert model.score(both, y) > 0.7
    for form in (y.tolist(), sparse.csr_matrix(y), y.astype(bool), y.astype(float), pandas.DataFrame(y)):
        np.testing.assert_array_equal(estimator().fit(both, form).predict(both), predicted)


def test_it_goes_on_with_more_texts_and_new_classes():
    texts, labels = wires(120)
    model = SluglineClassifier(preset="text", hidden=(16,), epochs=10)
    first = [i for i, label in enumerate(labels) if label != "ship"]
    model.partial_fit([texts[i] for i in first], [labels[i] for i in first])
    assert model.classes_.tolist() == ["grain", "metal"]
    model.partial_fit(texts, labels)
    assert model.classes_.tolist() == ["grain", "metal", "ship"]
    assert model.score(texts, labels) > 0.9
    assert len(model.loss_curve_) == 20
    known = SluglineClassifier().partial_fit(texts[:30], labels[:30], classes=["grain", "metal", "ship", "x"])
    assert known.classes_.tolist() == ["grain", "metal", "ship", "x"]
    with pytest.raises(ValueError, match="none of classes"):
        SluglineClassifier().partial_fit(texts[:30], labels[:30], classes=["grain"])
    with pytest.raises(ValueError, match="those known"):
        known.partial_fit(texts[:30], labels[:30], classes=["a", "b"])


def test_reasons_reports_and_files(tmp_path):
    texts, y = three()
    model = estimator().fit(texts, y)
    assert model.explain(texts[0], label="grain", against="metal").against == "metal"
    assert "<html" in model.report(texts, y, tmp_path / "page.html", name="wires")
    model.save(tmp_path / "model.slug")
    assert slugline.Classifier.load(tmp_path / "model.slug") == model.classifier_


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"hidden": "many"}, "hidden is .*many"),
        ({"preset": "best"}, "preset is .*best"),
        ({"token_rule": "sklearn"}, "token_rule is .*sklearn"),
        ({"max_df": 1.5}, "max_df is 1.5"),
        ({"preset": "auto", "hidden": (8,)}, "hidden is chosen by preset auto"),
    ],
)
def test_parameters_that_cannot_be_used_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        SluglineClassifier(**parameters).fit(*three())

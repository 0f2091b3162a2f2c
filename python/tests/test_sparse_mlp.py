"""The network as a scikit-learn classifier."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification, make_multilabel_classification
from sklearn.exceptions import DataConversionWarning
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

from slugline import SparseMLPClassifier


@pytest.fixture(scope="module")
def samples():
    return make_classification(
        600, 40, n_informative=10, n_classes=3, random_state=0, class_sep=1.5
    )


def checks():
    for estimator, check in estimator_checks_generator(SparseMLPClassifier()):
        yield pytest.param(estimator, check, id=getattr(check, "func", check).__name__)


@pytest.mark.parametrize(("estimator", "check"), list(checks()))
@pytest.mark.filterwarnings("ignore")
def test_scikit_learn_s_own_checks(estimator, check):
    check(estimator)


def test_dense_and_sparse_of_every_type_train_the_same_network(samples):
    x, y = samples
    x = np.where(np.abs(x) < 1, 0, np.round(x, 2)).astype(np.float32)
    wanted = SparseMLPClassifier(epochs=5).fit(x, y).predict_proba(x)
    forms = [
        x.astype(np.float64),
        np.asfortranarray(x),
        sparse.csr_matrix(x),
        sparse.csc_matrix(x),
        sparse.csr_array(x),
        sparse.coo_array(x),
        sparse.csr_matrix(x.astype(np.float64)),
    ]
    for form in forms:
        found = SparseMLPClassifier(epochs=5).fit(form, y).predict_proba(x)
        np.testing.assert_array_equal(found, wanted)
    integers = (x > 1).astype(int)
    wanted = SparseMLPClassifier(epochs=3).fit(integers, y).predict_proba(integers)
    for form in (integers.astype(bool), integers.astype(np.uint8), sparse.csr_array(integers)):
        found = SparseMLPClassifier(epochs=3).fit(form, y).predict_proba(integers)
        np.testing.assert_array_equal(found, wanted)


def test_duplicates_and_order_within_a_sparse_row_make_no_difference():
    shuffled = sparse.csr_matrix(
        (np.array([1.0, 2.0, 3.0, 0.0, 1.0]), np.array([2, 0, 2, 1, 1]), np.array([0, 3, 5])),
        shape=(2, 3),
    )
    before = shuffled.copy()
    model = SparseMLPClassifier(epochs=2)
    found = model.fit(shuffled, [0, 1]).predict_proba(shuffled)
    np.testing.assert_array_equal(found, clone(model).fit(shuffled.toarray(), [0, 1]).predict_proba(shuffled))
    assert (before != shuffled).nnz == 0
    np.testing.assert_array_equal(before.indices, shuffled.indices)


def test_samples_count_by_their_weights_to_the_last_bit(samples):
    x, y = samples
    weight = np.random.default_rng(0).integers(0, 4, len(y))
    order = np.random.default_rng(1).permutation(weight.sum())
    rows = np.repeat(np.arange(len(y)), weight)[order]
    weighted = SparseMLPClassifier(epochs=5).fit(x, y, sample_weight=weight)
    repeated = SparseMLPClassifier(epochs=5).fit(x[rows], y[rows])
    np.testing.assert_array_equal(weighted.predict_proba(x), repeated.predict_proba(x))


def test_one_result_for_any_number_of_threads(samples):
    found = [SparseMLPClassifier(epochs=5, threads=n).fit(*samples).predict_proba(samples[0]) for n in (1, 2, 5)]
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])
    other = SparseMLPClassifier(epochs=5, random_state=1).fit(*samples).predict_proba(samples[0])
    assert (other != found[0]).any()


def test_as_good_as_scikit_learn_s_network(samples):
    x, y = samples
    ours = cross_val_score(SparseMLPClassifier(), x, y, cv=3).mean()
    theirs = cross_val_score(MLPClassifier((64,), random_state=0, max_iter=400), x, y, cv=3).mean()
    assert ours > theirs - 0.03


def test_it_stops_where_the_loss_no_longer_falls(samples):
    x, y = samples
    model = SparseMLPClassifier(epochs=2000, learning_rate=0.01, tol=1e-3, patience=3).fit(x, y)
    assert model.n_iter_ < 2000
    assert model.n_iter_ - model.best_epoch_ == 3
    held_out = SparseMLPClassifier(epochs=500, validation_fraction=0.2, patience=5).fit(x, y)
    assert held_out.n_iter_ == len(held_out.loss_curve_) == len(held_out.validation_scores_) < 500
    assert max(held_out.validation_scores_) > 0.6
    assert SparseMLPClassifier(epochs=4, patience=None).fit(x, y).n_iter_ == 4


def test_training_goes_on_also_from_a_pickle(samples):
    x, y = samples
    model = SparseMLPClassifier(optimizer="rmsprop")
    for _ in range(3):
        model.partial_fit(x, y, classes=[0, 1, 2])
    again = pickle.loads(pickle.dumps(model))
    for each in (model, again):
        each.partial_fit(x, y)
    np.testing.assert_array_equal(model.predict_proba(x), again.predict_proba(x))
    assert len(model.loss_curve_) == 4
    warm = SparseMLPClassifier(epochs=3, warm_start=True).fit(x, y)
    first = warm.loss_curve_[-1]
    assert warm.fit(x, y).loss_curve_[-1] < first
    with pytest.raises(ValueError, match="warm_start goes on with the classes"):
        warm.fit(x, y + 5)
    with pytest.raises(ValueError, match="y has the classes"):
        model.partial_fit(x[:1], [7])
    with pytest.raises(ValueError, match="classes must be given"):
        SparseMLPClassifier().partial_fit(x, y)


def test_searches_pipelines_and_calibration(samples):
    x, y = samples
    names = np.array(["a", "b", "c"])[y]
    pipe = make_pipeline(MaxAbsScaler(), SparseMLPClassifier(epochs=10))
    search = GridSearchCV(pipe, {"sparsemlpclassifier__hidden": [(), (16,), (16, 16)]}, cv=2, n_jobs=2)
    search.fit(sparse.csr_matrix(x), names)
    assert set(search.predict(sparse.csr_matrix(x))) <= set("abc")
    calibrated = CalibratedClassifierCV(SparseMLPClassifier(epochs=10), cv=2).fit(x, names)
    np.testing.assert_allclose(calibrated.predict_proba(x).sum(axis=1), 1, atol=1e-6)


def test_any_number_of_labels_a_sample():
    x, y = make_multilabel_classification(400, 30, n_classes=4, random_state=0)
    model = SparseMLPClassifier(epochs=100).fit(x, y)
    predicted = model.predict(x)
    assert predicted.shape == y.shape
    assert (predicted == y).mean() > 0.8
    assert model.decision_function(x).shape == y.shape
    same = SparseMLPClassifier(epochs=100).fit(x, sparse.csr_matrix(y))
    np.testing.assert_array_equal(same.predict(x), predicted)


def test_classes_count_by_their_weights(samples):
    x, y = samples
    heavy = SparseMLPClassifier(epochs=30, class_weight={0: 100, 1: 1, 2: 1}).fit(x, y)
    plain = SparseMLPClassifier(epochs=30).fit(x, y)
    assert (heavy.predict(x) == 0).sum() > (plain.predict(x) == 0).sum()
    balanced = SparseMLPClassifier(epochs=30, class_weight="balanced").fit(x, y)
    assert accuracy_score(y, balanced.predict(x)) > 0.7


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"activation": "swish"}, "swish"),
        ({"dropout": 1.0}, "rate = 1"),
        ({"hidden": (0,)}, "units = 0"),
        ({"optimizer": "adma"}, "unknown optimizer .adma.: known are sgd"),
        ({"optimizer": {"name": "adam", "rho": 0.9}}, "the optimizer adam has no setting rho"),
        ({"learning_rate": -1.0}, "learning"),
        ({"batch_size": 0}, "batch_size = 0"),
        ({"epochs": 0}, "epochs = 0"),
        ({"random_state": -1}, "random_state is -1"),
    ],
)
def test_parameters_that_cannot_be_used_are_refused(samples, parameters, message):
    with pytest.raises(ValueError, match=message):
        SparseMLPClassifier(**parameters).fit(*samples)


def test_what_grows_beyond_all_numbers_is_told(samples):
    x, y = samples
    with pytest.raises(FloatingPointError, match="training diverged"):
        SparseMLPClassifier(optimizer="sgd", learning_rate=1e30).fit(x * 1e10, y)


def test_a_column_of_targets_is_taken_with_a_warning(samples):
    x, y = samples
    with pytest.warns(DataConversionWarning):
        model = SparseMLPClassifier(epochs=3).fit(x, y[:, None])
    assert model.predict(x).shape == y.shape

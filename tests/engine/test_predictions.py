"""Answers to the rows of the data and their scores; scikit-learn is the oracle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from nnviz.document.catalog import DATASETS, new_choice, new_layer
from nnviz.engine.data.datasets import load
from nnviz.engine.observe.predictions import class_scores, confusion, number_scores, predictions
from nnviz.engine.run.trainer import Trainer
from nnviz.records.tensors import to_numpy
from tests.engine.experiments import HERE, chain, experiment

PAIRS = st.integers(2, 6).flatmap(
    lambda classes: st.tuples(st.just(classes), st.lists(st.tuples(*[st.integers(0, classes - 1)] * 2), min_size=1, max_size=40))
)


@given(PAIRS)
def test_class_scores_are_those_of_scikit_learn(pairs):
    classes, rows = pairs
    answered, y = np.array(rows).T
    matrix = confusion(answered, y, classes)
    assert np.array_equal(matrix, metrics.confusion_matrix(y, answered, labels=range(classes)))
    found = class_scores(matrix)
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(y, answered, average="macro", zero_division=0)
    expected = {"accuracy": metrics.accuracy_score(y, answered), "precision": precision, "recall": recall, "f1": f1}
    assert found == pytest.approx(expected, abs=1e-12)


@given(st.lists(st.tuples(*[st.floats(-1e3, 1e3)] * 2), min_size=1, max_size=30))
def test_number_scores_are_those_of_scikit_learn(pairs):
    answer, y = np.array(pairs).T
    mse, mae = metrics.mean_squared_error(y, answer), metrics.mean_absolute_error(y, answer)
    assert number_scores(answer, y) == pytest.approx({"mse": mse, "mae": mae, "rmse": mse**0.5}, rel=1e-9, abs=1e-12)


def trainer_of(kind: str, features: int, units: int, loss: str, **settings) -> Trainer:
    net = chain(new_layer("input", "x", shape=[features]), new_layer("dense", "h", units=6), new_layer("dense", "out", units=units))
    document = experiment(net, data=new_choice(DATASETS, kind, **settings), loss=loss)
    trainer = Trainer(document, load(document, HERE))
    for _ in range(30):
        trainer.advance()
    return trainer


@pytest.mark.parametrize(("units", "loss"), [(2, "cross_entropy"), (1, "bce")])
def test_classes_are_answered_row_by_row(units, loss):
    trainer = trainer_of("moons", 2, units, loss)
    found = predictions(trainer)
    rows, values, sure = (to_numpy(part) for part in (found.rows, found.values, found.sure))
    assert sorted(rows) == list(range(500)) and ((sure >= 0.5 - 1e-6) & (sure <= 1)).all()
    held_out = ~trainer.data.training[rows]
    assert found.scores["accuracy"] == pytest.approx((values == trainer.data.y[rows])[held_out].mean())
    assert found.scores["accuracy"] == pytest.approx(trainer.evaluate(trainer.validation_rows)[1])
    assert to_numpy(found.confusion).sum() == held_out.sum()


def test_numbers_are_answered_row_by_row():
    trainer = trainer_of("sine_wave", 12, 1, "mse")
    found = predictions(trainer)
    assert found.confusion is None and found.values.shape == (400, 1) and found.sure.shape == (0,)
    assert found.scores["rmse"] == pytest.approx(trainer.evaluate(trainer.validation_rows)[1], rel=1e-6)


def test_without_validation_rows_the_training_rows_are_scored():
    trainer = trainer_of("iris", 4, 3, "cross_entropy", validation=0.0)
    assert to_numpy(predictions(trainer).confusion).sum() == 150

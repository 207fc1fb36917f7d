"""The other views of the boundary's panel: which suit which data, what they say, and what the engine has to measure for them."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QApplication

from nnviz.document.catalog import DATASETS, new_choice
from nnviz.engine.data.datasets import load
from nnviz.engine.observe.data_records import data_record
from nnviz.engine.observe.measures import array_of
from nnviz.engine.observe.predictions import class_scores, confusion, number_scores
from nnviz.records.run_records import Predictions
from nnviz.records.tensors import to_numpy
from nnviz.session.run import RunState
from nnviz.ui.run._boundary import BoundaryPlot, views_of
from nnviz.ui.run._predictions_picture import PredictionText
from nnviz.ui.theme.colors import DARK
from nnviz.ui.theme.style import apply_theme
from tests.engine.experiments import HERE, experiment


def record_of(kind: str, **settings):
    return data_record(load(experiment(data=new_choice(DATASETS, kind, **settings)), HERE))


def answers_to(data, wrong: int = 0) -> Predictions:
    """Right answers, but to the first `wrong` rows that are validated on."""
    rows, y = np.arange(data.x.shape[0]), to_numpy(data.y)
    held_out = np.flatnonzero(~to_numpy(data.training))
    if not data.classes:
        return Predictions(array_of(rows), array_of(y + np.float32(0.5)), array_of(np.zeros(0, np.float32)), number_scores(y + 0.5, y))
    values = y.copy()
    values[held_out[:wrong]] = (y[held_out[:wrong]] + 1) % data.classes
    sure = np.linspace(0.5, 1.0, len(rows)).astype(np.float32)
    matrix = confusion(values[held_out], y[held_out], data.classes)
    return Predictions(array_of(rows), array_of(values), array_of(sure), class_scores(matrix), array_of(matrix))


@pytest.mark.parametrize(
    ("kind", "views"),
    [
        ("moons", ("boundary", "confusion", "mistakes")),
        ("digits", ("confusion", "mistakes")),
        ("sine", ("boundary", "truth")),
        ("ar", ("series", "truth")),
        ("text", ("confusion", "mistakes")),
    ],
)
def test_views_suit_the_data(qtbot, kind, views):
    data, plot = record_of(kind), BoundaryPlot()
    qtbot.addWidget(plot)
    asked = []
    plot.needs_changed.connect(lambda: asked.append(plot.needs))
    plot.set_run(RunState(data=data))
    plot.catch_up()
    assert views_of(data) == views and plot.view.key == views[0]
    assert plot.needs == ("surface" if views[0] == "boundary" else "answers")
    assert asked == ([] if views[0] == "boundary" else ["answers"])


def test_the_view_follows_the_data_until_a_person_chooses_for_it(qtbot):
    moons, noisier, digits = record_of("moons"), record_of("moons", noise=0.4), record_of("digits")
    plot = BoundaryPlot()
    qtbot.addWidget(plot)

    def shown_for(data):
        plot.set_run(RunState(data=data))
        plot.catch_up()
        return plot.view.key

    assert [shown_for(data) for data in (moons, digits, moons)] == ["boundary", "confusion", "boundary"]
    plot.view.choose("mistakes")
    assert [shown_for(data) for data in (noisier, digits, moons)] == ["mistakes", "confusion", "mistakes"]


@pytest.mark.parametrize("kind", ["moons", "digits", "wine", "sine", "volatility"])
def test_every_view_is_painted_with_its_scores(shown, kind):
    data = record_of(kind)
    plot = BoundaryPlot()
    shown(plot, 420, 260)
    apply_theme(QApplication.instance(), DARK)
    plot.set_run(RunState(data=data, answers=answers_to(data, 5), answers_iteration=40))
    for view in views_of(data):
        plot.view.choose(view)
        plot.hovered = QPointF(200, 120)
        assert not plot.grab().isNull()
        if view != "boundary":
            assert plot.sentence == "" and plot.heading[2] == "iteration 40"


def test_of_several_targets_all_are_shown(shown):
    data = record_of("table", x=[[float(row), 1.0] for row in range(9)], y=[[float(row), -float(row)] for row in range(9)])
    plot = BoundaryPlot()
    shown(plot, 300, 200)
    plot.set_run(RunState(data=data, answers=answers_to(data), answers_iteration=2))
    plot.view.choose("truth")
    assert plot.sentence == "" and not plot.grab().isNull() and PredictionText(data, answers_to(data)).brief == "MAE 0.5000 · RMSE 0.5000"


def test_mistakes_come_with_the_surest_first():
    data = record_of("iris")
    said = PredictionText(data, answers_to(data, 4))
    assert len(said.wrong) == 4 and (np.diff(to_numpy(said.answers.sure)[said.wrong]) <= 0).all()
    assert not said.trained[said.wrong].any()
    assert said.summary.startswith("accuracy 91.1 % · precision") and "F1" in said.brief


def test_without_mistakes_it_says_so(qtbot):
    data, plot = record_of("iris"), BoundaryPlot()
    qtbot.addWidget(plot)
    plot.set_run(RunState(data=data, answers=answers_to(data), answers_iteration=1))
    plot.view.choose("mistakes")
    plot.catch_up()
    assert "no row" in plot.sentence


def test_answers_to_other_data_are_not_shown(qtbot):
    data, plot = record_of("iris"), BoundaryPlot()
    qtbot.addWidget(plot)
    plot.set_run(RunState(data=data, answers=replace(answers_to(record_of("sine"), 0), rows=array_of(np.arange(5)))))
    plot.catch_up()
    assert "appear once" in plot.sentence


def test_it_is_said_how_many_rows_are_scored_and_where_fewer_are_shown():
    data = record_of("iris")
    answers = replace(answers_to(data, 4), scored=45)
    said = PredictionText(data, answers)
    assert said.summary.endswith("(class means) · 45 validation rows") and said.limit == ""
    assert PredictionText(data, replace(answers, scored=90_000)).limit == ", of the first 45 rows"


def test_answers_that_are_not_finite_have_no_scores(qtbot):
    data, plot = record_of("iris"), BoundaryPlot()
    qtbot.addWidget(plot)
    plot.set_run(RunState(data=data, answers=replace(answers_to(data), scores={}, confusion=None), answers_iteration=1))
    plot.catch_up()
    assert "not finite" in plot.sentence

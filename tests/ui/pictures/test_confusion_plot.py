"""The confusion matrix: its figures equal scikit-learn's, its cells list their rows, and training rows count where none is held out."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace
from PySide6.QtCore import QPoint, Qt
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from nnviz.document import edits
from nnviz.document.store.examples import open_document
from nnviz.engine.observe.measures import array_of
from nnviz.records.tensors import to_numpy
from nnviz.ui.pictures._class_figures import AnswersOfSet
from nnviz.ui.pictures._confusion_plot import ConfusionPlot, features_of
from tests.ui.pictures.conftest import run_of, trained


def plot_of(run) -> ConfusionPlot:
    plot = ConfusionPlot()
    plot.set_run(run)
    return plot


def answered(at, of_training: bool) -> tuple[np.ndarray, np.ndarray]:
    """Truth and answer of a set, by torch."""
    rows = at.training_rows if of_training else at.validation_rows
    return rows.y.numpy(), at.answer(rows.x).argmax(1).numpy()


@pytest.mark.parametrize("of_training", [False, True])
@pytest.mark.parametrize("example", ["digits", "moons", "wine"])
def test_the_figures_of_every_class_equal_those_of_scikit_learn(example, of_training):
    at = trained(f"example:{example}", 15)
    run = run_of(at)
    found = AnswersOfSet(run.data, run.answers, of_training)
    truth, answer = answered(at, of_training)
    assert np.array_equal(found.matrix, confusion_matrix(truth, answer, labels=range(at.data.classes)))
    expected = precision_recall_fscore_support(truth, answer, labels=range(at.data.classes), zero_division=np.nan)
    got = np.array([(one.precision, one.recall, one.f(1), one.count) for one in found.classes]).T
    assert np.allclose(got, np.array(expected), equal_nan=True)


def test_without_validation_rows_the_training_rows_are_counted(shown):
    document = open_document("example:moons")
    document = edits.set_value(document, "data.validation", 0.0)
    at = trained(document, 10)
    plot = plot_of(run_of(at))
    shown(plot)
    truth, answer = answered(at, True)
    assert np.array_equal(plot.answers.matrix, confusion_matrix(truth, answer)) and plot.choice == "training rows"
    assert not plot.set.isVisible()


def test_the_training_rows_can_be_chosen(shown):
    at = trained("example:moons", 10)
    plot = plot_of(run_of(at))
    shown(plot)
    assert plot.choice == "validation rows" and plot.set.isVisible()
    plot.set.choose("training")
    assert plot.answers.matrix.sum() == at.training_rows.count and plot.choice == "training rows"


def test_a_click_on_a_cell_lists_its_rows_the_surest_first(shown, qtbot):
    at = trained("example:digits", 30)
    plot = plot_of(run_of(at))
    shown(plot, 700, 400)
    matrix = plot.answers.matrix
    true, other = np.unravel_index((matrix - np.diag(np.diag(matrix))).argmax(), matrix.shape)
    frame = plot._frame(plot._rooms(plot.rect().toRectF())[0])
    place = QPoint(int(frame.left() + (other + 0.5) * frame.width() / 10), int(frame.top() + (true + 0.5) * frame.height() / 10))
    qtbot.mouseClick(plot, Qt.MouseButton.LeftButton, pos=place)
    assert plot.cell == (true, other)
    places = plot.answers.of_cell(true, other)
    assert len(places) == matrix[true, other] and (np.diff(plot.answers.sure[places]) <= 0).all()
    rows = plot.answers.rows[places]
    assert (at.data.y[rows] == true).all() and not at.data.training[rows].any()
    chosen = []
    plot.row_chosen.connect(chosen.append)
    room = plot._rooms(plot.rect().toRectF())[1]
    qtbot.mouseClick(plot, Qt.MouseButton.LeftButton, pos=plot._line(room, 0).center().toPoint())
    assert chosen == [int(rows[0])]
    qtbot.keyClick(plot, Qt.Key.Key_Escape)
    assert plot.cell is None


def test_a_long_list_is_scrolled_and_stays_within_its_rows(shown, qtbot):
    at = trained("example:moons", 60)
    plot = plot_of(run_of(at))
    shown(plot, 600, 200)
    plot._list((0, 0))
    for _ in range(200):
        qtbot.keyClick(plot, Qt.Key.Key_PageDown)
    plot.grab()
    assert plot.first == len(plot.answers.of_cell(0, 0)) - plot._fits(plot._rooms(plot.rect().toRectF())[1])
    chosen = []
    plot.row_chosen.connect(chosen.append)
    qtbot.keyClick(plot, Qt.Key.Key_Return)
    assert chosen == [int(plot.answers.rows[plot.answers.of_cell(0, 0)[plot.first]])]


def test_cells_are_reached_with_the_arrow_keys(shown, qtbot):
    plot = plot_of(run_of(trained("example:moons", 10)))
    shown(plot)
    cells = []
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Left):
        qtbot.keyClick(plot, key)
        cells.append(plot.cell)
    assert cells == [(0, 0), (0, 1), (1, 1), (1, 1), (1, 0)]


def test_where_it_is_narrow_the_list_takes_the_place_of_the_matrix(shown, qtbot):
    plot = plot_of(run_of(trained("example:moons", 10)))
    shown(plot, 300, 220)
    assert plot.view.isVisible() and plot._rooms(plot.rect().toRectF())[1] is None
    plot._list((1, 1))
    assert plot._rooms(plot.rect().toRectF())[0] is None
    plot.grab()
    qtbot.mouseClick(plot, Qt.MouseButton.LeftButton, pos=QPoint(6, 5))
    assert plot.cell is None
    plot.view.choose("figures")
    assert not plot.grab().isNull()


def test_rows_that_are_not_answered_are_said_and_not_counted(shown):
    run = run_of(trained("example:moons", 5))
    values = np.array(to_numpy(run.answers.values))
    held_out = np.flatnonzero(~to_numpy(run.data.training)[to_numpy(run.answers.rows)])
    values[held_out[:3]] = -1
    broken = replace(run.answers, values=array_of(values), confusion=None, scores={})
    found = AnswersOfSet(run.data, broken, False)
    assert found.matrix.sum() == len(held_out) - 3 and found.remark == "3 rows are not answered"


def test_numbers_as_targets_have_no_matrix(shown):
    plot = plot_of(run_of(trained("example:sine", 2)))
    shown(plot)
    assert "numbers as targets" in plot.sentence and not plot.set.isVisible()


def test_features_are_said_as_they_were_before_the_scaling():
    at = trained("example:iris", 0)
    data = run_of(at).data
    said = features_of(data, to_numpy(data.x)[3])
    assert all(name in said for name in data.feature_names)
    first = float(said.split(" · ")[0].removeprefix(data.feature_names[0]).replace("−", "-"))
    assert first == pytest.approx(at.data.raw[3, 0], rel=0.05)


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("example", ["moons", "threshold"])
def test_a_threshold_turns_probabilities_into_classes(example, threshold):
    at = trained(f"example:{example}", 80)
    run = run_of(at)
    found = AnswersOfSet(run.data, run.answers, False, threshold)
    output = at.answer(at.validation_rows.x)
    second = (output.softmax(1)[:, 1] if example == "moons" else output[:, 0].sigmoid()).numpy()
    truth, answer = at.validation_rows.y.numpy(), (second > threshold).astype(int)
    assert np.array_equal(found.matrix, confusion_matrix(truth, answer, labels=[0, 1]))
    assert np.allclose(found.sure, np.where(answer == 1, second, 1 - second), atol=1e-6)
    precision, recall, f1, _ = precision_recall_fscore_support(truth, answer, labels=[1])
    weighted = [precision_recall_fscore_support(truth, answer, labels=[1], beta=beta)[2][0] for beta in (0.5, 2)]
    one = found.classes[1]
    assert (one.precision, one.recall, one.f(1)) == pytest.approx((precision[0], recall[0], f1[0]))
    assert [one.f(0.5), one.f(2)] == pytest.approx(weighted) and len({*weighted, f1[0]}) == 3


def test_the_slider_moves_the_threshold(shown):
    plot = plot_of(run_of(trained("example:threshold", 80)))
    shown(plot)
    usual = plot.answers.classes[1]
    plot.threshold.slider._slider.setValue(20)
    moved = plot.answers.classes[1]
    assert plot.choice == "validation rows, threshold 0.20" and moved.recall > usual.recall and moved.precision < usual.precision
    plot.grab()
    plot.threshold.slider._slider.setValue(50)
    assert plot.choice == "validation rows" and plot.answers.classes[1] == usual


def test_more_than_two_classes_have_no_threshold(shown):
    plot = plot_of(run_of(trained("example:digits", 5)))
    shown(plot)
    assert plot.threshold.isHidden()

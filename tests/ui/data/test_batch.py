"""The batch inspector in the real window: rows as numbers, sorted, picked; and what it says of images, series, text and classes."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt

from nnviz.document.catalog import DATASETS, new_choice
from nnviz.engine.data.datasets import load
from nnviz.engine.observe.data_records import data_record
from nnviz.engine.observe.measures import array_of
from nnviz.messages import BatchInspected
from nnviz.records.tensors import to_numpy
from nnviz.ui.data._batch_table import BatchTable
from nnviz.ui.data._row_cells import RowCells
from tests.engine.experiments import HERE, experiment
from tests.ui.window import opened, wait

ASCENDING, DESCENDING = Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, "moons", 3, engine=lent_engine)


def record_of(kind: str, **settings):
    return data_record(load(experiment(data=new_choice(DATASETS, kind, **settings)), HERE))


def batch_of(rows: tuple[int, ...], outputs: list[list[float]], norms: int | None = None) -> BatchInspected:
    losses, shown = np.linspace(0.1, 0.9, len(rows)), np.array(outputs, dtype=np.float32)
    classes = shown.argmax(1) if shown.shape[1] > 1 else (shown[:, 0] > 0.5).astype(np.int64)
    return BatchInspected(4, rows, array_of(losses), array_of(losses[: norms or len(rows)] * 10), array_of(shown), 0.5, array_of(classes))


def texts(panel: BatchTable, column: int) -> list[str]:
    return [row[column] for row in panel.table.texts()]


def order(panel: BatchTable) -> list[int]:
    """Places in the batch, as they stand on the screen."""
    return [row.place for row in panel.table.rows()]


def test_a_click_on_a_row_looks_at_it(window, qtbot):
    panel = window.features.data.batch
    assert not window.features.cards["batch"].isVisible()
    window.action_table["batch"].trigger()
    wait(qtbot, lambda: bool(panel.table.rows()))
    batch, trace = window.session.batch.inspected, window.session.stepping.state.index.trace
    assert batch.rows == trace.rows and window.features.cards["batch"].isVisible()
    assert to_numpy(batch.losses).mean() == pytest.approx(trace.loss, rel=1e-5)
    panel.table.sortByColumn(4, DESCENDING)
    worst = int(to_numpy(batch.losses).argmax())
    assert order(panel)[0] == worst
    first = panel.table.visualRect(panel.table.model().index(0, 0)).center()
    qtbot.mouseClick(panel.table.viewport(), Qt.MouseButton.LeftButton, pos=first)
    assert window.session.stepping.state.sample == worst
    window.session.stepping.set_sample(2)
    assert panel.table.currentIndex().row() == order(panel).index(2)
    window.session.training.iterations(1)
    wait(qtbot, lambda: window.session.batch.inspected.iteration == 4)
    window.action_table["batch"].trigger()
    assert not window.features.cards["batch"].isVisible()
    window.features.area.show_workspace("train")
    window.action_table["batch"].trigger()
    assert window.features.area.name == "step" and window.features.cards["batch"].isVisible()


def test_the_inspector_is_hidden_until_it_is_asked_for(window):
    state = window.features.area.save_state()
    window.features.area.restore_state(state.replace('"batch", ', "").replace(', "batch"', "").replace('"batch"', ""))
    window.features.area.show_workspace("step")
    assert "batch" in window.features.area.panels() and "batch" not in window.features.area.visible_panels()


def test_sorting_by_every_column(qtbot):
    data = record_of("iris")
    training = np.flatnonzero(to_numpy(data.training))
    panel = BatchTable()
    qtbot.addWidget(panel)
    panel.set_batch(batch_of((3, 60, 20), [[0.1, 0.8, 0.1], [0.7, 0.2, 0.1], [0.2, 0.2, 0.6]], norms=2), data)
    x, y = to_numpy(data.x)[training[[3, 60, 20]]], to_numpy(data.y)[training[[3, 60, 20]]]
    for column, keys in ((0, np.arange(3)), (1, x[:, 0]), (2, y), (3, np.array([1, 0, 2])), (4, np.arange(3))):
        panel.table.sortByColumn(column, ASCENDING)
        assert (np.diff(keys[order(panel)]) >= 0).all()
        panel.table.sortByColumn(column, DESCENDING)
        assert (np.diff(keys[order(panel)]) <= 0).all()
    panel.table.sortByColumn(5, DESCENDING)
    assert order(panel) == [1, 0, 2] and texts(panel, 5) == ["5", "1", "–"], "what is not known goes last"
    panel.table.sortByColumn(0, ASCENDING)
    assert texts(panel, 0) == ["0 (3)", "1 (60)", "2 (20)"]
    assert texts(panel, 2) == [data.class_names[label] for label in y]
    assert texts(panel, 3)[0] == "versicolor  80 %" and "gradient norms of the first 2" in panel.note.text()


@pytest.mark.parametrize(
    ("kind", "form"), [("moons", "numbers"), ("wine", "numbers"), ("digits", "image"), ("sine_wave", "series"), ("text", "tokens")]
)
def test_inputs_are_shown_as_what_they_are(qtbot, kind, form):
    data = record_of(kind)
    outputs = [[0.0] * max(1, data.classes)] * 3
    panel = BatchTable()
    qtbot.addWidget(panel)
    panel.resize(360, 240)
    panel.set_batch(batch_of((0, 1, 2), outputs), data)
    panel.show()
    assert RowCells(data, batch_of((0, 1, 2), outputs)).form == form
    assert not panel.grab().isNull() and len(texts(panel, 1)) == 3
    if form == "tokens":
        assert texts(panel, 1)[0] == "this␣is␣"


def test_two_classes_from_one_output():
    cells = RowCells(record_of("moons"), batch_of((0, 1), [[0.9], [0.2]]))
    assert cells.answers.tolist() == [1, 0] and [cells.answer_text(row) for row in (0, 1)] == ["1  90 %", "0  80 %"]


def test_a_batch_of_other_data_is_not_shown(qtbot):
    panel = BatchTable()
    qtbot.addWidget(panel)
    panel.set_batch(batch_of((0, 5_000), [[0.9], [0.2]]), record_of("moons"))
    assert panel.table.rows() == []

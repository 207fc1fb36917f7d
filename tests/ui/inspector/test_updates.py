"""The optimizer's table: one element's rows, logarithmic bars."""

import numpy as np
import pytest

from nnviz.ui.inspector.updates import UpdateTable, limits, rows, share
from nnviz.ui.plots.update_rows import log_limits, rows_of
from nnviz.ui.theme import DARK, LIGHT
from tests.ui import traces


def _update(trace):
    return next(update for update in trace.updates if update.parameter == "h1.weight")


def test_rows_of_adams_first_step_fit_together():
    update = _update(traces.dropout_net())
    values = {row.symbol: row.value for row in rows(update, (1, 0))}
    assert list(values) == ["θ", "g", "m", "v", "m̂", "v̂", "Δθ", "θ′"]
    assert values["m̂"] == pytest.approx(values["g"]) and values["v̂"] == pytest.approx(values["g"] ** 2)
    assert values["θ"] + values["Δθ"] == pytest.approx(values["θ′"])


def test_without_an_element_the_root_mean_square_is_shown():
    trace = traces.worked()
    gradient = np.array([[0, 0], [3.98112, 2.14368]])
    assert rows(_update(trace), None)[1].value == pytest.approx(np.sqrt(np.mean(gradient**2)))


@pytest.mark.parametrize(
    ("value", "length"), [(1.0, 1.0), (1e-3, 0.5), (1e-9, 0.02), (0.0, 0.0), (None, 0.0), (float("nan"), 0.0), (-1.0, 1.0)]
)
def test_bars_are_logarithmic(value, length):
    assert share(value, (1e-6, 1.0)) == pytest.approx(length)


def test_bars_are_as_long_as_those_of_the_microscope():
    trace = traces.dropout_net()
    moment = traces.moment(trace, len(trace.steps))
    update = _update(trace)
    theirs = log_limits(rows_of(moment, update.node, (1, 0)))
    mine = [row for row in rows(update, (1, 0)) if not row.symbol.startswith("θ")]
    assert limits(mine) == theirs


def test_the_table_shows_an_update_and_says_when_there_is_none(qtbot):
    table = UpdateTable()
    qtbot.addWidget(table)
    table.resize(280, 180)
    table.set_update(None, None, LIGHT)
    assert table.shown() == [] and "No update yet" in table.accessibleDescription()
    for theme in (LIGHT, DARK):
        table.set_update(_update(traces.worked()), (1, 0), theme)
        bars = theme.tint("update", 0.6).name()
        image = table.grab().toImage()
        assert any(image.pixelColor(x, y).name() == bars for x in range(image.width()) for y in range(0, image.height(), 3))
    assert "g = 3.981" in table.accessibleDescription()

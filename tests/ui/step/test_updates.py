"""The optimizer microscope on the card: symbol, formula, number and bar of every row, beside what it was without what is supposed."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtGui import QFontMetricsF, QImage, QPainter
from PySide6.QtWidgets import QApplication

from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_state import TraceState
from nnviz.text.numbers import number
from nnviz.ui.step import update_rows
from nnviz.ui.step._update_table import UpdateTable
from nnviz.ui.step.update_rows import ShownRow, compared, log_limits, needed_height, paint_rows, row_boxes, rows_of
from nnviz.ui.theme.colors import DARK, LIGHT
from nnviz.ui.theme.style import apply_theme
from tests.ui import captured, traces


def state_of(trace, done=True):
    index = TraceIndex(trace)
    return TraceState(index, index.length if done else 1)


def painted(rows, width, height=600):
    """Everything that was written on a table of this width, as text -> (where its letters are, where they may be)."""
    found = {}

    class Recorder(QPainter):
        def drawText(self, room, flags, text):
            found[text] = (QFontMetricsF(self.font()).horizontalAdvance(text), room)
            super().drawText(room, flags, text)

    image = QImage(width, height, QImage.Format.Format_RGB32)
    painter = Recorder(image)
    paint_rows(painter, image.rect().toRectF(), LIGHT, rows, "", None)
    painter.end()
    return found


ADAM = traces.dropout_net()
CLIPPED = (
    ShownRow("θ", "before", 0.5),
    ShownRow("‖gᵢ‖", "√Σ g² of this parameter", 1.25),
    ShownRow("total", "√Σᵢ ‖gᵢ‖² over all parameters", 3.5),
    ShownRow("coef", "min(1, 0.5 / (total + 10⁻⁶))", 0.14),
    ShownRow("θ−ηλθ", "θ · (1 − ηλ)", 0.499),
    ShownRow("Δ", "−η m̂ / (√v̂ + ε)", -1e-7),
)


def test_rows_of_adams_first_step_fit_together():
    state, node = state_of(ADAM), traces.node(ADAM, "h1.weight")
    values = {row.symbol: row.value for row in rows_of(state, node, (1, 0))}
    assert list(values) == ["g", "m", "v", "m̂", "v̂", "Δθ"]
    assert values["m̂"] == pytest.approx(values["g"]) and values["v̂"] == pytest.approx(values["g"] ** 2)
    assert all(row.value is None and row.formula for row in rows_of(state_of(ADAM, done=False), node, (1, 0)))


def test_the_rows_of_a_real_step_lead_from_theta_to_theta():
    index = captured.index("mlp_tanh_mse")
    state, node = TraceState(index, index.length), next(iter(index.updates))
    values = {row.symbol: row.value for row in rows_of(state, node, (0, 1))}
    assert list(values) == ["θ", "g", "ηₜ", "Δ", "θ′"]
    assert values["θ"] + values["Δ"] == pytest.approx(values["θ′"], abs=1e-15)


@pytest.mark.parametrize("width", [250, 300, 352, 900])
@pytest.mark.parametrize("rows", [CLIPPED, CLIPPED[:1]])
def test_every_row_shows_symbol_formula_and_number_in_room_of_their_own(qapp, rows, width):
    texts = painted(rows, width)
    for row in rows:
        for text in (row.symbol, row.formula):
            length, room = texts[text]
            assert length <= room.width() + 0.5, text
    boxes = row_boxes(QImage(width, 600, QImage.Format.Format_RGB32).rect().toRectF(), rows)
    formulas = [texts[row.formula][1] for row in rows]
    assert all(box.contains(formula.center()) for box, formula in zip(boxes, formulas, strict=True))
    assert needed_height(rows, 250) >= needed_height(rows, 900)


def test_a_value_without_what_is_supposed_is_told(qapp):
    rows, before = CLIPPED[:2], (CLIPPED[0], replace(CLIPPED[1], value=9.0))
    assert [row.was for row in compared(rows, before)] == [None, 9.0]
    assert compared(rows, before[:1]) == rows
    for width in (250, 600):
        assert any("was 9" in text for text in painted(compared(rows, before), width))


def bars(rows, width):
    """The lengths of the bars that were painted, and the room they have."""
    found = []

    class Recorder(QPainter):
        def drawRoundedRect(self, bar, *radii):
            found.append(bar.width())
            super().drawRoundedRect(bar, *radii)

    image = QImage(width, 600, QImage.Format.Format_RGB32)
    painter = Recorder(image)
    paint_rows(painter, image.rect().toRectF(), LIGHT, rows, "", None)
    painter.end()
    return found


def test_bars_are_logarithmic(qapp):
    rows = tuple(ShownRow("g", "∂L/∂θ", value) for value in (1.0, 1e-3, 1e-9, -1e-3, None))
    low, high = log_limits(rows)
    assert low == pytest.approx(1e-10) and high == pytest.approx(1.0)
    whole, middle, low, negative, room = bars(rows, 900)
    assert whole == pytest.approx(room), "the row that is not there yet has the room of all of them"
    assert [length / room for length in (whole, middle, low)] == pytest.approx([1.0, 0.7, 0.1])
    assert negative == middle, "what counts is the absolute value"


def test_limits_are_the_powers_of_ten_around_what_is_not_zero():
    def limits(*values):
        return log_limits(tuple(ShownRow("", "", value) for value in values))

    assert limits(0.0, None, np.nan, np.inf) is None and limits() is None
    assert limits(-3.0, 0.04, 0.0) == pytest.approx((0.01, 10.0))


@pytest.mark.parametrize("value", [0.0, np.nan, -np.inf, None])
def test_what_is_no_magnitude_is_painted_all_the_same(qapp, value):
    shown = painted((ShownRow("g", "∂L/∂θ", value), *CLIPPED), 352)
    assert ("not yet" in shown) == (value is None)


def test_the_table_is_as_high_as_its_rows_and_says_them(qtbot):
    table = UpdateTable()
    qtbot.addWidget(table)
    table.resize(330, 100)
    table.show()
    node = traces.node(ADAM, "h1.weight")
    table.set_trace_state(state_of(ADAM, done=False), node, (1, 0))
    assert "m = β₁m + (1−β₁)g = not computed yet" in table.accessibleDescription()
    for theme in (LIGHT, DARK):
        apply_theme(QApplication.instance(), theme)
        table.set_trace_state(state_of(ADAM), node, (1, 0))
        assert table.height() >= needed_height(table.shown(), table.width())
        bars, image = theme.tint("update", 0.62).name(), table.grab().toImage()
        assert any(image.pixelColor(x, y).name() == bars for x in range(image.width()) for y in range(0, image.height(), 3))
    assert f"g = ∂L/∂θ = {number(table.shown()[0].value)};" in table.accessibleDescription()


def test_what_was_has_room_of_its_own():
    rows = (ShownRow("θ", "before", -0.7585), ShownRow("θ′", "θ + Δ", 0.5, was=-0.7284))
    assert needed_height(rows, 260) >= 2 * 26
    columns = update_rows._columns(rows, 400)
    assert columns.number_width >= update_rows.text_width("was −0.7284")
    plain = tuple(replace(row, was=None) for row in rows)
    assert needed_height(plain, 400) < needed_height(rows, 400)

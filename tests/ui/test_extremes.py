"""No number ends the program: plots of the largest and smallest numbers there are, of NaN and of nothing; errors while painting."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QWidget

from nnviz.document.experiment import Experiment
from nnviz.document.store import files
from nnviz.records.data_record import DataRecord
from nnviz.records.run_records import FunctionUse, LayerMeasures, LayerOutputs, LayerSteps, Surface
from nnviz.records.tensors import histogram_of
from nnviz.session.run import Snapshot
from nnviz.session.run_curves import Curves
from nnviz.ui.run._layer_pairs import MODES, SPREAD, LayerPairsPlot
from nnviz.ui.run.ridgeline import bin_at, outline
from nnviz.ui.shell import app
from nnviz.ui.theme import painting
from nnviz.ui.widgets.color_scale import round_limit
from nnviz.ui.widgets.decimation import smoothed
from nnviz.ui.widgets.plot_card import framed
from nnviz.ui.widgets.scales import AxisScale, decades, snapped
from tests.ui import runs
from tests.ui.run.test_plot import RUN_PLOTS
from tests.ui.window import wait

CASES = Path(__file__).parents[1] / "cases"
LARGEST = float(np.finfo(np.float64).max)
EXTREMES = (LARGEST, -LARGEST, 1e308, -1e308, 9e307, 1e300, 1e154, 3.4e38, 1.0, 0.0, -0.0, 5e-324, -5e-324, 2.2e-308, 1e-300)
ANY = st.sampled_from((*EXTREMES, float("nan"), float("inf"), float("-inf"))) | st.floats()
KNOWN = st.sampled_from(EXTREMES) | st.floats(allow_nan=False, allow_infinity=False)


# --- pure ---


@given(ANY, ANY, st.integers(3, 10))
def test_limits_are_finite_and_apart(a, b, parts):
    low, high = snapped(min(a, b), max(a, b), parts)
    assert -LARGEST <= low < high <= LARGEST
    scale = AxisScale(low, high, 10.0, 310.0)
    assert [float(scale(end)) for end in (low, high)] == pytest.approx([10, 310])
    assert scale.value(10.0) == pytest.approx(low) and np.isfinite(scale.value(160.0))


@given(KNOWN, KNOWN)
def test_decades_are_finite_and_apart(a, b):
    sizes = sorted(abs(value) or 1.0 for value in (a, b))
    low, high = decades(*sizes)
    assert 0 < low < high <= LARGEST
    scale = AxisScale(low, high, 0.0, 100.0, log=True)
    assert float(scale(high)) == pytest.approx(100) and scale.value(100.0) == pytest.approx(high)


@given(st.lists(KNOWN, max_size=30), st.integers(1, 40))
def test_histograms_count_every_value(values, bins):
    low, high, counts = histogram_of(np.array(values, dtype=np.float64), bins)
    assert sum(counts) == len(values) and len(counts) in (0, bins)
    assert np.isfinite([low, high]).all() and (not values or low <= min(values) <= max(values) <= high)


@given(st.lists(KNOWN, min_size=1, max_size=30))
def test_ridges_and_their_bins_are_finite(values):
    measured = _measure(values)
    places, heights = outline(measured)
    assert np.isfinite(places).all() and np.isfinite(heights).all() and (heights >= 0).all()
    assert not sum(measured.histogram) or bin_at(measured, measured.low)


@given(st.lists(KNOWN, min_size=1, max_size=30), st.integers(1, 9))
def test_means_of_large_values_lie_between_them(values, window):
    found = smoothed(np.array(values), window)
    slack = 1e-9 * max(map(abs, values)) + 1e-320
    assert ((found >= min(values) - slack) & (found <= max(values) + slack)).all()


@given(st.lists(ANY, max_size=12))
def test_colour_scales_end_somewhere(values):
    assert 0 < round_limit(values) < float("inf")


# --- plots ---


def _measure(values):
    values = np.asarray(values, dtype=np.float64)
    finite = values[np.isfinite(values)]
    low, high, counts = histogram_of(finite[finite != 0], 12)
    made = runs.measure(np.ones(3))
    norm = float(np.abs(finite).max()) if finite.size else 0.0
    bad = int(values.size - finite.size)
    return replace_struct(made, count=values.size, norm=norm, low=low, high=high, histogram=counts, non_finite=bad)


def replace_struct(struct, **changes):
    return type(struct)(**{**{name: getattr(struct, name) for name in struct.__struct_fields__}, **changes})


def _run(values: list[float]):
    array = np.array(values, dtype=np.float64)
    place = np.arange(1.0, array.size + 1)
    measure, finite = _measure(values), [value for value in values if np.isfinite(value)] or [0.0]
    measures = tuple(LayerMeasures(layer, *(measure,) * 3, update_ratio=abs(values[0]), updates=measure) for layer in runs.LAYERS)
    size = abs(finite[0])
    z = np.linspace(-max(4.0, min(size, 1e30)), max(4.0, min(size, 1e30)), 9)
    use = FunctionUse("sigmoid", 4, measure, runs.wire(np.array((z, np.tanh(z), 1 - np.tanh(z) ** 2))), 1, 0)
    outputs = tuple(LayerOutputs(layer, finite[0], size, abs(finite[-1]), finite[-1], 1, (use,)) for layer in runs.LAYERS)
    steps = tuple(LayerSteps(layer, size, (size,) * 5) for layer in runs.LAYERS)
    data = DataRecord(
        runs.wire(np.stack([array, array[::-1]], 1)), runs.wire(np.arange(array.size) % 2), runs.wire(np.arange(array.size) % 3 != 0), 2
    )
    ends = (float(array[0]), float(array[-1])), (float(array[-1]), float(array[0]))
    return replace(
        runs.run(iterations=array.size, snapshots=(Snapshot(0, measures, outputs, steps), Snapshot(1, measures, outputs, steps))),
        curves=Curves(place, array, array[::-1].copy(), array, array, array[::-1].copy(), array),
        data=data,
        surface=Surface(*ends, runs.plane().output),
    )


@pytest.mark.parametrize(
    "kind",
    (*RUN_PLOTS, partial(LayerPairsPlot, SPREAD), partial(LayerPairsPlot, MODES)),
    ids=lambda kind: getattr(kind, "__name__", ""),
)
def test_every_plot_paints_any_number(qtbot, kind):
    plot = kind()
    card = framed(plot)
    qtbot.addWidget(card)
    card.resize(300, 200)
    card.show()

    @settings(max_examples=60)
    @given(st.lists(ANY, min_size=2, max_size=12))
    def paints(values):
        plot.set_run(_run(values))
        card.grab()
        plot.hovered = QRectF(plot.rect()).center()
        card.grab()

    paints()


# --- errors while painting ---


class Broken(QWidget):
    """Fails in the middle of painting."""

    @painting.painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.drawLine(0, 0, 5, 5)
        raise ValueError("no such picture")


def test_an_error_in_a_paint_event_is_logged_once_and_a_sentence_stands_there(qtbot, caplog, monkeypatch):
    monkeypatch.setattr(painting, "_told", set())
    widget = Broken()
    qtbot.addWidget(widget)
    widget.resize(300, 100)
    widget.show()
    empty = QWidget()
    qtbot.addWidget(empty)
    empty.resize(300, 100)
    for _ in range(3):
        assert widget.grab().toImage() != empty.grab().toImage(), "a sentence is there"
    assert [record.message for record in caplog.records if record.levelno == logging.ERROR] == ["Broken.paintEvent could not be drawn"]


# --- the window ---


def of_every_size() -> Experiment:
    """A regression on the largest and smallest numbers there are, with weights like them."""
    document = json.loads((CASES / "histogram-exploding-relu.json").read_text())
    sizes = [9e152, -9e152, 1e100, 5e-324, -5e-324, 0.0, 1.0, -1e77, 3e-308, 1e150]  # larger data is refused
    document["data"] |= {"x": [[a, b] for a, b in zip(sizes, sizes[::-1], strict=True)], "y": [[size] for size in sizes]}
    document |= {"precision": "float64", "weights": {"h1.weight": [[1e308, -1e308], [5e-324, 1.0], [0.0, 0.0], [1e154, -LARGEST]]}}
    return files.loads(json.dumps(document).encode())


DOCUMENTS = {
    "large weights": lambda: files.load(CASES / "segv-weights-1e308-float64.json"),
    "exploding": lambda: files.load(CASES / "histogram-exploding-relu.json"),
    "every size": of_every_size,
}


@pytest.fixture(params=DOCUMENTS)
def window(request, qtbot, lent_engine):
    app.application()
    window = app.build_window(DOCUMENTS[request.param](), autosaves=False)
    window.stop_asking()
    window.features.graph.view.set_animated(False)
    window.show()
    window.session.start()
    wait(qtbot, lambda: window.session.stepping.state is not None)
    yield window
    app.shut_down(window)


def test_a_window_of_numbers_that_explode_paints_everything(window, qtbot, tmp_path):
    session, features = window.session, window.features
    session.training.iterations(30)
    wait(qtbot, lambda: not session.training.is_training)
    for name in ("build", "train", "step"):
        features.area.show_workspace(name)
        for size in ((1180, 720), (1400, 900)):
            window.resize(*size)
            QApplication.processEvents()
            window.grab()
    for what in ("window", "network", "graph"):
        features.files.exports.write(tmp_path / f"{what}.png", what)
        assert not QImage(str(tmp_path / f"{what}.png")).isNull()
    features.area.show_workspace("train")
    features.files.exports.write(tmp_path / "plots.svg", "plots")
    features.area.show_workspace("step")
    for step in range(session.stepping.length + 1):
        session.stepping.to(step)
        QApplication.processEvents()  # which paints what has changed
        if step % 8 == 0:
            window.grab()

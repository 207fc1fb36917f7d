"""Pictures that are painted from given results, without an engine: what they say, and that odd ones can be painted."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nnviz.records.task_records import ExplainedShares, LossPlane, PathOnPlane, RangeTest
from nnviz.records.tensors import Array
from nnviz.ui.landscape import _range_plot
from nnviz.ui.landscape._landscape_plot import LandscapePlot
from nnviz.ui.landscape._range_plot import RangeTestPlot
from nnviz.ui.landscape._surface_view import View, _some
from nnviz.ui.theme import painting


@pytest.fixture(autouse=True)
def no_errors(monkeypatch):
    """What cannot be painted is only logged in the program."""
    told = []
    monkeypatch.setattr(painting, "_tell", lambda where, error: told.append(error))
    yield
    assert not told


def array(values) -> Array:
    found = np.array(values)
    return Array(found.dtype.name, found.shape, found.tobytes())


def plane(losses, paths=(), **more) -> LossPlane:
    x = np.linspace(-1, 1, len(losses))
    return LossPlane("path", array(x), array(x), array(losses), 1.0, paths=tuple(paths), **more)


def path(name="", reach=0.9) -> PathOnPlane:
    t = np.linspace(-1, 0, 30)
    points = np.stack([reach * t, reach * t**2], 1)
    return PathOnPlane(name, array(np.arange(30)), array(points), array(np.zeros(30)), array(np.ones(30)))


def bowl(size=9) -> np.ndarray:
    x = np.linspace(-1, 1, size)
    return 1 + x[None, :] ** 2 + x[:, None] ** 2


SHARES = ExplainedShares((0.9, 0.98), (0.61, 0.76), (0.9, 0.98), (0.81, 0.9))
BROKEN = np.where(bowl() > 2.5, np.nan, np.where(bowl() > 2.2, np.inf, bowl()))


@pytest.mark.parametrize("view", ["contours", "surface"])
@pytest.mark.parametrize(
    "shown",
    [
        plane(bowl(), [path()], shares=SHARES),
        plane(bowl(), [path(), path("other", 5.0)]),
        plane(bowl(3)),
        plane(bowl(), stride=8),
        plane(BROKEN, [path()]),
        plane(np.full((9, 9), np.nan)),
        plane(np.zeros((9, 9))),
        plane(1e30 * bowl() ** 40),
    ],
)
@pytest.mark.parametrize("size", [(500, 400), (150, 90)])
def test_every_plane_can_be_painted(qtbot, view, shown, size):
    plot = LandscapePlot()
    qtbot.addWidget(plot)
    plot.view.choose(view)
    plot.resize(*size)
    plot.show()
    plot.set_look("main", {"main": 0, "other": 1}, ("1st", "2nd"))
    plot.set_plane(shown, 29)
    plot.hovered = plot.rect().toRectF().center()
    plot.grab()
    assert not plot.sentence and [one.name for one in plot.shown.paths] == ["main", "other"][: len(shown.paths)]


def test_what_stands_below_says_the_null_beside_the_share(qtbot):
    plot = LandscapePlot()
    qtbot.addWidget(plot)
    plot.show()
    plot.set_plane(plane(bowl(), [path()], shares=SHARES), 29)
    assert any("90 %, 98 %" in text for text in plot.shown.footers) and any("61 %, 76 %" in text for text in plot.shown.footers)
    plot.set_plane(None, 0, "No.")
    assert plot.sentence == "No."


@pytest.mark.parametrize(("size", "turning", "resting"), [(2, 2, 2), (6, 6, 6), (21, 21, 21), (22, 22, 22), (41, 21, 41), (81, 21, 41)])
def test_faces_reach_the_last_point_and_are_fewer_while_it_is_turned(size, turning, resting):
    for is_turning, count in ((True, turning), (False, resting)):
        taken = np.arange(size)[_some((size, size), is_turning)[0]]
        assert (taken[0], taken[-1], len(taken)) == (0, size - 1, count)


def test_a_turn_keeps_lengths_and_looking_down_has_limits():
    points = np.array([(0.5, 0.0, 0.0), (0.0, 0.5, 0.0)])
    for view in (View(), View().turned(90, 0)):
        seen, away = view.seen(points)
        assert np.allclose((seen**2).sum(1) + away**2, 0.25)
    assert View().turned(0, 1e6).down < math.pi / 2 and View().turned(0, -1e6).down > 0


def sweep(start=1.0, seeds=2, falls=True, is_noise=False) -> RangeTest:
    rates = np.geomspace(1e-4, 1.0, 40)
    curve = np.concatenate([np.ones(10), np.linspace(1, 0.3, 20), np.geomspace(0.3, 50, 10)]) if falls else np.linspace(1, 5, 40)
    smoothed = np.stack([curve] * seeds)
    smoothed[-1, 36:] = math.nan
    low, high = (rates[15], rates[20]) if falls else (None, None)
    steepest = array(np.full(seeds, rates[15] if falls or is_noise else math.nan))
    return RangeTest(*map(array, (rates, smoothed, smoothed, smoothed)), steepest, steepest, start, low, high)


@pytest.fixture
def written(monkeypatch) -> list[str]:
    """The texts that are painted in the plot."""
    texts = []
    write = _range_plot.write
    monkeypatch.setattr(_range_plot, "write", lambda painter, box, text, *more: texts.append(text) or write(painter, box, text, *more))
    return texts


def painted(qtbot, found) -> RangeTestPlot:
    plot = RangeTestPlot()
    qtbot.addWidget(plot)
    plot.resize(500, 300)
    plot.show()
    plot.set_found(found, 7, 0.01)
    plot.hovered = plot.rect().toRectF().center()
    plot.grab()
    return plot


def test_a_rate_is_suggested(qtbot, written):
    plot = painted(qtbot, sweep())
    assert plot.found.low <= plot.rate <= plot.found.high and any("falls fastest at" in text for text in written)
    assert "1 of 2 seeds" in plot.values_at(0.9)[-1][1]


def test_without_a_fall_there_is_no_rate_until_one_is_chosen(qtbot, written):
    assert painted(qtbot, sweep(falls=False)).rate is None and "no rate is suggested: the loss does not fall" in written


def test_of_a_fall_within_the_noise_no_rate_is_taken_and_that_is_said(qtbot, written):
    assert painted(qtbot, sweep(falls=False, is_noise=True)).rate is None
    assert any("no faster than the noise" in text for text in written)

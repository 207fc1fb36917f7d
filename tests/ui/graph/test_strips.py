"""What the cells of a card say: not yet, zero, dropped, NaN, partial sums, measures."""

import math

import msgspec
import numpy as np
import pytest

from nnviz.ui.graph import strips
from nnviz.ui.theme.colors import LIGHT
from nnviz.ui.widgets.color_scale import shaded
from tests.ui import traces


def test_not_computed_yet_is_not_zero():
    trace = traces.worked()
    linear = trace.nodes[3]
    before = strips.value_strip(traces.state(trace, 1), linear)
    assert before.values is None and before.count == 2 and before.label == "not yet"
    after = strips.value_strip(traces.state(trace, 2), linear)
    assert after.values == pytest.approx((-0.72, 1.73)) and after.label == "z"


def test_a_gradient_appears_with_its_last_contribution():
    trace = traces.worked()
    relu = trace.nodes[4]
    back = traces.place(trace, "backward", "relu")
    assert strips.gradient_strip(traces.state(trace, back - 2), relu).values is None
    assert strips.gradient_strip(traces.state(trace, back - 1), relu).values == pytest.approx((2.552 * 0.8, 2.552 * 1.2))


def test_data_has_no_gradient_cells():
    trace = traces.worked()
    strip = strips.gradient_strip(traces.state(trace, len(trace.steps)), trace.nodes[0])
    assert strip.count == 0 and strip.label == "no gradient"


def test_a_parameter_shows_its_new_value_once_updated():
    trace = traces.worked()
    weight = trace.nodes[1]
    update = traces.place(trace, "update", "h1.weight")
    before, after = (strips.value_strip(traces.state(trace, cursor), weight).values for cursor in (update - 1, update))
    assert before == pytest.approx((0.1, 0.5, 0.8, -0.3))
    assert after == pytest.approx((0.1, 0.5, 0.8 - 0.1 * 3.98112, -0.3 - 0.1 * 2.14368))


def test_dropped_cells_follow_the_row():
    trace = traces.dropout_net()
    mul = trace.nodes[traces.node(trace, "mul")]
    dropped = np.frombuffer(mul.dropped.data, mul.dropped.dtype).reshape(mul.dropped.shape)
    for row in range(3):
        assert strips.value_strip(traces.state(trace, len(trace.steps), row), mul).crossed == tuple(dropped[row])


def test_more_than_eight_numbers_end_in_an_ellipsis():
    trace = traces.dropout_net()
    weight = trace.nodes[traces.node(trace, "h2.weight")]
    strip = strips.value_strip(traces.state(trace, 1), weight)
    assert len(strip.values) == strips.MOST_CELLS and strip.more


def test_a_measure_becomes_bars():
    trace = traces.worked()
    large = msgspec.structs.replace(trace.nodes[3], value=traces.measured(np.arange(-50, 50)), shape=(100,))
    trace = msgspec.structs.replace(trace, nodes=(*trace.nodes[:3], large, *trace.nodes[4:]))
    strip = strips.value_strip(traces.state(trace, len(trace.steps)), large)
    assert sum(strip.bars) == 99 and len(strip.values) == len(strip.bars)


@pytest.mark.parametrize(("values", "word"), [((1.0, math.nan), "NaN"), ((1.0, -math.inf), "∞"), ((1.0, 0.0), "")])
def test_bad_numbers_are_named(values, word):
    assert strips.Strip("a", 2, values).bad == word


@pytest.mark.parametrize("is_masked", [True, False])
def test_what_a_mask_leaves_out_is_crossed_and_no_alarm(is_masked):
    trace = traces.worked()
    scores = msgspec.structs.replace(trace.nodes[3], value=traces.tensor(np.array([[1.0, -np.inf]])), is_masked=is_masked)
    trace = msgspec.structs.replace(trace, nodes=(*trace.nodes[:3], scores, *trace.nodes[4:]))
    strip = strips.value_strip(traces.state(trace, len(trace.steps)), scores)
    assert strip.bad == ("" if is_masked else "∞") and strip.crossed == ((False, True) if is_masked else ())


def test_the_scale_is_robust_to_one_outlier_and_the_same_at_every_step():
    trace = traces.dropout_net()
    state = traces.state(trace, 3)
    limits = strips.limits(state)
    assert limits == strips.limits(traces.state(trace, len(trace.steps)))
    numbers = np.concatenate([np.abs(state.row(n.id, n.value)).ravel() for n in trace.nodes if n.kind != "loss" and n.label != "y"])
    assert limits.value == pytest.approx(np.percentile(numbers, 98))
    assert limits.value < numbers.max()


def test_shades_are_symmetric_monotone_and_full_at_the_limit():
    assert shaded(-1.0, 2.0) == -shaded(1.0, 2.0)
    assert shaded(0.0, 2.0) == 0.0 < shaded(0.1, 2.0) < shaded(2.0, 2.0) == 1.0 == shaded(9.0, 2.0)
    assert shaded(1.0, 0.0) == 0.0


def _painted(strip, qapp):
    from PySide6.QtGui import QImage, QPainter

    image = QImage(160, 20, QImage.Format.Format_RGB32)
    image.fill(LIGHT.color("panel"))
    painter = QPainter(image)
    strips.paint(painter, LIGHT, strip, 1.0, 4, 4, 156)
    painter.end()
    return image


def test_hollow_zero_and_full_cells_look_different(qapp):
    middle = 9
    hollow, zero, full, bad = (
        _painted(strip, qapp).pixelColor(middle, middle)
        for strip in (
            strips.Strip("a", 3),
            strips.Strip("a", 3, (0.0,) * 3),
            strips.Strip("a", 3, (1.0,) * 3),
            strips.Strip("a", 3, (math.nan,) * 3),
        )
    )
    panel = LIGHT.color("panel")
    assert hollow == panel and zero != panel and full == LIGHT.color("positive")
    assert len({color.name() for color in (hollow, zero, full)}) == 3 and bad != full

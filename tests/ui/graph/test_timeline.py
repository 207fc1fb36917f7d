"""Timeline and phase rail: where they draw the cursor, and what they ask for."""

import itertools

import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtWidgets import QApplication

from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_state import TraceState
from nnviz.ui.step._step_timeline import PHASES, PhaseRail, StepTimeline
from nnviz.ui.theme.colors import DARK, LIGHT
from nnviz.ui.theme.style import apply_theme
from tests.ui import traces


@pytest.fixture
def net():
    return TraceIndex(traces.dropout_net())


def _shown(qtbot, widget, width):
    qtbot.addWidget(widget)
    widget.resize(width, widget.sizeHint().height())
    widget.show()
    qtbot.waitExposed(widget)
    return widget


@pytest.fixture
def timeline(qtbot):
    return _shown(qtbot, StepTimeline(), 620)


@pytest.fixture
def rail(qtbot):
    return _shown(qtbot, PhaseRail(), 900)


def _asked(widget):
    asked = []
    widget.cursor_requested.connect(asked.append)
    return asked


def test_the_handle_stands_at_the_cursor(timeline, net):
    places = []
    for cursor in (0, net.length // 2, net.length):
        timeline.set_trace_state(TraceState(net, cursor))
        places.append(timeline.handle().x())
    assert places == pytest.approx([10, 310, 610])


@pytest.mark.parametrize("phase", ["forward", "backward", "update"])
def test_the_done_part_has_the_colour_of_the_phase(timeline, net, phase):
    timeline.set_trace_state(TraceState(net, net.phase_spans[phase][1]))
    assert timeline.grab().toImage().pixelColor(14, timeline.height() // 2).name() == LIGHT.tint(phase, 0.42).name()


def test_dragging_asks_for_the_step_under_the_mouse(timeline, net, qtbot):
    timeline.set_trace_state(TraceState(net, 3))
    asked = _asked(timeline)
    qtbot.mousePress(timeline, Qt.MouseButton.LeftButton, pos=QPoint(310, 12))
    qtbot.mouseMove(timeline, QPoint(615, 12))
    qtbot.mouseRelease(timeline, Qt.MouseButton.LeftButton, pos=QPoint(615, 12))
    assert asked == [net.length // 2, net.length]


def test_keys_step(timeline, net, qtbot):
    timeline.set_trace_state(TraceState(net, 3))
    asked = _asked(timeline)
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End):
        qtbot.keyClick(timeline, key)
    assert asked == [2, 4, 0, net.length]


def test_nothing_is_asked_for_beyond_the_ends_or_without_a_trace(timeline, net, qtbot):
    asked = _asked(timeline)
    timeline.set_trace_state(TraceState(net, 0))
    qtbot.keyClick(timeline, Qt.Key.Key_Left)
    timeline.set_trace_state(None)
    qtbot.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=QPoint(100, 12))
    assert asked == []


def test_pills_say_what_is_done(rail, net):
    start, end = net.phase_spans["backward"]
    rail.set_trace_state(TraceState(net, (start + end) // 2))
    shares = {pill.phase: pill.share for pill in rail.pills()}
    assert shares["batch"] == shares["forward"] == shares["loss"] == 1
    assert 0 < shares["backward"] < 1
    assert shares["clip"] == shares["update"] == 0


def test_a_click_jumps_to_the_start_of_a_phase(rail, net, qtbot):
    rail.set_trace_state(TraceState(net, 0))
    asked = _asked(rail)
    for pill in rail.pills():
        qtbot.mouseClick(rail, Qt.MouseButton.LeftButton, pos=pill.box.center().toPoint())
    expected = [net.phase_spans[phase][0] + 1 for phase in PHASES if phase in net.phase_spans]
    assert asked == expected and len(asked) == 5  # this iteration does not clip


def test_keys_reach_every_phase(rail, net, qtbot):
    rail.set_trace_state(TraceState(net, 0))
    asked = _asked(rail)
    qtbot.keyClick(rail, Qt.Key.Key_Right)
    qtbot.keyClick(rail, Qt.Key.Key_Return)
    assert asked == [net.phase_spans["forward"][0] + 1]


@pytest.mark.parametrize("width", [420, 560, 900, 1400])
def test_pills_never_overlap_and_texts_fit(rail, net, width):
    rail.resize(width, rail.height())
    rail.set_trace_state(TraceState(net, 5))
    pills = rail.pills()
    assert all(a.box.right() < b.box.left() for a, b in itertools.pairwise(pills))
    assert all(pill.box.width() > rail.fontMetrics().horizontalAdvance(pill.phase) for pill in pills)


def test_both_themes_paint(rail, timeline, net):
    for theme in (LIGHT, DARK):
        for widget in (rail, timeline):
            apply_theme(QApplication.instance(), theme)
            widget.set_trace_state(TraceState(net, 9))
            assert not widget.grab().isNull()


def test_where_there_is_no_room_for_the_texts_every_phase_can_still_be_clicked(rail, net):
    rail.resize(326, 30)
    rail.set_trace_state(TraceState(net, 5))
    assert all(QRectF(rail.rect()).contains(pill.box) for pill in rail.pills())
    assert not rail.grab().isNull()


def test_where_the_words_have_no_room_the_present_phase_keeps_its_own(rail, net):
    rail.resize(900, 30)
    rail.set_trace_state(TraceState(net, traces.place(net.trace, "backward", "relu"), 0))
    words = {pill.phase: pill.box.width() for pill in rail.pills()}
    rail.resize(260, 30)
    pills = {pill.phase: pill.box for pill in rail.pills()}
    assert list(pills) == list(PHASES) and all(box.right() <= 260 for box in pills.values())
    assert pills["backward"].width() > 60 > pills["forward"].width() and words["forward"] > 60

"""The table of all gradients beside torch's own, and the banner of what is supposed."""

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget

from nnviz.records.trace_record import AgreementRecord
from nnviz.ui.step._proof import Proof
from nnviz.ui.step._what_if_banner import WhatIfBanner
from nnviz.ui.step.badge import Badge
from nnviz.ui.theme.colors import DARK
from nnviz.ui.theme.style import apply_theme
from tests.ui import traces

ROWS = (AgreementRecord("out.weight", 0.5, 0.5, 1e-9, 2e-9), AgreementRecord("h1.weight", 0.25, 0.25, 0.0, 0.0))


@pytest.fixture
def proof(qtbot):
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.resize(900, 500)
    parent.show()
    yield Proof(parent)


def test_one_row_for_every_parameter_the_worst_first(proof):
    proof.set_trace(msgspec.structs.replace(traces.worked(), agreements=ROWS), {"out.weight": "output.W"})
    assert proof.rows()[0] == ["output.W", "0.5", "0.5", "1.0e−9", "2.0e−9", "✗"], "float64 is more exact than that"
    assert proof.rows()[1] == ["h1.weight", "0.25", "0.25", "0", "0", "✓"]
    proof.set_trace(msgspec.structs.replace(traces.worked(), agreements=ROWS, precision="float32"), {})
    assert [row[-1] for row in proof.rows()] == ["✓", "✓"]


def test_many_parameters_scroll(proof):
    many = tuple(AgreementRecord(f"h{k}.weight", 1.0, 1.0, 0.0, 0.0) for k in range(60))
    proof.set_trace(msgspec.structs.replace(traces.worked(), agreements=many), {})
    assert proof.table.height() < 400 and len(proof.rows()) == 60


def test_no_trace_has_no_rows(proof):
    proof.set_trace(None, {})
    assert proof.rows() == []


def test_the_banner_says_what_is_supposed_and_asks(qtbot):
    banner = WhatIfBanner()
    qtbot.addWidget(banner)
    banner.resize(700, 32)
    apply_theme(QApplication.instance(), DARK)
    banner.set_what_ifs("dense 1.W[0,1] = 0.7", "loss 0.2134 → 0.1988", 1, True)
    assert banner.isVisible() and banner.keep.isVisible() and not banner.clear.isVisible()
    assert banner.accessibleName() == "What if dense 1.W[0,1] = 0.7: loss 0.2134 → 0.1988"
    for button, signal in ((banner.take_back, banner.take_back_requested), (banner.keep, banner.keep_requested)):
        with qtbot.waitSignal(signal):
            qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    banner.set_what_ifs("relu ablated, x[0,0] = 1, and much more that nobody could read in so little room", "loss 1 → 2", 3, False)
    assert banner.clear.isVisible() and not banner.keep.isVisible()
    banner.resize(300, 32)
    banner.grab()
    banner.set_what_ifs("", "", 0, False)
    assert not banner.isVisible()


def test_badge_names_the_worst_error(qtbot):
    badge = Badge()
    qtbot.addWidget(badge)
    badge.set_error(2.31e-16, "float64")
    assert badge.text() == "✓ equals torch\nworst error 2e-16"
    badge.set_error(0.0, "float64")
    assert badge.text() == "✓ equals torch\nto the last bit"
    badge.set_error(2.31e-16, "float64", is_past=True)
    assert badge.text() == "last good trace"
    badge.set_error(None, "")
    assert badge.text() == "no trace yet"

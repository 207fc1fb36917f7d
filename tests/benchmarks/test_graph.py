"""The graph at scale: its layout beside graphviz's, and a cursor move beside what a frame leaves time for."""

from __future__ import annotations

import shutil
import subprocess
from itertools import cycle
from time import process_time

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QThreadPool

from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_state import TraceState
from nnviz.ui.graph import layout, structure
from nnviz.ui.graph.graph_view import GraphView
from tests.ui import captured, traces

SIZE = (160.0, 62.0)
PIECE = 0.6
"""Milliseconds of the piece of work, sorting 20,000 numbers, on the idle machine the budgets were set on."""
NUMBERS = np.random.default_rng(0).normal(size=20_000)
MOVES = 40


def sort() -> float:
    """CPU seconds of as many pieces of work as there are moves."""
    start = process_time()
    for _ in range(MOVES):
        np.sort(NUMBERS)
    return process_time() - start


@pytest.mark.skipif(shutil.which("dot") is None, reason="graphviz is not installed")
def test_500_nodes_are_laid_out_in_half_the_time_of_dot(ratio):
    """The same cards, sizes and wires, with every group open; dot draws what it has laid out as text."""
    diagram = structure.diagram(captured.index("resnet18").trace)
    assert len(diagram.cards) >= 500
    wires = "".join(f'"{wire.source}" -> "{wire.target}";' for wire in diagram.wires)
    boxes = "".join(f'"{key}" [width={SIZE[0] / 72}, height={SIZE[1] / 72}, shape=box, fixedsize=true];' for key in diagram.cards)
    text = f"digraph {{ rankdir=LR; {boxes} {wires} }}"
    sizes = dict.fromkeys(diagram.cards, SIZE)

    def dot() -> None:
        subprocess.run(["dot", "-Tplain"], input=text, capture_output=True, text=True, check=True)

    assert ratio(lambda: layout.place(diagram, sizes), dot, enough=0.5) <= 0.5


def shown(qtbot, index: TraceIndex) -> GraphView:
    """The graph with everything open and fitted, at the beginning of the forward phase."""
    view = GraphView()
    qtbot.addWidget(view)
    view.set_animated(False)
    view.resize(1200, 400)
    view.show()
    qtbot.waitExposed(view)
    view.set_trace_state(TraceState(index, 1, 0))
    view.folds.open_all()
    QThreadPool.globalInstance().waitForDone()
    qtbot.waitUntil(lambda: not view.scene().placer.is_busy)
    view.fit()
    QCoreApplication.processEvents()
    return view


@pytest.mark.parametrize(("repeated", "nodes", "budget_ms"), [(11, 50, 16), (499, 2000, 33)])
@pytest.mark.parametrize("phase", ["forward", "backward"])
def test_a_cursor_move_is_painted_within_a_frame(qtbot, ratio, repeated, nodes, budget_ms, phase):
    """The median of single steps through a phase, in CPU time: states, wires, minimap, and all that has to be painted."""
    index = TraceIndex(traces.mlp((2, 6, 2), repeated=repeated))
    assert len(index.trace.nodes) >= 0.9 * nodes
    view = shown(qtbot, index)
    first, last = index.phase_spans[phase]
    cursors = cycle(range(first + 1, min(last, first + 2 * MOVES)))

    def moves() -> float:
        times = []
        for _ in range(MOVES):
            state = TraceState(index, next(cursors), 0)
            start = process_time()
            view.set_trace_state(state)
            QCoreApplication.processEvents()
            times.append(process_time() - start)
        return float(np.median(times)) * MOVES

    moves()
    assert ratio(moves, sort, enough=budget_ms / PIECE) <= budget_ms / PIECE

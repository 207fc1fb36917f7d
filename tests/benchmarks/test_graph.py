"""The graph at scale: its layout beside those of networkx and graphviz, and a cursor move beside a bare QPainter that paints as much."""

from __future__ import annotations

import shutil
import subprocess
from itertools import cycle
from statistics import median
from time import process_time

import networkx
import pytest
from PySide6.QtCore import QCoreApplication, QThreadPool

from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_state import TraceState
from nnviz.ui.graph import layout, structure
from nnviz.ui.graph._graph_view import GraphView
from tests.benchmarks.sketches import Sketch
from tests.ui import captured, traces

SIZE = (160.0, 62.0)
SKETCH = Sketch(1200, 400, cards=50, card=(40, 16), curves=60, words=150)
"""What is to be seen of a graph of 50 nodes, fitted; of one of 2000 it is about as much."""
MOVES = 40


@pytest.fixture(scope="module")
def diagram() -> structure.Diagram:
    """A graph of 500 nodes with every group open."""
    found = structure.diagram(captured.index("resnet18").trace)
    assert len(found.cards) >= 500
    return found


def test_500_nodes_are_laid_out_beside_networkx(measure, diagram):
    """Its layout knows no sizes, groups or edges: only columns, and places in them."""
    sizes, links = dict.fromkeys(diagram.cards, SIZE), [(edge.source, edge.target) for edge in diagram.edges]

    def columns() -> None:
        graph = networkx.DiGraph(links)
        networkx.multipartite_layout(graph, dict(enumerate(networkx.topological_generations(graph))))

    measure("laying out 500 nodes beside networkx.multipartite_layout", lambda: layout.place(diagram, sizes), columns, goal=10)


@pytest.mark.skipif(shutil.which("dot") is None, reason="graphviz is not installed")
def test_500_nodes_are_laid_out_in_half_the_time_of_dot(measure, diagram):
    """The same cards, sizes and edges; dot draws what it has laid out as text."""
    edges = "".join(f'"{edge.source}" -> "{edge.target}";' for edge in diagram.edges)
    boxes = "".join(f'"{key}" [width={SIZE[0] / 72}, height={SIZE[1] / 72}, shape=box, fixedsize=true];' for key in diagram.cards)
    text = f"digraph {{ rankdir=LR; {boxes} {edges} }}"
    sizes = dict.fromkeys(diagram.cards, SIZE)

    def dot() -> None:
        subprocess.run(["dot", "-Tplain"], input=text, capture_output=True, text=True, check=True)

    measure("laying out 500 nodes beside graphviz's dot", lambda: layout.place(diagram, sizes), dot, goal=0.5)


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


@pytest.mark.parametrize(
    ("phase", "repeated", "nodes", "goal"),
    [("forward", 11, 50, 0.7), ("forward", 499, 2000, 1.1), ("backward", 11, 50, 1.2), ("backward", 499, 2000, 1.6)],
)
def test_a_cursor_move_is_painted_within_a_frame(qtbot, measure, phase, repeated, nodes, goal):
    """The median of single steps through a phase, in CPU time: states, edges, minimap, and all that has to be painted."""
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
        return median(times)

    moves()
    measure(f"a {phase} step in a graph of {nodes} nodes beside bare painting", moves, SKETCH.seconds, goal)

"""The computational graph of a trace: its picture, how far it is opened and folded, and what becomes of what is asked there.

The same in the window of a session and in that of a recorded trace.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from PySide6.QtWidgets import QWidget

from nnviz.document import adversarial
from nnviz.document.experiment import Experiment
from nnviz.records.data_record import DataRecord
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_state import TraceState
from nnviz.session.run import RunState
from nnviz.session.session import OUTDATED, Session
from nnviz.session.trace_source import TraceSource
from nnviz.text import names
from nnviz.text.tokens import vocabulary
from nnviz.ui.graph._graph_view import NO_TRACE, GraphView
from nnviz.ui.graph.strips import COLORINGS
from nnviz.ui.widgets.boxes import stacked
from nnviz.ui.widgets.card import Card
from nnviz.ui.widgets.header_button import choice

_LEAST_PICTURE = 216
"""Height in pixels of the heading and of a picture that can still be read."""

_LOW, _LOWEST = 160, 76
"""Least height of the picture alone, and where there is little room."""


class GraphFeature:
    """Shows the trace of a source in a card, between what belongs `above` and `below` it. With its `session` it says why none can come."""

    needs = {"graph": "trace"}  # noqa: RUF012
    """What the engine has to measure for its panel."""

    def __init__(
        self, source: TraceSource, above: QWidget, below: QWidget, tools: Sequence[QWidget] = (), session: Session | None = None
    ) -> None:
        self.source, self.stepping, self.session = source, source.stepping, session
        self.view = GraphView()
        self.detail = choice("How far calls are opened in the graph", self._details(), self.stepping.detail)
        self.coloring = choice("What the colours of the graph show", {one: f"colour: {one}" for one in COLORINGS}, "value")
        card = Card("Computational graph", stacked(above, self.view, below, stretch=1), [*tools, self.detail, self.coloring])
        self._least = _LEAST_PICTURE + below.sizeHint().height()
        self.cards = {"graph": card}
        self.set_low(False)
        self._data: DataRecord | None = None
        self._age = "next"
        """What is said of the trace besides its iteration."""
        self._index: TraceIndex | None = None
        self._connect()

    def _connect(self) -> None:
        view, stepping = self.view, self.stepping
        stepping.set_folds(self._folded_with, self._around)
        stepping.detail_changed.connect(lambda detail: self.detail.set_choices(tuple(self._details().items()), detail))
        view.node_clicked.connect(stepping.select)
        view.node_released.connect(lambda: stepping.select(None))
        view.run_to_requested.connect(stepping.to_node)
        view.breakpoint_requested.connect(self.source.toggle_breakpoint)
        self.detail.chosen.connect(stepping.set_detail)
        if len(self.source.details) > 1:
            view.detail_requested.connect(stepping.set_detail_of)
        self.coloring.chosen.connect(view.set_coloring)
        self.source.breakpoints_changed.connect(self.show_breakpoints)

    def _details(self) -> dict[str, str]:
        return {one: f"detail: {one}" for one in self.source.details}

    def set_low(self, is_low: bool) -> None:
        """Let the picture be less high than one likes to read, where large texts leave it no more room."""
        self.view.setMinimumHeight(_LOWEST if is_low else _LOW)
        self.cards["graph"].setMinimumHeight(0 if is_low else self._least)  # else the buttons would be painted over the picture

    # --- what is shown ---

    def show_experiment(self, experiment: Experiment) -> None:
        """Call the layers by the names this document gives them."""
        self.view.set_titles(experiment.network.titles)

    def show_run(self, run: RunState) -> None:
        """Call tokens by the words the data has."""
        if run.data is not None and run.data is not self._data:
            self._data = run.data
            self.view.trace_scene.set_look(tokens=vocabulary(run.data))
        self.show_age()

    def show_age(self) -> None:
        """Say whether the trace is still that of the next iteration; what another one will take the place of is pale."""
        if self.session and self.session.trace_age != self._age:
            self._age = self.session.trace_age
            self.view.set_past(self._age == OUTDATED)
            self.show_soundness()

    def show_trace_state(self, state: TraceState | None) -> None:
        """Show this place of the cursor."""
        self.view.set_trace_state(state)
        if self._index is not self.stepping.index:  # a cursor move changes no breakpoints
            self._index = self.stepping.index
            self.show_breakpoints()
        self.show_soundness()
        self.show_selection()

    def show_breakpoints(self) -> None:
        """Mark the nodes that have a breakpoint."""
        self.view.trace_scene.set_look(breakpoints=self.source.breakpoint_marks)

    def show_marks(self, causes: Mapping[str, tuple[str, ...]]) -> None:
        """Mark the layers in which the doctor found something: by layer a sentence for each."""
        self.view.trace_scene.set_look(causes=causes)

    def show_selection(self) -> None:
        """Mark the selected node."""
        self.view.set_selected(self.stepping.selected_node)

    def show_soundness(self) -> None:
        """Say of which iteration the graph is, and why no other can be traced now, if so."""
        trace = self.stepping.index.trace if self.stepping.index else None
        if self.session is None:
            self.cards["graph"].set_subtitle(f"{len(trace.nodes):,} nodes" if trace else "")
            return
        obstacle, target = self.session.training.obstacle, self.session.run.target
        self.view.notice.setText(obstacle or NO_TRACE)
        way = f"going to {target}" if target is not None else obstacle
        is_of_two = self.session.experiment.training.target == adversarial.TARGET
        side = f"the {adversarial.turn(trace.iteration)}’s" if trace and is_of_two else ""
        said = (names.iteration(trace, self.session.trace_age), side, way) if trace else ()
        self.cards["graph"].set_subtitle(" · ".join(filter(None, said)))

    # --- folds ---

    def _folded_with(self, node: int) -> Collection[int]:
        """The nodes folded to one card with this one; none if it stands alone."""
        card = self.view.folds.card(node)
        return frozenset(card.nodes) if card else ()

    def _around(self, node: int) -> tuple[int, ...]:
        """The innermost open group around a node; the layer of a neuron."""
        index = self.stepping.index
        if not index.is_scalar:
            return self.view.folds.around(node)
        group = index.node(node).group
        return tuple(other.id for other in index.trace.nodes if group and other.group == group)

    # --- what a person does ---

    def into(self) -> None:
        """Open the folded group the cursor is in, or else the one the next step is in, by one level and go to its first node."""
        node = self.stepping.node_inside
        card = self.view.folds.card(node) if node is not None else None
        self.stepping.into()
        if card:
            self.view.folds.enter(card, node)

    def fold_here(self) -> None:
        """Fold the innermost open group around the selected node, else around the cursor's."""
        if self.stepping.node_at_hand is not None:
            self.view.folds.fold_around(self.stepping.node_at_hand)

    def fold_to(self, node: int, depth: int) -> None:
        """Fold the group that `depth` of the groups around a node lead to, and bring it into sight; 0: see the whole, folded."""
        if not depth:
            self.view.folds.fold_all()
            self.view.fit()
            return
        trace = self.stepping.index.trace
        group = trace.nodes[node].group[:depth]
        self.view.folds.fold_whole(node, {other.id for other in trace.nodes if other.group[:depth] == group})
        if not self.view.is_fitted:
            self.view.look_at(node, self.view.zoom, overview=bool(self.view.trace_scene.density))

    def open_here(self) -> None:
        """Open by one level what hides the selected node, else the cursor's."""
        node, folds = self.stepping.node_at_hand, self.view.folds
        if node is not None and folds.card(node):
            folds.enter(folds.card(node), node)

    def set_detail_here(self, detail: str) -> None:
        """Open the calls of the layer of the selected node, else of the cursor's, to this detail."""
        node = self.stepping.node_at_hand
        group = self.stepping.index.node(node).group if node is not None else ()
        if any(other.kind in ("operation", "loss") and other.group[:1] == group[:1] for other in self.stepping.index.trace.nodes if group):
            self.stepping.set_detail_of(group[0], detail)
        elif self.session:
            self.session.post("info", "Choose a node of a layer first: data has no detail.")

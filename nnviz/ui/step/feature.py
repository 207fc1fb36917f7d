"""A trace stepped through: the step bar, the timeline, the chain-rule card, the optimizer's rows, what-ifs, breakpoints, the proof.

The same in the window of a session and in that of a recorded trace.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from PySide6.QtCore import SignalInstance
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from nnviz.document import catalog
from nnviz.document.experiment import Experiment
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_matching import shown_node
from nnviz.records.trace_state import TraceState
from nnviz.session.run import RunState
from nnviz.session.session import OUTDATED, Session
from nnviz.session.trace_source import TraceSource
from nnviz.text import names, what_if_text
from nnviz.ui.step._breakpoint_editing import BreakpointEditing
from nnviz.ui.step._chain_rule_card import ChainRuleCard
from nnviz.ui.step._editor import open_line
from nnviz.ui.step._microscope import OptimizerMicroscope
from nnviz.ui.step._proof import Proof
from nnviz.ui.step._step_bar import StepBar
from nnviz.ui.step._step_timeline import PhaseRail, StepTimeline
from nnviz.ui.step._value_copies import ValueCopies
from nnviz.ui.step._watch_list import WatchList
from nnviz.ui.step._what_if_banner import WhatIfBanner
from nnviz.ui.step.badge import Badge
from nnviz.ui.step.elements import row_shape
from nnviz.ui.widgets.boxes import beside, scrolling, stacked
from nnviz.ui.widgets.card import Card
from nnviz.ui.widgets.header_button import ActionButton
from nnviz.ui.widgets.plot_card import framed

PLAY_MS = {"node": 600, "layer": 900, "phase": 1200, "iteration": 1200, "epoch": 1200}
"""How long playback stays on one step at its usual speed."""


class StepSizes(Protocol):
    """Where it is chosen how far one step goes: node · layer · phase · iteration · epoch."""

    key: str
    chosen: SignalInstance

    def choose(self, key: str) -> None:
        """Let one step go so far."""


class StepFeature:
    """Steps through the trace of a source. With its `session`, supposed weights can be kept, too."""

    needs = {"inspector": "trace", "microscope": "trace"}  # noqa: RUF012
    """What the engine has to measure for its panels."""

    def __init__(
        self, source: TraceSource, actions: Mapping[str, QAction], badge: Badge, sizes: StepSizes, session: Session | None = None
    ) -> None:
        self.source, self.stepping, self.session = source, source.stepping, session
        self.badge, self.sizes = badge, sizes
        self.step_bar, self.timeline, self.rail = StepBar(), StepTimeline(), PhaseRail()
        self.chain_rule, self.microscope = ChainRuleCard("" if session else "model"), OptimizerMicroscope()
        self.copies = ValueCopies(source)
        self.proof, self.banner = Proof(badge.window()), WhatIfBanner()
        self.breakpoints = BreakpointEditing(source, badge)
        self.watches = WatchList()
        node = Card("Node", stacked(self.chain_rule, self.watches, stretch=0), [ActionButton(actions["watch"], "watch")])
        self.cards = {"inspector": node, "microscope": framed(self.microscope, scrolling(self.microscope))}
        self.cards["inspector"].setMinimumWidth(352)  # else its texts would be cut
        foot = beside(self.rail, self.breakpoints.button)
        self.controls: QWidget = stacked(self.step_bar, self.timeline, foot, spacing=2)
        """To stand below the graph; `banner` stands above it."""
        self.bars = self.step_bar, self.breakpoints.button
        """What of the controls only sets something off, and is not looked at."""
        self.step_bar.set_actions(actions)
        self._titles: Mapping[str, str] = {}
        self._obstacle = ""
        self._chosen_card: int | None = None
        """The node that was chosen by its card: where that is a folded group, the group is meant."""
        self._connect()
        self._connect_what_ifs()

    def _connect(self) -> None:
        stepping, card = self.stepping, self.chain_rule
        for bar in (self.timeline, self.rail):
            bar.cursor_requested.connect(stepping.to)
        for chosen in (self.step_bar.speeds.chosen, self.sizes.chosen):
            chosen.connect(self._change_pace)
        card.node_clicked.connect(self.show_node)
        card.pin_row.pin_requested.connect(stepping.pin)
        card.pin_row.release_requested.connect(self.follow)
        card.sample_chosen.connect(stepping.set_sample)
        card.source.open_requested.connect(self.open_source)
        self.watches.node_clicked.connect(self._show_weight)
        self.watches.numbers_wanted.connect(self.source.want_numbers)
        card.copy_requested.connect(self.copy)
        card.check_requested.connect(self.source.check_gradient)
        card.element_chosen.connect(lambda node, element: self.show_selection())
        self.microscope.element_picked.connect(self._show_weight)
        self.badge.clicked.connect(self.open_proof)
        self.source.gradient_checked.connect(card.set_check)
        self.source.numbers_arrived.connect(self._show_numbers)

    def _connect_what_ifs(self) -> None:
        row, banner, what_ifs = self.chain_rule.what_if, self.banner, self.source.what_ifs
        row.requested.connect(what_ifs.add)
        row.take_back_requested.connect(what_ifs.take_back)
        banner.take_back_requested.connect(lambda: what_ifs.take_back())
        banner.clear_requested.connect(what_ifs.clear)
        if self.session is not None:
            banner.keep_requested.connect(self.session.keep_what_ifs)

    # --- what is shown ---

    def show_experiment(self, experiment: Experiment) -> None:
        """Call layers and optimizer by the names this document gives them."""
        self._titles = experiment.network.titles
        self.chain_rule.set_titles(self._titles)
        self.microscope.set_names(self._titles)
        self.microscope.set_optimizer(catalog.OPTIMIZERS[experiment.training.optimizer.kind].label)
        self.show_breakpoints()

    def show_run(self, run: RunState) -> None:
        """Show how the weight that is looked at went over the last iterations, and whether the trace is still that of the next one."""
        self.microscope.set_history(run.history)
        self.chain_rule.history.set_history(run.history)
        self.show_age()

    def show_age(self) -> None:
        """Say whether the trace is still that of the next iteration; what another one will take the place of is pale."""
        if self.session:
            self.microscope.set_age(self.session.trace_age)
            self.microscope.set_past(self.session.trace_age == OUTDATED)
            self._show_iteration()

    def show_trace_state(self, state: TraceState | None) -> None:
        """Show this place of the cursor."""
        for bar in (self.timeline, self.rail):
            bar.set_trace_state(state)
        self.show_breakpoints()
        self.show_soundness()
        self._show_what_ifs(state.index if state else None)
        self.watches.set_trace_state(state, self._titles)
        self.show_selection()

    def show_breakpoints(self) -> None:
        """Show which breakpoints there are."""
        self.breakpoints.show_breakpoints()

    def show_soundness(self) -> None:
        """Say in the badge whether the trace on the screen equals torch, and whether it is of the network as it is now."""
        trace = self.stepping.index.trace if self.stepping.index else None
        is_past = self.session is not None and (not self.session.report.ok or self.session.run.failure is not None)
        self.badge.set_error(trace.worst_error if trace else None, trace.precision if trace else "", is_past)
        self._show_iteration()

    def _show_iteration(self) -> None:
        index = self.stepping.index
        if self.session:
            self.cards["inspector"].set_subtitle(names.iteration(index.trace, self.session.trace_age) if index else "")

    def show_obstacle(self, obstacle: str) -> None:
        """Say why nothing can ever be supposed here; empty if something can."""
        self._obstacle = obstacle
        self.chain_rule.what_if.set_obstacle(obstacle)

    def show_selection(self) -> None:
        """Let card and optimizer be about the selected node, else the one the cursor is at; about the folded group it is in, if any."""
        state, chosen = self.stepping.state, self.stepping.selected_node
        node = self.stepping.node_at_hand
        is_of_card = node is not None and chosen in (None, self._chosen_card)
        folded = self.stepping.folded_with(node) if is_of_card else ()
        self.share_rows()
        self.chain_rule.set_trace_state(state, chosen, self.stepping.is_pinned, folded)
        self.show_visible()
        self._show_update()
        if self.session and self.microscope.parameter:  # have the history kept of the weight it shows
            self.session.watched.watch_weight(self.microscope.parameter, self.microscope.element)

    def share_rows(self) -> None:
        """Let the optimizer's rows stand on the card only while their own panel cannot be seen."""
        self.chain_rule.set_microscope_visible(self.microscope.isVisible())

    def show_node(self, node: int) -> None:
        """Let the card be about this very node, whatever it is folded with."""
        self._chosen_card = None
        self.stepping.select(node)
        self.show_selection()

    def show_card(self, node: int) -> None:
        """Let the card be about what the graph shows a node in: a folded group, or the node itself."""
        self._chosen_card = node
        self.stepping.select(node)
        self.show_selection()

    def choose_element(self, element: tuple[int, ...]) -> None:
        """Let the card work out this element of its node, counted without the batch axis; one that the node has not is passed over."""
        shown = self.chain_rule.node()
        sizes = row_shape(shown) if shown else ()
        if len(element) == len(sizes) and all(0 <= place < size for place, size in zip(element, sizes, strict=True)):
            self.chain_rule.choose_element(int(np.ravel_multi_index(element, sizes)))

    def show_visible(self) -> None:
        """Ask for what was too large to travel, if the card that shows it can be seen."""
        shown = self.chain_rule.node()
        if shown and self.chain_rule.isVisible():
            self.source.want_numbers(shown.id)

    def _show_update(self) -> None:
        """Let the optimizer's rows be about the number that is worked out on the card."""
        state, shown = self.stepping.state, self.chain_rule.node()
        whole, tensor = (state.whole, state.index.tensor_of(shown.id)) if state and shown else (None, None)
        if whole is None or tensor.id not in whole.index.updates:
            self.microscope.set_trace_state(whole)
            return
        if state.is_updated(shown.id):  # a weight may be updated before its whole parameter is
            whole = TraceState(whole.index, max(whole.cursor, whole.index.updated_at[tensor.id]), whole.sample)
        self.microscope.set_trace_state(whole, tensor.id, self.chain_rule.element() if shown.whole is None else shown.element)

    def _show_weight(self, node: int, element: tuple[int, ...]) -> None:
        """Let the card be about the weight that is picked in the optimizer's rows."""
        self.stepping.select(shown_node(self.stepping.state, node, element))
        if not self.stepping.index.is_scalar:
            self.choose_element(element)

    def _show_what_ifs(self, index: TraceIndex | None) -> None:
        what_ifs = index.trace.what_ifs if index else ()
        if what_ifs:
            can_keep = self.session is not None and any(index.node(what_if.node).kind == "parameter" for what_if in what_ifs)
            described, losses = what_if_text.all_described(index, self._titles), what_if_text.losses(index)
            is_own = index.original is not None or self.session is not None  # else it was given to `nnviz.show`
            self.banner.set_what_ifs(described, losses, len(what_ifs), can_keep, "run" if self.session else "module", is_own)
        else:
            self.banner.set_what_ifs("", "", 0, False)

    def _show_numbers(self, node: int) -> None:
        """Show what has come of a node."""
        self.watches.set_trace_state(self.stepping.state, self._titles)
        self.show_selection()

    # --- what a person does ---

    def step(self, direction: int) -> None:
        """Step by as much as is chosen: +1 forward, −1 back."""
        self.stepping.move(self.sizes.key, direction)

    def run_to_selected(self) -> None:
        """Go on to the next step of the selected node, else of the one the cursor is at."""
        if self.stepping.node_at_hand is not None:
            self.stepping.to_node(self.stepping.node_at_hand)

    def follow(self) -> None:
        """Let the card follow the cursor again."""
        self.stepping.select(None)

    def play(self, direction: int) -> None:
        """Start or stop making one step after the other, forward (+1) or back (−1)."""
        self.stepping.toggle(self._pace(), self.sizes.key, direction)

    def _change_pace(self) -> None:
        """Take up another speed or size of steps while playing."""
        self.stepping.change_pace(self._pace(), self.sizes.key)

    def _pace(self) -> int:
        return round(PLAY_MS[self.sizes.key] / self.step_bar.speed)

    def toggle_breakpoint(self) -> None:
        """Put a breakpoint on the selected node, else on the one the cursor is at, or take it away."""
        node = self.stepping.node_at_hand
        if node is not None:
            self.source.toggle_breakpoint(node)
        elif self.session:
            self.session.post("info", "Select a node first: a breakpoint stops there.")

    def ask_what_if(self, node: int | None = None, place: int | None = None) -> None:
        """Open the field for another value: of this element of a node, or of what the card shows."""
        if node is not None:
            self.stepping.select(node)
        if place is not None:
            self.chain_rule.choose_element(place)
        self._open_what_if("set")

    def ask_ablated(self) -> None:
        """Suppose that what the card shows were 0."""
        self._open_what_if("ablate")

    def _open_what_if(self, kind: str) -> None:
        if self._obstacle:
            self.source.message_posted.emit("info", self._obstacle)
        self.chain_rule.what_if.open(kind)

    def watch_shown(self) -> None:
        """Watch the chosen element of the node on the card, or watch it no longer."""
        state, shown = self.stepping.state, self.chain_rule.node()
        element = () if shown is None else self.chain_rule.element() if shown.whole is None else shown.element
        if shown is None or element is None:
            self.source.message_posted.emit("info", "Choose a node first: an element of it is watched then.")
        else:
            self.watches.toggle(state.index.tensor_of(shown.id), element, self._titles)

    def copy(self, what: str, form: str) -> None:
        """Copy the value or the gradient of the node on the card, or the chosen element of the value; for torch or numpy."""
        node = self.chain_rule.node()
        if node is not None:
            self.copies.copy(what, form, node, self.chain_rule.element())

    def open_source(self, where: str = "") -> None:
        """Open the line of code that made the node on the card, or this "file:line", in the person's editor."""
        node = self.chain_rule.node()
        where = where or (node.where if node else "")
        problem = open_line(where) if where else "No line of code made this node: it is data or a parameter."
        if problem:
            self.source.message_posted.emit("info", problem)

    def open_proof(self) -> None:
        """Open the table of all gradients beside torch's own."""
        if self.stepping.index:
            trace = self.stepping.index.whole.trace
            labels = [node.label for node in trace.nodes if node.kind == "parameter"] if self.session else []
            self.proof.set_trace(trace, {label: names.parameter_title(label, self._titles) for label in labels})
            self.proof.open_below(self.badge)

"""The two pictures of a trace, cards for tensors and circles for neurons, and which of them is on the screen. It draws nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtWidgets import QGraphicsView

from nnviz.records.trace_state import TraceState
from nnviz.ui.graph import speech
from nnviz.ui.graph.appearance import Appearance
from nnviz.ui.graph.card_items import CardItem
from nnviz.ui.graph.graph_scene import GraphScene
from nnviz.ui.graph.neuron_items import NeuronItem
from nnviz.ui.graph.neuron_scene import NeuronScene
from nnviz.ui.graph.structure import NodeCard


class Scenes:
    """Both scenes of a view."""

    def __init__(self, view: QGraphicsView) -> None:
        self._view = view
        self.cards, self.neurons = self.both = GraphScene(view), NeuronScene(view)
        self.shown: GraphScene | NeuronScene = self.cards
        self.look = Appearance()
        view.setScene(self.shown)

    def show(self, state: TraceState | None) -> None:
        """Show a moment in the scene for it, and nothing in the other one."""
        wanted = self.neurons if state and state.index.is_scalar else self.cards
        if wanted is not self.shown:
            before, self.shown = self.shown, wanted
            self._view.setScene(wanted)
            before.set_trace_state(None)
        wanted.set_trace_state(state)

    @property
    def is_busy(self) -> bool:
        """Whether a graph is still being laid out."""
        return self.cards.placer.is_busy

    def set_look(self, **changes: Any) -> None:
        """Change something of how both are looked at."""
        self.look = replace(self.look, **changes)
        for scene in self.both:
            scene.set_look(self.look)

    @property
    def caption(self) -> str:
        """The ranges of the colour scales; empty without a trace."""
        return speech.scale_caption(self.shown.limits, self.look.coloring) if self.shown.limits else ""

    def card(self, item: CardItem | NeuronItem) -> NodeCard:
        """Return what an item stands for."""
        return self.cards.diagram.cards[item.key] if isinstance(item, CardItem) else self.neurons.circle(item)

"""The two pictures of a trace, cards for tensors and circles for neurons, and which of them is on the screen. It draws nothing."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QGraphicsView

from nnviz.session.moment import Moment
from nnviz.ui.graph import speech
from nnviz.ui.graph.items import CardItem
from nnviz.ui.graph.neuron_items import NeuronItem
from nnviz.ui.graph.neuron_scene import NeuronScene
from nnviz.ui.graph.scene import GraphScene
from nnviz.ui.graph.structure import Card


class Scenes:
    """Both scenes of a view."""

    def __init__(self, view: QGraphicsView) -> None:
        self._view = view
        self.cards, self.neurons = GraphScene(view), NeuronScene(view)
        self.shown: GraphScene | NeuronScene = self.cards
        self._coloring = "value"
        view.setScene(self.shown)

    def show(self, moment: Moment | None) -> None:
        """Show a moment in the scene for it, and nothing in the other one."""
        wanted = self.neurons if moment and moment.reading.is_scalar else self.cards
        if wanted is not self.shown:
            before, self.shown = self.shown, wanted
            self._view.setScene(wanted)
            before.set_moment(None)
        wanted.set_moment(moment)

    @property
    def is_busy(self) -> bool:
        """Whether a graph is still being laid out."""
        return self.cards.placer.is_busy

    def each(self, change: Callable[[GraphScene | NeuronScene], None]) -> None:
        """Do this with both."""
        for scene in (self.cards, self.neurons):
            change(scene)

    def set_coloring(self, coloring: str) -> None:
        """Let colours and widths tell this."""
        self._coloring = coloring
        self.each(lambda scene: scene.set_coloring(coloring))

    @property
    def caption(self) -> str:
        """The ranges of the colour scales; empty without a trace."""
        return speech.scale_caption(self.shown.limits, self._coloring) if self.shown.limits else ""

    def card(self, item: CardItem | NeuronItem) -> Card:
        """Return what an item stands for."""
        return self.cards.diagram.cards[item.key] if isinstance(item, CardItem) else self.neurons.circle(item)

"""The computational graph on the screen: zoom, pan, click, fold. It shows a moment, says what the person wants, and changes nothing."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QFrame, QGraphicsView, QMenu, QToolTip, QWidget

from nnviz.session.moment import Moment
from nnviz.ui.graph import camera, speech
from nnviz.ui.graph.items import CardItem, FrameItem
from nnviz.ui.graph.neuron_items import LinkItem, NeuronItem
from nnviz.ui.graph.neuron_scene import NeuronScene
from nnviz.ui.graph.overlay import Caption, Placard
from nnviz.ui.graph.scene import GraphScene
from nnviz.ui.graph.scenes import Scenes
from nnviz.ui.graph.strips import COLORINGS
from nnviz.ui.graph.structure import Card
from nnviz.ui.theme import LIGHT, Theme

_Key = Qt.Key
_STEPS = {_Key.Key_Left: -1, _Key.Key_Up: -1, _Key.Key_Right: 1, _Key.Key_Down: 1}


NO_TRACE = "No trace yet. Press Step, or train for an iteration, and its graph appears here."


class GraphView(QGraphicsView):
    """The graph of one training iteration at a moment."""

    node_clicked = Signal(int)
    node_released = Signal()
    """No node is to be chosen any more: follow the cursor."""
    run_to_requested = Signal(int)
    breakpoint_requested = Signal(int)
    """The node whose breakpoint is to come or go."""
    what_if_requested = Signal(int, int)
    """A node and the place of one of its elements in the chosen row, to be given another value."""
    folded_changed = Signal(object)
    """The keys of all folded groups, as a frozenset."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scenes = Scenes(self)
        self._moment: Moment | None = None
        self._look = "opening"
        """opening: not touched yet · all: fitted, and stays so · own: as the person set it"""
        self._selected: int | None = None
        self._pressed: QPoint | None = None
        self._limits = Caption(self)
        self.notice = Placard(NO_TRACE, self)  # seen while there is no trace
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.SmartViewportUpdate)
        self.setDragMode(QGraphicsView.DragMode.ScrollHandDrag)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.AnchorUnderMouse)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setCursor(Qt.CursorShape.ArrowCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(240, 160)
        self.setAccessibleName("Computational graph")
        self.set_theme(LIGHT)

    @property
    def folded_cards(self) -> dict[int, Card]:
        """For each node that is folded away the card of its group."""
        cards = self._scenes.cards.diagram.cards.values() if self._scene is self._scenes.cards and self._scenes.cards.diagram else ()
        return {node: card for card in cards if card.folded for node in card.nodes}

    @property
    def _scene(self) -> GraphScene | NeuronScene:
        """The scene on the screen."""
        return self._scenes.shown

    # --- setters ---

    def set_moment(self, moment: Moment | None) -> None:
        """Show this moment. Zoom and place stay as they are unless the graph has another structure."""
        before = self._moment.step if self._moment else None
        self._moment = moment
        rebuilt = self._scenes.choose(moment) | self._scene.set_moment(moment)
        self.notice.setVisible(moment is None)
        self._limits.set_text(self._scenes.caption)
        self.setAccessibleDescription(self._scene.here)
        if rebuilt and moment:
            self._look = "opening"
            camera.open_up(self, self._scene.content)
        if moment and moment.step is not before:
            self._follow()

    def set_theme(self, theme: Theme) -> None:
        """Paint in this theme."""
        self.setBackgroundBrush(theme.color("panel"))
        self._scenes.each(lambda scene: scene.set_theme(theme))
        self._limits.set_theme(theme)
        self.notice.set_theme(theme)

    def set_titles(self, titles: Mapping[str, str]) -> None:
        """Write these names instead of the layers' ids: {"h1": "dense 1"}."""
        self._scenes.each(lambda scene: scene.set_titles(titles))

    def set_selected(self, node: int | None) -> None:
        """Mark this node."""
        self._selected = node
        self._scenes.each(lambda scene: scene.set_selected(node))

    def set_coloring(self, coloring: str) -> None:
        """Let colours and widths tell what is named, one of COLORINGS. Raises ValueError for anything else."""
        if coloring not in COLORINGS:
            raise ValueError(f"the graph can be coloured by {', '.join(COLORINGS)}, not by {coloring!r}")
        self._scenes.set_coloring(coloring)
        self._limits.set_text(self._scenes.caption)

    def set_animated(self, animated: bool) -> None:
        """Let gradients travel along the wires, or show them in place at once."""
        self._scenes.each(lambda scene: scene.travel.set_animated(animated))

    def fold(self, group: str) -> None:
        """Fold a group to one card."""
        self.set_folded(self._scenes.cards.folded | {group})

    def unfold(self, group: str) -> None:
        """Open a folded group."""
        self.set_folded(self._scenes.cards.folded - {group})

    def set_folded(self, folded: frozenset[str]) -> None:
        """Fold exactly these groups."""
        if folded != self._scenes.cards.folded and self._moment is not None and self._scene is self._scenes.cards:
            self._scenes.cards.set_folded(folded)
            self._follow()
            self.folded_changed.emit(folded)

    def fit(self) -> None:
        """Show the whole graph, at most at its natural size."""
        camera.fit(self, self._scene.content)
        self._look = "all"

    def actual_size(self) -> None:
        """Show the graph at its natural size, with the cursor's card in the middle, else the chosen one or the whole graph."""
        self._look = "own"
        camera.zoom_to(self, 1.0)
        here = self._moment.step.node if self._moment and self._moment.step else None
        card = self._scene.card_of(here) or self._scene.card_of(self._selected)
        self.centerOn(card if card else self._scene.content.center())

    def text_alternative(self) -> list[str]:
        """Return what the picture shows, in sentences: where the cursor is, then every node."""
        return speech.sentences(self._moment) if self._moment else [speech.NO_TRACE]

    # --- inside ---

    def _follow(self) -> None:
        """Keep the cursor's card in sight."""
        card = self._scene.card_of(self._moment.step.node) if self._moment and self._moment.step else None
        if card:
            camera.follow(self, card.sceneBoundingRect())

    def _click(self, place: QPoint, to_here: bool) -> None:
        item = _item_at(self, place)
        if isinstance(item, FrameItem) and item.button().contains(item.mapFromScene(self.mapToScene(place))):
            self.fold(item.key)
        elif isinstance(item, CardItem | NeuronItem):
            node = self._scenes.card(item).shown
            (self.run_to_requested if to_here else self.node_clicked).emit(node)
        elif isinstance(item, LinkItem):
            weight = self._scenes.neurons.units.weight_of.get(item.link)
            if weight is not None:
                self.node_clicked.emit(weight)

    def _go(self, direction: int) -> None:
        """Choose the next node to the left or right, starting from the chosen one or the cursor's."""
        cards = sorted(self._scene.cards.values(), key=lambda card: (card.x(), card.y()))
        start = self._scene.card_of(self._selected if self._selected is not None else self._moment.step.node if self._moment.step else 0)
        place = cards.index(start) + direction if start in cards else 0
        node = self._scenes.card(cards[max(0, min(place, len(cards) - 1))]).shown
        camera.follow(self, self._scene.card_of(node).sceneBoundingRect())
        self.node_clicked.emit(node)

    # --- Qt ---

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._limits.settle()
        self.notice.settle()
        if self._look == "all":
            camera.fit(self, self._scene.content)
        elif self._look == "opening" and self._moment:
            camera.open_up(self, self._scene.content)
            self._follow()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._look = "own"
        camera.zoom_to(self, camera.zoom(self) * 1.0015 ** event.angleDelta().y())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed = event.position().toPoint()
        super().mousePressEvent(event)
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        event.accept()
        self.viewport().setCursor(Qt.CursorShape.ArrowCursor)
        place, pressed = event.position().toPoint(), self._pressed
        self._pressed = None
        if pressed is None or event.button() != Qt.MouseButton.LeftButton:
            return
        if (place - pressed).manhattanLength() < 4:
            self._click(place, bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier))
        else:
            self._look = "own"

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        item = _item_at(self, event.position().toPoint())
        if isinstance(item, FrameItem):
            self.fold(item.key)
        elif isinstance(item, CardItem | NeuronItem):
            card = self._scenes.card(item)
            if card.folded:
                self.unfold(card.block)
            elif (cell := item.cell_at(item.mapFromScene(self.mapToScene(event.position().toPoint())))) is not None:
                self.what_if_requested.emit(card.shown, cell)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        item = _item_at(self, event.pos())
        if item is None or isinstance(item, LinkItem):
            return
        menu = QMenu(self)
        if isinstance(item, CardItem | NeuronItem):
            card = self._scenes.card(item)
            menu.addAction("Run to here", lambda: self.run_to_requested.emit(card.shown))
            menu.addAction("Breakpoint on or off", lambda: self.breakpoint_requested.emit(card.shown))
            menu.addAction("Show in the chain-rule card", lambda: self.node_clicked.emit(card.shown))
        block = item.key if isinstance(item, FrameItem) else card.block
        if self._scene is self._scenes.cards and self._scenes.cards.diagram.titles[block]:
            folded = block in self._scenes.cards.folded
            menu.addAction("Unfold the layer" if folded else "Fold the layer", lambda: (self.unfold if folded else self.fold)(block))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key == _Key.Key_F:
            self.fit()
        elif key in (_Key.Key_Plus, _Key.Key_Minus):
            camera.zoom_to(self, camera.zoom(self) * (1.25 if key == _Key.Key_Plus else 0.8))
        elif key in (_Key.Key_Return, _Key.Key_Enter) and self._selected is not None:
            self.run_to_requested.emit(self._selected)
        elif key == _Key.Key_Escape and self._selected is not None:
            self.node_released.emit()
        elif key in _STEPS and self._moment:
            self._go(_STEPS[key])
        else:
            super().keyPressEvent(event)

    def viewportEvent(self, event) -> bool:
        if isinstance(event, QHelpEvent):
            item = _item_at(self, event.pos())
            QToolTip.showText(event.globalPos(), "" if item is None or isinstance(item, FrameItem) else self._scene.tooltip(item), self)
            return True
        return super().viewportEvent(event)


def _item_at(view: QGraphicsView, place: QPoint) -> CardItem | NeuronItem | LinkItem | FrameItem | None:
    return next((item for item in view.items(place) if isinstance(item, CardItem | NeuronItem | LinkItem | FrameItem)), None)

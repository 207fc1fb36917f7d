"""The computational graph on the screen: zoom, pan, click, fold. It shows a trace state and says what the person wants."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QMargins, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QCursor, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import QGraphicsView, QMenu, QWidget

from nnviz.records.trace_state import TraceState
from nnviz.ui.graph._frame_labels import FrameLabels
from nnviz.ui.graph._node_finder import NodeFinder
from nnviz.ui.graph._overlay import Caption, EmptyText, foot, foot_room
from nnviz.ui.graph.folds import Folds
from nnviz.ui.graph.graph_items import EdgeItem, FrameItem, NodeItem
from nnviz.ui.graph.strips import COLORINGS
from nnviz.ui.graph.structure import ROOT, NodeCard, module_path
from nnviz.ui.graph.trace_scene import TraceScene
from nnviz.ui.theme.colors import current_theme
from nnviz.ui.theme.painting import painted
from nnviz.ui.widgets.minimap import MinimapBar
from nnviz.ui.widgets.mono_tip import show_tip
from nnviz.ui.widgets.zoom_view import READABLE, Zooms, ZoomView

_Key = Qt.Key
_STEPS = {_Key.Key_Left: -1, _Key.Key_Up: -1, _Key.Key_Right: 1, _Key.Key_Down: 1}
_ZOOMS = Zooms(least=0.1, most=4.0, least_fit=0.1, most_fit=1.0, notch=1.0015**120)
_MARGINS = QMargins(16, 16, 16, 16)
_CLICK = 4
"""Pixels the mouse moves before a click becomes a pan."""
_CLOSE, _FAR = 1.6, 0.35
"""Zoomed in further than the one, cards that show less show all of themselves again; zoomed out further than the other they show less."""
_DETAILS = ("layer", "textbook", "math")

NO_TRACE = "No trace yet. Press Step, or train for an iteration, and its graph appears here."


class GraphView(ZoomView):
    """The graph of one training iteration at a place of the cursor."""

    node_clicked = Signal(int)
    node_released = Signal()
    """No node is to be chosen any more: follow the cursor."""
    run_to_requested = Signal(int)
    detail_requested = Signal(str, str)
    """A group, as details name it, and the detail its calls are to be opened to."""
    breakpoint_requested = Signal(int)
    """The node whose breakpoint is to come or go."""
    what_if_requested = Signal(int, int)
    """A node and the place of one of its elements in the chosen row, to be given another value."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(_ZOOMS, _MARGINS, parent)
        self.trace_scene = TraceScene(self)
        self.trace_scene.laid_out.connect(self._take_layout)
        self.setScene(self.trace_scene)
        self.fitting.connect(self._show_overview)
        self.zoomed.connect(self._refine)
        self.folds = Folds(self.trace_scene)
        self._state: TraceState | None = None
        self._selected: int | None = None
        self._is_past = False
        self._frame_labels = FrameLabels()
        self._pressed: QPoint | None = None
        self._was_whole = False
        """Whether all of the graph was seen, and could be read."""
        self._near: tuple[int | None, float, QPointF] | None = None
        """What is looked at once it is laid out: a node, the zoom, and the place of the viewport where its card comes."""
        self._limits = Caption(self)
        self.notice = EmptyText(NO_TRACE, self)  # seen while there is no trace
        self.minimap = MinimapBar("graph", self)
        self.minimap.centre_requested.connect(self.go_to)
        self.finder = NodeFinder(self.trace_scene, self.folds, self)
        self.finder.node_found.connect(self.show_node)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.MinimalViewportUpdate)
        self.setDragMode(QGraphicsView.DragMode.ScrollHandDrag)
        self.viewport().setCursor(Qt.CursorShape.ArrowCursor)
        self.setMinimumSize(240, 160)
        self.setBackgroundRole(QPalette.ColorRole.Base)  # of the foot below the picture
        self.setAccessibleName("Computational graph")
        self.viewport().setAccessibleName("Computational graph")

    # --- setters ---

    def set_trace_state(self, state: TraceState | None) -> None:
        """Show this state of the trace. Zoom and place stay as they are unless the graph has another structure."""
        before = self._state.step if self._state else None
        self._state = state
        self.trace_scene.set_trace_state(state)
        self.notice.setVisible(state is None)
        self._show_caption()
        self.setAccessibleDescription(self.trace_scene.here)
        self._show_cursor()
        if state and state.step is not before:
            self._follow()

    def set_titles(self, titles: Mapping[str, str]) -> None:
        """Write these names instead of the layers' ids: {"h1": "dense 1"}."""
        self._frame_labels.forget()
        self.trace_scene.set_look(titles=dict(titles))
        self.finder.set_titles(titles)

    def set_selected(self, node: int | None) -> None:
        """Mark this node."""
        self._selected = node
        self.trace_scene.set_look(selected=node)

    def set_coloring(self, coloring: str) -> None:
        """Let colours and widths tell what is named, one of COLORINGS. Raises ValueError for anything else."""
        if coloring not in COLORINGS:
            raise ValueError(f"the graph can be coloured by {', '.join(COLORINGS)}, not by {coloring!r}")
        self.trace_scene.set_look(coloring=coloring)
        self._show_caption()

    def set_past(self, is_past: bool) -> None:
        """Say whether another trace will take the place of this one: then it is pale."""
        if is_past != self._is_past:
            self._is_past = is_past
            self.viewport().update()

    def set_animated(self, animated: bool) -> None:
        """Let gradients travel along the edges, or show them in place at once."""
        self.trace_scene.travel.set_animated(animated)

    def content_rect(self) -> QRectF:
        """Return the room that the graph takes in its scene."""
        return self.trace_scene.content

    def actual_size(self) -> None:
        """Show the graph at its natural size, with the cursor's card in the middle, else the chosen one or the whole graph."""
        node = self._cursor_node()
        if node is None:
            self.show_natural_size(self.trace_scene.content.center())
        else:
            self.look_at(node, 1.0)

    # --- inside ---

    def _show_overview(self) -> None:
        """Let cards show less of themselves where they could not be read whole."""
        self.trace_scene.set_overview(True)
        self._was_whole = not (self.trace_scene.density or self.trace_scene.placer.is_busy)

    def _refine(self, at: QPointF) -> None:
        """From close by cards show all of themselves, from afar less."""
        is_whole = not self.trace_scene.density
        is_right = self.zoom >= _FAR if is_whole else self.zoom <= _CLOSE
        card = self._card_near(self.mapToScene(at.toPoint()))
        if card is not None and self.trace_scene.groups is not None and not is_right:
            place = QPointF(self.mapFromScene(card.sceneBoundingRect().center()))
            self.look_at(card.card.shown, READABLE, place, overview=is_whole)

    def _take_layout(self, is_new: bool) -> None:
        """Look at a new layout: at another graph afresh, at the same one from where the person was."""
        if is_new:
            self._near = None
            self.open_afresh()
        elif self.is_fitted and self._was_whole and self.trace_scene.density:  # something was opened: go on where it can be read
            self._was_whole = False
            self.look_at(self._cursor_node(), READABLE)
            return
        elif self.is_fitted:
            self._show_all()
        self._was_whole = self.is_fitted and not self.trace_scene.density
        self.minimap.set_boxes(self.trace_scene.content, [item.sceneBoundingRect() for item in self.trace_scene.cards.values()])
        self._show_cursor()
        if not self._go_near():
            self._follow(self.finder.node)

    def _cursor_node(self) -> int | None:
        """The node of the cursor's step, else the chosen one; None where neither has a card."""
        here = self._state.step.node if self._state and self._state.step else None
        return next((one for one in (here, self._selected) if self.trace_scene.card_of(one)), None)

    def show_node(self, node: int) -> None:
        """Select a node and bring its card into sight, large enough to be read."""
        self.node_clicked.emit(node)
        if self.trace_scene.density or self.zoom < READABLE / 2:
            self.look_at(node, READABLE)
        else:
            self._follow(node)

    def look_at(self, node: int | None, zoom: float, at: QPointF | None = None, overview: bool = False) -> None:
        """Bring the card of a node to a place of the viewport, its middle by default, at this zoom."""
        self.keep_framing()
        self._near = node, zoom, at or QPointF(self.viewport().rect().center())
        self.trace_scene.set_overview(overview)
        if not self.trace_scene.placer.is_busy:
            self._go_near()

    def _go_near(self) -> bool:
        """Do what `look_at` waits with; return whether there was something."""
        near, self._near = self._near, None
        card = self.trace_scene.card_of(near[0]) if near else None
        if card is not None:
            self._set_zoom(near[1])
            self._bring(card.sceneBoundingRect().center(), near[2])
        return card is not None

    def _card_near(self, place: QPointF) -> NodeItem | None:
        def distance(card: NodeItem) -> float:
            return (card.sceneBoundingRect().center() - place).manhattanLength()

        return min(self.trace_scene.cards.values(), key=distance, default=None)

    def _show_caption(self) -> None:
        """A longer caption leaves the minimap beside it less room."""
        self._limits.set_text(self.trace_scene.caption)
        self.minimap.set_room(foot_room(self, self._limits))

    def _show_cursor(self) -> None:
        card = self.trace_scene.card_of(self._state.step.node) if self._state and self._state.step else None
        self.minimap.set_cursor(card.sceneBoundingRect() if card else QRectF(), self._state.phase if self._state else "")

    def _follow(self, node: int | None = None) -> None:
        """Keep this node's card in sight, else the cursor's; before the first step that of the first."""
        if node is None and self._state:
            step = self._state.step or next(iter(self._state.index.trace.steps), None)
            node = step.node if step else None
            if self._state.step is None and self.is_opening:
                self.open_afresh()
        card = self.trace_scene.card_of(node)
        if card:
            self.follow(card.sceneBoundingRect())

    def _click(self, place: QPoint, to_here: bool) -> None:
        item = _item_at(self, place)
        if isinstance(item, FrameItem) and item.button().contains(item.mapFromScene(self.mapToScene(place))):
            self.folds.fold(item.key)
        elif isinstance(item, NodeItem):
            node = item.card.shown
            (self.run_to_requested if to_here else self.node_clicked).emit(node)
        elif isinstance(item, EdgeItem) and item.edge.weight is not None:
            self.node_clicked.emit(item.edge.weight)

    def _go(self, direction: int) -> None:
        """Choose the next node in forward order, starting from the chosen one or the cursor's; neurons column by column."""
        diagram, is_wrapped = self.trace_scene.diagram, self.trace_scene.groups is not None
        place = (lambda card: (diagram.place_of(card.card), card.y())) if is_wrapped else (lambda card: (card.x(), card.y()))
        cards = sorted(self.trace_scene.cards.values(), key=place)
        start = self.trace_scene.card_of(self._selected if self._selected is not None else self._state.step.node if self._state.step else 0)
        place = cards.index(start) + direction if start in cards else 0
        node = cards[max(0, min(place, len(cards) - 1))].card.shown
        self.follow(self.trace_scene.card_of(node).sceneBoundingRect())
        self.node_clicked.emit(node)

    def _mouse(self) -> QPointF:
        """Where the mouse is in the viewport; its middle while it is elsewhere."""
        return QPointF(self.viewport().mapFromGlobal(QCursor.pos()) if self.underMouse() else self.viewport().rect().center())

    # --- menus ---

    def _card_menu(self, card: NodeCard) -> QMenu:
        menu, node = QMenu(self), card.shown
        menu.addAction("Run to here", lambda: self.run_to_requested.emit(node))
        menu.addAction("Breakpoint on or off", lambda: self.breakpoint_requested.emit(node))
        menu.addAction("Show in the chain-rule card", lambda: self.node_clicked.emit(node))
        if self.trace_scene.groups is None:
            group = self.trace_scene.trace.nodes[node].group
            self._add_details(menu, group[0] if group else "")
            return menu
        menu.addSeparator()
        if len(card.groups) > 1:
            self._add_equal(menu, card)
        elif card.folded:
            menu.addAction(f"Open “{card.title}”", lambda: self.folds.open(card))
        if card.block in self.trace_scene.groups.groups:
            self._add_details(menu, self._module_path(card.block))
        if card.home != ROOT:
            menu.addAction(f"Fold “{self.trace_scene.title(card.home)}”", lambda: self.folds.fold(card.home))
        return self._with_folds(menu)

    def _frame_menu(self, key: str) -> QMenu:
        menu = QMenu(self)
        menu.addAction(f"Fold “{self.trace_scene.title(key)}”", lambda: self.folds.fold(key))
        self._add_details(menu, self._module_path(key))
        return self._with_folds(menu)

    def _module_path(self, key: str) -> str:
        return module_path(self.trace_scene.trace, self.trace_scene.groups.groups[key])

    def _add_details(self, menu: QMenu, path: str) -> None:
        """Offer how far the calls of one module are opened."""
        if path:
            details = menu.addMenu("Detail")
            for detail in _DETAILS:
                details.addAction(detail, lambda detail=detail: self.detail_requested.emit(path, detail))

    def _add_equal(self, menu: QMenu, card: NodeCard) -> None:
        groups = self.trace_scene.groups.groups
        menu.addAction(f"Show each of the {len(card.groups)}", lambda: self.folds.open(card))
        menu.addAction(f"Open all {len(card.groups)}", lambda: self.folds.open_fully(card))
        one = menu.addMenu("Open only")
        for key in card.groups:
            one.addAction(groups[key].title, lambda key=key: self.folds.open_one(key))

    def _with_folds(self, menu: QMenu) -> QMenu:
        menu.addAction("Fold all groups", self.folds.fold_all)
        menu.addAction("Open all groups", self.folds.open_all)
        return menu

    # --- Qt ---

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.viewportMargins().bottom() != foot(self):
            self.setViewportMargins(0, 0, 0, foot(self))
        self._limits.reposition()
        self.notice.reposition()
        self.finder.reposition()
        self.minimap.set_room(foot_room(self, self._limits))
        self._was_whole = self._was_whole and not self.is_fitted  # all of it shall stay in sight
        self.trace_scene.set_room(self.readable_room(), refold=self.is_opening, anew=self.is_fitted)
        if self.is_fitted:
            self.fit()
        elif self.is_opening and self._state:
            self.open_afresh()
            self._follow()

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
        if (place - pressed).manhattanLength() < _CLICK:
            self._click(place, bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier))
        else:
            self.keep_framing()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        item = _item_at(self, event.position().toPoint())
        if isinstance(item, FrameItem):
            self.folds.fold(item.key)
        elif isinstance(item, NodeItem):
            card = item.card
            if card.folded:
                self.folds.open(card)
            elif (cell := item.cell_at(item.mapFromScene(self.mapToScene(event.position().toPoint())))) is not None:
                self.what_if_requested.emit(card.shown, cell)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        item = _item_at(self, event.pos())
        if item is None or isinstance(item, EdgeItem):
            return
        menu = self._frame_menu(item.key) if isinstance(item, FrameItem) else self._card_menu(item.card)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key == _Key.Key_F:
            self.fit()
        elif key in (_Key.Key_Plus, _Key.Key_Minus):
            self.zoom_by(1.25 if key == _Key.Key_Plus else 0.8, self._mouse())
        elif key in (_Key.Key_Return, _Key.Key_Enter) and self._selected is not None:
            self.run_to_requested.emit(self._selected)
        elif key == _Key.Key_Escape and self._selected is not None:
            self.node_released.emit()
        elif key in _STEPS and self.trace_scene.is_shown:
            self._go(_STEPS[key])
        else:
            super().keyPressEvent(event)

    @painted
    def drawForeground(self, painter: QPainter, rect: QRectF) -> None:
        if self.trace_scene.groups is not None:
            self._frame_labels.paint(painter, self.trace_scene.frames, self.viewportTransform(), QRectF(self.viewport().rect()))
        self.finder.paint_marks(painter)
        if self._is_past:
            painter.fillRect(rect, current_theme().color("panel", 0.6))

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        self.minimap.set_seen(self.seen())

    def viewportEvent(self, event) -> bool:
        if isinstance(event, QHelpEvent):
            item = _item_at(self, event.pos())
            text = self.trace_scene.tooltip(item) if item else ""
            show_tip(event.globalPos(), text, self)
            return True
        return super().viewportEvent(event)


def _item_at(view: GraphView, place: QPoint) -> NodeItem | EdgeItem | FrameItem | None:
    """What is under the mouse; nothing while the items are still those of another trace."""
    if not view.trace_scene.is_shown:
        return None
    return next((item for item in view.items(place) if isinstance(item, NodeItem | EdgeItem | FrameItem)), None)

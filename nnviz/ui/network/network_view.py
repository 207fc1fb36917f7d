"""The network picture that is also the editor: setters for what it shows, signals for what a person asks.

Long because each signal has its request here: nobody else emits them.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QMargins, QPoint, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QGraphicsView, QMenu, QToolTip, QWidget

from nnviz.document.experiment import Experiment
from nnviz.document.network import Link
from nnviz.document.problems import Fix
from nnviz.document.shapes.report import Report
from nnviz.records.trace_state import TraceState
from nnviz.text import captions
from nnviz.ui.network import _keys, _tips, layer_drops, overlays, questions
from nnviz.ui.network.layer_figures import Figures, figures
from nnviz.ui.network.link_item import NEAR
from nnviz.ui.network.network_scene import NetworkScene
from nnviz.ui.network.overlays import SCALES_HEIGHT, Hint
from nnviz.ui.network.picking import NOTHING, PointerTarget, pick
from nnviz.ui.network.tools import TOOLS, Press, Tool, WeightWheel
from nnviz.ui.theme.colors import current_theme
from nnviz.ui.theme.painting import painted
from nnviz.ui.widgets.minimap import ABOVE_STYLE, Minimap
from nnviz.ui.widgets.zoom_view import Zooms, ZoomView

_ZOOMS = Zooms(least=0.05, most=8.0, least_fit=0.0, most_fit=1.3, notch=1.15)
_MARGINS = QMargins(10, 4, 10, 4 + SCALES_HEIGHT)
_ROAM = 3000.0
_ADDING = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.ControlModifier
_POINTING = ("neuron", "bias", "curve")
_MAP, _MAP_GAP = (168, 100), 6
_LEAST_MAPPED = 12
"""Layers below which no map is needed."""


class NetworkView(ZoomView):
    """Layers as neurons or blocks, weights as curves; drag, link, type, drop and delete to build."""

    selected_changed = Signal(tuple)
    """Ids of the selected layers."""
    clicked = Signal(str)
    """A layer by its id, or a parameter as `h1.weight`: the mouse was pressed and let go on it."""
    node_requested = Signal(int)
    """The trace node of a clicked layer's output."""
    add_requested = Signal(str, QPointF, str)
    """Kind, place, and the layer to link it behind, or ""."""
    insert_requested = Signal(str, str, str)
    """Kind, and the source and target of the link to put it on."""
    connect_requested = Signal(str, str)
    """Source and target; the link takes the place of the one at the target's only input."""
    reconnect_requested = Signal(object, str, str)
    """A link, and the source and target it shall have instead."""
    splice_requested = Signal(str, object)
    """A layer that is linked to nothing, and the link to put it into."""
    rename_requested = Signal(tuple, str)
    """Layers and their new name; several are numbered."""
    activation_requested = Signal(tuple, str)
    """Layers and the activation that all of them shall have."""
    tidy_requested = Signal()
    settings_requested = Signal()
    """Of the selected layers, by key."""
    fix_requested = Signal(object)
    """The fix of a problem."""
    disconnect_requested = Signal(list)
    delete_requested = Signal(tuple)
    move_requested = Signal(dict)
    """Layer id -> (x, y)."""
    weight_requested = Signal(str, tuple, float)
    """Parameter, index in it, new value."""
    weight_scrolled = Signal(str, tuple, float)
    """Parameter, index in it, and by how many fine steps it shall change."""
    lock_requested = Signal(str, tuple)
    """Parameter and index: to be locked, or freed if it is."""
    matrix_requested = Signal(str)
    """The parameter that shall be shown as a table."""
    neuron_hovered = Signal(str, int)
    """Layer and unit; ("", -1) when the mouse leaves."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(_ZOOMS, _MARGINS, parent)
        self.experiment: Experiment | None = None
        self.report: Report | None = None
        self.state: TraceState | None = None
        self.figures = Figures()
        self.tokens: tuple[str, ...] = ()
        """What the numbers of the input stand for, where the data is a text."""
        self._coloring = "value"
        self._class_names: tuple[str, ...] = ()
        self._scene = NetworkScene(self)
        self.setScene(self._scene)
        self.hint = Hint(self.viewport())
        self._map = Minimap(ABOVE_STYLE)
        self._tool: Tool | None = None
        self._press: Press | None = None
        """What the tool that has the mouse began with."""
        """What the mouse does while a button is held."""
        self._wheel = WeightWheel()
        self._tip_at: QPoint | None = None
        self._age = ""
        """Of which iteration the numbers are, where they are old."""
        """Where in the viewport the last tooltip was asked for; None once the mouse has moved on."""
        self._space_is_held = False
        self._only_names = False
        """Whether a click says what was clicked, and opens no field for its number."""
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.SmartViewportUpdate)
        self.setSceneRect(-_ROAM, -_ROAM, 2 * _ROAM, 2 * _ROAM)
        self.viewport().setMouseTracking(True)
        self.setAcceptDrops(True)
        self.setMinimumSize(160, 100)
        self.setAccessibleName("Network")
        self.viewport().setAccessibleName("Network")

    # --- setters ---

    def set_experiment(self, experiment: Experiment, report: Report) -> None:
        """Show this network; what is selected and in view stays where it can, and what the mouse was about to do is given up."""
        first = self.experiment is None
        grown = first or experiment.network != self.experiment.network
        if experiment is not self.experiment:
            self.cancel_tool()
        self.experiment, self.report = experiment, report
        was_empty = not self._scene.columns
        if grown:
            self._wheel.stop(self)
            questions.close_all(self)
        self._arrange()
        if was_empty != (not self._scene.columns):
            self.viewport().update()  # the invitation on an empty picture belongs to no item
        by_hand = all(layer.id in experiment.canvas for layer in experiment.network)
        if first or (self.is_fitted and ((grown and not by_hand) or not self.seen().contains(self.content_rect()))):
            self.fit()
        self.setAccessibleDescription(captions.summary(experiment, report))
        self._refresh()

    def set_trace_state(self, state: TraceState | None, steps: bool = False) -> None:
        """Show the numbers of this state; None shows the structure only. `steps`: a person steps, so the scales shown only grow."""
        self.state = state
        self._refresh(keeps_scales=steps)

    def set_coloring(self, coloring: str) -> None:
        """Show values ("value"), gradients ("gradient"), or on the weights what the update adds to them ("update")
        or what they add to z in the chosen row ("contribution")."""
        self._coloring = coloring
        self._refresh()

    def set_class_names(self, names: tuple[str, ...]) -> None:
        """Call the classes by these names beside the output."""
        self._class_names = tuple(names)
        self._refresh()

    def set_age(self, age: str) -> None:
        """Say in the tooltips of which iteration the numbers are, where they are old; empty where they are not."""
        if age != self._age:
            self._age = age
            self._refresh_tip()

    def set_tokens(self, tokens: tuple[str, ...]) -> None:
        """Say in the tooltips what the numbers of the input stand for, where the data is a text."""
        self.tokens = tokens

    def set_selection(self, ids: tuple[str, ...]) -> None:
        """Select these layers, without emitting."""
        known = tuple(id for id in ids if id in self._scene.columns)
        if known != self._scene.selected or (not known and self._scene.selected_links):
            self._scene.mark(selected=known, selected_links=())

    def only_name_clicked(self, is_so: bool) -> None:
        """Let a click only say what was clicked, and open no field for its number; or no longer."""
        self._only_names = is_so

    def say(self, text: str) -> None:
        """Say this beside the weight that the wheel is changing, until the mouse moves on."""
        self._wheel.say(self, text)

    # --- what is where ---

    def scene(self) -> NetworkScene:
        """Return the scene with the layers and links."""
        return self._scene

    def content_rect(self) -> QRectF:
        """Return the room that the network takes in the scene."""
        return self._scene.content_rect()

    def hit_at(self, position: QPoint) -> PointerTarget:
        """Return what is under a place of the viewport."""
        return pick(self._scene.columns, self._scene.links, self.mapToScene(position), NEAR / self.zoom)

    def map_rect(self) -> QRect:
        """Return where in the viewport the map of the whole network is; empty while there is none."""
        room, (width, height) = self.viewport().rect(), _MAP
        is_small = room.width() < 2 * width or room.height() < 2 * height
        if is_small or len(self._map) < _LEAST_MAPPED or self.seen().contains(self._map.content):
            return QRect()
        return QRect(room.left() + _MAP_GAP, room.bottom() - height - _MAP_GAP, width, height)

    def go_to_mapped(self, position: QPoint) -> None:
        """Bring the point into the middle that a place of the map means."""
        self.go_to(self._map.place(QPointF(position), self.map_rect()))

    # --- what tools, keys and menus ask ---

    def cancel_tool(self) -> bool:
        """Give up what the mouse is about to do. Returns whether it was about to do anything."""
        tool, self._tool = self._tool, None
        if tool is not None:
            tool.cancel(self)
        return tool is not None

    def hold_to_pan(self, held: bool) -> None:
        """Let the left button move the picture, as the middle one does: while the space bar is held."""
        self._space_is_held = held
        self.viewport().setCursor(Qt.CursorShape.OpenHandCursor if held else Qt.CursorShape.ArrowCursor)

    def hover(self, target: PointerTarget) -> None:
        """Let what the mouse passes over stand out."""
        before = self._scene.hover
        if target == before:
            return
        self._scene.mark(hover=target)
        shape = Qt.CursorShape.PointingHandCursor if target.kind in _POINTING else Qt.CursorShape.ArrowCursor
        if not self._space_is_held:
            self.viewport().setCursor(Qt.CursorShape.CrossCursor if target.kind in ("port", "end") else shape)
        if (target.layer, target.unit) != (before.layer, before.unit):
            self.neuron_hovered.emit(target.layer, target.unit)

    def select(self, layers: tuple[str, ...], links: tuple[Link, ...] = ()) -> None:
        """Select these layers and links; a change of the layers is emitted."""
        before = self._scene.selected
        self._scene.mark(selected=layers, selected_links=links)
        if layers != before:
            self.selected_changed.emit(layers)

    def show_node(self, layer: str) -> bool:
        """Ask for the trace node of a layer's output. Returns whether there is one."""
        shown = self.figures.layers.get(layer)
        if shown is None or shown.node is None:
            return False
        self.node_requested.emit(shown.node)
        return True

    def delete_selected(self) -> bool:
        """Ask to delete what is selected: layers, and links that do not go with them. Returns whether there was anything."""
        layers = self._scene.selected
        links = [link for link in self._scene.selected_links if not {link.source, link.target} & set(layers)]
        if links:
            self.disconnect_requested.emit(links)
        if layers:
            self.delete_requested.emit(layers)
        return bool(layers or links)

    def keep_places(self, moved: tuple[str, ...]) -> None:
        """Ask to keep the moved layers where they are now, and with them all that only stand where they were put automatically."""
        placed = self.experiment.canvas
        self.move_requested.emit({id: place for id, place in self._scene.places().items() if id in moved or id not in placed})

    def request_layer(self, kind: str, place: QPointF, after: str = "") -> None:
        """Ask for a new layer at a place of the scene, linked behind a layer unless that is ""."""
        self.add_requested.emit(kind, place, after)

    def request_layer_on(self, kind: str, link: Link) -> None:
        """Ask for a new layer in the middle of a link."""
        self.insert_requested.emit(kind, link.source, link.target)

    def request_link(self, source: str, target: str, instead_of: Link | None = None) -> None:
        """Ask for a link, new or in the place of another one."""
        if instead_of is None:
            self.connect_requested.emit(source, target)
        else:
            self.reconnect_requested.emit(instead_of, source, target)

    def request_splice(self, layer: str, link: Link) -> None:
        """Ask to put a layer that is linked to nothing into a link."""
        self.splice_requested.emit(layer, link)

    def request_unlink(self, links: list[Link]) -> None:
        """Ask to remove links."""
        self.disconnect_requested.emit(links)

    def request_name(self, layers: tuple[str, ...], name: str) -> None:
        """Ask for another name of these layers."""
        self.rename_requested.emit(layers, name)

    def request_activation(self, layers: tuple[str, ...], activation: str) -> None:
        """Ask for one activation of these layers."""
        self.activation_requested.emit(layers, activation)

    def request_fix(self, fix: Fix) -> None:
        """Ask to cure a problem."""
        self.fix_requested.emit(fix)

    def request_tidy(self) -> None:
        """Ask to place all layers automatically."""
        self.tidy_requested.emit()

    def request_settings(self) -> None:
        """Ask for the keyboard to go to the settings of the selected layers."""
        self.settings_requested.emit()

    def ask_number(self, target: PointerTarget, at: QPoint) -> None:
        """Open a field for the weight or bias that was clicked, unless clicks only say what was clicked."""
        if not self._only_names:
            questions.open_weight(self, target, at)

    def request_weight(self, parameter: str, index: tuple[int, ...], value: float) -> None:
        """Ask for another value of a weight."""
        self.weight_requested.emit(parameter, index, value)

    def request_weight_steps(self, parameter: str, index: tuple[int, ...], steps: float) -> None:
        """Ask to change a weight by so many fine steps."""
        self.weight_scrolled.emit(parameter, index, steps)

    def request_lock(self, parameter: str, index: tuple[int, ...]) -> None:
        """Ask to lock a weight, or to free it if it is locked."""
        self.lock_requested.emit(parameter, index)

    def request_table(self, parameter: str) -> None:
        """Ask for a parameter as a table."""
        self.matrix_requested.emit(parameter)

    # --- inside ---

    def _arrange(self) -> None:
        room = self.room()
        self._scene.show_structure(self.experiment, self.report, max(1.0, room.width()), max(1.0, room.height()))
        content, columns = self.content_rect(), self._scene.columns.values()
        self.setSceneRect(content.adjusted(-_ROAM, -_ROAM, _ROAM, _ROAM))
        self._map.set_boxes(content, [column.mapRectToScene(column.frame()) for column in columns])

    def _refresh(self, keeps_scales: bool = False) -> None:
        if self.experiment is not None:
            before, least = self.figures, self.figures if keeps_scales else None
            self.figures = figures(self.experiment, self.report, self.state, self._coloring, least)
            if overlays.scales_of(before) != overlays.scales_of(self.figures):
                room = self.viewport().rect()  # no item of the scene is there to be repainted
                self.viewport().update(overlays.scales_rect(room, before).united(overlays.scales_rect(room, self.figures)))
            self._scene.show_figures(self.figures, self._class_names)
            self._refresh_tip()

    def _show_tip(self, position: QPoint) -> None:
        """Say in a tooltip what is under a place of the viewport; nothing is said of nothing."""
        self._tip_at = position
        text = _tips.tip(self.hit_at(position), self._scene, self.tokens, self._age)
        QToolTip.showText(self.viewport().mapToGlobal(position), text, self.viewport()) if text else QToolTip.hideText()

    def _refresh_tip(self) -> None:
        """A tooltip that is open shows the present number."""
        if self._tip_at is not None and QToolTip.isVisible():
            self._show_tip(self._tip_at)

    def _overlays(self) -> tuple[QRect, ...]:
        """Where the viewport shows what does not belong to the scene."""
        return overlays.scales_rect(self.viewport().rect(), self.figures), self.map_rect()

    # --- Qt: painting ---

    def scrollContentsBy(self, x: int, y: int) -> None:
        super().scrollContentsBy(x, y)
        for rect in self._overlays():  # they lie above the picture and must not be scrolled with it
            self.viewport().update(rect)
            self.viewport().update(rect.translated(x, y))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.experiment is not None and self.is_fitted:
            self._arrange()
            self._scene.show_figures(self.figures, self._class_names)
            self.fit()

    @painted
    def drawForeground(self, painter: QPainter, rect: QRectF) -> None:
        theme = current_theme()
        exposed = self.mapFromScene(rect).boundingRect().adjusted(-2, -2, 2, 2)
        painter.save()
        painter.resetTransform()
        overlays.paint_locks(painter, theme, self._scene, self.mapFromScene)
        scales, map_rect = self._overlays()
        if map_rect.intersects(exposed):
            self._map.paint(painter, theme, map_rect, self.seen())
        if scales.intersects(exposed):
            overlays.paint_scales(painter, self.viewport().rect(), theme, self.figures)
        if not self._scene.columns:
            overlays.paint_invitation(painter, self.viewport().rect(), theme)
        painter.restore()

    # --- Qt: the mouse ---

    def mousePressEvent(self, event: QMouseEvent) -> None:
        position = event.position().toPoint()
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        press = Press(position, self.hit_at(position), event.button(), bool(event.modifiers() & _ADDING), self._space_is_held)
        wanted = next((tool for tool in TOOLS if tool.takes(self, press)), None)
        if self._tool is None and wanted is not None:
            self._tool, self._press = wanted(self, press), press

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        position = event.position().toPoint()
        self._wheel.stop(self)
        self._tip_at = None
        if self._tool is not None:
            self._tool.move(self, position)
        else:
            self.hover(self.hit_at(position))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        tool, self._tool = self._tool, None
        press, self._press = self._press, None
        if tool is None:
            return
        position = event.position().toPoint()
        tool.end(self, position)
        if press is not None and press.is_left and not press.is_drag(position) and (name := self._scene.named(press.target)):
            self.clicked.emit(name)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        position = event.position().toPoint()
        target = self.hit_at(position)
        if target.kind == "nothing":
            questions.open_kinds(self, position)
        elif target.kind == "layer":
            self.select((target.layer,))
            questions.open_name(self)

    def wheelEvent(self, event: QWheelEvent) -> None:
        target = self.hit_at(event.position().toPoint())
        if self._wheel.takes(self._scene, target):
            self._wheel.turn(self, target, event)
            event.accept()
        else:
            super().wheelEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.cancel_tool()
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        questions.fill_menu(menu, self, self.hit_at(event.pos()), event.pos())
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(event.globalPos())

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self._wheel.stop(self)
            self._tip_at = None
            self.hover(NOTHING)
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            self._show_tip(event.pos())
            return True
        return super().viewportEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        layer_drops.move(self, event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        layer_drops.move(self, event)

    def dropEvent(self, event: QDropEvent) -> None:
        layer_drops.drop(self, event)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._scene.mark(lit_link=None)

    # --- Qt: the keyboard ---

    def event(self, event: QEvent) -> bool:
        """Keys come here first: Qt would take Tab for itself, and the window the letters of its shortcuts."""
        if event.type() == QEvent.Type.ShortcutOverride and _keys.is_ours(event):
            event.accept()
            return True
        if event.type() == QEvent.Type.KeyPress and _keys.press(self, event):
            return True
        return super().event(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self.hold_to_pan(False)
        else:
            super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        if self._space_is_held:
            self.hold_to_pan(False)
        super().focusOutEvent(event)

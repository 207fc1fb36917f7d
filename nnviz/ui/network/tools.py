"""What the mouse does on the network picture: one tool for each use of it, from a press to its release."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from msgspec.structs import replace
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QGraphicsPathItem, QWidget

from nnviz.document.network import Link
from nnviz.ui.network.allowed_links import obstacle, partners, size_problem
from nnviz.ui.network.layer_places import snapped
from nnviz.ui.network.network_picture import NetworkPicture
from nnviz.ui.network.network_scene import NetworkScene
from nnviz.ui.network.picking import NOTHING, PointerTarget, layers_in, nearest_link
from nnviz.ui.theme.colors import current_theme
from nnviz.ui.theme.painting import painted

DROP = 22.0
"""How near to a link, in pixels, what is dropped goes into it."""
_DRAG = 4
"""Pixels the mouse moves before a click becomes a drag."""
_NOTCH = 120
"""What Qt counts for one notch of the wheel."""
_COARSE = 10.0
"""How much further a notch goes with Shift."""


@dataclass(frozen=True)
class Press:
    """How and where the mouse was pressed."""

    position: QPoint
    """In the viewport."""
    target: PointerTarget
    button: Qt.MouseButton = Qt.MouseButton.LeftButton
    adds: bool = False
    """Whether what is meant is added to the selection, or taken away from it."""
    pans: bool = False
    """Whether the space bar is held."""

    @property
    def is_left(self) -> bool:
        """Whether it was the left button."""
        return self.button == Qt.MouseButton.LeftButton

    def is_drag(self, position: QPoint) -> bool:
        """Return whether the mouse has been moved so far that this is no click."""
        return (position - self.position).manhattanLength() >= _DRAG


class Tool:
    """One use of the mouse. It holds no view, which would be a cycle: Python might collect the view while it paints."""

    def __init__(self, view: NetworkPicture, press: Press) -> None:
        self._press = press
        self.start(view)

    @staticmethod
    def takes(view: NetworkPicture, press: Press) -> bool:
        """Return whether this press begins this use."""
        raise NotImplementedError

    def start(self, view: NetworkPicture) -> None:
        """The mouse has been pressed."""

    def move(self, view: NetworkPicture, position: QPoint) -> None:
        """The mouse is here now, with the button held."""

    def end(self, view: NetworkPicture, position: QPoint) -> None:
        """The button is released."""

    def cancel(self, view: NetworkPicture) -> None:
        """Take back what is shown, and ask for nothing."""


class PanTool(Tool):
    """The middle button, or the left one while the space bar is held, moves the picture."""

    @staticmethod
    def takes(view: NetworkPicture, press: Press) -> bool:
        return press.button == Qt.MouseButton.MiddleButton or (press.pans and press.is_left)

    def start(self, view: NetworkPicture) -> None:
        self._last = self._press.position

    def move(self, view: NetworkPicture, position: QPoint) -> None:
        view.pan(QPointF(self._last - position))
        self._last = position


class MapTool(Tool):
    """On the minimap the mouse leads to the place it means."""

    @staticmethod
    def takes(view: NetworkPicture, press: Press) -> bool:
        return press.is_left and view.map_rect().contains(press.position)

    def start(self, view: NetworkPicture) -> None:
        view.go_to_mapped(self._press.position)

    def move(self, view: NetworkPicture, position: QPoint) -> None:
        view.go_to_mapped(position)


class LinkTool(Tool):
    """Draws a link from a port, or leads the end of a selected one elsewhere. What fits lights up; the others say why not."""

    @staticmethod
    def takes(view: NetworkPicture, press: Press) -> bool:
        return press.is_left and press.target.kind in ("port", "end")

    def start(self, view: NetworkPicture) -> None:
        target, self._scene = self._press.target, view.scene()
        self._side, self._link = target.side, target.link
        self._layer = target.layer or (target.link.source if target.side > 0 else target.link.target)
        """Where the link begins (side 1) or ends (side -1); its other end follows the mouse."""
        network = self._scene.experiment.network
        network = replace(network, links=tuple(link for link in network.links if link != self._link))
        others = partners(network, self._layer, self._side)
        self._problems = {id: why for id in others if (why := size_problem(network, self._scene.report, *self._pair(id)))}
        self._curve = QGraphicsPathItem()
        self._curve.setPen(QPen(current_theme().color("forward"), 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        self._curve.setZValue(3)
        self._scene.addItem(self._curve)
        self._scene.mark(lit=(others & self._scene.columns.keys()) - self._problems.keys(), linked_from=self._layer)

    def move(self, view: NetworkPicture, position: QPoint) -> None:
        """Lead the free end to the mouse; it snaps to the port of a layer that fits, and over any other says why not."""
        point = view.mapToScene(position)
        met = self._met(point, self._scene.lit)
        column = self._scene.columns[self._layer]
        start = column.mapToScene(column.port(self._side))
        stop = self._scene.columns[met].mapToScene(self._scene.columns[met].port(-self._side)) if met else point
        bend = QPointF(self._side * max(30.0, abs(stop.x() - start.x()) / 2), 0)
        path = QPainterPath(start)
        path.cubicTo(start + bend, stop - bend, stop)
        self._curve.setPath(path)
        view.hint.say(self._replaced(met) if met else self._obstacle(self._met(point, self._others())), position)

    def end(self, view: NetworkPicture, position: QPoint) -> None:
        """Ask for the link if it met another layer, even one that does not fit: an edit says why not."""
        point = view.mapToScene(position)
        met = self._met(point, self._scene.lit) or self._met(point, self._others())
        self.cancel(view)
        if met:
            view.request_link(*self._pair(met), self._link)

    def cancel(self, view: NetworkPicture) -> None:
        self._scene.removeItem(self._curve)
        self._scene.mark(lit=frozenset(), linked_from="")
        view.hint.hide()

    def _pair(self, other: str) -> tuple[str, str]:
        return (self._layer, other) if self._side > 0 else (other, self._layer)

    def _others(self) -> Collection[str]:
        return self._scene.columns.keys() - {self._layer}

    def _met(self, point: QPointF, among: Collection[str]) -> str:
        """The layer at this point, of these; empty for none."""
        for id in among:
            column = self._scene.columns[id]
            if column.frame().adjusted(-12, -8, 12, 8).contains(column.mapFromScene(point)):
                return id
        return ""

    def _obstacle(self, other: str) -> str:
        """Why a layer that is met does not fit."""
        return (self._problems.get(other) or obstacle(self._scene.experiment, *self._pair(other), self._link)) if other else ""

    def _replaced(self, met: str) -> str:
        """Which link the new one takes the place of."""
        source, target = self._pair(met)
        taken = [id for id in self._scene.experiment.network.inputs_of(target) if Link(id, target) != self._link]
        is_free = not obstacle(self._scene.experiment, source, target, self._link)
        if len(taken) == 1 and is_free and self._scene.columns[target].takes_one:
            return f"takes the place of the link from {self._scene.title(taken[0])}"
        return ""


class LayersTool(Tool):
    """Selects a layer; the selected ones follow the mouse on the grid, and one alone that is linked to nothing can be let go on a link."""

    @staticmethod
    def takes(view: NetworkPicture, press: Press) -> bool:
        return press.is_left and bool(press.target.layer)

    def start(self, view: NetworkPicture) -> None:
        self._scene, self._starts = view.scene(), {}
        """The places of the dragged layers; empty until it is a drag."""
        layer, selected = self._press.target.layer, self._scene.selected
        if self._press.adds:
            view.select(tuple(id for id in selected if id != layer) if layer in selected else (*selected, layer))
        elif layer not in selected:
            view.select((layer,))

    def move(self, view: NetworkPicture, position: QPoint) -> None:
        if not self._starts and self._press.is_drag(position) and self._press.target.layer in self._scene.selected:
            self._starts = {id: self._scene.columns[id].pos() for id in self._scene.selected}
            self._from, self._loose = view.mapToScene(self._press.position), self._find_loose()
            view.hover(NOTHING)
        if self._starts:
            self._follow(view, position)

    def _find_loose(self) -> str:
        """The dragged layer, if it alone is dragged and fits in the middle of a link; else empty."""
        only, network = next(iter(self._starts)), self._scene.experiment.network
        linked = network.inputs_of(only) or network.outputs_of(only)
        return only if len(self._starts) == 1 and self._scene.columns[only].takes_one and not linked else ""

    def _follow(self, view: NetworkPicture, position: QPoint) -> None:
        """Bring the layers where the mouse is, and light up the link they would go into."""
        point = view.mapToScene(position)
        way = point - self._from
        for id, start in self._starts.items():
            self._scene.columns[id].setPos(*snapped((start.x() + way.x(), start.y() + way.y())))
        self._scene.follow_columns(self._starts)
        link = nearest_link(self._scene.links, point, DROP / view.zoom)[0] if self._loose else None
        if link != self._scene.lit_link:
            self._scene.mark(lit_link=link)

    def end(self, view: NetworkPicture, position: QPoint) -> None:
        """Ask that the layers stay where they are, or that the one goes into the link that is lit; a click shows numbers."""
        link = self._scene.lit_link
        if link is not None:
            self._scene.mark(lit_link=None)
            view.request_splice(self._loose, link)
        elif self._starts:
            view.keep_places(tuple(self._starts))
        elif self._press.target.kind == "bias":
            view.ask_number(self._press.target, self._press.position)
        else:
            view.show_node(self._press.target.layer)

    def cancel(self, view: NetworkPicture) -> None:
        """Put the layers back where they were."""
        for id, place in self._starts.items():
            self._scene.columns[id].setPos(place)
        self._scene.mark(lit_link=None)
        self._scene.follow_columns(self._starts)


class BandTool(Tool):
    """Selects a link, or with a box the layers in it; a click on a weight opens the field for it."""

    @staticmethod
    def takes(view: NetworkPicture, press: Press) -> bool:
        return press.is_left

    def start(self, view: NetworkPicture) -> None:
        self._band: Band | None = None
        if self._press.target.link:
            view.select((), (self._press.target.link,))
        elif not self._press.adds:
            view.select(())

    def move(self, view: NetworkPicture, position: QPoint) -> None:
        if self._band is None and self._press.is_drag(position):
            self._band = Band(view.viewport())
        if self._band is not None:
            self._band.setGeometry(QRect(self._press.position, position).normalized())
            self._band.show()

    def end(self, view: NetworkPicture, position: QPoint) -> None:
        if self._band is None:
            view.ask_number(self._press.target, self._press.position)
            return
        area = view.mapToScene(self._band.geometry()).boundingRect()
        self.cancel(view)
        kept = view.scene().selected if self._press.adds else ()
        view.select(tuple(dict.fromkeys((*kept, *layers_in(view.scene().columns, area)))))

    def cancel(self, view: NetworkPicture) -> None:
        if self._band is not None:
            self._band.hide()
            self._band.deleteLater()


TOOLS: tuple[type[Tool], ...] = (PanTool, MapTool, LinkTool, LayersTool, BandTool)
"""The first that takes a press has the mouse until it is released."""


class Band(QWidget):
    """The box around what is selected: a tint with a thin frame. (The style's own rubber band is a sheet that hides what is in it.)"""

    def __init__(self, viewport: QWidget) -> None:
        super().__init__(viewport)
        self.setAccessibleName("Selection")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    # --- Qt ---

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        theme, painter = current_theme(), QPainter(self)
        painter.setPen(QPen(theme.color("forward", 0.7), 1))
        painter.setBrush(theme.color("forward", 0.12))
        painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
        painter.end()


class WeightWheel:
    """The wheel over a weight of a selected link, or a bias of a selected layer: changes it in fine steps, and says what it is then."""

    def __init__(self) -> None:
        self._turned_at: QPoint | None = None
        """Where in the viewport a weight is being turned; None once the mouse has moved on."""

    @staticmethod
    def takes(scene: NetworkScene, target: PointerTarget) -> bool:
        """Return whether the wheel changes what is under the mouse."""
        selected = target.link in scene.selected_links if target.kind == "curve" else target.layer in scene.selected
        return selected and scene.weight_at(target) is not None

    def turn(self, view: NetworkPicture, target: PointerTarget, event: QWheelEvent) -> None:
        """Ask for as many steps as the wheel is turned."""
        parameter, index, _ = view.scene().weight_at(target)
        self._turned_at = event.position().toPoint()
        turned = event.angleDelta().y() or event.angleDelta().x()
        coarse = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        view.request_weight_steps(parameter, index, turned / _NOTCH * (_COARSE if coarse else 1.0))

    def say(self, view: NetworkPicture, text: str) -> None:
        """Say this where the wheel is turned, until the mouse moves on."""
        if self._turned_at is not None:
            view.hint.say(text, self._turned_at)

    def stop(self, view: NetworkPicture) -> None:
        """The mouse has moved on, or the network is another."""
        if self._turned_at is not None:
            self._turned_at = None
            view.hint.hide()

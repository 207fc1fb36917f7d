"""The network picture that is also the editor: setters for what it shows, signals for what a person asks. It never writes the document."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QResizeEvent
from PySide6.QtWidgets import QFrame, QGraphicsView, QWidget

from nnviz.document.experiment import Experiment
from nnviz.document.shapes.report import Report
from nnviz.records.trace_state import TraceState
from nnviz.text import captions
from nnviz.ui.network import framing, legend, lock_signs
from nnviz.ui.network.gestures import Gestures
from nnviz.ui.network.hint import Hint
from nnviz.ui.network.hovering import Hovering
from nnviz.ui.network.keys import Keys
from nnviz.ui.network.layer_drops import Drops
from nnviz.ui.network.layer_figures import Figures, figures
from nnviz.ui.network.network_minimap import NetworkMinimap
from nnviz.ui.network.network_scene import NetworkScene
from nnviz.ui.network.scrolling import Scrolling
from nnviz.ui.theme.colors import current_theme

_MARGIN, _ABOVE = 10, 4
_ROAM = 3000.0


class NetworkView(QGraphicsView):
    """Layers as neurons or blocks, weights as curves; drag, wire, type, drop and delete to build."""

    selected_changed = Signal(tuple)
    """Ids of the selected layers."""
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
    tidy_requested = Signal()
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
        super().__init__(parent)
        self.experiment: Experiment | None = None
        self.report: Report | None = None
        self.state: TraceState | None = None
        self.figures = Figures()
        self.editable = True
        self._coloring = "value"
        self._class_names: tuple[str, ...] = ()
        self.tokens: tuple[str, ...] = ()
        """What the numbers of the input stand for, where the data is a text."""
        self.fitted = True  # until somebody zooms or pans
        self.setScene(NetworkScene(self))
        self.hint = Hint(self)
        self.minimap = NetworkMinimap()
        self._dress()
        self.gestures = Gestures(self)
        self.hovering = Hovering(self)
        self.keys = Keys(self)
        self.drops = Drops(self)
        self.scrolling = Scrolling(self)

    def _dress(self) -> None:
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.SmartViewportUpdate)
        self.setSceneRect(-_ROAM, -_ROAM, 2 * _ROAM, 2 * _ROAM)
        self.setMouseTracking(True)
        self.setAcceptDrops(True)
        self.setMinimumSize(160, 100)
        self.setAccessibleName("Network")
        self.viewport().setAccessibleName("Network")

    # --- setters ---

    def set_experiment(self, experiment: Experiment, report: Report) -> None:
        """Show this network; what is selected and in view stays where it can."""
        first = self.experiment is None or experiment.title != self.experiment.title
        self.fitted = self.fitted or first
        grown = first or experiment.network != self.experiment.network
        self.experiment, self.report = experiment, report
        was_empty = not self.scene().columns
        if grown:
            self.scrolling.fall_silent()
        self._arrange()
        if was_empty != (not self.scene().columns):
            self.viewport().update()  # the invitation on an empty picture belongs to no item
        seen = self._seen()
        by_hand = all(layer.id in experiment.canvas for layer in experiment.network) and not first
        if self.fitted and ((grown and not by_hand) or not seen.contains(self.scene().content_rect())):
            self.fit()
        self.setAccessibleDescription(captions.summary(experiment, report))
        self._refresh()

    def set_trace_state(self, state: TraceState | None) -> None:
        """Show the numbers of this moment; None shows the structure only."""
        self.state = state
        self._refresh()

    def set_coloring(self, coloring: str) -> None:
        """Show values ("value"), gradients ("gradient"), or on the weights what the update adds to them ("update")."""
        self._coloring = coloring
        self._refresh()

    def set_class_names(self, names: tuple[str, ...]) -> None:
        """Call the classes by these names beside the output."""
        self._class_names = tuple(names)
        self._refresh()

    def set_tokens(self, tokens: tuple[str, ...]) -> None:
        """Say in the tooltips what the numbers of the input stand for, where the data is a text."""
        self.tokens = tokens

    def set_selection(self, ids: tuple[str, ...]) -> None:
        """Select these layers, without emitting."""
        known = tuple(id for id in ids if id in self.scene().columns)
        if known != self.scene().selected or (not known and self.scene().selected_links):
            self.scene().mark(selected=known, selected_links=())

    def set_editable(self, editable: bool) -> None:
        """Allow building, or only looking."""
        self.editable = editable
        self.gestures.cancel()
        self.scene().mark(ports_show=editable)

    def fit(self) -> None:
        """Show the whole picture, as large as it fits, and keep it fitted until somebody zooms or pans."""
        self.fitted = True
        framing.fit(self, self.scene().content_rect(), self.room())

    def room(self) -> QRectF:
        """Return the part of the viewport that the picture may fill."""
        return QRectF(self.viewport().rect()).adjusted(_MARGIN, _ABOVE, -_MARGIN, -_ABOVE - legend.HEIGHT)

    def _arrange(self) -> None:
        room = self.room()
        self.scene().show_structure(self.experiment, self.report, max(1.0, room.width()), max(1.0, room.height()))

        content = self.scene().content_rect()
        self.setSceneRect(content.adjusted(-_ROAM, -_ROAM, _ROAM, _ROAM))
        self.minimap.set_boxes(tuple(column.mapRectToScene(column.frame()) for column in self.scene().columns.values()), content)

    def _refresh(self) -> None:
        if self.experiment is not None:
            before, self.figures = self.figures, figures(self.experiment, self.report, self.state, self._coloring)
            if legend.scales_of(before) != legend.scales_of(self.figures):
                self.viewport().update(legend.rect(self.viewport().rect()))  # no item of the scene is there to be repainted
            self.scene().show_figures(self.figures, self._class_names)

    # --- Qt ---

    def scrollContentsBy(self, x: int, y: int) -> None:
        super().scrollContentsBy(x, y)
        for rect in self._overlays():  # they lie above the picture and must not be scrolled with it
            self.viewport().update(rect)
            self.viewport().update(rect.translated(x, y))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.experiment is not None and self.fitted:
            self._arrange()
            self.scene().show_figures(self.figures, self._class_names)
            self.fit()

    def _overlays(self) -> tuple[QRect, ...]:
        """Where the viewport shows what does not belong to the scene."""
        return legend.rect(self.viewport().rect()), self.map_rect()

    def map_rect(self) -> QRect:
        """Return where in the viewport the map of the whole network is; empty while there is none."""
        return self.minimap.rect(self.viewport().rect(), self._seen())

    def _seen(self) -> QRectF:
        return self.mapToScene(self.viewport().rect()).boundingRect()

    def drawForeground(self, painter: QPainter, rect: QRectF) -> None:
        theme = current_theme()
        exposed = self.mapFromScene(rect).boundingRect().adjusted(-2, -2, 2, 2)
        painter.save()
        painter.resetTransform()
        lock_signs.paint(painter, self)
        scales, place = self._overlays()
        if place.intersects(exposed):
            self.minimap.paint(painter, theme, place, self._seen())
        if scales.intersects(exposed):
            legend.paint(painter, self.viewport().rect(), theme, self.figures)
        if not self.scene().columns and self.editable:
            legend.paint_invitation(painter, self.viewport().rect(), theme)
        painter.restore()

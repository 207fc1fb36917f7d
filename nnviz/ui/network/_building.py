"""What the Edit menu does with the layers on the canvas: copy, paste, link, name, line up. Every change is one edit of the session."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QGuiApplication

from nnviz.document import catalog, edits
from nnviz.document.experiment import Experiment
from nnviz.document.network import Network
from nnviz.session.session import Session
from nnviz.ui.network import questions
from nnviz.ui.network.layer_places import aligned, box
from nnviz.ui.network.network_scene import NetworkScene
from nnviz.ui.network.network_view import NetworkView

_BESIDE = 32.0
"""By how much farther below its original a copy is tried to stand."""
_MOST_TRIES = 64
_APART = 16.0
_ROOM = QRectF(0, 0, 90, 120)
"""For a layer of a kind that is not there yet."""


class Building:
    """Builds the network that a view shows. `selected` returns the selected layers, `select` selects others."""

    def __init__(
        self, session: Session, view: NetworkView, selected: Callable[[], tuple[str, ...]], select: Callable[[tuple[str, ...]], None]
    ) -> None:
        self._session, self._view, self._selected, self._select = session, view, selected, select

    # --- adding ---

    def add_layer(self, kind: str, position: QPointF | None = None, after: str = "", between: tuple[str, str] | None = None) -> None:
        """Add a layer: in a link, right behind a layer, or at a place of the canvas, where the others then stay; it is selected then."""
        id = edits.new_id(self._session.experiment, kind)
        places = {} if position is None or after else self._places() | {id: (position.x(), position.y())}

        def add(experiment: Experiment) -> Experiment:
            grown = edits.add_usual_layer(experiment, kind, after=after or None, between=between)
            return edits.move_layers(grown, places) if places else grown

        before = self._session.experiment.network
        if self._session.edit(f"Add {catalog.LAYERS[kind].label}", add):
            self._select((id,))
            self._tell_of_bent(before)

    def _tell_of_bent(self, before: Network) -> None:
        """Say which layer got an activation because it is not the last one any more."""
        for layer in self._session.experiment.network:
            if before.has(layer.id) and before.layer(layer.id).settings.get("activation") != layer.settings.get("activation"):
                self._session.post("info", f"{layer.title} is hidden now, so it has ReLU. Undo takes both back.")

    def append_layer(self, kind: str) -> None:
        """Add a layer where a person would look for it: behind the selected one, else before the output; an input stands by itself."""
        network = self._session.experiment.network
        before_output = [link for link in network.links if not network.outputs_of(link.target)]
        if catalog.LAYERS[kind].inputs[1] == 0:
            self.add_layer(kind)
        elif len(self._selected()) == 1:
            self.add_layer(kind, after=self._selected()[0])
        elif len(before_output) == 1:
            self.add_layer(kind, between=(before_output[0].source, before_output[0].target))
        else:
            self.add_layer(kind)

    def connect_layers(self, source: str, target: str) -> None:
        """Link two layers; the link takes the place of the one at the target's only input."""
        self._session.edit("Connect layers", edits.connect_layers, source, target, replace_link=True)

    # --- the clipboard ---

    def copy(self) -> None:
        """Put the selected layers on the clipboard, as the text of a document."""
        if self._selected():
            QGuiApplication.clipboard().setText(edits.clipping(self._placed(), self._selected()))

    def cut(self) -> None:
        """Copy the selected layers and remove them."""
        self.copy()
        self._session.edit("Cut layers", edits.remove_layers, self._selected())

    def paste(self) -> None:
        """Put the layers on the clipboard, from this window, another one, or any text, beside where they stood."""
        text = QGuiApplication.clipboard().text()
        self._grow("Paste layers", lambda experiment, offset: edits.paste_layers(experiment, text, offset))

    def duplicate(self) -> None:
        """Put a copy of the selected layers beside them."""
        chosen = self._selected()
        self._grow("Duplicate layers", lambda experiment, offset: edits.duplicate_layers(experiment, chosen, offset))

    def _grow(self, label: str, edit: Callable[[Experiment, tuple[float, float]], Experiment]) -> None:
        """Add copies right below their originals, where none of them covers a layer that is there; they are selected then."""
        placed = self._placed()

        def grown(_: Experiment) -> Experiment:
            for times in range(1, _MOST_TRIES):
                result = edit(placed, (0.0, times * _BESIDE))
                if _is_free(self._view.scene(), placed, result):
                    break
            return result

        before = {layer.id for layer in self._session.experiment.network}
        if self._session.edit(label, grown):
            self._select(tuple(layer.id for layer in self._session.experiment.network if layer.id not in before))

    def _places(self) -> dict[str, tuple[float, float]]:
        return self._view.scene().places()

    def _placed(self) -> Experiment:
        """The document with every layer at the place where it is seen, also those that are placed automatically."""
        return edits.move_layers(self._session.experiment, self._places())

    # --- the selected layers ---

    def delete_selected(self) -> None:
        """Remove the selected layers."""
        self._session.edit("Delete layers", edits.remove_layers, self._selected())

    def ask_name(self) -> None:
        """Open the field for another name on the canvas."""
        questions.open_name(self._view)

    def ask_link(self) -> None:
        """Link the first of two selected layers to the second, or ask which layer the only selected one is linked to."""
        if len(self._selected()) == 2:
            self.connect_layers(*self._selected())
        else:
            questions.open_partners(self._view)

    def with_activation(self) -> tuple[str, ...]:
        """Return those of the selected layers that have an activation."""
        network = self._session.experiment.network
        return tuple(id for id in self._selected() if "activation" in network.layer(id).settings)

    def ask_activation(self) -> None:
        """Open the list of activations on the canvas, for all selected layers that have one."""
        questions.open_activations(self._view, self.with_activation())

    def set_activation(self, ids: tuple[str, ...], activation: str) -> None:
        """Give these layers an activation, as one change."""

        def bend(experiment: Experiment) -> Experiment:
            return reduce(lambda bent, id: edits.change_layer(bent, id, activation=activation), ids, experiment)

        self._session.edit("Change activations" if len(ids) > 1 else "Change activation", bend)

    def align(self, way: str) -> None:
        """Line the selected layers up: left · top · across · down."""
        columns, places = self._view.scene().columns, self._places()
        chosen = {id: places[id] for id in self._selected()}
        boxes = {id: box(columns[id].face, place) for id, place in chosen.items()}
        self._session.edit("Align layers", edits.move_layers, places | aligned(chosen, boxes, way))

    def tidy(self) -> None:
        """Place all layers automatically."""
        self._session.edit("Tidy", edits.tidy)


def _is_free(scene: NetworkScene, placed: Experiment, grown: Experiment) -> bool:
    """Whether no new layer covers one that is there; a new one is taken to be as large as the largest of its kind."""
    rooms = [scene.box_of(layer.id) for layer in placed.network]
    for layer in grown.network:
        if layer.id in grown.canvas and layer.id not in placed.canvas:
            alike = [room for room, other in zip(rooms, placed.network, strict=True) if other.kind == layer.kind] or [_ROOM]
            room = QRectF(0, 0, max(one.width() for one in alike) + _APART, max(one.height() for one in alike) + _APART)
            room.moveCenter(QPointF(*grown.canvas[layer.id]))
            if any(room.intersects(other) for other in rooms):
                return False
    return True

"""The scene of the network picture: one column per layer and one item per link, kept and updated in place. It takes no events."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtWidgets import QGraphicsScene

from nnviz.document.experiment import Experiment
from nnviz.document.network import Link
from nnviz.document.shapes.report import Report
from nnviz.text import captions
from nnviz.ui.network import badges, layer_places
from nnviz.ui.network.columns import ColumnItem, ColumnMarks
from nnviz.ui.network.curves import LinkEnds
from nnviz.ui.network.layer_figures import Figures, LayerFigures
from nnviz.ui.network.layer_places import Point, arranged, bounds, box
from nnviz.ui.network.layer_sizes import FACTS, TWO_FACTS, LayerSize, layer_size
from nnviz.ui.network.link_item import LinkItem
from nnviz.ui.network.picking import NOTHING, PointerTarget

_ROOMY = 320
"""Pixels a picture must be high for a second line under its layers."""


class NetworkScene(QGraphicsScene):
    """Columns by layer id and link items by link. Selection, hover and what lights up are kept here and painted by the items."""

    def __init__(self, parent: object = None) -> None:
        super().__init__(parent)
        self.columns: dict[str, ColumnItem] = {}
        self.links: dict[Link, LinkItem] = {}
        self.selected: tuple[str, ...] = ()
        self.selected_links: tuple[Link, ...] = ()
        self.lit: frozenset[str] = frozenset()
        self.lit_link: Link | None = None
        self.linked_from = ""
        """The layer a link is being drawn from; empty for none."""
        self.hover: PointerTarget = NOTHING
        self.experiment: Experiment | None = None
        self.report: Report | None = None
        self.figures = Figures()

    # --- structure ---

    def show_structure(self, experiment: Experiment, report: Report, width: float, height: float) -> None:
        """Show these layers and links, arranged for a picture of this size."""
        self.experiment, self.report = experiment, report
        aspect = width / height
        shapes = {id: entry.output_shape for id, entry in report.layers.items()}
        layers = {layer.id: layer for layer in experiment.network}
        facts = TWO_FACTS if height >= _ROOMY else FACTS
        faces = {id: layer_size(layer, shapes.get(id), experiment, facts) for id, layer in layers.items()}
        share = layer_places.height_share(faces, height)
        faces = {id: layer_places.scaled_down(plain, share) for id, plain in faces.items()}
        pitch_factor = layer_places.pitch_factor(experiment.network, faces, aspect, width)
        faces = {id: layer_places.lofted(plain, pitch_factor) for id, plain in faces.items()}
        self._keep_columns(layers, faces)
        for id, column in self.columns.items():
            problems, warnings = (
                tuple(f"{one.message} {one.cure}" for one in found(id)) for found in (report.problems_of, report.warnings_of)
            )
            texts = (captions.facts(layers[id], shapes.get(id), experiment), captions.counts(layers[id], report.layers.get(id)))
            column.set_layer(layers[id], faces[id], texts if facts > FACTS else texts[:1], problems, warnings)
        for id, place in arranged(experiment.network, faces, experiment.canvas, aspect, width).items():
            self.columns[id].setPos(*place)
        self._keep_links(experiment)
        self._forget_what_is_gone()

    def _keep_columns(self, layers: dict, faces: dict[str, LayerSize]) -> None:
        for id in self.columns.keys() - layers.keys():
            self.removeItem(self.columns.pop(id))
        for id in layers.keys() - self.columns.keys():
            self.columns[id] = ColumnItem(layers[id], faces[id])
            self.addItem(self.columns[id])
        self.columns = {id: self.columns[id] for id in layers}

    def _keep_links(self, experiment: Experiment) -> None:
        wanted = [link for link in experiment.network.links if link.source in self.columns and link.target in self.columns]
        for link in self.links.keys() - set(wanted):
            self.removeItem(self.links.pop(link))
        for link in wanted:
            if link not in self.links:
                self.links[link] = LinkItem(link, self._ends(link, None))
                self.addItem(self.links[link])
        self.follow_columns()

    def _ends(self, link: Link, detour: float | None) -> LinkEnds:
        source, target = self.columns[link.source], self.columns[link.target]
        start, stop = (source.x(), source.y()), (target.x(), target.y())
        return LinkEnds(source.face, target.face, start, stop, detour, target.layer.kind, self._offset(link))

    def _offset(self, link: Link) -> int:
        if self.columns[link.target].layer.kind != "concat":
            return 0
        sources = self.experiment.network.inputs_of(link.target)
        earlier = sources[: sources.index(link.source)]
        return sum(self.columns[id].face.units for id in earlier if id in self.columns)

    def places(self) -> dict[str, Point]:
        """Return where the layers stand."""
        return {id: (column.x(), column.y()) for id, column in self.columns.items()}

    def follow_columns(self, moved: Collection[str] | None = None) -> None:
        """Let the links run between the columns where they stand now; `moved` are the only ones that moved, None any may have."""
        links = [link for link in self.links if moved is None or link.source in moved or link.target in moved]
        faces = {id: column.face for id, column in self.columns.items()}
        detours = layer_places.detours(links, faces, self.places())
        for link in links:
            self.links[link].set_ends(self._ends(link, detours.get(link)))
        if moved is None:
            self._place_notes()
            self.setSceneRect(self.content_rect())

    def _place_notes(self) -> None:
        """Give the sentence of every problem a room where it covers no other layer and no other sentence."""
        notes: list[QRectF] = []
        for id, column in self.columns.items():
            if not column.problems:
                column.set_note(QRectF())
                continue
            others = [other.mapRectToScene(other.frame()) for name, other in self.columns.items() if name != id]
            frame = column.mapRectToScene(column.frame())
            notes.append(badges.free_place(frame, column.problems[0], others + notes))
            column.set_note(column.mapRectFromScene(notes[-1]))

    def content_rect(self) -> QRectF:
        """Return the room the picture takes, with labels, detours and the texts of problems."""
        left, top, right, bottom = bounds(self.places(), {id: column.face for id, column in self.columns.items()})
        rect = QRectF(left, top, right - left, bottom - top)
        for item in self.links.values():
            if item.course.ends.detour is not None:
                rect.setTop(min(rect.top(), item.course.ends.detour - 4))
        for column in self.columns.values():
            rect = rect.united(column.mapRectToScene(column.note))
        return rect

    def title(self, id: str) -> str:
        """Return what the screen calls a layer; its id is for files."""
        return self.experiment.network.layer(id).title

    def box_of(self, id: str) -> QRectF:
        """Return the room a layer takes."""
        column = self.columns[id]
        left, top, right, bottom = box(column.face, (column.x(), column.y()))
        return QRectF(QPointF(left, top), QPointF(right, bottom))

    # --- numbers ---

    def show_figures(self, figures: Figures, class_names: tuple[str, ...]) -> None:
        """Show these numbers in place."""
        self.figures = figures
        loss = self.experiment.training.loss if self.experiment else ""
        for id, column in self.columns.items():
            shown = figures.layers.get(id, LayerFigures())
            labels: tuple[str, ...] = ()
            if column.face.label_width and column.face.style == "neurons":
                values = None if figures.coloring == "gradient" else shown.values
                labels = captions.output_labels(loss, values, column.face.units, class_names)
                if values is not None and values.size == column.face.units:
                    shown = replace(shown, shares=captions.shares(loss, values))
            biases = figures.weights.get(f"{id}.bias") if column.layer.kind == "dense" else None
            column.set_figures(shown, biases, labels, (shown.limit or figures.value_limit, figures.bias_limit))
        for item in self.links.values():
            item.set_weights(figures.weights.get(item.parameter), figures.weight_limit)

    def show_causes(self, causes: Mapping[str, tuple[str, ...]]) -> None:
        """Mark the layers in which the doctor found something: by layer a sentence for each."""
        for id, column in self.columns.items():
            column.set_causes(causes.get(id, ()))

    def weight_at(self, target: PointerTarget) -> tuple[str, tuple[int, ...], float] | None:
        """Return parameter, index and value of the single weight or bias that was hit; None where its value is not shown, or is gone."""
        if self.figures.coloring != "value":
            return None
        if target.kind == "bias":
            biases = self.columns[target.layer].biases if target.layer in self.columns else None
            is_there = biases is not None and target.unit < biases.size
            return (f"{target.layer}.bias", (target.unit,), float(biases[target.unit])) if is_there else None
        item = self.links.get(target.link) if target.kind == "curve" else None
        weight = item.weight(target.curve) if item is not None else None
        return None if weight is None else (item.parameter, tuple(item.course.pairs[target.curve]), weight)

    # --- what stands out ---

    def mark(self, **marks: object) -> None:
        """Change some of: selected, selected_links, lit, lit_link, linked_from, hover; and repaint what that touches."""
        for name, value in marks.items():
            setattr(self, name, value)
        for id, column in self.columns.items():
            here = self.hover.layer == id
            selected = id in self.selected
            ports = here or selected or id in self.lit
            dim = bool(self.linked_from) and id not in self.lit and id != self.linked_from
            column.set_marks(ColumnMarks(selected, ports, id in self.lit, self.hover.unit if here else -1, dim))
        for link, item in self.links.items():
            item.set_marks(link in self.selected_links, self.hover.curve if self.hover.link == link else -1, link == self.lit_link)
            item.set_focus(self._focus(link))

    def _focus(self, link: Link) -> tuple[str, int] | None:
        if self.hover.kind != "neuron":
            return None
        if link.source == self.hover.layer:
            return "source", self.hover.unit
        return ("target", self.hover.unit) if link.target == self.hover.layer else ("", 0)

    def _forget_what_is_gone(self) -> None:
        kept: Collection[str] = self.columns
        hover = self.hover if self.hover.layer in kept or self.hover.link in self.links else NOTHING
        self.mark(
            selected=tuple(id for id in self.selected if id in kept),
            selected_links=tuple(link for link in self.selected_links if link in self.links),
            hover=hover,
            lit_link=None,
        )

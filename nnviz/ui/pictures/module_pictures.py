"""Pictures of a traced module as panels: its kernels and weights, and what its parts put out for the row that is looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from msgspec.structs import replace as with_fields
from PySide6.QtWidgets import QWidget

from nnviz.records.picture_records import Picture
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_record import NodeRecord
from nnviz.session.recorded_trace import RecordedTrace
from nnviz.ui.pictures.tile_instruments import INSTRUMENTS
from nnviz.ui.pictures.tile_plot import TilePlot
from nnviz.ui.widgets.plot_card import framed

_EXPLANATION = (
    "What one part of the module puts out for one row of the batch, in this very iteration, with its dropout and what is supposed: a "
    "picture per channel, of a sequence the features over time."
)
_TILES = {
    "feature_maps": replace(INSTRUMENTS["feature_maps"], explanation=_EXPLANATION),
    "weight_picture": replace(INSTRUMENTS["weight_picture"], title="Kernels and weights"),
}


class _Found(NamedTuple):
    """A picture of a trace, as a plot is offered it: once what it is of is computed, and before."""

    index: TraceIndex
    picture: Picture
    shown: tuple[int, Picture]
    awaited: tuple[int, Picture]

    @classmethod
    def of(cls, index: TraceIndex, picture: Picture) -> _Found:
        """Return it as it is offered."""
        iteration = index.trace.iteration
        awaited = with_fields(picture, values=None, sentence=f"{picture.layer} is not computed yet at this step")
        return cls(index, picture, (iteration, picture), (iteration, awaited))


class ModulePictures:
    """Asks the trace for the pictures that can be seen, and shows what is computed where the cursor is."""

    def __init__(self, trace: RecordedTrace, export: Callable[[QWidget], object]) -> None:
        self._trace = trace
        self.plots = {name: TilePlot(instrument) for name, instrument in _TILES.items()}
        self.cards = {name: framed(plot) for name, plot in self.plots.items()}
        self._found: dict[str, _Found] = {}
        """By panel."""
        for plot in self.plots.values():
            plot.export_requested.connect(export)
            plot.wish_changed.connect(self.show)
        self.plots["feature_maps"].row_chosen.connect(trace.stepping.set_sample)

    @staticmethod
    def has_kernels(index: TraceIndex) -> bool:
        """Return whether anything in a trace is a convolution."""
        return any(node.operation.startswith("conv") for node in index.trace.nodes)

    def show(self) -> None:
        """Show what can be seen of the trace, at the row that is looked at."""
        state = self._trace.stepping.state
        if state is None:
            return
        maps = self.plots["feature_maps"]
        if state.sample is not None and state.sample != maps.wish.row:
            maps.set_row(state.sample)  # which comes back here
            return
        for name, plot in self.plots.items():
            if plot.isVisible():
                self._show(name, plot)

    def show_node(self, node: NodeRecord) -> None:
        """Let the pictures be of the part of the module that a node belongs to, and of its weight."""
        weight = node.label if node.kind == "parameter" else f"{node.module}.weight"
        for name, layer in (("feature_maps", node.module), ("weight_picture", weight)):
            found = self._found.get(name)
            if found is not None and layer in found.picture.choices and layer != found.picture.layer:
                self.plots[name].set_layer(layer)

    def _show(self, name: str, plot: TilePlot) -> None:
        state, found = self._trace.stepping.state, self._found.get(name)
        if found is None or found.index is not state.index or found.picture.wish != plot.wish:
            found = self._found[name] = _Found.of(state.index, self._trace.picture(plot.wish))
            plot.set_names({choice: choice for choice in found.picture.choices})
        picture = found.picture
        plot.offer(found.shown if picture.node < 0 or state.is_made(picture.node) else found.awaited)

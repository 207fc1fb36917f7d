"""Pictures of a traced module as panels: its kernels and weights, and what its parts put out for the row that is looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

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


class ModulePictures:
    """Asks the trace for the pictures that can be seen, and shows what is computed where the cursor is."""

    def __init__(self, trace: RecordedTrace, export: Callable[[QWidget], object]) -> None:
        self._trace = trace
        self.plots = {name: TilePlot(instrument) for name, instrument in _TILES.items()}
        self.cards = {name: framed(plot) for name, plot in self.plots.items()}
        self._found: dict[str, tuple[TraceIndex, Picture]] = {}
        """The picture of each panel, and the trace it is of."""
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
            _, picture = self._found.get(name, (None, None))
            if picture is not None and layer in picture.choices and layer != picture.layer:
                self.plots[name].set_layer(layer)

    def _show(self, name: str, plot: TilePlot) -> None:
        state = self._trace.stepping.state
        index, picture = self._found.get(name, (None, None))
        if index is not state.index or picture.wish != plot.wish:
            index, picture = self._found[name] = state.index, self._trace.picture(plot.wish)
        plot.set_names({choice: choice for choice in picture.choices})
        if picture.node >= 0 and not state.is_made(picture.node):
            picture = with_fields(picture, values=None, sentence=f"{picture.layer} is not computed yet at this step")
        plot.offer((index.trace.iteration, picture))

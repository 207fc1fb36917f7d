"""Pictures of the inside of the net as panels: confusion matrix, weights, feature maps, attention, latent plane, time steps, units."""

from __future__ import annotations

from nnviz.document.experiment import Experiment
from nnviz.records.picture_records import PictureWish
from nnviz.session.run import RunState
from nnviz.session.session import Session
from nnviz.ui.pictures._confusion_plot import ConfusionPlot
from nnviz.ui.pictures._latent_plot import LatentPlot
from nnviz.ui.pictures._time_step_plot import TimeStepPlot
from nnviz.ui.pictures.tile_instruments import INSTRUMENTS
from nnviz.ui.pictures.tile_plot import TilePlot
from nnviz.ui.shell_api import Shell
from nnviz.ui.theme.colors import GRID
from nnviz.ui.widgets.boxes import stacked
from nnviz.ui.widgets.plot import Plot
from nnviz.ui.widgets.plot_card import framed
from nnviz.ui.widgets.turns import Turns


class PicturesFeature:
    """Shows what the engine makes of the inside of the net; it is asked only for pictures that can be seen."""

    needs = {"confusion": "answers"}  # noqa: RUF012
    """What the engine has to measure for its panels."""

    def __init__(self, session: Session, shell: Shell) -> None:
        self._session = session
        self.confusion, self.latent, self.time_steps = ConfusionPlot(), LatentPlot(), TimeStepPlot()
        self.tiles = {name: TilePlot(instrument) for name, instrument in INSTRUMENTS.items()}
        self.plots: dict[str, Plot] = {
            "confusion": self.confusion,
            **self.tiles,
            "latent": self.latent,
            "time_steps": self.time_steps,
        }
        below = {"confusion": stacked(self.confusion, self.confusion.threshold, stretch=0, spacing=GRID)}
        self.cards = {name: framed(plot, below.get(name)) for name, plot in self.plots.items()}
        self._turns = Turns(lambda plot: plot.set_run(session.run), self.confusion)
        for plot in self.plots.values():
            plot.export_requested.connect(shell.export_picture)
        for plot in (*self.tiles.values(), self.latent, self.time_steps):
            plot.wish_changed.connect(shell.update_needs)
        for plot in (*self.tiles.values(), self.confusion):
            plot.row_chosen.connect(self.show_row)

    @property
    def wishes(self) -> dict[str, PictureWish]:
        """The picture that each panel shows."""
        return {name: plot.wish for name, plot in self.plots.items() if name != "confusion"}

    def show_experiment(self, experiment: Experiment) -> None:
        """Call the layers as they are called in the document."""
        for plot in self.plots.values():
            plot.set_names(experiment.network.titles)

    def show_run(self, new: RunState) -> None:
        """Draw the run as it stands now; while it trains one plot in each turn of the event loop, so that no turn takes long."""
        self._turns.add(plot for plot in self.plots.values() if plot.isVisible() or not new.training)
        if not new.training:
            self._turns.finish()

    def show_row(self, row: int) -> None:
        """Show this row of the data in all pictures that are of one."""
        for plot in self.tiles.values():
            plot.set_row(row)

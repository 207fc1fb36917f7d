"""The run: its settings, its plots, the figures of the bar, and how it is trained from here."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtWidgets import QWidget

from nnviz.document import edits
from nnviz.document.experiment import Experiment
from nnviz.document.shapes.rows import has_classes
from nnviz.messages import UnitMapped
from nnviz.records.task_records import NoiseTask
from nnviz.records.tensors import to_numpy
from nnviz.session.run import RunState
from nnviz.session.session import Session
from nnviz.text import numbers
from nnviz.text.call_table import call_table
from nnviz.ui.run._activation_curve import ActivationCurvePlot
from nnviz.ui.run._boundary import BoundaryPlot
from nnviz.ui.run._call_text import CallText
from nnviz.ui.run._go_to import GoToField
from nnviz.ui.run._gradient_noise import GradientNoisePlot
from nnviz.ui.run._gradient_norm import GradientNormPlot
from nnviz.ui.run._histogram import HistogramPlot
from nnviz.ui.run._layer_pairs import MODES, SPREAD, LayerPairsPlot
from nnviz.ui.run._learning_rates import LearningRatesPlot
from nnviz.ui.run._log_text import LogText
from nnviz.ui.run._metric import MetricPlot
from nnviz.ui.run._past_panel import PastPanel
from nnviz.ui.run._past_sheet import Askable, PastSheet
from nnviz.ui.run._run_navigation import RunNavigation
from nnviz.ui.run._training_order import TrainingOrder
from nnviz.ui.run._training_panel import TrainingPanel
from nnviz.ui.run._training_rate import TrainingRate
from nnviz.ui.run._unit_shares import UnitSharesPlot
from nnviz.ui.run._update_ratio import UpdateRatioPlot
from nnviz.ui.run.loss_plot import LossPlot
from nnviz.ui.run.run_tree import RunTree, surroundings
from nnviz.ui.shell_api import Shell
from nnviz.ui.widgets.plot import Plot
from nnviz.ui.widgets.plot_card import framed
from nnviz.ui.widgets.turns import Turns

_KINDS = {"training.optimizer.kind": edits.choose_optimizer, "data.kind": edits.choose_data}
_NEEDS = {
    "norms": "measures",
    "ratios": "measures",
    "units": "functions",
    "curve": "functions",
    "spread": "outputs",
    "modes": "modes",
    "rates": "steps",
}
"""What the engine has to measure for a panel, whatever is chosen in it."""
WAITING = "A few iterations are made aside, to see which calls they consist of…"
_HUGE = 1e5
"""From this on an RMSE is written as a power of ten."""
NO_NEURON = ("", -1)
"""Layer and unit while the mouse is over no neuron."""


class RunFigures(NamedTuple):
    """Where the run stands, as it is written in the bar: loss over the training rows and score as texts (empty: not known)."""

    iteration: int
    epoch: int
    loss: str
    score: str
    metric: str
    """The name of the score."""
    measured_at: int | None = None
    """The iteration that the score is of, the metric of the validation rows or, without any, of the training rows."""
    loss_at: int | None = None
    """The iteration that the loss over the training rows is of."""
    scored: str = "validation"
    """Which rows the score is of: validation · training."""
    target: int | None = None
    """The iteration the run is on its way to; None while it is not."""
    is_made_again: bool = False
    """Whether the iterations up to there are still being made again."""
    pace: str = ""
    """How fast it trains and how long it will take, in words; empty while that is not known."""


class RunFeature:
    """Shows the run in plots and in the form of its settings; every change of these is one edit of the session."""

    def __init__(self, session: Session, shell: Shell) -> None:
        self.session, self._shell = session, shell
        self.training = TrainingPanel()
        self.loss, self.boundary, self.metric = LossPlot(), BoundaryPlot(), MetricPlot()
        self.histograms, self.norms = HistogramPlot(), GradientNormPlot()
        self.past = PastPanel(session.past)
        self.ratios, self.units, self.rates, self.curve = UpdateRatioPlot(), UnitSharesPlot(), LearningRatesPlot(), ActivationCurvePlot()
        self.spread, self.modes, self.noise = LayerPairsPlot(SPREAD), LayerPairsPlot(MODES), GradientNoisePlot()
        self.plots: dict[str, Plot] = {
            "loss": self.loss,
            "boundary": self.boundary,
            "histograms": self.histograms,
            "norms": self.norms,
            "metric": self.metric,
            "hindsight": self.past.plot,
            "ratios": self.ratios,
            "units": self.units,
            "spread": self.spread,
            "rates": self.rates,
            "curve": self.curve,
            "modes": self.modes,
        }
        below = {"hindsight": self.past}
        self.cards = {name: framed(plot, below.get(name)) for name, plot in (self.plots | {"noise": self.noise}).items()}
        self._hovered = NO_NEURON
        self._rate = TrainingRate()
        self.calls: CallText | None = None
        self.log: LogText | None = None
        """Both are made when they are first asked for."""
        session.calls.changed.connect(self._show_calls)
        self._turns = Turns(lambda plot: plot.set_run(session.run), self.training)
        self.has_ghosts, self._chosen = True, ""
        self._over_time: list[Plot] = []
        """Every plot that shows iterations, of other features too."""
        self.navigation = RunNavigation(session, shell, self._show_around)
        self.bar = self.navigation.bar
        self.training.value_requested.connect(self._change)
        self._join_asking(session, shell)

    def _join_asking(self, session: Session, shell: Shell) -> None:
        """What a panel asks for reaches who has it measured or worked out, or the others, and the answers the panels."""
        session.responded.connect(self._show_map)
        self.bar.iteration_pointed.connect(lambda iteration: self._point(self.bar, iteration))
        for plot in self.plots.values():
            plot.export_requested.connect(shell.export_picture)
            self.share_time(plot)
        for plot in (self.boundary, self.histograms):
            plot.needs_changed.connect(shell.update_needs)
        self.past.ask_requested.connect(self.ask_past)
        self.past.iteration_requested.connect(self.navigation.go_to)
        self.noise.compute_requested.connect(lambda: session.tasks.ask(NoiseTask()))
        self.noise.cancel_requested.connect(lambda: session.tasks.cancel(NoiseTask))
        self.noise.export_requested.connect(shell.export_picture)
        session.tasks.changed.connect(lambda kind: self._show_noise() if kind is NoiseTask else None)

    @property
    def needs(self) -> dict[str, str]:
        """What the engine has to measure for its panels; the curves are always measured."""
        own = {"histograms": self.histograms.needs, "boundary": self.boundary.needs}
        return _NEEDS | own

    # --- what is shown ---

    def show_experiment(self, experiment: Experiment) -> None:
        """Show these settings, and what the plots are drawn of."""
        self.training.set_experiment(experiment)
        for plot in self.plots.values():
            plot.set_names(experiment.network.titles)
        self.loss.set_penalties(experiment.penalties)
        self.past.set_names(experiment.network.titles, self._score())
        self.norms.set_clipping(experiment.training.clip_norm, experiment.training.clip_value)
        self.boundary.set_own(experiment.data.kind == "table")

    def show_run(self, new: RunState, old: RunState | None = None) -> None:
        """Draw the run as it stands now; while it trains one plot in each turn of the event loop, so that no turn takes long."""
        self.navigation.show_run(new, old)
        if old is None or new.data is not old.data:
            self.past.set_names(self.session.experiment.network.titles, self._score())
        self._rate.note(new.iteration, new.training)
        self._turns.add(self.plots.values())
        self._show_noise()
        if self.log is not None and (old is None or new.log is not old.log):
            self.log.set_log("".join(new.log))
        if not new.training:
            self._turns.finish()
        if self._hovered != NO_NEURON and old is not None and new.surface is not old.surface:  # the net has changed under the mouse
            self._ask_for_map()

    def _show_noise(self) -> None:
        tasks = self.session.tasks
        self.noise.set_state(tasks.state(NoiseTask), tasks.is_present(NoiseTask), tasks.obstacle)

    def _show_around(self, tree: RunTree) -> None:
        """Show the flags of the run, and its other branches, where time is an axis."""
        around = surroundings(tree, self.has_ghosts, self._chosen)
        for plot in self._over_time:
            plot.set_surroundings(around)

    def share_time(self, plot: Plot) -> None:
        """Let this plot show the flags of the run where iterations are an axis, and point at the same iteration as all others."""
        self._over_time.append(plot)
        plot.iteration_pointed.connect(lambda iteration: self._point(plot, iteration))
        plot.iteration_requested.connect(self.navigation.go_to)

    def _point(self, pointed: QWidget, iteration: float | None) -> None:
        """Mark the iteration that is pointed at in one plot, or in the bar, in the others, too."""
        for plot in (*self._over_time, self.bar):
            if plot is not pointed:
                plot.point_at(iteration)

    def highlight(self, branch: str) -> None:
        """Let the curves of this branch stand out; empty for none."""
        self._chosen = branch
        self._show_around(self.navigation.tree)

    def show_soundness(self) -> None:
        """Whether anything can be trained may be another matter now."""
        self.navigation.show_obstacle()

    def figures(self) -> RunFigures:
        """Return where the run stands, as the bar says it."""
        run, curves = self.session.run, self.session.run.curves
        loss = curves.last("training_loss")
        column, scored = ("training_metric", "training") if curves.last("metric") is None else ("metric", "validation")
        metric, value = self._score(), curves.last(column)
        return RunFigures(
            run.iteration,
            run.epoch,
            loss="" if loss is None else numbers.steady(loss),
            score="" if value is None else score_text(metric, value),
            metric=metric,
            measured_at=curves.last_iteration(column),
            loss_at=curves.last_iteration("training_loss"),
            scored=scored,
            target=run.target,
            is_made_again=run.is_made_again,
            pace=self._rate.sentence(self.session.training.end if run.training else None),
        )

    def _score(self) -> str:
        """What the metric is called: for classes it is the accuracy, whatever the loss."""
        data = self.session.run.data
        return "accuracy" if (data.classes if data else has_classes(self.session.experiment.data)) else "RMSE"

    # --- the map of the neuron under the mouse, in place of the network's answer ---

    def hover(self, layer: str, unit: int) -> None:
        """Show the map of this neuron; without one the network's answer again."""
        self._hovered = (layer, unit) if layer and unit >= 0 else NO_NEURON
        self._ask_for_map()

    def _ask_for_map(self) -> None:
        if self._hovered == NO_NEURON or self.session.run.surface is None:
            self.boundary.set_hover_map(None)
        else:
            self.session.respond(*self._hovered)

    def _show_map(self, reply: UnitMapped) -> None:
        if (reply.layer, reply.unit) == self._hovered:
            title = self.session.experiment.network.titles.get(reply.layer, reply.layer)
            self.boundary.set_hover_map(to_numpy(reply.values), f"{title} {numbers.place((reply.unit,))}")

    # --- the calls of an iteration ---

    def show_calls(self) -> None:
        """Open the text of the calls of one iteration, or bring it to the front."""
        if self.calls is None:
            self.calls = CallText(self._shell.window())
            self.calls.finished.connect(lambda: self.session.calls.want(False))
        self.session.calls.want(True)
        self._show_calls()
        self.calls.open_beside()

    def _show_calls(self) -> None:
        calls = self.session.calls
        if self.calls is None:
            return
        if calls.failure:
            self.calls.set_text(calls.failure)
        elif calls.listed:
            self.calls.set_text(call_table(calls.listed), is_past=not calls.is_present)
        else:
            self.calls.set_text(self.session.training.obstacle or WAITING)

    def show_log(self) -> None:
        """Open the log, or bring it to the front."""
        if self.log is None:
            self.log = LogText(self._shell.window())
            self.log.clear_requested.connect(self.session.link.clear_log)
            self.log.set_log("".join(self.session.run.log))
        self.log.open_beside()

    # --- what a person does ---

    def _change(self, path: str, value: object) -> None:
        label = "Change " + path.removesuffix(".kind").rpartition(".")[2].replace("_", " ")
        if path in _KINDS:
            self.session.edit(label, _KINDS[path], value)
        else:
            self.session.edit(label, edits.set_value, path, value, self.training.name(path))
        self.training.set_experiment(self.session.experiment)  # what was refused goes back to what it was

    def toggle_dropout(self) -> None:
        """Switch all dropout layers on or off."""
        self.session.edit("Dropout", edits.change_training, dropout=not self.session.experiment.training.dropout)

    def toggle_ghosts(self) -> None:
        """Show the other branches in plots, or the present one alone."""
        self.show_ghosts(not self.has_ghosts)

    def show_ghosts(self, shown: bool) -> None:
        """Show the other branches in plots, or do not."""
        self.has_ghosts = shown
        self._show_around(self.navigation.tree)

    def ask_training(self) -> None:
        """Ask how fast training shall go, and how far."""
        training = self.session.training
        sheet = TrainingOrder(training.pace, self._score(), self._shell.window())
        sheet.pace_chosen.connect(training.set_pace)
        sheet.count_chosen.connect(self._train_for)
        sheet.goal_chosen.connect(training.until)
        sheet.open_over(self._shell.window())

    def _train_for(self, count: int, are_epochs: bool) -> None:
        self.session.training.iterations(count * (self.session.run.iterations_per_epoch if are_epochs else 1))

    def ask_past(self) -> None:
        """Ask which number of all past iterations shall be found, or when something first became true."""
        session = self.session
        if obstacle := session.tasks.obstacle:
            session.post("warning", obstacle)
            return
        layer = next(iter(self._shell.selected_layers), "")
        titles = session.experiment.network.titles
        there = Askable(titles, session.report.parameters_by_name, self._score(), session.watched.weight, layer)
        sheet = PastSheet(there, session.past.reach, self._shell.window())
        sheet.curve_chosen.connect(lambda question: self._show_asked(session.past.ask(question)))
        sheet.first_chosen.connect(lambda predicate: self._show_asked(session.past.find(predicate)))
        sheet.open_over(self._shell.window())

    def _show_asked(self, is_asked: bool) -> None:
        if not is_asked:
            self.session.post("warning", self.session.tasks.obstacle)
        elif not self._shell.is_visible("hindsight"):
            self._shell.toggle_panel("hindsight")

    def ask_iteration(self) -> None:
        """Ask for an iteration and make the run stand there."""
        field = GoToField(self.session.run.iteration, self._shell.window())
        field.chosen.connect(self.session.training.go_to)
        field.open_over(self._shell.window())


def score_text(metric: str, score: float) -> str:
    """Return a score as a text: an accuracy in percent."""
    if metric == "accuracy":
        return f"{score:.1%}".replace("%", " %")
    return f"{score:.4f}" if score < _HUGE else numbers.steady(score)

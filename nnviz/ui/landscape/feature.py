"""Panels that are computed on request beside training, as landscape, curvature, baselines. Each says of which iteration it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtWidgets import QPushButton

from nnviz.document import edits
from nnviz.document.experiment import Experiment
from nnviz.document.run_branches import Branch
from nnviz.document.shapes.report import examine
from nnviz.records.task_records import (
    BaselinesTask,
    BatchCostTask,
    CurvatureTask,
    DistancesTask,
    NoiseTask,
    OtherRun,
    PlaneTask,
    RangeTest,
    RangeTestTask,
    TaskKind,
    Tasks,
)
from nnviz.session.long_tasks import TaskState
from nnviz.session.run import RunState
from nnviz.session.session import Session
from nnviz.text.names import parameter_title
from nnviz.text.numbers import number
from nnviz.ui.landscape._baselines_plot import BaselinesPlot, said_of_best
from nnviz.ui.landscape._batch_cost_plot import BatchCostPlot
from nnviz.ui.landscape._curvature_plot import CurvaturePlot
from nnviz.ui.landscape._distances_plot import DistancesPlot
from nnviz.ui.landscape._landscape_plot import LandscapePlot
from nnviz.ui.landscape._plane_settings import PlaneSettings
from nnviz.ui.landscape._range_plot import RangeTestPlot, said_of
from nnviz.ui.landscape._task_strip import TaskStrip
from nnviz.ui.landscape.curvature_text import cost
from nnviz.ui.landscape.shown_plane import Shape, why_left_out
from nnviz.ui.shell_api import Shell
from nnviz.ui.widgets.boxes import stacked
from nnviz.ui.widgets.plot import Plot
from nnviz.ui.widgets.plot_card import framed

_RATE = "training.optimizer.learning_rate"
_PANELS = {
    PlaneTask: "landscape",
    CurvatureTask: "curvature",
    NoiseTask: "curvature",
    RangeTestTask: "range_test",
    BaselinesTask: "baselines",
    DistancesTask: "distances",
    BatchCostTask: "batch_costs",
}


@dataclass(frozen=True)
class TaskPanel:
    """A picture, the line over it, what would be asked for now, and what that would take, in words."""

    plot: Plot
    strip: TaskStrip
    task: Callable[[], Tasks]
    offer: Callable[[], str]


class LandscapeFeature:
    """Asks for what a person wants computed, and shows it: pale as soon as it is not of the present iteration."""

    def __init__(self, session: Session, shell: Shell) -> None:
        self.session = session
        self.settings = PlaneSettings()
        self.use_rate = QPushButton("use this rate")
        self.use_rate.setProperty("role", "note")
        self.landscape = LandscapePlot(self.settings.plane, self.settings.opener)
        self.curvature, self.range_test = CurvaturePlot(), RangeTestPlot(self.use_rate)
        self.baselines, self.distances, self.costs = BaselinesPlot(), DistancesPlot(), BatchCostPlot()
        self.panels = self._panels()
        self.plots: dict[str, Plot] = {name: panel.plot for name, panel in self.panels.items()}
        self.cards = {
            name: framed(panel.plot, stacked(panel.strip, panel.plot, stretch=1, spacing=2)) for name, panel in self.panels.items()
        }
        self._other_runs: tuple[OtherRun, ...] = ()
        """The runs beside the present one whose paths can be drawn."""
        self._left_out: tuple[tuple[str, str], ...] = ()
        """The other ones, by name, each with the reason."""
        self._known: tuple = ((), {}, {})
        """The kept branches, the parameters, and the titles of layers for which that was found."""
        self._listen(shell)

    def _panels(self) -> dict[str, TaskPanel]:
        return {
            "landscape": TaskPanel(
                self.landscape,
                TaskStrip("the loss over this plane"),
                lambda: self.settings.task(self._others()),
                lambda: _plane_offer(self.settings.task(()), self._missing()),
            ),
            "curvature": TaskPanel(
                self.curvature,
                TaskStrip("the curvature where the run stands"),
                CurvatureTask,
                lambda: cost(self.session.report.parameters),
            ),
            "range_test": TaskPanel(
                self.range_test,
                TaskStrip("the learning-rate range test"),
                RangeTestTask,
                lambda: f"{RangeTestTask().seeds} × {RangeTestTask().iterations} iterations on copies; the run stays as it is",
            ),
            **self._panels_beside(),
        }

    def _panels_beside(self) -> dict[str, TaskPanel]:
        """What stands beside the net: other models, the rows themselves, other batches."""
        return {
            "baselines": TaskPanel(
                self.baselines,
                TaskStrip("the baselines beside the net as it stands"),
                BaselinesTask,
                lambda: f"regression, neighbours, {BaselinesTask().trees} trees, boosting on the same rows; the run stays as it is",
            ),
            "distances": TaskPanel(
                self.distances,
                TaskStrip("the distances of the rows"),
                DistancesTask,
                lambda: f"{DistancesTask().rows} rows at most, up to {1 << DistancesTask().doublings:,} columns of noise",
            ),
            "batch_costs": TaskPanel(
                self.costs,
                TaskStrip("time and memory of an epoch by batch size"),
                BatchCostTask,
                lambda: "iterations with batches of 1, 4, 16, … rows on copies; the run stays as it is",
            ),
        }

    def _listen(self, shell: Shell) -> None:
        for panel in self.panels.values():
            panel.plot.export_requested.connect(shell.export_picture)
            panel.strip.compute_requested.connect(lambda panel=panel: self.compute(panel))
            panel.strip.cancel_requested.connect(lambda panel=panel: self.session.tasks.cancel(type(panel.task())))
        self.session.tasks.changed.connect(self._show_kind)
        self.session.branches.changed.connect(self.show_visible)
        self.settings.changed.connect(self.show_visible)
        self.range_test.rate_chosen.connect(self.show_visible)
        self.use_rate.clicked.connect(self._use_rate)

    # --- what is shown ---

    def show_experiment(self, experiment: Experiment) -> None:
        """Call layers and parameters as the document does."""
        titles, shapes = experiment.network.titles, self.session.report.parameters_by_name
        self.settings.set_parameters(shapes, titles)
        self.curvature.set_names({name: parameter_title(name, titles) for name in shapes})
        self.show_visible()

    def show_run(self, run: RunState) -> None:
        """Say whether what is shown is still of where the run stands."""
        self.show_visible()

    def show_visible(self) -> None:
        """Bring the panels up to date that can be seen."""
        for panel in self.panels.values():
            if panel.strip.isVisible():
                self._show(panel)

    def _show_kind(self, kind: type[TaskKind]) -> None:
        if name := _PANELS.get(kind):
            self._show(self.panels[name])

    def _show(self, panel: TaskPanel) -> None:
        """A result is pale unless it is of where the run stands, and of what would be asked for now."""
        wanted, tasks = panel.task(), self.session.tasks
        kind = type(wanted)
        state = tasks.state(kind)
        is_of_data = kind is DistancesTask and state.moment is not None and state.moment[0] == self.session.run.revision
        is_present = is_of_data or tasks.is_present(kind)
        self._show_result(panel, state)
        is_wanted = state.task == wanted
        panel.plot.set_past(state.result is not None and not (is_present and is_wanted))
        text, tone = self._said(panel, state, is_present, is_wanted)
        share = state.progress.done / max(1, state.progress.total) if state.progress else None
        word = "again" if state.result is not None else "compute"
        panel.strip.show_state(text, tone, share, word, tasks.obstacle)

    def _said(self, panel: TaskPanel, state: TaskState, is_present: bool, is_wanted: bool) -> tuple[str, str]:
        """The sentence of the strip, and its colour."""
        if state.progress:
            return f"{state.progress.what} · {state.progress.done:,} of {state.progress.total:,}", "text"
        if state.failure:
            return (state.failure if state.result is not None else "could not be computed"), "loss"
        if state.result is None:
            return panel.offer(), "muted"
        run = self.session.run
        if not is_present:
            where = f"now {run.iteration:,}" if run.iteration != state.iteration else "changed since"
            return f"iteration {state.iteration:,}; {where}", "clip"
        if not is_wanted:
            return "with other settings than are chosen now", "clip"
        if not state.is_whole:
            return "cancelled: what was found until then", "clip"
        if panel.plot is self.baselines and self.baselines.found is not None:  # out of sight it has not taken it yet
            return said_of_best(self.baselines), "muted"
        return (said_of(state.result)[0] if isinstance(state.result, RangeTest) else panel.offer()), "muted"

    def _show_result(self, panel: TaskPanel, state: TaskState) -> None:
        tasks = self.session.tasks
        if panel.plot is self.landscape:
            present = self.session.branches.present
            colors = {branch.name: branch.color for branch in self.session.branches.all}
            names = self.settings.axis_names(state.task) if isinstance(state.task, PlaneTask) else ("", "")
            self.landscape.set_look(present.name if present else "", colors, names, self._missing())
            self.landscape.set_plane(state.result, state.iteration, state.failure)
        elif panel.plot is self.curvature:
            noise = tasks.state(NoiseTask)
            beside = noise.result if noise.moment == state.moment else None
            self.curvature.set_found(state.result, state.iteration, beside, state.failure)
        elif panel.plot is self.baselines:
            self.baselines.set_found(state.result, state.iteration, state.failure)
        elif panel.plot is self.costs:
            self.costs.set_found(state.result, state.iteration, state.failure)
        elif panel.plot is self.distances:
            self.distances.set_found(state.result, state.failure)
        else:
            self.range_test.set_found(state.result, state.iteration, self.session.run.learning_rate, state.failure)
            rate = self.range_test.rate
            self.use_rate.setVisible(rate is not None)
            self.use_rate.setText("use this rate" if rate is None else f"use {number(rate)}")
            self.use_rate.setToolTip(
                "" if rate is None else f"Set the learning rate to {number(rate)}; can be undone. A click chooses another."
            )

    # --- what is asked for ---

    def compute(self, panel: TaskPanel) -> None:
        """Have it found of where the run stands now; a message says so if that is not possible."""
        if not self.session.tasks.ask(panel.task()):
            self.session.post("info", self.session.tasks.obstacle)

    def _use_rate(self) -> None:
        self.session.edit("Change learning rate", edits.set_value, _RATE, self.range_test.rate, "learning rate")

    def _others(self) -> tuple[OtherRun, ...]:
        """The branches beside the present one that have the same parameters where they end."""
        kept, shapes = self.session.branches.kept, self.session.report.parameters_by_name
        known = kept, shapes, self.session.experiment.network.titles
        if self._known[0] is not kept or self._known[1:] != known[1:]:
            reasons = [(one.branch, _why_left_out(one.branch, *known[1:])) for one in kept]
            self._known = known
            self._other_runs = tuple(OtherRun(branch.name, branch.log, branch.reached) for branch, why in reasons if not why)
            self._left_out = tuple((branch.name, why) for branch, why in reasons if why)
        return self._other_runs

    def _missing(self) -> tuple[tuple[str, str], ...]:
        """The branches whose paths are wanted, but have other parameters, each with the difference."""
        self._others()
        return self._left_out if self.settings.others.isChecked() else ()


def _why_left_out(branch: Branch, shapes: Mapping[str, Shape], titles: Mapping[str, str]) -> str:
    there = branch.log.at(branch.reached)
    return why_left_out(shapes, examine(there).parameters_by_name, there.network.titles | titles)


def _plane_offer(task: PlaneTask, missing: Sequence[tuple[str, str]]) -> str:
    over = "the next batch" if task.rows == "batch" else "all rows"
    return "; ".join((f"{task.size} × {task.size} points, {over}, {task.mode} mode", *(f"without {name}: {why}" for name, why in missing)))

"""The data a run is trained on: the picker with what it shows and asks for, a person's own points, and the rows of the batch."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnviz.document import catalog, edits
from nnviz.document.experiment import Experiment
from nnviz.document.shapes.rows import RowSize, form, row_shape
from nnviz.document.store.data_paths import with_whole_path
from nnviz.messages import BatchInspected, Previewed, TableRead
from nnviz.records.data_record import DataRecord
from nnviz.records.trace_state import TraceState
from nnviz.session.run import RunState
from nnviz.session.session import Session
from nnviz.ui.data._batch_table import BatchTable
from nnviz.ui.data._own_points import OwnPoints
from nnviz.ui.shell_api import Shell
from nnviz.ui.widgets.card import Card
from nnviz.ui.widgets.drops import FileDrops
from nnviz.ui.widgets.waiting import waiting

if TYPE_CHECKING:
    from nnviz.ui.data.picker import DataPicker

SHARED = ("undo", "redo", "train", "theme", "cancel")
"""Actions whose keys work in the picker too."""
OWN = ("csv", "table")
"""Kinds of data that are made in the picker before the document has them."""
TABLES = (".csv", ".tsv", ".txt", ".dat")


class DataFeature:
    """The picker is made when it is first opened; every change it asks for is one edit of the session."""

    def __init__(self, session: Session, shell: Shell) -> None:
        self.session, self._shell = session, shell
        self.picker: DataPicker | None = None
        self._preview: DataRecord | None = None
        """Rows of the present data, as it is set now."""
        self.points = OwnPoints(session, self._edit)
        self.batch = BatchTable()
        self.cards = {"batch": Card("Batch", self.batch)}
        self.cards["batch"].setMinimumHeight(168)  # heading, a few rows and the note below them
        self.batch.row_picked.connect(session.stepping.set_sample)
        session.batch.changed.connect(self._show_batch)
        FileDrops(shell.window(), TABLES, lambda paths: self.open_file(str(paths[0])))

    # --- what a person does ---

    def open(self) -> None:
        """Bring up the picker, with the keyboard in its search field."""
        with waiting():
            picker = self._made()
            self._show_experiment()
            self._show_data()
            self._ask_for_pictures()
            picker.show()
        picker.raise_()
        picker.activateWindow()
        picker.gallery.field.clear()
        picker.gallery.field.setFocus()

    def open_file(self, path: str) -> None:
        """Bring up the picker with this file in it."""
        self.open()
        self.picker.prepare("csv" if self.session.experiment.data.kind != "csv" else "")
        self.picker.file.choose(str(Path(path).absolute()))

    def toggle_batch(self) -> None:
        """Show the rows of the batch, with the keyboard in them, or hide them."""
        self._shell.toggle_panel("batch")
        if self._shell.is_visible("batch"):
            self.batch.table.setFocus()

    def _edit(self, label: str, function: Callable[..., Experiment], *args: Any, merge: str = "", **settings: Any) -> None:
        self.session.edit(label, function, *args, merge=merge, **settings)
        if self.picker:
            self._show_experiment()  # what was refused goes back to what it was

    def _choose(self, kind: str) -> None:
        is_new = kind != self.session.experiment.data.kind
        self.picker.prepare(kind if kind in OWN and is_new else "")
        if kind in OWN and is_new:
            {"csv": self.picker.file.browse, "table": self.picker.points.plane}[kind].setFocus()
        else:
            self._edit(f"Choose {catalog.DATASETS[kind].label}", edits.choose_data, kind)

    def _change(self, name: str, value: object, merge: str) -> None:
        if name == "seed":
            self._edit("Change seed", edits.set_seed, value)
        else:
            self._edit(f"Change {name}", edits.change_data, merge=merge, **{name: value})

    def _look(self, settings: dict[str, Any]) -> None:
        experiment, folder = self.session.experiment, Path(self.session.document.folder)
        try:
            chosen = with_whole_path(edits.choose_data(experiment, "csv", **settings), folder)
            is_new = (experiment.data.kind, experiment.data.settings.get("path")) != ("csv", chosen.data["path"])
            self.session.previews.look(chosen, suggests=is_new)
        except edits.Refused as refused:
            self.picker.file.show_look(TableRead(0, None, None, refused.message, refused.cure))

    # --- the picker ---

    def _made(self) -> DataPicker:
        if self.picker is None:
            from nnviz.ui.data.picker import DataPicker  # here, as most windows are closed before it is opened

            self.picker = DataPicker(self._shell.window())
            self._connect(self.picker)
            self.picker.addActions([self._shell.action_table[name] for name in SHARED])
        return self.picker

    def _connect(self, picker: DataPicker) -> None:
        previews = self.session.previews
        previews.previewed.connect(self._show_preview)
        previews.looked_at.connect(picker.file.show_look)
        previews.glimpsed.connect(picker.file.show_glimpse)
        picker.gallery.kind_requested.connect(self._choose)
        picker.form.setting_requested.connect(self._change)
        picker.form.shape_requested.connect(lambda shape: self._edit("Shape the input", edits.shape_input, shape))
        picker.file.look_requested.connect(self._look)
        picker.file.stop_requested.connect(previews.stop_looking)
        picker.file.use_requested.connect(lambda settings, size: self._edit("Choose a table", edits.choose_table, settings, RowSize(*size)))
        picker.points.points_requested.connect(self.points.ask)
        picker.points.adopt_requested.connect(self.points.adopt)

    # --- what is shown ---

    def show_experiment(self, new: Experiment, old: Experiment | None = None) -> None:
        """Show in the picker which data this document has."""
        if self.picker and self.picker.isVisible():
            self._show_experiment()
            if old is None or new.data is not old.data or new.seed != old.seed:
                kind = new.data.kind
                self._preview = None if kind in OWN else self.picker.gallery.tiles.rows.get(kind)
                self._show_data()
                self._ask_for_pictures()

    def show_run(self, new: RunState, old: RunState | None = None) -> None:
        """Show the rows the run is trained on, or why there are none."""
        if self.picker and (old is None or (old.data, old.failure) != (new.data, new.failure)):
            self._show_data()
        if old is None or new.data is not old.data:
            self._show_batch(self.session.batch.inspected)

    def show_trace_state(self, state: TraceState | None) -> None:
        """Mark the row of the batch that is looked at."""
        self.batch.set_sample(state.sample if state else None)

    def show_visible(self) -> None:
        """Have the rows of the batch brought while they can be seen."""
        self.session.batch.want(self._shell.is_visible("batch"))

    def _show_batch(self, batch: BatchInspected | None) -> None:
        self.batch.set_batch(batch, self.session.run.data)
        self.show_trace_state(self.session.stepping.state)
        self.cards["batch"].set_subtitle(f"iteration {batch.iteration + 1:,}, next" if batch else "")

    def _show_experiment(self) -> None:
        experiment = self.session.experiment
        self.picker.set_experiment(experiment)
        entry = next((layer for layer in experiment.network if layer.kind == "input"), None)
        present = tuple(entry["shape"]) if entry else ()
        self.picker.form.set_shapes(_shapes(experiment, present), present)

    def _show_preview(self, kind: str, reply: Previewed) -> None:
        self.picker.gallery.set_rows(kind, reply.data)
        if kind == self.session.experiment.data.kind:
            self._preview = reply.data
            self._show_data()

    def _show_data(self) -> None:
        """Show the rows of the run; where that has others than the document, those of the document as soon as they are there."""
        run, experiment, log = self.session.run, self.session.experiment, self.session.link.log
        problem = f"{run.failure.message} {run.failure.cure}" if run.failure and run.failure.place.startswith("data") else ""
        is_of_run = log is not None and (log.last.data, log.last.seed) == (experiment.data, experiment.seed)
        data = run.data if is_of_run else self._preview
        self.picker.set_data(data, experiment.data.settings.get("scaling", ""), problem)

    def _ask_for_pictures(self) -> None:
        """Have rows of every kind brought: of the present one as it is set, of the others as they would be chosen."""
        experiment, previews = self.session.experiment, self.session.previews
        are_settings_sound = not any(problem.place.startswith("data") for problem in self.session.report.problems)
        for kind in catalog.DATASETS:
            if kind == experiment.data.kind and are_settings_sound:
                previews.ask(kind, experiment)
            elif kind not in OWN:
                previews.ask(kind, edits.choose_data(experiment, kind))


def _shapes(experiment: Experiment, present: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The shapes a row may enter the network in: flat, with its own axes, and as it does now."""
    features = prod(present)
    if not present or form(experiment.data) == "table":
        return []
    return list(dict.fromkeys([(features,), row_shape(experiment.data, features), present]))

"""Where data is chosen: opens the picker, tells it what the session knows, and turns what it asks for into edits of the document."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnviz.document import catalog, edits
from nnviz.document.experiment import Experiment
from nnviz.document.shapes.rows import RowSize, form, row_shape
from nnviz.messages import TableRead
from nnviz.ui.data.own_points import OwnPoints

if TYPE_CHECKING:
    from nnviz.ui.data.picker import DataPicker
    from nnviz.ui.shell.main_window import MainWindow

SHARED = ("undo", "redo", "train", "theme")
"""Actions whose keys work in the picker too."""
OWN = ("csv", "table")
"""Kinds of data that are made in the picker before the document has them."""


class DataChoosing:
    """The picker of one window; it is made when it is first opened."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self.picker: DataPicker | None = None
        self.points = OwnPoints(window.session, self._edit)

    # --- what a person does ---

    def open(self) -> None:
        """Bring up the picker, with the keyboard in its search field."""
        picker = self._made()
        self._show_experiment()
        self._show_data()
        self._ask_for_pictures()
        picker.show()
        picker.raise_()
        picker.activateWindow()
        picker.gallery.field.setFocus()

    def open_file(self, path: str) -> None:
        """Bring up the picker with this file in it."""
        self.open()
        self.picker.prepare("csv" if self._window.session.experiment.data.kind != "csv" else "")
        self.picker.file.choose(_relative(path, self._window.session.document.folder))

    # --- inside ---

    def _made(self) -> DataPicker:
        if self.picker is None:
            from nnviz.ui.data.picker import DataPicker  # here, as most windows are closed before it is opened

            self.picker = DataPicker(self._window)
            self._connect(self.picker)
            self.picker.addActions([self._window.action_table[name] for name in SHARED])
        return self.picker

    def _connect(self, picker: DataPicker) -> None:
        session = self._window.session
        session.experiment_changed.connect(lambda old, new: self._follow(old, new))
        session.run_changed.connect(lambda old, new: self._show_data() if (old.data, old.failure) != (new.data, new.failure) else None)
        session.previews.previewed.connect(lambda kind, reply: picker.gallery.set_rows(kind, reply.data))
        session.previews.looked_at.connect(picker.file.show_look)
        picker.gallery.kind_requested.connect(self._choose)
        picker.form.setting_requested.connect(self._change)
        picker.form.shape_requested.connect(lambda shape: self._edit("Shape the input", edits.shape_input, shape))
        picker.file.look_requested.connect(self._look)
        picker.file.use_requested.connect(lambda settings, size: self._edit("Choose a table", edits.choose_table, settings, RowSize(*size)))
        picker.points.points_requested.connect(self.points.ask)
        picker.points.adopt_requested.connect(self.points.adopt)

    def _edit(self, label: str, function: Callable[..., Experiment], *args: Any, merge: str = "", **settings: Any) -> None:
        self._window.session.edit(label, function, *args, merge=merge, **settings)
        if self.picker:
            self._show_experiment()  # what was refused goes back to what it was

    def _choose(self, kind: str) -> None:
        is_new = kind != self._window.session.experiment.data.kind
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

    # --- what is shown ---

    def _follow(self, old: Experiment, new: Experiment) -> None:
        if self.picker.isVisible():
            self._show_experiment()
            if new.data is not old.data or new.seed != old.seed:
                self._ask_for_pictures()

    def _show_experiment(self) -> None:
        session, picker = self._window.session, self.picker
        picker.set_experiment(session.experiment)
        entry = next((layer for layer in session.experiment.network if layer.kind == "input"), None)
        present = tuple(entry["shape"]) if entry else ()
        picker.form.set_shapes(_shapes(session.experiment, present), present)

    def _show_data(self) -> None:
        session = self._window.session
        failure, data = session.run.failure, session.experiment.data
        problem = f"{failure.message} {failure.cure}" if failure and failure.place.startswith("data") else ""
        self.picker.set_data(session.run.data, data.settings.get("scaling", ""), problem)

    def _ask_for_pictures(self) -> None:
        """Have rows of every kind brought: of the present one as it is set, of the others as they would be chosen."""
        session = self._window.session
        experiment = session.experiment
        for kind in catalog.DATASETS:
            if kind == experiment.data.kind and session.report.ok:
                session.previews.ask(kind, experiment)
            elif kind not in OWN:
                session.previews.ask(kind, edits.choose_data(experiment, kind))

    def _look(self, settings: dict[str, Any]) -> None:
        session = self._window.session
        try:
            session.previews.look(edits.choose_data(session.experiment, "csv", **settings))
        except edits.Refused as refused:
            self.picker.file.show_look(TableRead(0, None, None, refused.message, refused.cure))


def _relative(path: str, folder: str) -> str:
    """A file beside the document is named without its folder, so that both can be moved together."""
    return Path(path).name if folder and Path(path).parent == Path(folder) else path


def _shapes(experiment: Experiment, present: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The shapes a row may enter the network in: flat, with its own axes, and as it does now."""
    features = 1
    for size in present:
        features *= size
    if not present or form(experiment.data) == "table":
        return []
    return list(dict.fromkeys([(features,), row_shape(experiment.data, features), present]))

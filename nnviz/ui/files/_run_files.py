"""Files of the run from the menu, which the engine writes: weights, ONNX, a program, tables, events; and weights that are read in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QMessageBox

from nnviz.document.adversarial import DISCRIMINATOR, GENERATOR, TARGET
from nnviz.document.edits import set_parameters
from nnviz.records.task_records import FileTask
from nnviz.records.weights_file import FittingWeights, WeightsError, read_weights
from nnviz.session.session import Session
from nnviz.ui.shell_api import Shell

_NOTE = "file of the run"
_FORMATS = {
    "weights": {"safetensors": "safetensors"},
    **{what: {"onnx": "ONNX"} for what in ("network", "generator", "discriminator")},
    "program": {"py": "Python", "ipynb": "Jupyter notebook"},
    "iteration": {"ipynb": "Jupyter notebook"},
    "curves": {"csv": "CSV", "parquet": "Parquet"},
    "histograms": {"csv": "CSV", "parquet": "Parquet"},
    "events": {"tfevents": "TensorBoard events"},
}
_SHOWN_MISFITS = 12


class RunFiles:
    """`ask_file` is given a title, a name and filters: where to write."""

    def __init__(self, session: Session, shell: Shell, ask_file: Callable[[str, str, str], str]) -> None:
        self._session, self._shell, self._ask_file = session, shell, ask_file
        self._told = ""
        session.tasks.changed.connect(lambda kind: self._follow() if kind is FileTask else None)

    # --- out ---

    def ask(self, what: str) -> None:
        """Ask for a file and have the engine write it: weights · network · program · iteration · curves · histograms · events.

        Of a network that is trained against itself the person is asked which side is meant.
        """
        if what == "network" and self._session.experiment.training.target == TARGET and not (what := self._side()):
            return
        formats = _FORMATS[what]
        filters = ";;".join(f"{name} (*.{suffix})" for suffix, name in formats.items())
        suffix = next(iter(formats))
        name = self._ask_file(f"Export {what}", f"{Path(self._session.document.title).stem} {what}.{suffix}", filters)
        if name:
            self.write(Path(name).absolute(), what)

    def _side(self) -> str:
        """Return what the person chooses: generator or discriminator; empty for neither."""
        box = QMessageBox(self._shell.window(), windowTitle="Export ONNX")
        box.setText("Which side of this network is written?")
        told = "The generator makes rows of random numbers; the discriminator says of rows how real they look. They have no common output."
        box.setInformativeText(told)
        sides = {box.addButton(side.title(), QMessageBox.ButtonRole.AcceptRole): side for side in (GENERATOR, DISCRIMINATOR)}
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.exec()
        chosen = sides.get(box.clickedButton(), "")
        box.deleteLater()
        return chosen

    def write(self, path: Path, what: str) -> None:
        """Have the engine write the run as far as it has come."""
        if not self._session.tasks.ask(FileTask(str(path), what)):
            self._shell.toast.post("error", f"{path.name} cannot be written now. {self._session.tasks.obstacle}")

    def _follow(self) -> None:
        """Say how far it is, then that it is there, or why not."""
        state = self._session.tasks.state(FileTask)
        if state.progress is not None:
            progress = state.progress
            told = f"Writing a file of the run: {progress.what}, {10 * progress.done // max(1, progress.total)}0 %"
            if told != self._told:
                self._shell.notes.post(_NOTE, "info", told, [("Cancel", lambda: self._session.tasks.cancel(FileTask))])
            self._told = told
            return
        self._shell.notes.drop(_NOTE)
        was_writing, self._told = bool(self._told), ""
        if was_writing and state.failure:
            self._shell.toast.post("error", state.failure)
        elif was_writing and state.is_whole:
            self._shell.toast.post("info", f"Wrote {state.task.path}. {state.result.told}")

    # --- in ---

    def ask_weights(self) -> None:
        """Ask for a safetensors file and give the network what fits of it."""
        name, _ = QFileDialog.getOpenFileName(self._shell.window(), "Load weights", "", "safetensors (*.safetensors);;All files (*)")
        if name:
            self.load_weights(Path(name))

    def load_weights(self, path: Path) -> None:
        """Give the network what fits of this file; where not all of it does, the person is asked."""
        try:
            found = read_weights(path, self._session.report.settable_by_name)
        except WeightsError as error:
            self._shell.toast.post("error", str(error))
            return
        if (not found.misfits or self._is_wanted(path, found)) and self._session.document.edit(
            f"Load weights from {path.name}", set_parameters, found.values
        ):
            self._shell.toast.post("info", f"{found.told} The network has the weights of {path.name} now.")

    def _is_wanted(self, path: Path, found: FittingWeights) -> bool:
        buttons, shown = QMessageBox.StandardButton, list(found.misfits[:_SHOWN_MISFITS])
        if more := len(found.misfits) - len(shown):
            shown.append(f"… and {more} more.")
        text = "\n".join((found.told, "", *shown, "", "Load those that fit? The others stay as they are."))
        return QMessageBox.question(self._shell.window(), f"Weights of {path.name}", text, buttons.Yes | buttons.Cancel) == buttons.Yes

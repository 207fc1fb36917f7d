"""The run as a program in a file: asks where to, has the engine write it while the window goes on, and says what came of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject

from nnviz.document.store.files import replace_file
from nnviz.records.task_records import ProgramTask, ProgramText, TaskKind
from nnviz.session.session import Session
from nnviz.ui.files.exports import reason
from nnviz.ui.shell_api import Shell

FILTERS = "Python (*.py);;Jupyter notebook (*.ipynb)"


class ProgramFile(QObject):
    """Of one window. `ask_file` is given a title, a name and filters: where to write."""

    def __init__(self, session: Session, shell: Shell, ask_file: Callable[[str, str, str], str]) -> None:
        super().__init__(session)
        self._session, self._shell, self._ask_file = session, shell, ask_file
        self._path: Path | None = None
        """Where what has been asked for is to be written."""
        session.tasks.changed.connect(self._follow)

    def ask(self) -> None:
        """Ask for a file, and have the run written there as far as it stands."""
        title = Path(self._session.document.title).stem or "run"
        name = self._ask_file("Export PyTorch code", f"{title}.py", FILTERS)
        if name:
            self.write(Path(name))

    def write(self, path: Path) -> None:
        """Have the run written there; the ending says in which form."""
        form = path.suffix[1:].lower()
        if form not in ("py", "ipynb"):
            self._complain(path, "a program can be written as py or ipynb; choose one of these endings")
        elif obstacle := self._session.tasks.obstacle:
            self._complain(path, obstacle)
        else:
            self._path = path
            self._session.tasks.ask(ProgramTask(form))

    def _follow(self, kind: type[TaskKind]) -> None:
        state, path = self._session.tasks.state(ProgramTask), self._path
        if kind is not ProgramTask or path is None or state.progress is not None:
            return
        self._path = None
        if state.failure:
            self._complain(path, state.failure)
        elif isinstance(state.result, ProgramText):
            self._keep(path, state.result)

    def _keep(self, path: Path, program: ProgramText) -> None:
        try:
            replace_file(path, program.text.encode())
        except OSError as error:
            self._complain(path, reason(error))
        else:
            count = f"{program.iterations:,} iteration" + ("" if program.iterations == 1 else "s")
            self._shell.toast.post("info", f"Wrote {path}: {count}, to be run without nnviz")

    def _complain(self, path: Path, why: str) -> None:
        self._shell.toast.post("error", f"{path.name} could not be written: {why}")

"""Python files that are opened or dropped: the person is asked, and then each runs with a window of its own."""

from __future__ import annotations

from pathlib import Path

from nnviz.records.python_file import PythonFileError, read_python_file
from nnviz.ui.files import recent
from nnviz.ui.files.python_sheet import PythonSheet, is_agreed
from nnviz.ui.shell_api import Shell

ENDING = ".py"
_NOTE = "python file"


class PythonFiles:
    """For one window; a file that was agreed to, and has not changed, is run without asking where there is nothing to choose."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def open(self, path: Path) -> None:
        """Run the file, once the person has agreed; what cannot be run is said."""
        self._shell.notes.drop(_NOTE)
        try:
            file = read_python_file(path)
            names = list(file.makers) if len(file.makers) > 1 else [file.maker()]
        except PythonFileError as error:
            self._shell.notes.post(_NOTE, "error", str(error))
            if not path.exists():
                recent.forget(path)
            return
        recent.remember(file.path)
        if is_agreed(file) and len(names) == 1:
            self._shell.run_python(file, names[0])
            return
        sheet = PythonSheet(file, names, self._shell.window())
        sheet.chosen.connect(self._shell.run_python)
        sheet.open()

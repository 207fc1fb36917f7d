"""Documents as files: new, open and save, the lists of the File menu, the gallery, lost work, exports, files that are dropped."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from nnviz.document.store.examples import TEMPLATES, example_names, is_built_in, open_document, template
from nnviz.session.session import Session
from nnviz.ui.files import recent
from nnviz.ui.files._crash_recovery import CrashRecovery
from nnviz.ui.files._documents import Documents
from nnviz.ui.files._run_files import RunFiles
from nnviz.ui.files._start_page import StartPage
from nnviz.ui.files.exports import Exports
from nnviz.ui.files.recorder import RecordedSession
from nnviz.ui.files.recordings import Recordings
from nnviz.ui.shell_api import Shell
from nnviz.ui.widgets.drops import FileDrops

DOCUMENTS = (".nnviz", ".json", ".py")
_PICTURED = {"graph": "the graph", "network": "the network", "plots": "the plots in sight", "window": "the whole window"}
"""What figures can be made of besides the panels in sight."""


class FilesFeature:
    """Its parts do the work; here they are joined, and the File menu gets its lists."""

    def __init__(self, session: Session, shell: Shell) -> None:
        self.session, self.shell = session, shell
        self.documents = Documents(session, shell)
        self.exports = Exports(session.stepping, lambda: session.document.title, shell, self.documents.ask_file)
        self.run_files = RunFiles(session, shell, self.documents.ask_file)
        self.recordings = Recordings(RecordedSession(session), shell, self.documents.ask_file)
        self.lost_work = CrashRecovery(session, shell)
        self.start_page = StartPage(shell, self.documents.open, self.documents.take)
        self.templates = [self._template_action(name) for name in TEMPLATES]
        """An action for every template, that opens it."""
        self._fill_menu(shell.menus["File"])
        FileDrops(shell.window(), DOCUMENTS, self.documents.open_all)

    def begin_with(self, path: str) -> None:
        """Begin with a document: a path, `example:NAME` or `template:NAME`."""
        if is_built_in(path):
            self.session.document.new(open_document(path))
        else:
            self.documents.read(Path(path).absolute())

    def ask_figure(self) -> None:
        """Ask of what a figure shall be made, and how wide it shall be."""
        panels = {name: text for name, text in self.shell.panel_titles().items() if name not in _PICTURED}
        self.exports.open_figure_sheet(_PICTURED | panels, self.shell.window())

    def show_activated(self) -> None:
        """A person has come back to the window: the file may have changed in between."""
        self.documents.notes.warn_if_changed_outside()

    def _template_action(self, name: str) -> QAction:
        action = QAction(f"New: {name.replace('_', ' ')}", self.shell.window())
        action.setToolTip(TEMPLATES[name])
        action.triggered.connect(lambda _=False: self.documents.take(template(name)))
        return action

    def _fill_menu(self, menu: QMenu) -> None:
        """Give the File menu its lists: templates, the recent documents, read anew each time, and the examples."""
        latest, examples, templates = QMenu("Open recent", menu), QMenu("Examples", menu), QMenu("New from template", menu)
        templates.addActions(self.templates)
        latest.aboutToShow.connect(lambda: recent.fill_recent(latest, self.documents.open))
        for name in example_names():
            examples.addAction(name, lambda name=name: self.documents.open_example(name))
        for submenu, before in ((templates, "open"), (latest, "recover"), (examples, "recover")):
            menu.insertMenu(self.shell.action_table[before], submenu)

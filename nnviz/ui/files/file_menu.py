"""The lists of the File menu: templates, examples and the documents that were open last. They are filled in after the first paint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from nnviz.document.store.examples import TEMPLATES, example_names, template
from nnviz.ui.files import recent

if TYPE_CHECKING:
    from nnviz.ui.shell.main_window import MainWindow


def fill_file_menu(menu: QMenu, window: MainWindow) -> None:
    """Give the File menu its lists: templates, the recent documents, read anew each time, and the examples."""
    latest, examples, templates = QMenu("Open recent", menu), QMenu("Examples", menu), QMenu("New from template", menu)
    templates.addActions(list(template_actions(window).values()))
    menu.insertMenu(window.action_table["open"], templates)
    latest.aboutToShow.connect(lambda: recent.fill_recent(latest, window.documents.open))
    for name in example_names():
        examples.addAction(name, lambda name=name: window.documents.open_example(name))
    for submenu in (latest, examples):
        menu.insertMenu(window.action_table["recover"], submenu)


def template_actions(window: MainWindow) -> dict[str, QAction]:
    """Return an action for every template, that opens it; made once for each window."""
    for name, explanation in TEMPLATES.items():
        if (action := window.findChild(QAction, f"template {name}")) is None:
            action = QAction(f"New: {name.replace('_', ' ')}", window, objectName=f"template {name}")
            action.setToolTip(explanation)
            action.triggered.connect(lambda _=False, name=name: window.documents.take(template(name)))
    return {name: window.findChild(QAction, f"template {name}") for name in TEMPLATES}

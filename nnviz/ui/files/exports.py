"""Pictures and files of what the window shows: asks where to, and hands over to nnviz.export."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication, QWidget

from nnviz.document.store.files import replace_file
from nnviz.session.stepping import Stepping
from nnviz.ui.files._figure_sheet import FigureSheet, PageFigure
from nnviz.ui.theme.colors import SMALL, THEMES, current_theme
from nnviz.ui.theme.style import apply_theme
from nnviz.ui.widgets.placing import place_below_bar
from nnviz.ui.widgets.toast import Toast
from nnviz.ui.widgets.waiting import waiting

PICTURES = ("svg", "png", "pdf")
GRAPH_FILES = ("dot", "graphml", "json")
SUFFIXES = {"graph": (*PICTURES, *GRAPH_FILES), "network": PICTURES, "plots": PICTURES, "window": PICTURES}
"""What can be written, and how."""
_LETTERS, _LEAST = SMALL * 0.75, 5
"""Points of small letters at the size of the screen, and how many can still be read in print."""
_LAYOUTS = 4
"""A layout that changes asks the one around it to follow: how deep that goes."""


class Exported(Protocol):
    """A window, as its exports see it."""

    toast: Toast

    def figured(self, what: str, centimetres: float | None = None) -> object:
        """Return what a figure is made of, laid out for a page so many cm wide: graph · network · plots · window, or a panel's name."""


class Exports:
    """The exports of one window. `title` says what is exported, `ask_file` is given a title, a name and filters: where to write."""

    def __init__(self, stepping: Stepping, title: Callable[[], str], window: Exported, ask_file: Callable[[str, str, str], str]) -> None:
        self._stepping, self._title, self._shell, self._ask_file = stepping, title, window, ask_file

    def ask_graph(self) -> None:
        """Ask for a file and write the graph at the present step there."""
        self._ask("graph", SUFFIXES["graph"], lambda path: self.write(path, "graph"))

    def ask_network(self) -> None:
        """Ask for a file and write the network's picture there."""
        self._ask("network", PICTURES, lambda path: self.write(path, "network"))

    def ask_window(self) -> None:
        """Ask for a file and write a picture of the whole window there."""
        self._ask("window", PICTURES, lambda path: self.write(path, "window"))

    def ask_widget(self, widget: QWidget) -> None:
        """Ask for a file and write a picture of one plot there."""
        self._ask("plot", PICTURES, lambda path: self._paint(widget, path))

    def open_figure_sheet(self, subjects: Mapping[str, str], window: QWidget) -> None:
        """Ask of what a figure shall be made, and how wide it shall be; `subjects`: what there is, a text by name."""
        sheet = FigureSheet(subjects, window)
        sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sheet.chosen.connect(lambda figure: self.ask_figure(figure))  # the sheet keeps these exports as long as it is open
        sheet.adjustSize()
        place_below_bar(sheet, window)
        sheet.show()

    def ask_figure(self, figure: PageFigure) -> None:
        """Ask for a file and write a figure there."""
        self._ask(figure.what, PICTURES, lambda path: self.write(path, figure.what, figure.width, figure.theme))

    def write(self, path: Path, what: str, width: float | None = None, theme: str = "") -> str:
        """Write graph, network, plots, window or a panel; the suffix says how. Return what is to be said of it, often nothing.

        Raises ValueError for an unknown suffix, OSError.

        `width` of a picture in centimetres, None: that of the screen; `theme`: light · dark, empty: that of the window.
        """
        suffix, possible = path.suffix[1:].lower(), SUFFIXES.get(what, PICTURES)
        if suffix not in possible:
            raise ValueError(f"a {what} can be written as {', '.join(possible)}; choose one of these endings")
        if what == "graph" and suffix in GRAPH_FILES:
            replace_file(path, self._graph_text(suffix).encode())
            return ""
        worn = current_theme().name
        _wear(theme or worn)
        try:
            return self._paint(self._shell.figured(what, width), path, width)
        finally:
            _wear(worn)

    def _paint(self, pictured: object, path: Path, width: float | None = None) -> str:
        from nnviz.export import pictures

        pictures.save(pictured, path, current_theme(), width)
        points = _LETTERS * pictures.scale_of(pictured, width)
        if width is None or points >= _LEAST:
            return ""
        return f"Its small letters are {points:.1f} points high; on {math.ceil(width * _LEAST / points)} cm they are {_LEAST}."

    def _graph_text(self, suffix: str) -> str:
        from nnviz.export import graph_files  # networkx takes longer to load than the window to paint

        state = self._stepping.state
        if state is None:
            raise ValueError("nothing has been traced yet; mend the network or wait for the engine")
        return graph_files.WRITERS[suffix](state.index.trace, state.cursor)

    def _ask(self, what: str, suffixes: tuple[str, ...], write: Callable[[Path], str]) -> None:
        filters = ";;".join(f"{suffix.upper()} (*.{suffix})" for suffix in suffixes)
        name = self._ask_file(f"Export {what}", f"{Path(self._title()).stem} {what}.{suffixes[0]}", filters)
        if not name:
            return
        try:
            with waiting():
                remark = write(Path(name))
        except (OSError, ValueError) as error:
            self._shell.toast.post("error", f"{Path(name).name} could not be written: {reason(error)}")
        else:
            self._shell.toast.post("info", f"Wrote {name}. {remark}" if remark else f"Wrote {name}")


def _wear(theme: str) -> None:
    """Wear a theme, with everything laid out again that is of another size in it."""
    if theme != current_theme().name:
        apply_theme(QApplication.instance(), THEMES[theme])
        for _ in range(_LAYOUTS):
            QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)


def reason(error: Exception) -> str:
    """Return why a file could not be written, without the number an operating system gives it."""
    return getattr(error, "strerror", None) or str(error)

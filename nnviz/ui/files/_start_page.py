"""What the gallery of a window offers: recent documents, templates, examples. It decides what is listed; the gallery shows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path

from PySide6.QtGui import QPixmap

from nnviz.document.experiment import Experiment
from nnviz.document.store import files
from nnviz.document.store.examples import PREFIX, TEMPLATES, example_names, open_document, template
from nnviz.document.store.files import DocumentError
from nnviz.ui.files import recent
from nnviz.ui.files._document_gallery import DocumentGallery, GalleryEntry
from nnviz.ui.shell_api import Shell
from nnviz.ui.theme.colors import current_theme

TEMPLATES_HEADING = "Templates"
Listed = tuple[str, str, Experiment]
"""Title, sentence and document."""
WayIn = tuple[str, str, Experiment, Callable[[], object]]
"""Title, sentence, a document for the picture, and what is done where it is chosen."""


class StartPage:
    """One gallery for one window. `lists` may be added to: a heading, and what stands below it."""

    def __init__(self, shell: Shell, open_path: Callable[[Path], object], take: Callable[[Experiment], object]) -> None:
        """`open_path` is given a recent document that is chosen, `take` one that comes with the program."""
        self._shell, self._open_path, self._take = shell, open_path, take
        self.gallery = DocumentGallery(shell.window().centralWidget())
        self._first: list[tuple[str, Callable[[], Sequence[WayIn]]]] = []
        self.lists: list[tuple[str, Sequence[Listed]]] = [(TEMPLATES_HEADING, templates()), ("Examples", examples())]

    def put_first(self, heading: str, listed: Callable[[], Sequence[WayIn]]) -> None:
        """Have a list stand above all that comes with the program, which `listed` returns each time."""
        self._first.append((heading, listed))

    def open(self, heading: str = "") -> None:
        """Show the gallery, or only what stands below one heading; called again, close it."""
        if self.gallery.isVisible():
            self.gallery.leave()
            return
        first = [(name, [self._way(*way) for way in listed()]) for name, listed in self._first]
        sections = [("Recent", self._recent()), *first, *((name, self._entries(listed)) for name, listed in self.lists)]
        self.gallery.set_sections([section for section in sections if heading in ("", section[0])])
        self.gallery.open()

    def open_templates(self) -> None:
        """Show the templates only."""
        self.open(TEMPLATES_HEADING)

    def _recent(self) -> list[GalleryEntry]:
        return [
            GalleryEntry(path.name, recent.place(path), partial(self._picture_at, path), partial(self._open_path, path))
            for path in recent.recent_documents()
        ]

    def _entries(self, listed: Sequence[Listed]) -> list[GalleryEntry]:
        return [
            GalleryEntry(title, sentence, partial(self._picture, document), partial(self._take, document))
            for title, sentence, document in listed
        ]

    def _way(self, title: str, sentence: str, document: Experiment, choose: Callable[[], object]) -> GalleryEntry:
        return GalleryEntry(title, sentence, partial(self._picture, document), choose)

    def _picture(self, document: Experiment) -> QPixmap:
        return self._shell.thumbnail(document, current_theme())

    def _picture_at(self, path: Path) -> QPixmap | None:
        try:
            return self._picture(files.load(path))
        except DocumentError:
            return None


@cache
def templates() -> tuple[Listed, ...]:
    """Return the nets to begin with."""
    return tuple((template(name).title, f"{text[0].upper()}{text[1:]}.", template(name)) for name, text in TEMPLATES.items())


@cache
def examples() -> tuple[Listed, ...]:
    """Return the examples that come with the program."""
    found = [open_document(f"{PREFIX}{name}") for name in example_names()]
    return tuple((document.title, document.description, document) for document in found)

"""What the gallery of a window offers: recent documents, templates, examples. It decides what is listed; the gallery shows it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path

from PySide6.QtWidgets import QWidget

from nnviz.document.experiment import Experiment
from nnviz.document.store import files
from nnviz.document.store.examples import PREFIX, TEMPLATES, example_names, open_document, template
from nnviz.document.store.files import DocumentError
from nnviz.ui.files import recent
from nnviz.ui.files._documents import Documents
from nnviz.ui.files.document_gallery import DocumentGallery, GalleryEntry

TEMPLATES_HEADING = "Templates"
Listed = tuple[str, str, Experiment]
"""Title, sentence and document."""


class StartPage:
    """One gallery for one window. `lists` may be added to: a heading, and what stands below it."""

    def __init__(self, documents: Documents, cover: QWidget) -> None:
        """`cover` is what the gallery covers."""
        self._documents = documents
        self.gallery = DocumentGallery(cover)
        self.lists: list[tuple[str, Sequence[Listed]]] = [(TEMPLATES_HEADING, templates()), ("Examples", examples())]

    def open(self, heading: str = "") -> None:
        """Show the gallery, or only what stands below one heading; called again, close it."""
        if self.gallery.isVisible():
            self.gallery.leave()
            return
        sections = [("Recent", self._recent()), *((name, self._entries(listed)) for name, listed in self.lists)]
        self.gallery.set_sections([section for section in sections if heading in ("", section[0])])
        self.gallery.open()

    def open_templates(self) -> None:
        """Show the templates only."""
        self.open(TEMPLATES_HEADING)

    def _recent(self) -> list[GalleryEntry]:
        open_path = self._documents.open
        return [
            GalleryEntry(path.name, recent.place(path), partial(_read, path), partial(open_path, path))
            for path in recent.recent_documents()
        ]

    def _entries(self, listed: Sequence[Listed]) -> list[GalleryEntry]:
        take = self._documents.take
        return [GalleryEntry(title, sentence, partial(_same, document), partial(take, document)) for title, sentence, document in listed]


@cache
def templates() -> tuple[Listed, ...]:
    """Return the nets to begin with."""
    return tuple((template(name).title, f"{text[0].upper()}{text[1:]}.", template(name)) for name, text in TEMPLATES.items())


@cache
def examples() -> tuple[Listed, ...]:
    """Return the examples that come with the program."""
    found = [open_document(f"{PREFIX}{name}") for name in example_names()]
    return tuple((document.title, document.description, document) for document in found)


def _same(document: Experiment) -> Experiment:
    return document


def _read(path: Path) -> Experiment | None:
    try:
        return files.load(path)
    except DocumentError:
        return None

from __future__ import annotations

from functools import partial

import pytest
from PySide6.QtCore import QEvent, QSettings, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QWidget

from nnviz.document.store import files
from nnviz.document.store.examples import TEMPLATES, example_names, open_document
from nnviz.lessons.store import lesson_names
from nnviz.ui.files import recent
from nnviz.ui.files._document_gallery import DocumentGallery, GalleryEntry
from nnviz.ui.network.thumbnails import thumbnail
from nnviz.ui.shell import app
from nnviz.ui.theme.colors import DARK, LIGHT
from nnviz.ui.theme.style import apply_theme

MOONS = open_document("example:moons")


@pytest.fixture
def window(qtbot, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    QSettings().remove("documents/recent")
    app.application()
    window = app.build_window(MOONS, autosaves=False)
    window.asks_before_closing = False
    window.show()
    yield window
    app.shut_down(window)


@pytest.fixture
def gallery(qtbot):
    parent = QWidget()
    parent.resize(1000, 700)
    qtbot.addWidget(parent)
    gallery, chosen, picture = DocumentGallery(parent), [], lambda: thumbnail(MOONS, LIGHT)
    names = ("first", "second", "third", "fourth", "fifth", "sixth")
    gallery.set_sections(
        [
            (
                "A list",
                [GalleryEntry(name, f"about {name}", picture, lambda name=name: chosen.append(name)) for name in names],
            ),
            ("Empty", []),
        ]
    )
    gallery.chosen = chosen
    parent.show()
    gallery.open()
    yield gallery  # not returned: Python would let the parent go


def focused(gallery) -> str:
    return gallery.focusWidget().entry.title


def press(qtbot, gallery, key):
    qtbot.keyClick(gallery.focusWidget(), key)


def test_arrow_keys_move_enter_chooses_and_esc_leaves(gallery, qtbot):
    assert focused(gallery) == "first"
    press(qtbot, gallery, Qt.Key.Key_Right)
    assert focused(gallery) == "second"
    press(qtbot, gallery, Qt.Key.Key_Down)
    assert focused(gallery) == "fifth" or focused(gallery) == "sixth"
    press(qtbot, gallery, Qt.Key.Key_Up)
    press(qtbot, gallery, Qt.Key.Key_Left)
    assert focused(gallery) == "first"
    press(qtbot, gallery, Qt.Key.Key_Return)
    assert gallery.chosen == ["first"] and not gallery.isVisible()
    gallery.open()
    press(qtbot, gallery, Qt.Key.Key_Escape)
    assert not gallery.isVisible() and gallery.chosen == ["first"]


def test_typing_searches_titles_and_sentences(gallery, qtbot):
    press(qtbot, gallery, Qt.Key.Key_F)
    assert gallery.field.text() == "f"
    qtbot.keyClicks(gallery.field, "our")
    assert [card.entry.title for card in gallery.cards if card.isVisible()] == ["fourth"]
    qtbot.keyClick(gallery.field, Qt.Key.Key_Return)
    assert gallery.chosen == ["fourth"]


def test_pictures_are_drawn_when_they_are_seen_and_anew_in_another_theme(qtbot):
    parent, drawn = QWidget(), []
    parent.resize(600, 300)
    qtbot.addWidget(parent)
    gallery = DocumentGallery(parent)
    gallery.set_sections(
        [("Many", [GalleryEntry(str(number), "", lambda number=number: drawn.append(number), print) for number in range(30)])]
    )
    parent.show()
    gallery.open()
    qtbot.waitUntil(lambda: 1 in drawn)
    assert 29 not in drawn
    apply_theme(QApplication.instance(), DARK)
    qtbot.waitUntil(lambda: drawn.count(0) == 2)


def test_the_gallery_answers_before_all_its_pictures_are_drawn(qtbot):
    """Drawing all that are seen takes longer than a person likes to wait."""
    parent, drawn = QWidget(), []
    parent.resize(1000, 700)
    qtbot.addWidget(parent)
    gallery = DocumentGallery(parent)

    def draw(number: int) -> None:
        drawn.append(number)
        if len(drawn) == 1:
            escape = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier)
            QApplication.postEvent(gallery.focusWidget(), escape)

    gallery.set_sections([("Many", [GalleryEntry(str(number), "", partial(draw, number), print) for number in range(9)])])
    parent.show()
    gallery.open()
    parent.grab()
    assert not drawn
    qtbot.waitUntil(lambda: not gallery.isVisible())
    qtbot.wait(50)
    assert len(drawn) < 3, "nobody sees the others"
    gallery.open()
    parent.grab()
    gallery.set_sections([])
    qtbot.wait(50)
    assert len(drawn) < 3, "they have gone"


def test_every_example_has_a_sentence_and_a_picture_of_its_own(qtbot):
    app.application()
    documents = [open_document(f"example:{name}") for name in example_names()]
    assert all(20 < len(document.description) < 130 and document.description.endswith(".") for document in documents)
    assert len({document.description for document in documents}) == len(documents)
    for theme in (LIGHT, DARK):
        pictures = [thumbnail(document, theme).toImage() for document in documents]
        assert all(any(picture.pixelColor(x, 112) != theme.color("panel") for x in range(picture.width())) for picture in pictures)


def test_the_window_offers_recent_documents_and_examples(window, qtbot, tmp_path):
    path = tmp_path / "mine é.nnviz"
    files.save(path, open_document("example:iris"))
    recent.remember(path)
    window.action_table["gallery"].trigger()
    gallery = window.features.files.start_page.gallery
    titles = [card.entry.title for card in gallery.cards]
    assert titles[0] == "mine é.nnviz" and len(titles) == 1 + min(4, len(lesson_names())) + len(TEMPLATES) + len(example_names())
    gallery.cards[0].click()
    assert window.session.document.path == path and not gallery.isVisible()
    window.action_table["gallery"].trigger()
    next(card for card in gallery.cards if card.entry.title == "Two moons").click()
    assert window.session.experiment == MOONS


def test_a_saved_document_holds_its_picture(window, tmp_path, monkeypatch):
    monkeypatch.setattr("nnviz.ui.files._documents.Documents.ask_file", lambda *_: str(tmp_path / "mine"))
    assert window.features.files.documents.save_as()
    assert files.part(tmp_path / "mine.nnviz", files.THUMBNAIL).startswith(b"\x89PNG")

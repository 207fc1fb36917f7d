"""The start menu of templates, by mouse and by key, in both themes."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from nnviz.document.templates import TEMPLATES, template
from nnviz.ui.canvas.thumbnails import SIZE, thumbnail
from nnviz.ui.template_gallery import TemplateGallery
from nnviz.ui.theme import DARK, LIGHT


@pytest.fixture
def gallery(qtbot):
    gallery = TemplateGallery(LIGHT)
    qtbot.addWidget(gallery)
    gallery.show()
    return gallery


def chosen_by(gallery, act) -> list[str]:
    seen: list[str] = []
    gallery.chosen.connect(seen.append)
    act()
    return seen


def test_it_offers_every_template_with_its_title(gallery):
    model = gallery.list.model()
    titles = [model.index(row, 0).data() for row in range(model.rowCount())]
    assert titles == [template(name).title for name in TEMPLATES]


def test_arrow_keys_and_enter_choose(qtbot, gallery):
    def act():
        qtbot.keyClick(gallery.list, Qt.Key.Key_Right)
        qtbot.keyClick(gallery.list, Qt.Key.Key_Return)

    assert chosen_by(gallery, act) == [list(TEMPLATES)[1]] and not gallery.isVisible()


def test_a_click_and_open_choose(qtbot, gallery):
    place = gallery.list.visualRect(gallery.list.model().index(3, 0)).center()
    button = next(button for button in gallery.findChildren(QPushButton) if button.accessibleName() == "Open")

    def act():
        qtbot.mouseClick(gallery.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    assert chosen_by(gallery, act) == [list(TEMPLATES)[3]]


def test_escape_chooses_nothing(qtbot, gallery):
    assert chosen_by(gallery, lambda: qtbot.keyClick(gallery.list, Qt.Key.Key_Escape)) == [] and not gallery.isVisible()


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("name", TEMPLATES)
def test_a_thumbnail_is_drawn_inside_its_frame_in_the_colours_of_the_theme(qapp, theme, name):
    picture = thumbnail(template(name), theme).toImage()
    assert picture.size() == SIZE * 2 and picture.pixelColor(2, 2).name() == theme.panel.lower()
    ground = theme.panel.lower()
    rim = [picture.pixelColor(x, y).name() for x in range(0, picture.width(), 4) for y in (0, picture.height() - 1)]
    inside = {picture.pixelColor(x, y).name() for x in range(0, picture.width(), 8) for y in range(0, picture.height(), 8)}
    assert set(rim) == {ground} and len(inside) > 3

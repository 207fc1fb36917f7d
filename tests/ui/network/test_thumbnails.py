"""Small pictures of networks, in both themes."""

from __future__ import annotations

import pytest

from nnviz.document.store.examples import TEMPLATES, template
from nnviz.ui.network.thumbnails import SIZE, thumbnail
from nnviz.ui.theme.colors import DARK, LIGHT


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("name", TEMPLATES)
def test_a_thumbnail_is_drawn_inside_its_frame_in_the_colours_of_the_theme(qapp, theme, name):
    picture = thumbnail(template(name), theme).toImage()
    assert picture.size() == SIZE * 2 and picture.pixelColor(2, 2).name() == theme.panel.lower()
    ground = theme.panel.lower()
    rim = [picture.pixelColor(x, y).name() for x in range(0, picture.width(), 4) for y in (0, picture.height() - 1)]
    inside = {picture.pixelColor(x, y).name() for x in range(0, picture.width(), 8) for y in range(0, picture.height(), 8)}
    assert set(rim) == {ground} and len(inside) > 3

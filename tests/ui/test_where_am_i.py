"""Where one is, in the real window: a folded group explains itself, its breadcrumb folds and opens, links lead to nodes inside."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from nnviz.document.store.examples import open_document
from tests.ui.window import opened, wait


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, "moons", engine=lent_engine)


def test_a_part_of_the_way_folds_its_group_and_shows_it(qtbot, window):
    stepping, card, folds = window.session.stepping, window.features.step.chain_rule, window.features.graph.view.folds
    node = next(node for node in stepping.index.trace.nodes if node.operation == "linear")
    stepping.select(node.id)
    assert card.breadcrumb.crumbs()[-1].text == "linear"
    card.breadcrumb.links()[0].click()
    assert folds.card(node.id) is not None, "folded"
    assert "as one" in card._title.accessibleName()
    assert "Wᵀ" in card._formula.text() and "\na = " in card._formula.text()
    qtbot.mouseClick(card._inputs, Qt.MouseButton.LeftButton, pos=card._inputs.boxes()[-1].center().toPoint())
    assert "as one" not in card._title.accessibleName() and folds.card(node.id) is not None, "the node itself, still folded"
    folds.show(node.id)
    assert folds.card(node.id) is None


def test_a_part_of_the_way_is_shown_as_one_however_long_the_graph_takes_to_be_laid_out(qtbot, window):
    stepping, card = window.session.stepping, window.features.step.chain_rule
    window.session.document.new(open_document("template:lstm"))
    wait(qtbot, lambda: stepping.length > 500)
    folds, placer = window.features.graph.view.folds, window.features.graph.view.trace_scene.placer
    folds.open_all()
    wait(qtbot, lambda: not placer.is_busy)
    stepping.to(60)
    next(link for link in card.breadcrumb.links() if link.text() == "t = 2").click()
    wait(qtbot, lambda: "as one" in card._title.accessibleName())
    assert card._title.accessibleName().startswith("t = 2")


def test_stepping_over_a_folded_group_explains_the_group(qtbot, window):
    stepping, card, folds = window.session.stepping, window.features.step.chain_rule, window.features.graph.view.folds
    folds.fold_all()
    stepping.to_start()
    for _ in range(2):
        stepping.move("node", +1)
    assert folds.card(stepping.state.node.id) is not None
    assert "as one" in card._title.accessibleName() and "y = x[…]" not in card._formula.text()
    window.features.graph.into()
    wait(qtbot, lambda: "as one" not in card._title.accessibleName())

from __future__ import annotations

from nnviz.document import edits
from nnviz.document.differences import differences
from nnviz.document.store.examples import open_document

MOONS = open_document("example:moons")


def test_the_same_run_has_no_differences():
    assert differences(MOONS, MOONS) == ()
    assert differences(MOONS, MOONS.replaced(title="Another", canvas={"h1": (0, 0)})) == ()
    assert differences(MOONS, edits.rename_layer(MOONS, "h1", "first")) == ()


def test_every_difference_has_its_path():
    changed = edits.set_value(MOONS, "training.optimizer.learning_rate", 0.1)
    changed = edits.set_value(changed, "network.layers.h2.activation", "tanh")
    changed = edits.set_value(changed, "seed", 3)
    assert differences(MOONS, changed) == (
        ("seed", 11, 3),
        ("network.layers.h2.activation", "relu", "tanh"),
        ("training.optimizer.learning_rate", 0.01, 0.1),
    )
    assert ("network.layers.h2.frozen", None, True) in differences(MOONS, edits.freeze_layer(MOONS, "h2", True))


def test_a_layer_more_has_the_paths_of_its_fields():
    more = edits.add_layer(MOONS, "dropout", between=("h2", "out"))
    paths = {one.path: one for one in differences(MOONS, more)}
    assert paths["network.layers.dropout1.kind"][1:] == (None, "dropout") and "network.links" in paths

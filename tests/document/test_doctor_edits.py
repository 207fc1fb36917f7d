"""What the doctor judges by: only what differs from the table is kept, and a file brings it back."""

import pytest

from nnviz.document import edits
from nnviz.document.problems import Refused
from nnviz.document.store.examples import open_document
from nnviz.document.store.json_text import decode, encode


@pytest.fixture
def moons():
    return open_document("example:moons")


def test_a_bound_is_changed_saved_and_reset(moons):
    changed = edits.change_bounds(moons, "vanishing", ratio=1e-4)
    changed = edits.change_bounds(changed, "plateau", enabled=False, iterations=80)
    assert changed.doctor == {"vanishing": {"ratio": 1e-4}, "plateau": {"enabled": False, "iterations": 80}}
    assert decode(encode(changed))[0].doctor == changed.doctor
    assert edits.reset_bounds(changed, "plateau").doctor == {"vanishing": {"ratio": 1e-4}}
    assert edits.reset_bounds(changed) == moons


def test_the_usual_bound_leaves_nothing_behind(moons):
    changed = edits.change_bounds(moons, "vanishing", ratio=1e-4, enabled=False)
    assert edits.change_bounds(changed, "vanishing", ratio=1e-3, enabled=True) == moons


@pytest.mark.parametrize(
    ("kind", "bounds", "text"),
    [
        ("vanishin", {}, "Did you mean vanishing?"),
        ("vanishing", {"ratio": -1.0}, "Give a number from 0"),
        ("vanishing", {"share": 0.5}, 'has no field "share"'),
        ("saturated", {"share": 1.5}, "Give a number from 0 to 1"),
    ],
)
def test_what_is_refused(moons, kind, bounds, text):
    with pytest.raises(Refused, match=text.replace("?", r"\?")):
        edits.change_bounds(moons, kind, **bounds)

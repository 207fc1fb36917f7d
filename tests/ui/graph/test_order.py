"""Who stands above whom in a column: fewer crossings than as given, and nothing else changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnviz.ui.network.layer_places import arranged
from nnviz.ui.widgets import layered_order
from nnviz.ui.widgets.layered_order import crossings, uncrossed
from tests.ui.network.networks import experiment, layer
from tests.ui.network.test_pure import faces_of


@st.composite
def layered(draw):
    """Columns of items, and links from each to some further right."""
    sizes = draw(st.lists(st.integers(1, 4), min_size=2, max_size=4))
    columns = {column: [(column, place) for place in range(size)] for column, size in enumerate(sizes)}
    pairs = [(a, b) for i in columns for j in columns if i < j for a in columns[i] for b in columns[j]]
    return columns, draw(st.lists(st.sampled_from(pairs), max_size=10, unique=True))


@given(layered())
def test_it_only_reorders_and_never_crosses_more(case):
    columns, links = case
    found = uncrossed(columns, links)
    assert {column: sorted(items) for column, items in found.items()} == columns
    assert crossings(found, links) <= crossings(columns, links)
    assert found == uncrossed(columns, links), "the same every time"
    assert crossings(columns, links) or found == columns, "what does not cross stays as it was"


def test_crossed_branches_are_uncrossed():
    columns = {0: ["x"], 1: ["a", "b", "c"], 2: ["C", "A", "B"], 3: ["y"]}
    links = [("x", k) for k in "abc"] + [(k, k.upper()) for k in "abc"] + [(k.upper(), "y") for k in "abc"]
    assert crossings(columns, links) == 4, "two between the columns, two where C comes first and enters last"
    assert uncrossed(columns, links) == {0: ["x"], 1: ["a", "b", "c"], 2: ["A", "B", "C"], 3: ["y"]}


@pytest.fixture
def looked_at(monkeypatch):
    """How many times crossings were counted."""
    counted = []
    monkeypatch.setattr(layered_order, "crossings", lambda *one: counted.append(one) or crossings(*one))
    return counted


def test_the_same_network_is_ordered_once_and_what_is_given_back_is_the_callers(looked_at):
    columns, links = {0: ["once 1", "once 2"], 1: ["once 3", "once 4"]}, [("once 1", "once 4"), ("once 2", "once 3")]
    first = uncrossed(columns, links)
    times = len(looked_at)
    first[1].clear()
    assert crossings(uncrossed(columns, links), links) == 0
    assert 0 < times == len(looked_at)


def test_a_large_network_stays_as_given_at_once(looked_at):
    columns = {0: [f"a{i}" for i in range(12)], 1: [f"b{i}" for i in range(12)]}
    links = [(a, b) for a in columns[0] for b in columns[1]]
    assert uncrossed(columns, links) == columns and looked_at == []


def test_a_link_that_passes_a_column_counts():
    columns = {0: ["x", "y"], 1: ["a"], 2: ["p", "q"]}
    links = [("x", "q"), ("y", "p"), ("x", "a"), ("a", "p")]
    assert crossings(columns, links) == 2, "x → q and y → p; and the link of y enters p first, from below"
    assert crossings(uncrossed(columns, links), links) == 0


def test_the_branches_of_a_network_do_not_cross(qapp):
    """Two branches whose second layers were added in the other order."""
    document = experiment(
        *(layer(*names) for names in (("dense", "a"), ("dense", "b"), ("dense", "b2"), ("dense", "a2"), ("concat", "c"), ("dense", "out"))),
        layer("input", "x", shape=[2]),
        links=[("x", "a"), ("x", "b"), ("a", "a2"), ("b", "b2"), ("a2", "c"), ("b2", "c"), ("c", "out")],
    )
    places = arranged(document.network, faces_of(document), {})
    assert places["a"][1] < places["b"][1] and places["a2"][1] < places["b2"][1]

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnviz.document import edits
from nnviz.document.breakpoints import KINDS, Breakpoint, described, reason
from nnviz.document.edits import Refused
from nnviz.document.store.files import dumps, loads
from nnviz.document.undo import UndoHistory
from tests.document.documents import experiment

TITLES = {"h1": "dense 1"}
texts = st.sampled_from(["", "h1", "h1.weight", "h1/relu", "h1/gate/sigmoid#2", "é 网"])
magnitudes = st.floats(0, 1e300)


@st.composite
def settings(draw):
    """A kind of breakpoint and values for its fields."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    values = {"target": texts, "comparison": st.sampled_from(["above", "below"]), "threshold": magnitudes, "enabled": st.booleans()}
    names = [field.name for field in KINDS[kind].fields] + ["enabled"]
    chosen = {name: draw(values[name]) for name in names}
    return kind, chosen | ({"target": chosen["target"] or "h1/relu"} if kind in ("node", "parameter") else {})


@given(st.lists(settings(), max_size=6))
def test_what_is_written_is_read_back_equal(rows):
    present = experiment()
    for kind, values in rows:
        try:
            present = edits.add_breakpoint(present, kind, **values)
        except Refused as refused:
            assert "already" in refused.message
    data = dumps(present)
    assert loads(data) == present and dumps(loads(data)) == data


def test_one_line_for_each_and_nothing_that_goes_without_saying():
    present = edits.add_breakpoint(experiment(), "gradient", threshold=5)
    present = edits.add_breakpoint(present, "node", target="h1/relu", enabled=False)
    assert json.loads(dumps(present))["breakpoints"] == [
        {"kind": "gradient", "comparison": "above", "threshold": 5.0},
        {"kind": "node", "target": "h1/relu", "enabled": False},
    ]
    assert "\n    {" in dumps(present).decode()
    assert "breakpoints" not in json.loads(dumps(experiment()))


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        ("gradiant", {}, "Did you mean gradient"),
        ("node", {}, "needs a target"),
        ("gradient", {"threshold": -1}, "from 0 to"),
        ("gradient", {"threshold": float("nan")}, "from 0 to"),
        ("gradient", {"comparison": "near"}, "above, below"),
        ("non_finite", {"threshold": 1}, 'no field "threshold"'),
    ],
)
def test_nonsense_is_refused_with_the_cure(kind, values, words):
    with pytest.raises(Refused, match=words):
        edits.add_breakpoint(experiment(), kind, **values)


def test_the_same_one_twice_is_refused_also_while_it_is_off():
    present = edits.add_breakpoint(experiment(), "gradient", threshold=5.0, enabled=False)
    with pytest.raises(Refused, match="already"):
        edits.add_breakpoint(present, "gradient", threshold=5.0)
    assert len(edits.add_breakpoint(present, "gradient", threshold=6.0).breakpoints) == 2


def test_there_is_a_most():
    present = experiment()
    for threshold in range(100):
        present = edits.add_breakpoint(present, "gradient", threshold=threshold)
    with pytest.raises(Refused, match="Delete one first"):
        edits.add_breakpoint(present, "non_finite")


def test_toggling_adds_and_removes():
    once = edits.toggle_breakpoint(experiment(), "node", "h1/relu")
    assert once.breakpoints == (Breakpoint("node", "h1/relu"),)
    assert edits.toggle_breakpoint(once, "node", "h1/relu") == experiment()
    assert len(edits.toggle_breakpoint(once, "parameter", "h1.weight").breakpoints) == 2


def test_one_is_changed_switched_and_removed_by_its_place():
    present = edits.add_breakpoint(edits.add_breakpoint(experiment(), "non_finite"), "gradient")
    present = edits.change_breakpoint(present, 1, threshold=7.0, enabled=False)
    assert present.breakpoints == (Breakpoint("non_finite"), Breakpoint("gradient", threshold=7.0, enabled=False))
    assert edits.remove_breakpoint(present, 0).breakpoints == present.breakpoints[1:]
    assert all(one.enabled for one in edits.switch_breakpoints(present, True).breakpoints)
    for edit in (edits.remove_breakpoint, edits.change_breakpoint):
        with pytest.raises(Refused, match="no breakpoint 2"):
            edit(present, 2)


def test_it_is_undone_like_any_change():
    history = UndoHistory.start(experiment())
    history = history.push("Add breakpoint", edits.add_breakpoint(history.experiment, "non_finite"))
    assert history.undo().experiment.breakpoints == () and history.undo().redo().experiment.breakpoints == (Breakpoint("non_finite"),)


def test_a_removed_layer_takes_its_breakpoints_along():
    present = experiment()
    for kind, target in (
        ("node", "h1/relu"),
        ("parameter", "h1.weight"),
        ("activation", "h1"),
        ("parameter", "h2.weight"),
        ("gradient", ""),
    ):
        present = edits.add_breakpoint(present, kind, target=target)
    left = edits.remove_layers(present, ["h1"]).breakpoints
    assert [one.target for one in left] == ["h2.weight", ""]


@pytest.mark.parametrize(
    ("target", "place", "covered"),
    [("", "h1.weight", True), ("h1", "h1.weight", True), ("h1", "h1", True), ("h1", "h10.weight", False), ("h1.weight", "h1.bias", False)],
)
def test_a_target_covers_itself_and_what_is_in_it(target, place, covered):
    assert Breakpoint("gradient", target).covers(place) is covered


@pytest.mark.parametrize(
    ("comparison", "value", "beyond"),
    [("above", 5.1, True), ("above", 5.0, False), ("above", float("inf"), True), ("below", 4.9, True), ("below", 5.0, False)],
)
def test_beyond_is_strict(comparison, value, beyond):
    assert Breakpoint("gradient", "", comparison, 5.0).is_beyond(value) is beyond
    assert not Breakpoint("gradient", "", comparison, 5.0).is_beyond(float("nan"))


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (Breakpoint("node", "h1/relu"), "relu of dense 1"),
        (Breakpoint("node", "h1/gate/relu#2"), "relu 2 of dense 1 · gate"),
        (Breakpoint("node", "target"), "target"),
        (Breakpoint("parameter", "h1.weight"), "dense 1.weight"),
        (Breakpoint("gradient", "", "above", 5.0), "|gradient| > 5"),
        (Breakpoint("activation", "h1", "below", 1e-6), "|activation| < 1e-06 in dense 1"),
        (Breakpoint("loss_rising"), "loss rising"),
        (Breakpoint("loss_rising", threshold=0.5), "loss rising by more than 0.5"),
        (Breakpoint("non_finite"), "first non-finite value"),
    ],
)
def test_each_has_a_name(one, words):
    assert described(one, TITLES) == words


def test_a_reason_says_what_where_and_the_value():
    assert reason(Breakpoint("gradient", "", "above", 5.0), "h1.weight", 7.31415, TITLES) == "|gradient| > 5: 7.314 in dense 1.weight"
    assert reason(Breakpoint("non_finite"), "h1", 3, TITLES) == "first non-finite value: dense 1, 3 elements"

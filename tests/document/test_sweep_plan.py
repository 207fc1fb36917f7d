"""The runs of a sweep as values: what is read, which combinations there are, what is drawn."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnviz.document.edits import set_seed, set_value
from nnviz.document.problems import Refused
from nnviz.document.store.examples import open_document
from nnviz.document.sweep_plan import (
    DrawRange,
    SweepAxis,
    SweepOrder,
    combinations,
    count,
    fingerprint,
    planned,
    read_axis,
    split_values,
)

MOONS = open_document("example:moons")
RATE, BATCH = "training.optimizer.learning_rate", "training.batch_size"
VALUES = st.lists(st.text("abc019.-", min_size=1, max_size=4), min_size=1, max_size=4, unique=True)
LISTS = st.lists(st.lists(st.integers(0, 99), min_size=1, max_size=3).map(str), min_size=1, max_size=3, unique=True)


@given(VALUES)
def test_values_stand_behind_commas_or_semicolons(values):
    assert split_values(",".join(values)) == split_values(";".join([*values, ""])) == tuple(values)


@given(LISTS)
def test_commas_in_brackets_belong_to_a_value(values):
    assert split_values(", ".join(values)) == tuple(values)


def test_semicolons_part_values_that_have_commas_themselves():
    assert split_values('8,8;4,4 ; "a;b"') == ("8,8", "4,4", '"a;b"')


@pytest.mark.parametrize(
    ("text", "axis"),
    [
        (f"{RATE}=0.1,0.01,0.1", SweepAxis(RATE, ("0.1", "0.01"))),
        ("@120:training.dropout=true,false", SweepAxis("training.dropout", ("true", "false"), None, 120)),
        (f"{RATE}=log:1e-4..1e-1", SweepAxis(RATE, (), DrawRange("log", 1e-4, 1e-1))),
        ("data.noise=uniform:0..0.5", SweepAxis("data.noise", (), DrawRange("uniform", 0, 0.5))),
        ("network.layers[1].units=int:2..9", SweepAxis("network.layers[1].units", (), DrawRange("int", 2, 9))),
    ],
)
def test_an_axis_is_read(text, axis):
    assert read_axis(text) == axis and axis.label == text.partition("=")[0]


@pytest.mark.parametrize("text", ["training.l2", "training.l2=", "=1", "@x:training.l2=1", "a=log:0..1", "a=int:1..2.5", "a=uniform:2..1"])
def test_what_is_no_axis_is_refused(text):
    with pytest.raises(Refused):
        read_axis(text)


AXES = st.lists(VALUES, max_size=3).map(lambda lists: tuple(SweepAxis(f"p{place}", tuple(one)) for place, one in enumerate(lists)))


@given(AXES, st.integers(1, 3))
def test_a_grid_has_every_combination_once(axes, seeds):
    order = SweepOrder(axes, seeds)
    found = list(combinations(order))
    assert len(found) == len(set(found)) == count(order) // seeds
    assert found == list(product(*(axis.values for axis in axes)))


RANGES = st.one_of(
    st.tuples(st.just("log"), st.floats(1e-6, 1e-2), st.floats(1e-2, 1e2)),
    st.tuples(st.just("uniform"), st.floats(-5, 0), st.floats(0, 5)),
    st.tuples(st.just("int"), st.integers(-5, 0), st.integers(0, 5)),
).map(lambda one: DrawRange(*one))


@given(st.lists(RANGES, min_size=1, max_size=3), st.integers(1, 12), st.integers(0, 5))
def test_draws_lie_in_their_range_and_come_again(ranges, draws, seed):
    axes = tuple(SweepAxis(f"p{place}", (), one) for place, one in enumerate(ranges))
    found = list(combinations(SweepOrder(axes, draws=draws, draw_seed=seed)))
    assert len(found) == draws
    assert all(one.low <= float(text) <= one.high for values in found for one, text in zip(ranges, values, strict=True))
    assert found == list(combinations(SweepOrder(axes, draws=draws + 3, draw_seed=seed)))[:draws], "more draws begin with the same"
    first = [values[:1] for values in found]
    assert first == list(combinations(SweepOrder(axes[:1], draws=draws, draw_seed=seed))), "another axis changes nothing for this one"


def test_draws_are_spread_over_the_range_and_depend_on_the_seed():
    axis = SweepAxis(RATE, (), DrawRange("log", 1e-4, 1e-0))
    drawn = lambda seed: [float(value) for (value,) in combinations(SweepOrder((axis,), draws=400, draw_seed=seed))]  # noqa: E731
    assert drawn(1) != drawn(2)
    for low in (1e-4, 1e-3, 1e-2, 1e-1):
        assert 60 < sum(low <= value < 10 * low for value in drawn(0)) < 140


def test_lists_are_drawn_from_too():
    order = SweepOrder((read_axis("training.optimizer.kind=sgd,adam"),), draws=40)
    assert {values for values in combinations(order)} == {("sgd",), ("adam",)}


def test_each_run_is_the_document_with_its_settings():
    order = SweepOrder((read_axis(f"{RATE}=0.1,0.01"), read_axis(f"{BATCH}=8,none")), seeds=2, iterations=5)
    runs = planned(MOONS, order)
    assert [run.number for run in runs] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert runs[2].values == ("0.1", "none") and runs[2].experiment.training.batch_size is None
    assert runs[7].experiment == set_value(set_seed(set_value(MOONS, RATE, "0.01"), MOONS.seed + 1), BATCH, "none")
    assert len({fingerprint(run, order) for run in runs}) == 8
    assert fingerprint(runs[0], order) != fingerprint(runs[0], SweepOrder(order.axes, iterations=6))


def test_a_setting_on_the_way_is_no_part_of_the_document_at_the_start():
    order = SweepOrder((read_axis(f"@3:{RATE}=0.1,0.2"), read_axis(f"{BATCH}=8"), read_axis("@2:training.l2=0.1")), iterations=5)
    run = planned(MOONS, order)[1]
    assert run.experiment == set_value(MOONS, BATCH, "8")
    assert [(one.iteration, one.value) for one in run.later] == [(2, "0.1"), (3, "0.2")]
    assert run.log.first == run.experiment and run.log.at(2).training.l2 == 0.1 and run.log.last.training.optimizer["learning_rate"] == 0.2


def test_a_value_that_one_run_cannot_have_is_that_runs_own_problem():
    order = SweepOrder((read_axis("training.optimizer.kind=sgd,adam"), read_axis("training.optimizer.momentum=0,0.9")))
    runs = planned(MOONS, order)
    assert [bool(run.problem) for run in runs] == [False, False, True, True] and "momentum" in runs[2].problem
    (one, other) = planned(MOONS, SweepOrder((read_axis("network.layers.out.units=1,2"),)))
    assert "out" in one.problem and not other.problem


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (SweepOrder((read_axis("training.nothing=1,2"),)), "Nothing has this path"),
        (SweepOrder((read_axis(f"{BATCH}=8,16"), read_axis("training.l3=1"))), "training.l3"),
        (SweepOrder((read_axis("@2:training.l3=1"),)), "training.l3"),
        (SweepOrder((read_axis("network.layers.out.units=1"),)), "None of the runs"),
        (SweepOrder((read_axis(f"{BATCH}=8"), read_axis(f"{BATCH}=16"))), "given twice"),
        (SweepOrder((read_axis("seed=1,2"),), seeds=2), "seeds"),
        (SweepOrder((read_axis(f"{RATE}=log:1e-3..1"),)), "random draws"),
        (SweepOrder((read_axis(f"@9:{RATE}=1"),), iterations=5), "beyond the end"),
        (SweepOrder((read_axis("@3:seed=4"),), iterations=5), "cannot change while a run goes on"),
        (SweepOrder(seeds=0), "0 runs"),
        (SweepOrder(draws=10**6), "1,000,000 runs"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_runs(order, said):
    with pytest.raises(Refused, match=said):
        planned(MOONS, order)

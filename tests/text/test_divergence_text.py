from __future__ import annotations

import math

import pytest

from nnviz.records.divergence_record import Divergence, Place
from nnviz.text.divergence_text import apart, details, heading

TITLES = {"h1": "dense 1"}, {"h1": "first"}


@pytest.mark.parametrize(
    ("one", "other", "texts"),
    [
        (1.5, 2.5, ("1.5", "2.5")),
        (0.1, 0.10000000149011612, ("0.1", "0.100000001")),
        (-1.0, -1.0 + 2**-53, ("−1", "−0.9999999999999999")),
        (0.0, -0.0, ("0", "−0")),
        (math.nan, 1.0, ("nan", "1")),
    ],
)
def test_two_numbers_are_told_apart(one, other, texts):
    assert apart(one, other) == texts


def test_a_run_that_cannot_go_on():
    found = Divergence(7, "forward", "stop", reasons=("", "Iteration 7: the loss is not finite."))
    assert heading(found, TITLES) == "iteration 7, forward"
    assert details(found, TITLES) == "The second cannot make it: Iteration 7: the loss is not finite."


def test_other_rows_with_the_same_numbers():
    found = Divergence(3, "batch", "rows", (Place(row=4), Place(row=9)), row=2, differing=1, elements=8)
    assert heading(found, TITLES) == "iteration 3, batch, row 2"
    assert details(found, TITLES) == "The batch has other training rows with the same numbers: 4 in the first run, 9 in the second."


def test_what_was_changed_behind_an_iteration():
    places = Place(symbol="h1.weight", shape=(1,), value=0.5), Place(symbol="h1.weight", shape=(1,), value=0.25)
    found = Divergence(1234, "after", "value", places, None, (0,), 0.25, 1, 1)
    assert heading(found, TITLES) == "iteration 1,234, after its update, dense 1.W"
    assert details(found, TITLES) == "The value of dense 1.W: 0.5 in the first run, 0.25 in the second."

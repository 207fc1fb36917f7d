"""Numbers as text: 4 significant digits, true minus, columns, abbreviation."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnviz.text import numbers as numerals


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.0624, "3.062"), (-0.72, "−0.72"), (0, "0"), (-0.0, "0"), (1.628176, "1.628"), (0.00094, "0.00094"), (1.3e-9, "1.3e−9"),
        (123456789, "1.235e8"), (2.2999999, "2.3"), (9.99999, "10"), (math.nan, "NaN"), (math.inf, "∞"), (-math.inf, "−∞"),
        (100000, "100000"),
    ],
)  # fmt: skip
def test_a_number_has_four_significant_digits(value, text):
    assert numerals.number(value) == text


@given(st.floats(-1e300, 1e300))
def test_a_number_reads_back_within_four_digits(value):
    back = float(numerals.number(value).replace("−", "-"))
    assert back == pytest.approx(value, rel=5.1e-4)


@given(st.lists(st.floats(-1e5, 1e5), min_size=1, max_size=8))
def test_a_column_is_equally_wide_and_never_hides_a_number_as_zero(values):
    texts = numerals.aligned(values)
    assert len({len(text) for text in texts}) == 1
    assert all((text.strip() == "0") == (value == 0) for text, value in zip(texts, values, strict=True))


def test_a_row_is_cut_and_says_how_much_is_missing():
    assert numerals.row([0, 1, 1, 0]) == "[ 0 1 1 0 ]"
    assert numerals.row([2.04, 3.0624, -0.88, 0.51]) == "[ 2.040 3.062 −0.880 0.510 ]"
    assert numerals.row(np.zeros(20)) == "[ 0 0 0 0 0 0 … 14 more ]"
    assert len(numerals.row(np.random.default_rng(0).normal(size=500) * 1e-3)) <= numerals.WIDEST


def test_very_small_rows_share_a_power_of_ten():
    assert numerals.row([-7.821e-5, 0, 9.67e-5]) == "[ −7.821 0 9.670 ] ·10⁻⁵"


def test_a_matrix_is_a_table_of_at_most_four_rows():
    assert numerals.table(np.array([[0, 0], [3.98112, 2.14368]])) == "[     0     0 ]\n[ 3.981 2.144 ]"
    assert numerals.table(np.ones((9, 2))).endswith("… 5 more rows")
    assert numerals.table(np.array([[2.5]])) == "2.5"


def test_short_numbers_shapes_and_places():
    assert numerals.short(2.0999) == "2.1"
    assert numerals.shape((32, 4)) == "32×4"
    assert numerals.shape(()) == "scalar"
    assert (numerals.place((3, 1)), numerals.place(())) == ("[3, 1]", "")


@given(st.floats())
def test_a_steady_number_is_a_column_of_one(value):
    assert numerals.steady(value) == numerals.aligned([value])[0]


def test_a_steady_number_keeps_its_zeros():
    assert (numerals.steady(0.37), numerals.steady(-0.01), numerals.steady(3.858e-5)) == ("0.3700", "−0.01000", "3.858e−5")


@given(st.lists(st.integers(1, 7), min_size=1, max_size=3), st.data())
def test_the_part_of_an_array_that_is_shown_has_the_element_in_it(shape, data):
    array = np.arange(1, np.prod(shape) + 1, dtype=float).reshape(shape)
    element = tuple(data.draw(st.integers(0, size - 1)) for size in shape)
    numbers = re.sub(r"(rows|columns|…) [^\n\]]*(more|\n|$)", "", numerals.around(array, element, 3, 4))
    assert numerals.number(array[element]) in re.findall(r"[\d.]+", numbers)


def test_a_part_says_which_rows_and_columns_it_is():
    array = np.arange(144, dtype=float).reshape(24, 6)
    lines = numerals.around(array, (14, 5)).split("\n")
    assert lines[0] == "rows 12–15, columns 1–5" and lines[3] == "[ … 85 86 87 88 89 ]"
    assert numerals.around(array, (1, 1)) == numerals.table(array)
    assert numerals.around(np.arange(50.0).reshape(2, 5, 5), (1, 4, 2)).startswith("rows [1, 1]–[1, 4]\n")
    assert numerals.around(np.arange(32.0).reshape(2, 4, 4), (1, 0, 3)).startswith("rows [1, 0]–[1, 3]\n"), "one head alone"
    assert numerals.around(np.arange(30.0), (29,)).startswith("columns ")


@pytest.mark.parametrize(
    ("shape", "element"),
    [((3,), (1,)), ((40,), (0,)), ((40,), (25,)), ((2, 2), (1, 0)), ((24, 6), (15, 5)), ((24, 30), (20, 17)), ((2, 12, 12), (1, 7, 9))],
)
def test_the_mark_is_on_the_element(shape, element):
    values = np.arange(1, np.prod(shape) + 1, dtype=float).reshape(shape)
    text = numerals.around(values, element)
    line, first, count = numerals.mark(text, values, element)
    assert text.split("\n")[line][first : first + count] == numerals.number(values[element])


def test_there_is_no_mark_on_a_single_number_or_where_the_element_is_not_shown():
    assert numerals.mark("3", np.array([3.0]), (0,)) is None
    values = np.arange(40.0)
    assert numerals.mark(numerals.table(values), values, (39,)) is None

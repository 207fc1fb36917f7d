"""Gradients as text: all that NumPy and torch print comes back to the bit, and what is not clear is refused at its place."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from nnviz.lessons.gradient_text import GradientTextError, read, read_array

NUMBERS = arrays.arrays(
    np.float64,
    arrays.array_shapes(min_dims=1, max_dims=3, max_side=4),
    elements=st.floats(-1e6, 1e6, allow_subnormal=False).map(lambda value: float(f"{value:.12g}")),
)


@given(NUMBERS, st.sampled_from(["h1.weight", "0.bias", "lstm/t=3/linear", "h1/relu#2", "dW1", "7"]))
def test_what_numpy_prints_is_read_back(array, name):
    with np.printoptions(precision=17, threshold=10**6, floatmode="unique"):
        for text in (f"{name} = {array}", f"{name} = {array!r}", f"{name}: {array}", f"{name}\n{array}", f"{name} = {array.tolist()}"):
            if text.startswith("7\n"):
                continue  # a number alone in its line is no name
            found = read(f"{text}\nother = 1.5\n")
            assert list(found) == [name, "other"] and np.array_equal(found[name], array) and found["other"] == 1.5
        assert np.array_equal(read_array(str(array)), array)


@given(NUMBERS)
def test_dicts_and_tensors_are_read(array):
    with np.printoptions(precision=17, threshold=10**6):
        found = read(str({"h1.weight": array, "h1.bias": array[0]}))
    assert np.array_equal(found["h1.weight"], array) and np.array_equal(found["h1.bias"], array[0])
    tensor = torch.from_numpy(array).float()
    with np.printoptions(threshold=10**6):
        torch.set_printoptions(precision=8, threshold=10**6, sci_mode=False)
        try:
            text = str({"a": tensor.requires_grad_()})
        finally:
            torch.set_printoptions(profile="default")
    assert read(text)["a"].shape == array.shape


def test_csv_is_read_with_names_above_or_in_front():
    above = read("h1.weight\n0.1,0.2\n0.3,0.4\nh1.bias\n1,2\n")
    front = read("h1.weight,0.1,0.2\nh1.weight,0.3,0.4\nh1.bias,1,2\n")
    tabs = read("h1.weight\t0.1\t0.2\r\nh1.weight\t0.3\t0.4\r\nh1.bias\t1\t2")
    for found in (above, front, tabs):
        assert found["h1.weight"].tolist() == [[0.1, 0.2], [0.3, 0.4]] and found["h1.bias"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("text", "array"),
    [
        ("np.float64(0.5)", 0.5),
        ("tensor([[1., 2.]], device='cuda:0', grad_fn=<AddBackward0>)", [[1.0, 2.0]]),
        ("array([1., 2.], dtype=float32)", [1.0, 2.0]),
        ("[1.5e-05 -2.5E+3]", [1.5e-5, -2500.0]),
        ("1 2\n3 4", [[1.0, 2.0], [3.0, 4.0]]),
        (">>> [1, 2]  # mine", [1.0, 2.0]),
        ("[−1, 2.]", [-1.0, 2.0]),
    ],
)
def test_one_array_as_it_is_often_written(text, array):
    assert read_array(text).tolist() == array


def test_what_is_no_number_stays_visible():
    assert np.array_equal(read_array("[nan, inf, -inf]"), [np.nan, np.inf, -np.inf], equal_nan=True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no number"),
        ("a = [1, 2", "Line 1: a bracket of “a” is not closed"),
        ("a = [1]\nb = 1]", "Line 2"),
        ("a = [1, ..., 3]", "set_printoptions(threshold"),
        ("a = [1]\nb = [1, x]", "Line 2: “x]” is no number"),
        ("a = [1]\na = [2]", "Line 2: “a” stands here for the second time"),
        ("a = [[1, 2], [3]]", "different lengths"),
        ("a\n1,2\n3", "Line 3: this row of “a” has 1"),
        ("[1, 2]\n[3, 4]", "Write a name and ="),
        ("[1, 2]\na = [3]", "One array has no name"),
        ("a = [0.1.2]", "is no number"),
        ("a\n0,5;0,7", "decimal comma"),
        ("a = ", "“a” has no numbers"),
        ("print(a)", "is no number"),
        ("{'a': {'b': 1}}", "is no number"),
        ("import os; os.remove('x')", "is no number"),
    ],
)
def test_what_is_not_clear_is_refused_at_its_place(text, said):
    with pytest.raises(GradientTextError) as caught:
        read(text)
    assert said in str(caught.value)


@given(st.text(alphabet="ab01.,;:=[](){}'\"\n \t-e#", max_size=60))
def test_any_text_is_read_or_refused(text):
    try:
        found = read(text)
    except GradientTextError as error:
        assert str(error)
    else:
        assert all(isinstance(array, np.ndarray) and array.dtype == float for array in found.values())


def test_several_arrays_in_one_cell_are_refused():
    with pytest.raises(GradientTextError, match="2 arrays"):
        read_array("a = [1]\nb = [2]")

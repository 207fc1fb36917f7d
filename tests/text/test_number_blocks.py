from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnviz.document.problems import Refused
from nnviz.text.number_blocks import read_block, write_block

finite = st.floats(allow_nan=False, allow_infinity=False)
blocks = st.integers(1, 5).flatmap(lambda width: st.lists(st.lists(finite, min_size=width, max_size=width), min_size=1, max_size=5))


@given(blocks)
def test_what_is_written_is_read_back_to_the_bit(rows):
    assert [[repr(value) for value in row] for row in read_block(write_block(rows))] == [[repr(value) for value in row] for row in rows]


@pytest.mark.parametrize(
    ("text", "columns", "rows"),
    [
        ("1\t2\n3\t4\n", None, [[1, 2], [3, 4]]),
        ("0,5;1,25\r\n-3;4e-2", None, [[0.5, 1.25], [-3, 0.04]]),
        ("1,2\n3,4", 2, [[1, 2], [3, 4]]),
        ("0,5\n0,7", 1, [[0.5], [0.7]]),
        ("0,5\n0,7", None, [[0, 5], [0, 7]]),
        ("0,5 0,7\n1 2", None, [[0.5, 0.7], [1, 2]]),
        ("1, 2, 3\n4, 5, 6", 3, [[1, 2, 3], [4, 5, 6]]),
        ("[[0.1, 0.2], [0.3, 0.4]]", None, [[0.1, 0.2], [0.3, 0.4]]),
        ("[[ 0.1  0.2]\n [ 0.3 -0.4]]", None, [[0.1, 0.2], [0.3, -0.4]]),
        ("−1,5\t2", None, [[-1.5, 2]]),
        ("\ufeff0.5", None, [[0.5]]),
    ],
)
def test_blocks_of_spreadsheets_and_programs(text, columns, rows):
    assert read_block(text, columns) == rows


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1\t2\n3\tx", "Line 2, cell 2 is “x”"),
        ("1\t2\n3", "Line 2 has 1 numbers and line 1 has 2"),
        ("1.234,5\t2", "Line 1, cell 1"),
        ("nan\t1", "no finite number"),
        ("1e999", "no finite number"),
        ("1;;2", "Line 1, cell 2 is empty"),
        (" \n", "no numbers"),
    ],
)
def test_what_is_no_block_is_named_at_its_place(text, said):
    with pytest.raises(Refused, match=said):
        read_block(text)


@given(st.text(max_size=80))
def test_any_text_is_a_block_or_refused(text):
    try:
        rows = read_block(text)
    except Refused:
        return
    assert rows and len({len(row) for row in rows}) == 1

"""Every lesson that comes with the program is played: what is right is accepted, wrong ideas are named, claims hold."""

from __future__ import annotations

import pytest

from nnviz.lessons.store import lesson_names, open_lesson
from nnviz.teaching import faults


@pytest.mark.parametrize("name", lesson_names())
def test_a_lesson_holds(name: str) -> None:
    assert faults(open_lesson(name)) == []

"""Every lesson that comes with the program is played: what is right is accepted, wrong ideas are named, claims hold."""

from __future__ import annotations

import pytest

from nnviz.lessons.store import lesson_names, open_lesson
from nnviz.teaching import faults


@pytest.mark.parametrize("name", lesson_names())
def test_a_lesson_holds(name: str) -> None:
    assert faults(open_lesson(name)) == []


OF_TRAINING = [f"{letter}{number}" for letter, count in (("C", 10), ("D", 9)) for number in range(1, count + 1)]
OF_GENERALISATION = ["E1", "E2", "E4", "E5"]


@pytest.mark.parametrize("row", OF_TRAINING + OF_GENERALISATION)
def test_every_row_on_training_depth_and_generalisation_has_a_lesson(row: str) -> None:
    assert [name for name in lesson_names() if row in open_lesson(name).rows]


@pytest.mark.parametrize("name", lesson_names())
def test_a_lesson_is_short_and_asks(name: str) -> None:
    lesson = open_lesson(name)
    assert 4 <= len(lesson.steps) <= 8 and all(step.ask for step in lesson.steps) and 3 <= lesson.minutes <= 6
    assert lesson.group and lesson.rows and lesson.summary.endswith(".")

"""Every lesson that comes with the program is played: what is right is accepted, wrong ideas are named, claims hold."""

from __future__ import annotations

import re

import pytest

from nnviz.jobs.teaching import faults
from nnviz.lessons.store import lesson_names, open_lesson


@pytest.mark.parametrize("name", lesson_names())
def test_a_lesson_holds(name: str) -> None:
    assert faults(open_lesson(name)) == []


def test_every_row_about_networks_activations_and_losses_is_taught() -> None:
    taught = {row for name in lesson_names() for row in open_lesson(name).rows}
    rows = {f"A{number}" for number in range(1, 10)} | {f"B{number}" for number in range(1, 7)}
    assert rows <= taught


@pytest.mark.parametrize("name", lesson_names())
def test_texts_have_no_html_no_links_and_whole_formulas(name: str) -> None:
    for step in open_lesson(name).steps:
        asked = (step.ask.text, *step.ask.hints, *(option.text for option in step.ask.options)) if step.ask else ()
        for text in (step.text, step.reveal, *asked):
            assert not re.search(r"</?[a-z]|\]\(|https?:", text) and text.count("$") % 2 == 0, text


@pytest.mark.parametrize("name", lesson_names())
def test_every_step_asks_something_and_shows_the_answer(name: str) -> None:
    lesson = open_lesson(name)
    assert 4 <= len(lesson.steps) <= 8 and lesson.group and lesson.rows and all(step.ask and step.reveal for step in lesson.steps)


def test_every_row_on_training_depth_and_generalisation_is_taught() -> None:
    taught = {row for name in lesson_names() for row in open_lesson(name).rows}
    rows = {f"C{number}" for number in range(1, 11)} | {f"D{number}" for number in range(1, 10)} | {f"E{number}" for number in range(1, 9)}
    assert rows <= taught


def test_every_row_on_sequences_pictures_attention_and_experiments_is_taught() -> None:
    taught = {row for name in lesson_names() for row in open_lesson(name).rows}
    assert {f"F{number}" for number in range(1, 8)} | {f"G{number}" for number in range(1, 6)} | {"H"} <= taught

"""Every question of the interview mode points at something that is there, and what nnviz can measure of it holds."""

from __future__ import annotations

import json
import re

import msgspec
import pytest

from nnviz.cli import main
from nnviz.document.store.examples import document_path
from nnviz.jobs.teaching import faults
from nnviz.lessons.interview import InterviewQuestion, decode_topic, experiment_lesson, questions, quiz_lesson
from nnviz.lessons.lesson import LessonError
from nnviz.lessons.store import lesson_names

QUESTIONS = [one for _, one in questions()]
COMPUTED = [one for one in QUESTIONS if one.quiz]


def texts(one: InterviewQuestion) -> list[str]:
    ask = one.quiz.ask if one.quiz else None
    parts = (ask.text, *ask.hints, *(option.text for option in ask.options), *(wrong.idea for wrong in ask.wrong)) if ask else ()
    return [one.question, one.answer, *parts]


def test_there_are_fifty_or_more_over_all_parts_of_the_course_and_none_twice() -> None:
    assert len(QUESTIONS) >= 50 and len({one.question for one in QUESTIONS}) == len(QUESTIONS)
    assert {row[0] for one in QUESTIONS for row in one.rows} == set("ABCDEFGH")


@pytest.mark.parametrize("one", QUESTIONS, ids=lambda one: one.question)
def test_a_question_is_shown_by_something_that_is_there_and_is_plain_text(one: InterviewQuestion) -> None:
    kind, _, name = one.shown_by.partition(":")
    assert name in lesson_names() if kind == "lesson" else document_path(one.shown_by).is_file()
    assert 1 <= len(re.findall(r"[.?!](?=\s|$)", one.answer)) <= 5
    for text in texts(one):
        assert not re.search(r"</?[a-z]+[^>]*>|\]\(|https?:", text), text


@pytest.mark.parametrize("one", COMPUTED, ids=lambda one: one.question)
def test_what_is_computed_holds(one: InterviewQuestion) -> None:
    assert faults(quiz_lesson(one)) == []


def test_many_are_computed_and_each_names_what_a_wrong_answer_has_thought() -> None:
    assert len(COMPUTED) >= 35
    for one in COMPUTED:
        ask = one.quiz.ask
        ideas = {"number": ask.wrong, "choice": [option for option in ask.options if option.idea], "click": ["what was clicked"]}
        assert ask.hints and ideas[ask.kind], one.question


def test_several_quizzes_are_one_lesson_and_an_experiment_is_one_too() -> None:
    several = quiz_lesson(*COMPUTED[:3])
    assert [step.text for step in several.steps] == [one.question for one in COMPUTED[:3]]
    assert quiz_lesson(COMPUTED[0], next(one for one in QUESTIONS if not one.quiz)) is None
    for one in QUESTIONS:
        lesson = experiment_lesson(one)
        assert (lesson is None) == one.shown_by.startswith("lesson:")
        assert lesson is None or lesson.steps[0].document == one.shown_by


def test_one_that_cannot_be_read_says_where() -> None:
    ask = {"kind": "number", "text": "How much?"}
    one = {"question": "q", "answer": "a", "rows": ["A1"], "shown_by": "example:moons", "quiz": {"document": "example:moons", "ask": ask}}
    for fault, said in ((ask, "question 1: A question for a number needs"), (ask | {"kind": "change"}, "a number, a choice or a click")):
        text = msgspec.json.encode({"topic": "t", "questions": [one | {"quiz": {"document": "example:moons", "ask": fault}}]})
        with pytest.raises(LessonError, match=said):
            decode_topic(text)
    with pytest.raises(LessonError, match=r"unknown field `topics`"):
        decode_topic(b'{"topics": 1}')
    with pytest.raises(LessonError, match="There is no topic"):
        questions("nowhere")


def test_the_command_line_lists_them_and_checks_one_topic(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lessons", "--questions", "--json"]) == 0
    assert [row["question"] for row in json.loads(capsys.readouterr().out)] == [one.question for one in QUESTIONS]
    assert main(["lessons", "network", "--questions", "--check", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found and not any(found.values())

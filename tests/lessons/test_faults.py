"""A lesson that does not hold is told at its step."""

from __future__ import annotations

import msgspec
import pytest

from nnviz.jobs.teaching import faults
from nnviz.lessons.lesson import Ask, Lesson, LessonError, LessonStep, Option, Wrong, decode, encode
from nnviz.lessons.store import open_lesson

WORKED = "template:worked_2-2-1"


def lesson(**step) -> Lesson:
    return Lesson("A lesson", "What it is good for.", 1, (LessonStep(**{"text": "Look.", "document": WORKED} | step),))


def ask(answer: str, **more) -> Ask:
    return Ask("number", "How much?", answer, **more)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"text": "{= value('nowhere') }"}, "the trace has no nowhere"),
        ({"claims": ("loss < 0",)}, "The claim does not hold: loss < 0"),
        ({"cursor": "h9/relu"}, "the trace has no h9/relu"),
        ({"document": "somewhere.json"}, "neither an example nor a template"),
        ({"set": {"training.optimizer.learning_rate": "fast"}}, "It cannot be set up"),
        ({"ask": ask("value('h1/relu')")}, "is no single number"),
        ({"ask": ask("loss", wrong=(Wrong("loss * 1.001", "sign"),))}, "leads to the right number"),
        ({"ask": Ask("choice", "Which?", options=(Option("a", "loss < 0"), Option("b", "loss < 0")))}, "No answer is right"),
        ({"ask": Ask("choice", "Which?", options=(Option("a", "loss > 0"), Option("b", "loss > 0")))}, "All options are right"),
        ({"ask": Ask("click", "Where?", when="clicked == 'h1'", example="out")}, "No answer is right"),
        ({"ask": Ask("change", "Do it.", when="learning_rate < 1", example="iterations=1")}, "holds before anything is changed"),
        ({"ask": Ask("change", "Do it.", when="learning_rate > 1", example="iterations=1")}, "does not make it true"),
    ],
)
def test_what_does_not_hold_is_told(step: dict, said: str) -> None:
    found = faults(lesson(**step))
    assert any(said in fault.sentence and fault.step == 1 for fault in found), found


@pytest.mark.parametrize(
    "one",
    [
        Ask("change", "Take a smaller rate.", when="learning_rate < 0.05", example="training.optimizer.learning_rate=0.01"),
        Ask("change", "Train.", when="final('loss') < 0.5", example="iterations=20"),
        Ask("click", "Which unit's node is silent?", when="clicked == 'h1/relu'", example="h1/relu"),
        ask("loss", wrong=(Wrong("sqrt(loss)", "sign"),)),
    ],
)
def test_what_holds_has_no_fault(one: Ask) -> None:
    assert faults(lesson(ask=one)) == []


def test_runs_beside_are_trained_and_can_be_asked_for() -> None:
    rates = {"fast": 0.3, "slow": 0.001}
    beside = {name: {"set": {"training.optimizer.learning_rate": rate}} for name, rate in rates.items()}
    claims = ["final('loss', 'fast') < final('loss', 'slow')"]
    step = {"text": "Both.", "document": WORKED, "runs": beside, "run_iterations": 5, "claims": claims}
    assert faults(decode(msgspec.json.encode({"title": "t", "summary": "s", "minutes": 1, "steps": [step]}))) == []
    step["claims"] = ["final('loss', 'fast') > final('loss', 'slow')"]
    assert faults(decode(msgspec.json.encode({"title": "t", "summary": "s", "minutes": 1, "steps": [step]})))


def test_a_lesson_that_cannot_be_read_says_where() -> None:
    with pytest.raises(LessonError, match=r"unknown field `txt`.*\$.steps\[0\]"):
        decode(b'{"title": "t", "summary": "s", "minutes": 1, "steps": [{"text": "a", "txt": 1}]}')
    with pytest.raises(LessonError, match="step 1: A choice needs two options"):
        decode(b'{"title": "t", "summary": "s", "minutes": 1, "steps": [{"text": "a", "ask": {"kind": "choice", "text": "?"}}]}')
    with pytest.raises(LessonError, match="at least one step"):
        decode(b'{"title": "t", "summary": "s", "minutes": 1, "steps": []}')
    with pytest.raises(LessonError, match="There is no lesson"):
        open_lesson("nowhere")


def test_a_lesson_is_written_as_it_was_read() -> None:
    one = open_lesson("first_backward_pass")
    assert decode(encode(one)) == one and b'"tolerance": 0.01' not in encode(one)

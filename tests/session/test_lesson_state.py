"""What leads to a step of a lesson, and how the state changes with answers: pure values."""

from __future__ import annotations

from nnviz.lessons.checks import Judged
from nnviz.lessons.lesson import Ask, Lesson, LessonStep, RunBeside
from nnviz.session.lesson_state import LessonState, Move, lasting, latest, moves_to, shown_panels

CHANGE = Ask("change", "Slower.", when="learning_rate < 1", example="training.optimizer.learning_rate=0.5")
MORE = Ask("change", "Train.", when="iteration > 3", example="iterations=4")
NUMBER = Ask("number", "How much?", answer="loss", hints=("a", "b"))


def lesson(*steps: LessonStep) -> Lesson:
    return Lesson("t", "s", 1, steps)


def test_a_step_is_reached_from_the_latest_document_before_it():
    one = lesson(
        LessonStep("", document="example:xor", iteration=7),
        LessonStep("", document="example:moons", set={"seed": 3}, iteration=10, ask=CHANGE),
        LessonStep("", ask=MORE),
        LessonStep("", set={"training.dropout": False}, iteration=5, runs={"a": RunBeside({})}, run_iterations=9),
    )
    opened = (Move("open", "example:moons"), Move("set", {"seed": 3}), Move("go", 10))
    assert moves_to(one, 1) == opened
    assert moves_to(one, 2) == (*opened, Move("set", {"training.optimizer.learning_rate": "0.5"}))
    last = (Move("back", 5), Move("set", {"training.dropout": False}), Move("go", 5), Move("runs", {"a": RunBeside({})}, 9))
    assert moves_to(one, 3) == (*moves_to(one, 2), Move("train", 4), *last)
    assert [move.kind for move in lasting(moves_to(one, 3))] == ["open", "set", "set", "train", "set"]


def test_what_a_step_does_not_say_stays_within_its_document():
    one = lesson(
        LessonStep("", document="example:moons", detail="math", workspace="train", panels=("loss", "norms")),
        LessonStep(""),
        LessonStep("", workspace="step"),
        LessonStep("", document="example:xor"),
    )
    states = [LessonState("one", one, place) for place in range(4)]
    assert [latest(state, "detail") for state in states] == ["math", "math", "math", None]
    assert [shown_panels(state) for state in states] == [("train", ("loss", "norms"))] * 2 + [("step", ()), ("step", ())]


def test_answers_and_hints():
    state = LessonState("one", lesson(LessonStep("", ask=NUMBER), LessonStep("")))
    assert not state.is_answered and not state.is_last
    wrong = state.judged("3", Judged(False, "The sign."))
    assert (wrong.verdict, wrong.said, wrong.is_answered) == ("wrong", "The sign.", False)
    assert [state.hinted().hints, state.hinted().hinted().hinted().hints] == [1, 2], "never more than there are"
    right = wrong.judged("4", Judged(True, ""))
    assert (right.verdict, right.said, right.is_answered) == ("right", "", True)
    assert right.at(1).is_answered and right.at(1).is_last and right.at(1).at(0).is_answered and not right.at(1).verdict
    assert state.given_up("4").is_answered and state.given_up("4").verdict == "shown"

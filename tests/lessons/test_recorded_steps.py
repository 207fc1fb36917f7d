"""A recorded step leads, played by itself, to exactly where the author stood."""

from __future__ import annotations

import dataclasses

import msgspec
import pytest
from msgspec.structs import replace

from nnviz.document import edits
from nnviz.document.problems import Refused
from nnviz.document.run_log import Change, RunLog, same_run
from nnviz.document.store.examples import open_document
from nnviz.jobs.teaching import _Player
from nnviz.lessons.lesson import Ask, Lesson, LessonStep, RunBeside
from nnviz.lessons.recorded_steps import Situation, behind, late_change, rearranged, recorded, retaken, runs_beside, settings_between
from nnviz.lessons.store import lesson_names, open_lesson

EMPTY = Lesson("A lesson", "", 5, ())
XOR = open_document("example:xor")


def changed(experiment, **settings):
    for path, value in settings.items():
        experiment = edits.set_value(experiment, path.replace("__", "."), value)
    return experiment


def added(lesson: Lesson, now: Situation, **texts) -> Lesson:
    found = recorded(lesson, len(lesson.steps), now)
    return replace(found.lesson, steps=(*lesson.steps, replace(found.step, **{"text": "Look."} | texts)))


def played(lesson: Lesson):
    """Where a player without a window stands behind all steps."""
    player = _Player(lesson.documents)
    for step in lesson.steps:
        player._set_up(step)
    return player._timeline


def stands(lesson: Lesson, now: Situation) -> bool:
    timeline = played(lesson)
    return same_run(timeline.document, now.experiment) and timeline.iteration == now.iteration


def test_what_was_done_becomes_steps_that_say_no_more_than_is_new() -> None:
    first = Situation(XOR, XOR, 0, "textbook", "step", (), "h1/tanh", "forward", (1,))
    lesson = added(EMPTY, first)
    assert lesson.steps[0] == LessonStep(
        "Look.", "example:xor", iteration=0, workspace="step", cursor="h1/tanh", phase="forward", element=(1,)
    )
    second = Situation(XOR, changed(XOR, training__optimizer__learning_rate=0.5, network__layers__h1__activation="relu"), 20, "layer")
    lesson = added(lesson, second)
    wanted = {"training.optimizer.learning_rate": 0.5, "network.layers.h1.activation": "relu"}
    assert lesson.steps[1].set == wanted and lesson.steps[1].iteration == 20 and lesson.steps[1].document is None
    assert stands(lesson, second) and behind(lesson, 2).experiment == second.experiment
    assert msgspec.to_builtins(added(lesson, second).steps[2]) == msgspec.to_builtins(LessonStep("Look.")), "nothing is new"


def test_runs_beside_are_recorded_as_a_step_trains_them() -> None:
    fast, other = changed(XOR, training__optimizer__learning_rate=0.5), open_document("example:moons")
    own = replace(other, title="Mine", seed=99)
    logs = {"same": RunLog(XOR), "fast": RunLog(fast), "moons": RunLog(other), "mine": RunLog(own)}
    logs["later"] = RunLog(XOR, (Change(3, fast),))
    runs, left_out = runs_beside(RunLog(XOR), logs)
    assert runs == {
        "same": RunBeside({}),
        "fast": RunBeside({"training.optimizer.learning_rate": 0.5}),
        "moons": RunBeside({}, "example:moons"),
    }
    assert left_out == ("mine", "later")
    now = Situation(XOR, XOR, runs=runs, run_iterations=7, measure=("distances",))
    lesson = added(EMPTY, now)
    assert "beside: same, fast, moons, 7 iterations each" in recorded(EMPTY, 0, now).told
    player = _Player(lesson.documents)
    player._set_up(lesson.steps[0])
    assert {name: len(columns["iteration"]) for name, columns in player.facts().runs.items()} == dict.fromkeys(runs, 8)
    assert list(player.facts().measured) == ["distances"]
    assert added(lesson, now).steps[1] == LessonStep("Look."), "both stay"
    later = added(lesson, dataclasses.replace(now, iteration=3)).steps[1]
    assert not later.runs and later.measure == ("distances",), "what was measured is of where one stands"
    behind_both = rearranged(added(lesson, dataclasses.replace(now, runs={"fast": runs["fast"]})), [1, 0])
    assert list(behind_both.steps[0].runs) == ["fast"] and list(behind_both.steps[1].runs) == list(runs)


def test_it_is_told_in_words() -> None:
    now = Situation(XOR, changed(XOR, training__batch_size=None), 1000, "math", "train", ("loss",), "h1.weight", "update", (0, 1))
    assert recorded(EMPTY, 0, now).told == (
        "open example:xor",
        "training.batch_size = none",
        "iteration 1,000",
        "detail math",
        "stand at h1.weight in update",
        "element [0, 1]",
        "panels of Train, loss",
    )


def test_another_kind_of_optimizer_comes_before_its_settings() -> None:
    other = changed(XOR, training__optimizer__kind="sgd", training__optimizer__momentum=0.9)
    found = settings_between(XOR, other)
    assert next(iter(found)) == "training.optimizer.kind" and found["training.optimizer.momentum"] == 0.9
    assert settings_between(other, XOR)["training.optimizer.kind"] == "adam"


def test_what_settings_cannot_say_is_kept_as_a_document_of_the_lesson() -> None:
    other = edits.set_title(edits.remove_layers(XOR, ("h1",)), "Without hidden units")
    now = Situation(XOR, other, 3)
    lesson = added(EMPTY, now)
    assert lesson.steps[0].document == "without_hidden_units" and not lesson.steps[0].set
    assert stands(lesson, now)
    again = added(added(lesson, Situation(XOR, XOR)), now)
    assert list(again.documents) == ["without_hidden_units"], "the same is not put in twice"
    assert [step.document for step in again.steps] == ["without_hidden_units", "example:xor", "without_hidden_units"]


def test_a_document_with_rows_in_a_file_is_refused_with_the_cure() -> None:
    other = changed(XOR, data__kind="csv", data__path="/etc/passwd", title="Mine")
    with pytest.raises(Refused, match="Put the rows inline"):
        recorded(EMPTY, 0, Situation(other, other))


def test_what_a_learner_is_asked_to_change_is_where_the_next_step_begins() -> None:
    ask = Ask("change", "Train.", when="final('loss') < 0.6", example="iterations=30")
    lesson = added(EMPTY, Situation(XOR, XOR, 10), ask=ask)
    assert recorded(lesson, 1, Situation(XOR, XOR, 40)).step == LessonStep("")
    rate = Ask("change", "Slower.", when="learning_rate < 0.05", example="training.optimizer.learning_rate=0.01")
    lesson = added(EMPTY, Situation(XOR, XOR, 10), ask=rate)
    assert recorded(lesson, 1, Situation(XOR, changed(XOR, training__optimizer__learning_rate=0.01), 10)).step == LessonStep("")


def test_a_change_on_the_way_needs_a_step_of_its_own() -> None:
    log = RunLog(XOR, (Change(0, XOR), Change(40, XOR)))
    assert late_change(log, 60, 0) == 40
    assert late_change(log, 60, 40) is None and late_change(log, 30, 0) is None


@pytest.fixture
def three() -> Lesson:
    fast = changed(XOR, training__optimizer__learning_rate=0.5)
    lesson = EMPTY
    for now in (Situation(XOR, XOR, 2), Situation(XOR, fast, 4, cursor="h1/tanh", phase="backward"), Situation(XOR, fast, 6)):
        lesson = added(lesson, now, text=f"{now.iteration}")
    return lesson


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (2, 0, 1), (1, 2), (0, 2), (0, 0, 1, 2), (2, 1, 0)])
def test_steps_in_another_order_stand_where_they_stood(three: Lesson, order: tuple[int, ...]) -> None:
    made = rearranged(three, order)
    assert [step.text for step in made.steps] == [three.steps[one].text for one in order]
    for place, one in enumerate(order):
        before, now = behind(three, one + 1), behind(made, place + 1)
        assert (before.experiment, before.iteration, before.detail, before.cursor) == (
            now.experiment,
            now.iteration,
            now.detail,
            now.cursor,
        )
        assert played(replace(made, steps=made.steps[: place + 1])).iteration == before.iteration


def test_a_step_that_is_taken_again_keeps_its_texts(three: Lesson) -> None:
    asked = replace(three.steps[1], ask=Ask("number", "How much?", "loss"), reveal="So much.", claims=("loss > 0",))
    steps = retaken((three.steps[0], asked), 1, recorded(three, 1, Situation(XOR, XOR, 9)).step)
    assert (steps[1].ask, steps[1].reveal, steps[1].claims, steps[1].text) == (asked.ask, "So much.", ("loss > 0",), asked.text)
    assert steps[1].iteration == 9 and not steps[1].set and not steps[1].cursor


@pytest.mark.parametrize("name", lesson_names())
def test_behind_every_step_of_every_lesson_nothing_is_new(name: str) -> None:
    lesson = open_lesson(name)
    for place in range(1, len(lesson.steps) + 1):
        now = behind(lesson, place)
        fields = msgspec.to_builtins(recorded(lesson, place, now).step)
        assert not fields.keys() - {"text", "element"}, (place, fields)


@pytest.mark.parametrize("name", lesson_names()[::7])
def test_a_lesson_whose_steps_stay_in_order_stays_as_it_is(name: str) -> None:
    lesson = open_lesson(name)
    assert rearranged(lesson, range(len(lesson.steps))) == lesson

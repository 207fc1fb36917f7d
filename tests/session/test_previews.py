"""Previews: one question after the other, answers kept, nothing stuck when the engine goes."""

from __future__ import annotations

import pytest

from nnviz import messages
from nnviz.document import edits
from nnviz.session.queries import ENDED
from tests.session.sessions import stages


@pytest.fixture
def stage(qapp):
    yield from stages()


@pytest.fixture
def seen(stage):
    seen = []
    stage.session.previews.previewed.connect(lambda name, reply: seen.append((name, reply.number)))
    stage.stand()
    return seen


def asked(stage) -> list[int]:
    return [request.number for request in stage.wire.of(messages.Preview)]


def test_one_question_after_the_other_and_answers_are_kept(stage, seen):
    previews, experiment = stage.session.previews, stage.session.experiment
    for kind in ("moons", "circles", "iris"):
        previews.ask(kind, edits.choose_data(experiment, kind))
    assert asked(stage) == [1]
    stage.reply(messages.Previewed(1))
    stage.reply(messages.Previewed(2))
    stage.reply(messages.Previewed(3))
    assert asked(stage) == [1, 2, 3] and seen == [("moons", 1), ("circles", 2), ("iris", 3)]
    previews.ask("circles", edits.choose_data(experiment, "circles"))
    assert asked(stage) == [1, 2, 3] and seen[-1] == ("circles", 2)
    previews.ask("circles", edits.set_seed(edits.choose_data(experiment, "circles"), 99))
    assert asked(stage) == [1, 2, 3, 4]


def test_what_is_asked_anew_under_a_name_takes_the_place_of_the_old(stage, seen):
    previews, experiment = stage.session.previews, stage.session.experiment
    previews.ask("moons", experiment)
    for seed in (1, 2, 3):
        previews.ask("circles", edits.set_seed(edits.choose_data(experiment, "circles"), seed))
    stage.reply(messages.Previewed(1))
    assert [request.experiment.seed for request in stage.wire.of(messages.Preview)] == [experiment.seed, 3]


def test_a_failure_or_another_engine_does_not_stop_the_queue(stage, seen):
    previews, experiment = stage.session.previews, stage.session.experiment
    for kind in ("moons", "circles", "iris"):
        previews.ask(kind, edits.choose_data(experiment, kind))
    stage.reply(messages.Failed("Preview", "No."))
    assert asked(stage) == [1, 2]
    stage.session.link.lost("killed")
    stage.ready()
    assert asked(stage) == [1, 2, 3]
    stage.reply(messages.Previewed(2))
    assert seen == [("moons", 1)], "that there are no rows is an answer too"
    stage.reply(messages.Previewed(3))
    assert asked(stage) == [1, 2, 3, 2], "what the engine that died had not answered is asked again"


def test_a_file_is_looked_at_anew_and_only_the_last_answer_counts(stage, seen):
    looks = []
    stage.session.previews.looked_at.connect(looks.append)
    experiment = edits.choose_data(stage.session.experiment, "csv", path="a.csv")
    stage.session.previews.look(experiment)
    stage.session.previews.look(experiment)
    (first,) = (request.number for request in stage.wire.of(messages.ReadTable))
    stage.reply(messages.TableRead(first, None, None, "old"))
    _, second = (request.number for request in stage.wire.of(messages.ReadTable))
    stage.reply(messages.TableRead(second, None, None, "new"))
    assert [reply.message for reply in looks] == ["new"]


def test_a_file_that_nobody_waits_for_is_read_no_further(stage, seen):
    looks, glimpses = [], []
    previews = stage.session.previews
    previews.looked_at.connect(lambda reply: looks.append(reply.message))
    previews.glimpsed.connect(lambda reply: glimpses.append(reply.share))
    experiment = edits.choose_data(stage.session.experiment, "csv", path="a.csv")
    previews.stop_looking()
    assert not stage.wire.of(messages.StopReading)
    previews.look(experiment)
    stage.reply(messages.TableGlimpsed(1, 0.5))
    previews.look(experiment, suggests=True)
    assert [request.number for request in stage.wire.of(messages.StopReading)] == [1]
    stage.reply(messages.TableGlimpsed(1, 0.6), messages.TableRead(1, None, None, "stopped"))
    assert glimpses == [0.5] and looks == [], "of the file before nothing is told any more"
    assert [request.suggests for request in stage.wire.of(messages.ReadTable)] == [False, True]
    stage.reply(messages.TableGlimpsed(2, 0.1))
    previews.stop_looking()
    assert [request.number for request in stage.wire.of(messages.StopReading)] == [1, 2]
    stage.reply(messages.TableRead(2, None, None, "stopped"))
    assert looks == ["stopped"] and glimpses == [0.5, 0.1]


def test_what_engines_die_over_is_not_asked_again_for_ever(stage, seen):
    looks, rows = [], []
    previews, wire = stage.session.previews, stage.wire
    previews.looked_at.connect(lambda reply: looks.append((reply.number, reply.table, reply.message)))
    previews.previewed.connect(lambda name, reply: rows.append((name, reply.message)))
    experiment = edits.choose_data(stage.session.experiment, "csv", path="a.csv")
    previews.ask("csv", experiment)
    previews.look(experiment)
    for _ in range(2):
        assert (len(wire.of(messages.Preview)), len(wire.of(messages.ReadTable)), looks, rows) == (1, 1, [], [])
        wire.take()
        stage.session.link.lost("killed")
        stage.ready()
    assert not wire.of(messages.Preview) and not wire.of(messages.ReadTable)
    assert looks == [(2, None, ENDED)] and rows == [("csv", ENDED)]
    previews.look(experiment)
    assert len(wire.of(messages.ReadTable)) == 1, "a person may try again"


def test_a_file_that_could_not_be_read_at_all_is_told(stage, seen):
    looks = []
    stage.session.previews.looked_at.connect(lambda reply: looks.append(reply.message))
    stage.session.previews.look(edits.choose_data(stage.session.experiment, "csv", path="a.csv"))
    stage.reply(messages.Failed("ReadTable", "The engine has no memory left."))
    assert looks == ["The engine has no memory left."]

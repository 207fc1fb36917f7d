"""The session with the engine as it is: a process of its own, killed at many moments, and always the same run again."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nnviz.document import edits
from nnviz.session.engine_process import EngineProcess
from nnviz.session.session import Session
from tests.session.sessions import two_moons

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs kill -9")
LONG = 60_000


class Rig:
    """A session with an engine, and what it posts."""

    def __init__(self, qtbot, command: tuple[str, ...] | None = None) -> None:
        self.qtbot, self.messages = qtbot, []
        self.client = EngineProcess(command=command)
        self.session = Session(self.client, two_moons(), autosaves=False)
        self.session.connect_engine(self.client)
        self.session.message_posted.connect(lambda level, text: self.messages.append((level, text)))

    def wait(self, condition) -> None:
        self.qtbot.waitUntil(condition, timeout=LONG)

    def wait_for_trace(self) -> None:
        self.wait(lambda: self.session.run.engine == "ready" and self.session.run.is_traced)

    def train_to(self, iteration: int) -> None:
        self.session.training.iterations(iteration - self.session.run.iteration)
        self.wait(lambda: not self.session.training.is_training)
        self.wait_for_trace()
        assert self.session.run.iteration == iteration

    def kill(self) -> int:
        """Kill the engine and wait until another one stands where this one was seen; return that iteration."""
        killed = self.client.process_id
        os.kill(killed, signal.SIGKILL)
        at = time.monotonic()
        self.wait(lambda: self.session.run.engine == "restarting")
        assert time.monotonic() - at < 1.0
        seen = self.session.run.iteration
        self.wait_for_trace()
        assert self.client.process_id not in (0, killed)
        return seen

    def digest(self) -> str:
        """A hash over all parameters, the loss and the gradients of the next iteration, to the last bit."""
        index, hashed = self.session.stepping.state.index, hashlib.sha256()
        hashed.update(repr((index.trace.iteration, index.trace.loss, index.trace.rows)).encode())
        for node in index.trace.nodes:
            if node.kind in ("parameter", "loss", "operation"):
                for tensor in (node.value, node.gradient):
                    hashed.update(tensor.values.data if tensor and tensor.values else b"")
        for update in index.trace.updates:
            hashed.update(update.after.values.data)
        return hashed.hexdigest()


@pytest.fixture
def rig(qtbot):
    """With an engine of its own."""
    yield from closed_at_once(Rig(qtbot))


@pytest.fixture
def lent(qtbot, lent_engine):
    """With the engine that is lent, where it is not the process that matters: killed, it is a window that has gone to that engine."""
    yield from closed_at_once(Rig(qtbot, lent_engine))


def closed_at_once(rig: Rig) -> Iterator[Rig]:
    """Yield it; afterwards closing is quick and leaves no process."""
    yield rig
    process, at = rig.client.process_id, time.monotonic()
    rig.session.close()
    assert time.monotonic() - at < 2.0
    assert not process or not Path(f"/proc/{process}").exists()


def test_a_session_from_start_to_end(lent):
    session = lent.session
    session.watch(("curves", "measures", "surface", "trace"))
    session.start(train_first=30)
    lent.wait(lambda: session.run.iteration == 30 and not session.training.is_training)
    lent.wait_for_trace()
    assert session.run.curves.iteration.tolist() == list(range(31))
    assert session.run.surface is not None
    assert session.run.measures[0].layer == "h1"
    assert session.run.data.classes == 2
    assert session.stepping.cursor == 0

    places = []
    while session.stepping.cursor < session.stepping.length:
        session.stepping.move("node", +1)
        places.append(session.stepping.state.phase)
    assert list(dict.fromkeys(places)) == ["batch", "forward", "loss", "backward", "update"]
    session.stepping.move("node", +1)
    lent.wait(lambda: session.stepping.cursor == 1)
    assert (session.run.iteration, session.stepping.state.index.trace.iteration) == (31, 31)
    assert lent.messages == []


def test_edits_while_it_trains_take_effect_without_a_reset(lent):
    session = lent.session
    session.start()
    lent.wait_for_trace()
    session.training.train()
    for place in range(20):
        iteration = session.run.iteration
        assert session.edit("Optimizer", edits.choose_optimizer, ("sgd", "adam")[place % 2])
        lent.wait(lambda iteration=iteration: session.run.iteration > iteration + 1)  # two edits between the same iterations would cancel
    lent.wait(lambda: not session.link.is_waiting)
    session.training.pause()
    lent.wait_for_trace()
    changes = session.link.log.changes
    assert len(changes) == 20
    assert changes[-1].iteration > 0
    assert session.run.curves.iteration.tolist() == list(range(session.run.iteration + 1)), "no point is lost or told twice"
    before, iteration = lent.digest(), session.run.iteration
    session.training.go_to(iteration // 2)
    lent.wait(lambda: session.run.iteration == iteration // 2)
    session.training.go_to(iteration)
    lent.wait(lambda: session.run.iteration == iteration)
    lent.wait_for_trace()
    assert lent.digest() == before


def test_rewind_is_the_identical_start(lent):
    lent.session.start()
    lent.wait_for_trace()
    start = lent.digest()
    lent.train_to(40)
    trained = lent.digest()
    lent.session.branches.start_over()
    lent.wait(lambda: lent.session.run.iteration == 0)
    lent.wait_for_trace()
    assert lent.digest() == start
    lent.train_to(40)
    assert lent.digest() == trained


def test_killed_at_rest_it_stands_at_the_same_iteration_bit_by_bit(rig):
    session = rig.session
    session.start()
    rig.wait_for_trace()
    rig.train_to(25)
    session.edit("Rate", edits.change_optimizer, learning_rate=0.1)
    rig.wait_for_trace()
    rig.train_to(60)
    session.edit("Wider", edits.change_layer, "h1", units=6)
    rig.wait_for_trace()
    curves, before = session.run.curves, rig.digest()
    rig.messages.clear()
    assert rig.kill() == 60
    assert session.run.iteration == 60
    assert rig.digest() == before
    rig.wait(lambda: session.run.curves.iteration.size == curves.iteration.size)
    assert session.run.curves.loss.tolist() == curves.loss.tolist()
    assert [level for level, _ in rig.messages] == ["warning"]


@pytest.mark.parametrize(
    ("edit", "arguments", "settings"),
    [(edits.set_parameter, ("h1.bias", [-3.25, 0.0, 0.0, 1.0]), {}), (edits.change_layer, ("h1",), {"units": 8})],
    ids=["typed weight", "units"],
)
def test_undo_brings_back_weights_and_curves_and_survives_a_death(lent, edit, arguments, settings):
    session = lent.session
    session.start()
    lent.wait_for_trace()
    lent.train_to(25)
    before, curves = lent.digest(), session.run.curves
    session.edit("Change", edit, *arguments, **settings)
    lent.wait_for_trace()
    changed = lent.digest()
    lent.wait(lambda: session.run.curves.training_loss[-1] != curves.training_loss[-1])
    assert changed != before and session.run.curves.iteration.tolist() == list(range(26))
    session.document.undo()
    lent.wait_for_trace()
    assert lent.digest() == before and session.link.log.changes == ()
    lent.wait(lambda: session.run.curves.training_loss[-1] == curves.training_loss[-1])
    assert session.run.curves.loss.tolist() == curves.loss.tolist()
    lent.kill()
    assert lent.digest() == before
    session.document.redo()
    lent.wait_for_trace()
    assert lent.digest() == changed
    lent.kill()
    assert lent.digest() == changed
    session.document.undo()
    lent.wait_for_trace()
    assert lent.digest() == before


def test_killed_in_its_past_it_stands_there_again(rig):
    session = rig.session
    session.start()
    rig.wait_for_trace()
    rig.train_to(25)
    session.edit("Rate", edits.change_optimizer, learning_rate=0.1)
    rig.wait_for_trace()
    rig.train_to(60)
    end = rig.digest()
    session.training.go_to(30)
    rig.wait(lambda: session.run.iteration == 30)
    rig.wait_for_trace()
    there = rig.digest()
    assert rig.kill() == 30
    assert rig.digest() == there
    session.training.go_to(60)
    rig.wait(lambda: session.run.iteration == 60)
    rig.wait_for_trace()
    assert rig.digest() == end


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_at_random_moments_of_everything(rig):
    """While it trains, is edited, moves and steps; afterwards the run is the one that a session without deaths makes."""
    session, chance = rig.session, random.Random(11)
    session.watch(("curves", "measures", "surface", "trace"))
    session.start()
    rig.wait_for_trace()
    for _ in range(3):
        session.training.train()
        rig.qtbot.wait(chance.randint(5, 150))
        session.edit("Rate", edits.change_optimizer, learning_rate=chance.choice((0.001, 0.01, 0.03)))
        rig.qtbot.wait(chance.randint(0, 60))
        seen = rig.kill()
        rig.wait(lambda: not session.link.is_waiting)
        rig.wait_for_trace()
        assert session.run.iteration == seen
        assert session.run.engine == "ready"
        assert not session.training.is_training
    before, lineage, iteration = rig.digest(), session.link.log, session.run.iteration
    session.training.go_to(0)
    rig.wait(lambda: session.run.iteration == 0)
    session.training.go_to(iteration)
    rig.wait(lambda: session.run.iteration == iteration)
    rig.wait_for_trace()
    assert rig.digest() == before
    assert session.link.log == lineage
    assert all(level == "warning" or text.startswith("Up to iteration") for level, text in rig.messages)


def test_closing_while_it_trains_is_quick(rig):
    rig.session.start()
    rig.wait_for_trace()
    rig.session.training.train()
    rig.qtbot.wait(50)


def test_closing_while_it_starts_is_quick(rig):
    rig.session.start()
    rig.wait(lambda: rig.client.process_id != 0)

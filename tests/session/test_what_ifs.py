"""What is supposed, without an engine: what is asked for, what is shown, what is dropped, and the one order of undo."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from nnviz import messages
from nnviz.document import edits
from nnviz.records.run_records import WeightHistory
from nnviz.records.tensors import Array, Tensor
from nnviz.records.trace_record import WhatIf
from tests.session.sessions import Stage
from tests.session.traces import A1, LOSS, W1, Z1, trace

ONE, TWO = WhatIf(W1, "set", 0.7, (1,)), WhatIf(A1, "ablate")


def answer(stage: Stage, *what_ifs: WhatIf, loss: float = 0.5, changed: tuple[int, ...] = (LOSS,), **what) -> None:
    """The engine sends the trace with this supposed."""
    record = trace(stage.session.run.iteration, **what)
    nodes = tuple(msgspec.structs.replace(node, value=_twice(node.value)) if node.id in changed else node for node in record.nodes)
    record = msgspec.structs.replace(record, loss=loss, nodes=nodes, what_ifs=what_ifs)
    stage.reply(messages.Traced(stage.session.run.revision, record))


def _twice(tensor: Tensor) -> Tensor:
    values = 2 * np.frombuffer(tensor.values.data, tensor.values.dtype)
    return Tensor(tensor.shape, Array(tensor.values.dtype, tensor.shape, values.tobytes()))


def asked(stage: Stage) -> list[tuple[WhatIf, ...]]:
    return [request.what_ifs for request in stage.wire.take() if isinstance(request, messages.TraceNext)]


def test_what_is_supposed_is_asked_for_and_shown_beside_the_original(stage):
    stage.stand()
    stage.session.stepping.to(5)
    original = stage.session.stepping.state.index
    stage.session.what_ifs.add(ONE)
    assert asked(stage) == [(ONE,)]
    answer(stage, ONE, changed=(Z1, LOSS))
    state = stage.session.stepping.state
    assert state.index.original is original and state.index.truth is original
    assert state.cursor == 5, "the cursor stays"
    assert state.index.changed_values == {Z1, LOSS} and state.index.changed_gradients == frozenset()
    assert state.differs(Z1) and not state.differs(A1)
    assert state.before.index is original and state.before.cursor == 5
    stage.session.stepping.to(1)
    assert not stage.session.stepping.state.differs(Z1), "it is not computed yet"
    assert stage.session.run.is_traced


def test_more_can_be_supposed_and_everything_taken_back(stage):
    stage.stand()
    original = stage.session.stepping.state.index
    stage.session.what_ifs.add(ONE)
    answer(stage, ONE)
    stage.session.what_ifs.add(TWO)
    answer(stage, ONE, TWO)
    assert stage.session.stepping.state.index.original is original
    stage.session.what_ifs.take_back()
    stage.session.what_ifs.take_back(ONE)
    assert asked(stage) == [(ONE,), (ONE, TWO), (ONE,), ()]
    stage.traced()
    assert stage.session.stepping.state.index.original is None
    assert stage.session.stepping.state.index.trace == original.trace


@pytest.mark.parametrize(
    ("first", "then", "left"),
    [
        (WhatIf(W1, "set", 1.0, (1,)), WhatIf(W1, "set", 2.0, (1,)), 1),
        (WhatIf(W1, "set", 1.0, (1,)), WhatIf(W1, "set", 2.0, (0,)), 2),
        (WhatIf(W1, "set", 1.0, (1,)), WhatIf(W1, "ablate"), 1),
        (WhatIf(W1, "set", 1.0, (1,)), WhatIf(A1, "ablate"), 2),
        (WhatIf(A1, "scale", 2.0), WhatIf(A1, "scale", 3.0), 1),
        (WhatIf(A1, "set", 2.0), WhatIf(A1, "scale", 3.0), 2),
        (WhatIf(A1, "scale", 2.0, (0, 1)), WhatIf(A1, "set", 3.0, (None, 1)), 2),
    ],
)
def test_what_would_be_hidden_is_replaced(stage, first, then, left):
    stage.stand()
    stage.session.what_ifs.add(first)
    answer(stage, first)
    stage.session.what_ifs.add(then)
    assert len(stage.session.what_ifs.items) == left and stage.session.what_ifs.items[-1] == then


def test_what_the_engine_refuses_is_not_supposed(stage):
    stage.stand()
    stage.session.what_ifs.add(ONE)
    answer(stage, ONE)
    stage.session.what_ifs.add(TWO)
    stage.reply(messages.Failed("TraceNext", "with what is supposed the iteration cannot be made"))
    assert stage.session.what_ifs.items == (ONE,)
    assert "cannot be made" in stage.texts[-1]
    assert stage.session.undo_order.undo_label == "what-if"
    stage.session.undo_order.undo()
    assert stage.session.what_ifs.items == ()


def test_training_drops_what_is_supposed_and_says_so(stage):
    stage.stand()
    stage.session.what_ifs.add(ONE)
    answer(stage, ONE)
    stage.wire.take()
    stage.session.training.train()
    assert stage.session.what_ifs.items == ()
    assert stage.messages[-1] == ("info", "The what-if was dropped: the run goes on from its true values.")
    assert [type(request) for request in stage.wire.take()] == [messages.Train], "it asks nothing"


def test_stepping_past_the_end_drops_it_too_and_goes_on(stage):
    stage.stand()
    for what_if in (ONE, TWO):
        stage.session.what_ifs.add(what_if)
    answer(stage, ONE, TWO)
    stage.session.stepping.to_end()
    stage.session.stepping.move("node", +1)
    assert "The 2 what-ifs were dropped" in stage.texts[-1]
    stage.frame(1)
    stage.trained(1)
    stage.traced(1)
    assert stage.session.stepping.cursor == 1 and stage.session.stepping.state.index.original is None
    assert not stage.session.undo_order.can_undo


def test_another_detail_supposes_the_same_of_the_same_nodes(stage):
    stage.stand()
    stage.session.what_ifs.add(ONE)
    answer(stage, ONE)
    stage.wire.take()
    stage.session.stepping.set_detail("math")
    stage.traced(detail="math")
    assert asked(stage) == [(), (ONE,)]
    assert stage.session.what_ifs.items == (ONE,)


def test_an_edited_document_keeps_what_is_supposed_as_long_as_it_fits(stage):
    stage.stand()
    stage.session.what_ifs.add(ONE)
    answer(stage, ONE)
    stage.session.edit("Rate", edits.change_optimizer, learning_rate=0.5)
    stage.opened(new_run=False)
    stage.traced()
    assert stage.session.what_ifs.items == (ONE,)
    assert asked(stage)[-1] == (ONE,)
    stage.session.undo_order.undo()
    assert stage.session.experiment.training.optimizer["learning_rate"] == 0.01


def test_one_order_of_undo_for_document_and_what_ifs(stage):
    stage.stand()
    undoing = stage.session.undo_order
    stage.session.edit("Rate", edits.change_optimizer, learning_rate=0.5)
    stage.opened(new_run=False)
    stage.traced()
    stage.session.what_ifs.add(ONE)
    answer(stage, ONE)
    assert (undoing.undo_label, undoing.redo_label, undoing.can_redo) == ("what-if", "", False)
    undoing.undo()
    stage.traced()
    assert stage.session.what_ifs.items == ()
    assert (undoing.undo_label, undoing.redo_label) == ("Rate", "what-if")
    undoing.undo()
    assert stage.session.experiment.training.optimizer["learning_rate"] == 0.01
    assert (undoing.undo_label, undoing.redo_label) == ("", "Rate")
    undoing.redo()
    stage.opened(new_run=False)
    stage.traced()
    undoing.redo()
    assert stage.session.what_ifs.items == (ONE,)
    assert asked(stage)[-1] == (ONE,)
    answer(stage, ONE)
    stage.session.edit("Rate", edits.change_optimizer, learning_rate=0.1)
    assert undoing.undo_label == "Rate", "the last thing that was done"
    undoing.undo()
    stage.opened(new_run=False)
    stage.traced()
    assert undoing.undo_label == "what-if"


def test_kept_weights_are_one_edit_and_the_rest_stays_supposed(stage):
    stage.stand()
    weight = next(node for node in stage.session.stepping.state.index.trace.nodes if node.id == W1)
    assert weight.label == "W", "the hand-made trace calls it so"
    for what_if in (ONE, TWO):
        stage.session.what_ifs.add(what_if)
    answer(stage, ONE, TWO, changed=(W1,))
    assert stage.session.what_ifs.weights() == {"W": [2.0, 2.0]}
    assert not stage.session.keep_what_ifs(), "no parameter of the document is called so"
    assert stage.session.what_ifs.items == (ONE, TWO)


def test_nothing_is_supposed_before_there_is_a_trace(stage):
    stage.ready()
    stage.session.what_ifs.add(ONE)
    assert stage.session.what_ifs.items == ()
    assert stage.messages == [("warning", "Wait until the iteration is traced.")]


def test_another_document_forgets_it(stage):
    stage.stand()
    stage.session.what_ifs.add(ONE)
    answer(stage, ONE)
    stage.session.document.new(stage.session.experiment)
    assert stage.session.what_ifs.items == ()
    assert not stage.session.undo_order.can_undo


def test_the_history_of_a_weight_is_watched_and_kept_in_the_run(stage):
    stage.stand()
    stage.session.watched.watch_weight("h1.weight", (0, 1))
    watch = stage.wire.take()[-1]
    assert (watch.parameter, watch.element) == ("h1.weight", (0, 1))
    empty = Array("float64", (0,), b"")
    history = WeightHistory("h1.weight", (0, 1), Array("int64", (0,), b""), empty, empty, empty)
    stage.reply(messages.Frame(9, stage.session.run.revision, 0, 0, 0.01, history=history))
    assert stage.session.run.history is history
    stage.frame(0)
    assert stage.session.run.history is history, "a frame without news keeps it"

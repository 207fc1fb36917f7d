from msgspec.structs import replace as with_fields

from nnviz import messages
from nnviz.document import edits
from nnviz.document.breakpoints import Breakpoint
from nnviz.messages import Edit, Open, SetBreakpoints, Train
from nnviz.records.run_records import BreakpointHit
from tests.records.test_breakpoint_places import NAN, index
from tests.session.sessions import Stage, kinds, two_moons
from tests.session.traces import A1, LENGTH, W1, W2, Z1

NODE = Breakpoint("node", "h1/relu")
GRADIENT = Breakpoint("gradient", "", "above", 4.0)


def add(stage, kind: str, **settings) -> None:
    assert stage.session.edit("Add breakpoint", edits.add_breakpoint, kind, **settings)


def traced(stage, iteration: int, **numbers) -> None:
    """A trace of the present iteration with these numbers in it arrives."""
    record = with_fields(index(**numbers).trace, iteration=iteration)
    stage.reply(messages.Traced(stage.session.run.revision, record))


def test_a_breakpoint_is_no_change_of_the_run(standing):
    run, revision = standing.session.run, standing.session.run.revision
    add(standing, "gradient", threshold=4.0)
    assert standing.wire.take() == [SetBreakpoints((GRADIENT,))]
    assert (standing.session.run.revision, standing.session.run) == (revision, run)
    standing.session.edit("Switch breakpoint", edits.change_breakpoint, 0, enabled=False)
    assert standing.wire.take() == [SetBreakpoints(())]
    standing.session.document.undo()
    standing.session.document.undo()
    assert standing.session.experiment.breakpoints == ()
    assert standing.wire.take() == [SetBreakpoints((GRADIENT,)), SetBreakpoints(())]
    standing.session.document.redo()
    assert standing.wire.take() == [SetBreakpoints((GRADIENT,))]


def test_an_edit_afterwards_is_sent_as_ever(standing):
    add(standing, "non_finite")
    standing.session.edit("Rate", edits.change_optimizer, learning_rate=0.5)
    assert kinds(standing.wire.take()) == ["SetBreakpoints", "Edit"]


def test_the_engine_learns_of_them_when_it_comes_up_and_when_it_comes_back(qapp):
    document = edits.add_breakpoint(two_moons(), "non_finite")
    stage = Stage(document)
    stage.ready()
    assert SetBreakpoints((Breakpoint("non_finite"),)) in stage.wire.take()
    stage.opened()
    stage.session.link.lost("It was killed.")
    stage.reply(messages.Ready("2.13.0"))
    assert [type(request) for request in stage.wire.take() if isinstance(request, SetBreakpoints | Open)] == [Open, SetBreakpoints]
    stage.session.document.new(two_moons())
    assert stage.wire.of(SetBreakpoints) == [SetBreakpoints(())], "another document, other breakpoints"
    stage.session.close()


def test_a_node_that_the_graph_does_not_have_sleeps(standing):
    add(standing, "node", target="h1/tanh")
    assert standing.wire.take() == []
    add(standing, "node", target="h1/relu")
    assert standing.wire.take() == [SetBreakpoints((NODE,))]


# --- training stops ---


def test_the_cursor_stands_at_the_guilty_node_once_its_trace_is_there(standing):
    add(standing, "gradient", threshold=4.0)
    standing.session.training.train()
    assert standing.wire.take()[-1] == Train(None, past=True), "this iteration's trace is there and harmless"
    standing.frame(7)
    standing.reply(messages.Trained(7, 3, "breakpoint", "Stopped before iteration 8: it is large.", BreakpointHit(GRADIENT, "W", 7.0)))
    assert (standing.session.run.stopped, standing.messages[-1]) == ("breakpoint", ("warning", "Stopped before iteration 8: it is large."))
    assert kinds(standing.wire.take()) == ["TraceNext"]
    traced(standing, 7, gradients={W1: 7.0})
    assert (standing.session.stepping.cursor, standing.session.stepping.selected_node) == (9, W1)
    assert len(standing.messages) == 1
    standing.session.training.train()
    assert standing.wire.of(Train) == [Train(None, past=True)], "training again goes past it"


def test_a_live_picture_does_not_hide_the_place(standing):
    add(standing, "gradient", threshold=4.0)
    standing.session.training.train()
    standing.frame(7, with_trace=True)
    standing.reply(messages.Trained(7, 3, "breakpoint", "why", BreakpointHit(GRADIENT, "W", 7.0)))
    assert standing.session.stepping.cursor == LENGTH
    traced(standing, 7, gradients={W1: 7.0})
    assert standing.session.stepping.cursor == 9


def test_what_lies_ahead_in_the_present_trace_stops_before_anything_is_trained(standing):
    add(standing, "node", target="h1/relu")
    standing.wire.take()
    standing.session.training.train()
    assert (standing.session.stepping.cursor, standing.session.stepping.selected_node, standing.wire.take()) == (3, A1, [])
    standing.session.training.toggle()
    assert standing.wire.take() == [Train(None, past=True)], "once in an iteration, though it comes to the node again"
    standing.reply(messages.Trained(1, 0, "breakpoint", "why", BreakpointHit(NODE, "h1/relu")))
    standing.traced(1)
    assert standing.session.stepping.cursor == 3


def test_a_cursor_that_only_rests_at_the_end_has_passed_nothing(standing):
    standing.session.stepping.set_rest("end")
    assert standing.session.stepping.cursor == LENGTH
    add(standing, "node", target="h1/relu")
    standing.session.training.iterations(1)
    assert (standing.session.stepping.cursor, standing.wire.of(Train)) == (3, [])


def test_without_a_trace_the_engine_looks_at_every_iteration(standing):
    add(standing, "gradient", threshold=4.0)
    standing.session.edit("Rate", edits.change_optimizer, learning_rate=0.5)
    standing.opened(new_run=False)
    standing.wire.take()
    standing.session.training.train()
    assert standing.wire.of(Train) == [Train()]


def test_it_goes_past_also_when_the_trace_cannot_be_had(standing):
    add(standing, "gradient", threshold=4.0)
    standing.session.training.train()
    standing.reply(messages.Trained(7, 3, "breakpoint", "why", BreakpointHit(GRADIENT, "W", 7.0)))
    standing.reply(messages.Failed("TraceNext", "It cannot be traced."))
    standing.wire.take()
    standing.session.training.train()
    assert standing.wire.of(Train) == [Train(None, past=True)]


def test_elsewhere_the_place_is_forgotten(standing):
    add(standing, "gradient", threshold=4.0)
    standing.session.training.train()
    standing.reply(messages.Trained(7, 3, "breakpoint", "why", BreakpointHit(GRADIENT, "W", 7.0)))
    standing.session.training.go_to(3)
    standing.reply(messages.Moved(3, 1))
    traced(standing, 3, gradients={W1: 7.0})
    assert standing.session.stepping.cursor == 0
    assert standing.session.run.stopped == ""


def test_another_breakpoint_that_comes_first_in_the_schedule_is_told_instead(standing):
    add(standing, "gradient", threshold=4.0)
    add(standing, "activation", threshold=5.0)
    standing.session.training.train()
    standing.reply(messages.Trained(7, 3, "breakpoint", "why", BreakpointHit(GRADIENT, "W", 7.0)))
    traced(standing, 7, gradients={W2: 7.0}, values={A1: 9.0})
    assert (standing.session.stepping.cursor, standing.session.stepping.selected_node) == (3, A1)
    assert "|activation| > 5: 9 in h1" in standing.texts[-1]


def test_the_first_value_that_is_not_finite_has_the_cursor_also_without_a_breakpoint(standing):
    standing.session.training.train()
    standing.reply(messages.Trained(7, 3, "non_finite", "Iteration 8: it is not finite."))
    traced(standing, 7, values={Z1: NAN, A1: NAN})
    assert (standing.session.stepping.cursor, standing.session.stepping.selected_node) == (2, Z1)
    standing.session.training.train()
    assert standing.wire.of(Train)[-1] == Train()
    standing.reply(messages.Trained(7, 3, "non_finite", "Iteration 8: it is not finite."))
    assert standing.session.stepping.cursor == 2


def test_a_loss_that_rises_is_compared_with_the_curve(standing):
    add(standing, "loss_rising")
    standing.session.training.train()
    standing.frame(1)  # its loss is 1/2
    standing.reply(messages.Trained(1, 0, "breakpoint", "why", BreakpointHit(Breakpoint("loss_rising"), "loss", 1.0)))
    traced(standing, 1, loss=1.0)
    assert standing.session.stepping.cursor == 5


def test_stopping_ends_the_play(standing):
    add(standing, "gradient", threshold=4.0)
    standing.session.stepping.to_end()
    standing.session.stepping.play(10_000, "epoch")
    assert standing.session.stepping.is_playing and standing.session.run.training
    standing.reply(messages.Trained(1, 0, "breakpoint", "why", BreakpointHit(GRADIENT, "W", 7.0)))
    assert not standing.session.stepping.is_playing


def test_an_edit_counts_as_one_for_the_title_of_the_window(standing):
    assert standing.session.document.is_saved
    add(standing, "non_finite")
    assert not standing.session.document.is_saved
    assert standing.wire.of(Edit) == []

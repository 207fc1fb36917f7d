import pytest

from nnviz import messages
from nnviz.document import edits
from nnviz.document.breakpoints import Breakpoint
from nnviz.messages import GoTo, SetBreakpoints, Train
from nnviz.records import trace_places
from tests.session.traces import A1, B1, LENGTH, W1, Z1, Z2, index

# places: 0 start · 1 batch · 2 z1 3 a1 4 z2 · 5 loss · 6 loss 7 z2 8 a1 9 z1 · 10 clip · 11 W1 12 b1 13 W2 14 b2
H1 = frozenset({W1, B1, Z1, A1})


def folded(node: int) -> frozenset[int]:
    return H1 if node in H1 else frozenset()


@pytest.fixture
def stepping(standing):
    return standing.session.stepping


@pytest.mark.parametrize(("cursor", "place"), [(0, 1), (1, 3), (2, 3), (3, 4), (7, 9), (8, 9), (10, 12), (12, 13), (14, 14)])
def test_over_a_folded_group_is_one_step(cursor, place):
    assert trace_places.over(index(), cursor, +1, folded) == place


@pytest.mark.parametrize(("cursor", "place"), [(0, 0), (1, 0), (3, 1), (4, 3), (9, 7), (10, 9), (12, 10), (14, 13)])
def test_back_over_a_folded_group_is_one_step(cursor, place):
    assert trace_places.over(index(), cursor, -1, folded) == place


@pytest.mark.parametrize(("cursor", "place"), [(0, 1), (1, 2), (3, 4), (2, 2), (9, 10), (8, 8), (12, 13), (11, 11), (13, 14)])
def test_into_goes_to_the_first_step_of_the_group_or_on_from_behind_it(cursor, place):
    assert trace_places.into(index(), cursor, folded) == place


@pytest.mark.parametrize(
    ("cursor", "place"), [(0, 1), (1, 2), (2, 4), (3, 4), (4, 5), (5, 6), (8, 10), (10, 11), (11, 13), (13, 14), (14, 14)]
)
def test_out_goes_to_the_first_step_behind_the_group(cursor, place):
    assert trace_places.out(index(), cursor) == place


@pytest.mark.parametrize("size", ["node", "layer", "phase"])
def test_small_moves_send_nothing_and_come_back(standing, stepping, size):
    while standing.session.stepping.cursor < LENGTH:
        stepping.move(size, +1)
    while standing.session.stepping.cursor:
        stepping.move(size, -1)
    assert standing.wire.take() == []


def test_moves_follow_what_is_folded(standing, stepping):
    stepping.set_folds(folded)
    places = []
    while standing.session.stepping.cursor < LENGTH:
        stepping.move("node", +1)
        places.append(standing.session.stepping.cursor)
    assert places == [1, 3, 4, 5, 6, 7, 9, 10, 12, 13, 14]
    standing.session.stepping.to(9)
    assert stepping.node_inside == -1, "its last step is behind the cursor: clipping is no node's"
    standing.session.stepping.to(8)
    assert stepping.node_inside == A1
    stepping.into()
    assert standing.session.stepping.cursor == 8
    stepping.out()
    assert standing.session.stepping.cursor == 10


@pytest.mark.parametrize("size", ["node", "layer", "phase", "iteration", "epoch"])
def test_behind_the_end_every_size_makes_another_iteration(standing, stepping, size):
    standing.session.stepping.to_end()
    stepping.move(size, +1)
    assert standing.wire.take() == [Train(2 if size == "epoch" else 1)], "an epoch has two"


def test_an_iteration_forward_ends_this_one_and_then_the_next(standing, stepping):
    stepping.move("iteration", +1)
    assert (standing.session.stepping.cursor, standing.wire.take()) == (LENGTH, [])
    stepping.move("iteration", +1)
    assert standing.wire.take() == [Train(1)]
    standing.trained(1)
    standing.traced()
    assert (standing.session.stepping.cursor, standing.session.stepping.state.index.trace.iteration) == (LENGTH, 1)


def test_an_epoch_counts_the_iteration_that_is_not_finished(standing, stepping):
    standing.session.stepping.to(4)
    stepping.move("epoch", +1)
    assert standing.wire.take() == [Train(1)]
    standing.trained(1)
    standing.traced()
    assert standing.session.stepping.cursor == LENGTH


def test_back_beyond_the_start_is_the_end_of_the_iteration_before(standing, stepping):
    for iteration in (1, 2, 3):
        standing.session.stepping.to_end()
        stepping.move("node", +1)
        standing.trained(iteration)
        standing.traced()
    assert (standing.session.stepping.cursor, standing.session.stepping.state.index.trace.iteration) == (1, 3)
    standing.wire.take()
    stepping.move("node", -1)
    assert (standing.session.stepping.cursor, standing.wire.take()) == (0, [])
    stepping.move("node", -1)
    stepping.move("node", -1)
    assert standing.wire.take() == [GoTo(2)], "once, however often it is asked for"
    standing.reply(messages.Moved(2, 1))
    standing.traced()
    assert (standing.session.stepping.cursor, standing.session.stepping.state.index.trace.iteration) == (LENGTH, 2)
    stepping.move("iteration", -1)
    assert standing.wire.of(GoTo) == [GoTo(1)]
    standing.reply(messages.Moved(1, 0))
    standing.traced()
    assert standing.session.stepping.cursor == LENGTH
    stepping.move("epoch", -1)
    assert standing.wire.of(GoTo)[-1] == GoTo(0)
    standing.reply(messages.Moved(0, 0))
    standing.traced()
    assert standing.session.stepping.cursor == 0, "a whole epoch back there is no iteration: the start"
    standing.wire.take()
    stepping.move("epoch", -1)
    stepping.move("node", -1)
    assert standing.wire.take() == []


def test_a_step_back_that_is_impossible_says_so(stage):
    stage.stand()
    stage.session.stepping.to_end()
    stage.session.stepping.move("node", +1)
    stage.trained(1)
    stage.traced()
    stage.session.stepping.to_start()
    stage.session.link.failed("It is gone.")
    stage.session.stepping.move("node", -1)
    assert "choose Restart the engine" in stage.texts[-1]
    assert not stage.session.stepping.is_awaiting


# --- breakpoints on the way ---


def break_at(stage, *targets: str) -> None:
    for target in targets:
        stage.session.edit("Add breakpoint", edits.add_breakpoint, "node", target=target)


@pytest.mark.parametrize(("move", "direction"), [("phase", +1), ("layer", +1), ("iteration", +1), ("epoch", +1)])
def test_a_move_stops_at_a_breakpoint_on_the_way(standing, stepping, move, direction):
    break_at(standing, "h1/relu")
    standing.session.stepping.to(2)
    stepping.move(move, direction)
    assert standing.session.stepping.cursor == 3
    assert standing.session.stepping.selected_node == A1 or move == "layer"
    assert "relu of h1" in standing.texts[-1]


def test_back_too(standing, stepping):
    break_at(standing, "h1/relu")
    standing.session.stepping.to(5)
    stepping.move("phase", -1)
    assert standing.session.stepping.cursor == 3
    stepping.move("phase", -1)
    assert standing.session.stepping.cursor == 2, "and on from there"


def test_run_to_here_stops_before_it_but_a_jump_back_does_not(standing, stepping):
    break_at(standing, "h1/relu")
    stepping.to_node(Z2)
    assert standing.session.stepping.cursor == 3
    standing.session.stepping.to(9)
    stepping.to_node(Z2)
    assert standing.session.stepping.cursor == 4


def test_a_scrub_goes_where_it_goes(standing):
    break_at(standing, "h1/relu")
    standing.session.stepping.to(9)
    assert standing.session.stepping.cursor == 9 and standing.messages == []


def test_play_stops_there_and_goes_on_from_there(standing, stepping, qtbot):
    break_at(standing, "h1/relu")
    stepping.play(10)
    qtbot.waitUntil(lambda: not stepping.is_playing, timeout=5000)
    assert (standing.session.stepping.cursor, standing.session.stepping.selected_node) == (3, A1)
    assert standing.texts == ["Stopped at a breakpoint: relu of h1."]
    stepping.play(10, "phase")
    qtbot.waitUntil(lambda: not stepping.is_playing, timeout=5000)
    assert (standing.session.stepping.cursor, len(standing.texts)) == (8, 2)
    stepping.play(10, "node", -1)
    qtbot.waitUntil(lambda: not stepping.is_playing, timeout=5000)
    assert standing.session.stepping.cursor == 3, "backwards too"


def test_finishing_an_iteration_by_hand_goes_past_its_breakpoints(standing, stepping):
    break_at(standing, "h1/relu")
    assert standing.wire.take() == [SetBreakpoints((Breakpoint("node", "h1/relu"),))]
    standing.session.stepping.to_end()
    stepping.move("node", +1)
    assert standing.wire.take() == [Train(1, past=True)]

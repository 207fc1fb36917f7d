import pytest

from nnviz.session.stepping import FASTEST, Stepping
from tests.session.traces import LENGTH, W1, Z1, index


class Advance:
    """Stands for the run: counts how often the next iteration is asked for."""

    def __init__(self) -> None:
        self.calls, self.answer = 0, True

    def __call__(self, count: int) -> bool:
        self.calls += 1
        return self.answer


@pytest.fixture
def advance() -> Advance:
    return Advance()


@pytest.fixture
def stepping(qapp, advance) -> Stepping:
    return Stepping(advance, lambda iteration: False, lambda: 1, lambda index, start, end: None)


def show(stepping, trace, is_training=False, is_current=True):
    stepping.show(trace, is_training, is_current)


def test_without_a_trace_nothing_moves_and_a_step_asks_for_one(stepping, advance):
    stepping.move("node", -1)
    stepping.to(5)
    stepping.to_node(Z1)
    assert (stepping.state, stepping.cursor, stepping.length, advance.calls) == (None, 0, 0, 0)
    stepping.move("node", +1)
    stepping.move("node", +1)
    assert advance.calls == 1
    show(stepping, index())
    assert stepping.cursor == 1


def test_steps_move_an_integer_and_ask_for_nothing(stepping, advance):
    show(stepping, index())
    for place in range(1, LENGTH + 1):
        stepping.move("node", +1)
        assert stepping.cursor == place
    for place in range(LENGTH - 1, -1, -1):
        stepping.move("node", -1)
        assert stepping.cursor == place
    stepping.move("node", -1)
    assert (stepping.cursor, advance.calls) == (0, 0)


def test_each_move_is_told_once_with_the_moment_before(stepping):
    told = []
    stepping.trace_state_changed.connect(lambda old, new: told.append((old and old.cursor, new.cursor)))
    show(stepping, index())
    stepping.move("node", +1)
    stepping.to(1)
    stepping.to_node(W1)
    stepping.to_end()
    stepping.to_end()
    assert told == [(None, 0), (0, 1), (1, 9), (9, LENGTH)]


def test_behind_the_end_the_next_iteration_begins(stepping, advance):
    show(stepping, index(0))
    stepping.to_end()
    stepping.move("node", +1)
    assert (advance.calls, stepping.cursor, stepping.is_awaiting) == (1, LENGTH, True)
    show(stepping, index(0), is_training=True, is_current=False)
    assert stepping.index.trace.iteration == 0, "the finished iteration stays until the next one is there"
    show(stepping, index(1))
    assert (stepping.cursor, stepping.index.trace.iteration, stepping.is_awaiting) == (1, 1, False)


def test_what_is_expected_is_entered_where_the_aim_says(stepping, advance):
    show(stepping, index(0))
    stepping.to(5)
    stepping.expect(lambda: advance(1), lambda trace: trace.length - 1)
    show(stepping, index(3))
    assert (stepping.cursor, stepping.is_awaiting) == (LENGTH - 1, False)
    show(stepping, index(4))
    assert stepping.cursor == LENGTH - 1, "the aim was for one trace only; from then on the place stays"


def test_an_aim_waits_for_the_next_iterations_trace_and_is_called_off_by_a_step(stepping):
    show(stepping, index(0))
    stepping.aim(lambda trace: 7)
    show(stepping, index(5), is_current=False)
    assert stepping.cursor == LENGTH, "a trace of an iteration already made"
    show(stepping, index(6))
    assert (stepping.cursor, stepping.walked) == (7, 7)
    stepping.aim(lambda trace: 3)
    stepping.move("node", -1)
    show(stepping, index(7))
    assert stepping.cursor == 6


def test_an_aim_that_does_not_know_leaves_the_place_as_it_is(stepping):
    show(stepping, index(0))
    stepping.aim(lambda trace: None)
    show(stepping, index(1))
    assert (stepping.cursor, stepping.walked) == (0, 0)


def test_what_cannot_come_is_not_waited_for(stepping, advance):
    show(stepping, index())
    stepping.to_end()
    advance.answer = False
    stepping.move("node", +1)
    stepping.move("node", +1)
    assert (advance.calls, stepping.is_awaiting) == (2, False)


def test_going_back_while_waiting_calls_the_step_off(stepping):
    show(stepping, index(0))
    stepping.to_end()
    stepping.move("node", +1)
    stepping.move("node", -1)
    assert not stepping.is_awaiting
    assert stepping.cursor == LENGTH - 1


@pytest.mark.parametrize(("rest", "place"), [("start", 0), ("end", LENGTH)])
def test_rest_says_where_a_trace_is_shown_to_who_does_not_step(stepping, rest, place):
    stepping.set_rest(rest)
    show(stepping, index(0))
    assert stepping.cursor == place
    stepping.set_rest("end" if rest == "start" else "start")
    assert stepping.cursor == LENGTH - place


def test_rest_leaves_who_steps_alone(stepping):
    show(stepping, index(0))
    stepping.to(5)
    stepping.set_rest("end")
    assert stepping.cursor == 5
    show(stepping, index(0))
    assert stepping.cursor == 5, "an edit brings another trace of the same iteration: the place stays"


def test_while_training_the_picture_is_full_and_then_rests(stepping):
    show(stepping, index(0))
    stepping.to(5)
    show(stepping, index(9), is_training=True, is_current=False)
    assert stepping.cursor == LENGTH
    show(stepping, index(10))
    assert stepping.cursor == 0


def test_a_step_while_training_asks_to_stop(stepping, advance):
    show(stepping, index(9), is_training=True, is_current=False)
    stepping.to(3)
    stepping.move("node", +1)
    assert advance.calls == 1


def test_sample_fits_the_batch_and_is_remembered(stepping):
    stepping.set_sample(3)
    show(stepping, index(rows=4))
    assert stepping.state.sample == 3
    show(stepping, index(1, rows=2))
    assert stepping.state.sample == 1
    show(stepping, index(2, rows=4))
    assert stepping.state.sample == 3
    stepping.set_sample(None)
    assert stepping.state.sample is None
    assert stepping.state.row(Z1, stepping.state.index.node(Z1).value).shape == (2,)


def test_a_run_without_a_trace_clears_the_picture(stepping):
    show(stepping, index())
    stepping.to(3)
    show(stepping, None, is_current=False)
    assert (stepping.state, stepping.cursor) == (None, 0)


def test_detail_is_told_when_it_changes(stepping):
    told = []
    stepping.detail_changed.connect(told.append)
    stepping.set_detail("layer")
    stepping.set_detail("layer")
    assert told == ["layer"]


def test_an_empty_detail_forgets_that_a_group_had_its_own(stepping):
    for path in ("h1", "h1/gate", "out"):
        stepping.set_detail_of(path, "math")
    told = []
    stepping.detail_changed.connect(lambda detail: told.append(stepping.details))
    stepping.set_detail_of("h2", "")
    stepping.set_detail_of("h1", "")
    stepping.set_detail_of("h1/gate", "")
    assert told == [(("h1/gate", "math"), ("out", "math")), (("out", "math"),)]


def test_among_neurons_textbook_is_the_detail_of_all(stepping):
    stepping.set_detail("neurons")
    stepping.set_detail_of("h1", "textbook")
    assert stepping.details == ()
    stepping.set_detail_of("loss", "math")
    assert stepping.details == (("loss", "math"),)


def test_one_group_has_a_detail_of_its_own_until_all_get_another(stepping):
    told = []
    stepping.detail_changed.connect(lambda detail: told.append((detail, stepping.details)))
    stepping.set_detail_of("h1", "math")
    stepping.set_detail_of("h1", "math")
    stepping.set_detail_of("out", "layer")
    stepping.set_detail_of("h1", "textbook")
    stepping.set_detail("textbook")
    assert told == [
        ("textbook", (("h1", "math"),)),
        ("textbook", (("h1", "math"), ("out", "layer"))),
        ("textbook", (("out", "layer"),)),
        ("textbook", ()),
    ]


# --- playing ---


def test_plays_at_once_and_again_and_again_until_stopped(stepping, qtbot):
    told = []
    stepping.playing_changed.connect(told.append)
    show(stepping, index())
    stepping.play(FASTEST)
    assert stepping.cursor == 1
    qtbot.waitUntil(lambda: stepping.cursor >= 4, timeout=2000)
    stepping.stop()
    stepping.stop()
    place = stepping.cursor
    qtbot.wait(5 * FASTEST)
    assert (stepping.cursor, told, stepping.is_playing) == (place, [True, False], False)


def test_playing_faster_is_no_new_start_and_the_other_way_is_none_either(stepping, qtbot):
    told = []
    stepping.playing_changed.connect(told.append)
    show(stepping, index())
    stepping.toggle(100_000)
    stepping.change_pace(FASTEST, "phase")
    assert (stepping.cursor, told) == (1, [True])
    qtbot.waitUntil(lambda: stepping.cursor >= 5, timeout=2000)
    stepping.toggle(100_000, "node", -1)
    assert stepping.is_playing
    stepping.toggle(100_000, "node", -1)
    assert told == [True, False]


def test_a_step_that_stops_it_is_the_last(stepping, qtbot):
    show(stepping, index())
    stepping.trace_state_changed.connect(stepping.stop)
    stepping.play(FASTEST)
    qtbot.wait(5 * FASTEST)
    assert stepping.cursor == 1


def test_backwards_it_ends_at_the_start_of_the_run(stepping, qtbot):
    show(stepping, index())
    stepping.to(2)
    stepping.play(FASTEST, "node", -1)
    qtbot.waitUntil(lambda: not stepping.is_playing, timeout=2000)
    assert stepping.cursor == 0


def test_it_ends_where_nothing_comes_any_more(stepping, advance):
    show(stepping, index())
    stepping.to_end()
    advance.answer = False
    stepping.play(100_000)
    assert (advance.calls, stepping.is_playing) == (1, False)

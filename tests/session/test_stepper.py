import pytest

from nnviz.session.stepper import Stepper
from tests.session.traces import LENGTH, W1, Z1, index


class Advance:
    """Stands for the run: counts how often the next iteration is asked for."""

    def __init__(self) -> None:
        self.calls, self.answer = 0, True

    def __call__(self) -> bool:
        self.calls += 1
        return self.answer


@pytest.fixture
def advance() -> Advance:
    return Advance()


@pytest.fixture
def stepper(qapp, advance) -> Stepper:
    return Stepper(advance)


def show(stepper, trace, is_training=False, is_current=True):
    stepper.show(trace, is_training, is_current)


def test_without_a_trace_nothing_moves_and_a_step_asks_for_one(stepper, advance):
    stepper.back()
    stepper.to(5)
    stepper.to_node(Z1)
    assert (stepper.state, stepper.cursor, stepper.length, advance.calls) == (None, 0, 0, 0)
    stepper.step()
    stepper.step()
    assert advance.calls == 1
    show(stepper, index())
    assert stepper.cursor == 1


def test_steps_move_an_integer_and_ask_for_nothing(stepper, advance):
    show(stepper, index())
    for place in range(1, LENGTH + 1):
        stepper.step()
        assert stepper.cursor == place
    for place in range(LENGTH - 1, -1, -1):
        stepper.back()
        assert stepper.cursor == place
    stepper.back()
    assert (stepper.cursor, advance.calls) == (0, 0)


def test_each_move_is_told_once_with_the_moment_before(stepper):
    told = []
    stepper.trace_state_changed.connect(lambda old, new: told.append((old and old.cursor, new.cursor)))
    show(stepper, index())
    stepper.step()
    stepper.to(1)
    stepper.to_node(W1)
    stepper.to_end()
    stepper.to_end()
    assert told == [(None, 0), (0, 1), (1, 9), (9, LENGTH)]


def test_behind_the_end_the_next_iteration_begins(stepper, advance):
    show(stepper, index(0))
    stepper.to_end()
    stepper.step()
    assert (advance.calls, stepper.cursor, stepper.is_awaiting) == (1, LENGTH, True)
    show(stepper, index(0), is_training=True, is_current=False)
    assert stepper.index.trace.iteration == 0, "the finished iteration stays until the next one is there"
    show(stepper, index(1))
    assert (stepper.cursor, stepper.index.trace.iteration, stepper.is_awaiting) == (1, 1, False)


def test_what_is_expected_is_entered_where_the_aim_says(stepper, advance):
    show(stepper, index(0))
    stepper.to(5)
    stepper.expect(advance, lambda trace: trace.length - 1)
    show(stepper, index(3))
    assert (stepper.cursor, stepper.is_awaiting) == (LENGTH - 1, False)
    show(stepper, index(4))
    assert stepper.cursor == LENGTH - 1, "the aim was for one trace only; from then on the place stays"


def test_an_aim_waits_for_the_next_iterations_trace_and_is_called_off_by_a_step(stepper):
    show(stepper, index(0))
    stepper.aim(lambda trace: 7)
    show(stepper, index(5), is_current=False)
    assert stepper.cursor == LENGTH, "a trace of an iteration already made"
    show(stepper, index(6))
    assert (stepper.cursor, stepper.walked) == (7, 7)
    stepper.aim(lambda trace: 3)
    stepper.back()
    show(stepper, index(7))
    assert stepper.cursor == 6


def test_an_aim_that_does_not_know_leaves_the_place_as_it_is(stepper):
    show(stepper, index(0))
    stepper.aim(lambda trace: None)
    show(stepper, index(1))
    assert (stepper.cursor, stepper.walked) == (0, 0)


def test_what_cannot_come_is_not_waited_for(stepper, advance):
    show(stepper, index())
    stepper.to_end()
    advance.answer = False
    stepper.step()
    stepper.step()
    assert (advance.calls, stepper.is_awaiting) == (2, False)


def test_going_back_while_waiting_calls_the_step_off(stepper):
    show(stepper, index(0))
    stepper.to_end()
    stepper.step()
    stepper.back()
    assert not stepper.is_awaiting
    assert stepper.cursor == LENGTH - 1


@pytest.mark.parametrize(("rest", "place"), [("start", 0), ("end", LENGTH)])
def test_rest_says_where_a_trace_is_shown_to_who_does_not_step(stepper, rest, place):
    stepper.set_rest(rest)
    show(stepper, index(0))
    assert stepper.cursor == place
    stepper.set_rest("end" if rest == "start" else "start")
    assert stepper.cursor == LENGTH - place


def test_rest_leaves_who_steps_alone(stepper):
    show(stepper, index(0))
    stepper.to(5)
    stepper.set_rest("end")
    assert stepper.cursor == 5
    show(stepper, index(0))
    assert stepper.cursor == 5, "an edit brings another trace of the same iteration: the place stays"


def test_while_training_the_picture_is_full_and_then_rests(stepper):
    show(stepper, index(0))
    stepper.to(5)
    show(stepper, index(9), is_training=True, is_current=False)
    assert stepper.cursor == LENGTH
    show(stepper, index(10))
    assert stepper.cursor == 0


def test_a_step_while_training_asks_to_stop(stepper, advance):
    show(stepper, index(9), is_training=True, is_current=False)
    stepper.to(3)
    stepper.step()
    assert advance.calls == 1


def test_sample_fits_the_batch_and_is_remembered(stepper):
    stepper.set_sample(3)
    show(stepper, index(rows=4))
    assert stepper.state.sample == 3
    show(stepper, index(1, rows=2))
    assert stepper.state.sample == 1
    show(stepper, index(2, rows=4))
    assert stepper.state.sample == 3
    stepper.set_sample(None)
    assert stepper.state.sample is None
    assert stepper.state.row(Z1, stepper.state.index.node(Z1).value).shape == (2,)


def test_a_run_without_a_trace_clears_the_picture(stepper):
    show(stepper, index())
    stepper.to(3)
    show(stepper, None, is_current=False)
    assert (stepper.state, stepper.cursor) == (None, 0)


def test_detail_is_told_when_it_changes(stepper):
    told = []
    stepper.detail_changed.connect(told.append)
    stepper.set_detail("layer")
    stepper.set_detail("layer")
    assert told == ["layer"]


def test_an_empty_detail_forgets_that_a_group_had_its_own(stepper):
    for path in ("h1", "h1/gate", "out"):
        stepper.set_detail_of(path, "math")
    told = []
    stepper.detail_changed.connect(lambda detail: told.append(stepper.details))
    stepper.set_detail_of("h2", "")
    stepper.set_detail_of("h1", "")
    stepper.set_detail_of("h1/gate", "")
    assert told == [(("h1/gate", "math"), ("out", "math")), (("out", "math"),)]


def test_among_neurons_textbook_is_the_detail_of_all(stepper):
    stepper.set_detail("neurons")
    stepper.set_detail_of("h1", "textbook")
    assert stepper.details == ()
    stepper.set_detail_of("loss", "math")
    assert stepper.details == (("loss", "math"),)


def test_one_group_has_a_detail_of_its_own_until_all_get_another(stepper):
    told = []
    stepper.detail_changed.connect(lambda detail: told.append((detail, stepper.details)))
    stepper.set_detail_of("h1", "math")
    stepper.set_detail_of("h1", "math")
    stepper.set_detail_of("out", "layer")
    stepper.set_detail_of("h1", "textbook")
    stepper.set_detail("textbook")
    assert told == [
        ("textbook", (("h1", "math"),)),
        ("textbook", (("h1", "math"), ("out", "layer"))),
        ("textbook", (("out", "layer"),)),
        ("textbook", ()),
    ]

import msgspec
import pytest

from nnviz.document import edits
from nnviz.document.run_log import Change, LogUpdate, RunLog, is_another_network, same_run
from tests.session.sessions import two_moons

A, B, C, D = (two_moons(units) for units in (2, 3, 4, 5))


def test_last_is_what_the_run_goes_on_with():
    assert RunLog(A).last is A
    assert RunLog(A, (Change(3, B), Change(3, C))).last is C


@pytest.mark.parametrize(("iteration", "kept"), [(2, []), (3, [3]), (4, [3]), (9, [3, 9])])
def test_until_keeps_what_was_changed_up_to_an_iteration(iteration, kept):
    assert [change.iteration for change in RunLog(A, (Change(3, B), Change(9, C))).until(iteration).changes] == kept


def test_changes_at_one_iteration_are_all_kept():
    assert RunLog(A).changed(5, B).changed(5, C).changes == (Change(5, B), Change(5, C))


def test_a_document_that_was_in_force_at_this_iteration_takes_the_changes_since_back():
    log = RunLog(A).changed(3, B).changed(5, C).changed(5, D)
    assert log.changed(5, D) == log
    assert log.changed(5, C).changes == (Change(3, B), Change(5, C))
    assert log.changed(5, edits.set_title(B, "Another")).changes == (Change(3, B),)
    assert log.changed(3, A) == RunLog(A)


def test_a_document_of_an_earlier_iteration_is_a_change_like_any_other():
    """Training lies between: a layer made wider and narrower again has lost its weights, and both changes belong to the run."""
    assert RunLog(A).changed(3, B).changed(5, A).changes == (Change(3, B), Change(5, A))


def test_a_change_in_the_past_drops_what_came_later():
    assert RunLog(A, (Change(3, B), Change(9, C))).changed(4, A).changes == (Change(3, B), Change(4, A))


def test_title_and_canvas_make_no_other_run():
    moved = edits.set_title(edits.move_layers(A, {"h1": (1.0, 2.0)}), "Another")
    assert moved != A
    assert same_run(A, moved)
    assert not same_run(A, B)
    assert not same_run(A, msgspec.structs.replace(A, seed=1))


def test_an_experiment_with_a_nan_gives_the_same_run_as_itself():
    """Else it would be sent again and again."""
    strange = msgspec.structs.replace(A, weights={"h1.bias": [float("nan"), 0.0]})
    assert same_run(strange, edits.set_title(strange, "Another"))


@pytest.mark.parametrize(("iteration", "units"), [(0, 2), (2, 2), (3, 3), (8, 3), (9, 4), (99, 4)])
def test_at_is_what_is_in_force(iteration, units):
    assert RunLog(A, (Change(3, B), Change(9, C))).at(iteration).network.layer("h1").settings["units"] == units


def test_an_update_says_what_became_of_a_log_without_its_documents():
    log = RunLog(A).changed(3, B).changed(5, C).changed(5, D)
    for iteration, experiment, update in [(7, A, LogUpdate(3, 7)), (5, C, LogUpdate(2)), (3, A, LogUpdate(0)), (4, C, LogUpdate(1, 4))]:
        changed = log.changed(iteration, experiment)
        assert log.update_to(changed) == update
        assert log.updated(update, experiment) == changed
    assert log.update_to(log) == LogUpdate(3)


def test_a_log_travels():
    log = RunLog(A).changed(3, B).changed(7, C)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(log), type=RunLog) == log


# --- one run or another ---


def test_a_network_is_another_when_no_tensor_goes_on():
    assert not is_another_network(A, A) and not is_another_network(A, B), "the last layer keeps its bias"
    assert is_another_network(A, edits.change_layer(B, "out", units=3))
    assert is_another_network(A, A, alive=()), "built again with the same names"
    assert not is_another_network(A, edits.remove_layers(edits.add_layer(A, "dense", after="h1", units=2), ["out"]), alive=("h1",))

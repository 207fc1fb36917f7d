import msgspec
import pytest

from nnviz.document import edits
from nnviz.document.run_log import same_run
from nnviz.records.run_records import Change
from nnviz.session.lineage import Lineage
from tests.session.sessions import two_moons

A, B, C, D = (two_moons(units) for units in (2, 3, 4, 5))


def test_last_is_what_the_run_goes_on_with():
    assert Lineage(A).last is A
    assert Lineage(A, (Change(3, B), Change(3, C))).last is C


@pytest.mark.parametrize(("iteration", "kept"), [(2, []), (3, [3]), (4, [3]), (9, [3, 9])])
def test_until_keeps_what_was_changed_up_to_an_iteration(iteration, kept):
    assert [change.iteration for change in Lineage(A, (Change(3, B), Change(9, C))).until(iteration).changes] == kept


def test_changes_at_one_iteration_are_all_kept():
    assert Lineage(A).changed(5, B).changed(5, C).changes == (Change(5, B), Change(5, C))


def test_a_document_that_was_in_force_at_this_iteration_takes_the_changes_since_back():
    lineage = Lineage(A).changed(3, B).changed(5, C).changed(5, D)
    assert lineage.changed(5, D) == lineage
    assert lineage.changed(5, C).changes == (Change(3, B), Change(5, C))
    assert lineage.changed(5, edits.set_title(B, "Another")).changes == (Change(3, B),)
    assert lineage.changed(3, A) == Lineage(A)


def test_a_document_of_an_earlier_iteration_is_a_change_like_any_other():
    """Training lies between: a layer made wider and narrower again has lost its weights, and both changes belong to the run."""
    assert Lineage(A).changed(3, B).changed(5, A).changes == (Change(3, B), Change(5, A))


def test_a_change_in_the_past_drops_what_came_later():
    assert Lineage(A, (Change(3, B), Change(9, C))).changed(4, A).changes == (Change(3, B), Change(4, A))


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

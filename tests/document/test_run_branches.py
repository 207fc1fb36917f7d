import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnviz.document import edits
from nnviz.document.run_branches import COLORS, Branch, BranchLine, free_color, free_name, lines, shared
from nnviz.document.run_log import Change, RunLog
from tests.session.sessions import two_moons

A, B, C, D = (two_moons(units) for units in (2, 3, 4, 5))


def branch(log: RunLog, reached: int = 100, color: int = 0) -> Branch:
    return Branch("one", color, log, reached)


def test_runs_are_the_same_up_to_their_first_different_change():
    log = RunLog(A).changed(3, B).changed(9, C)
    assert shared(log, log) == float("inf")
    assert shared(log, log.until(8)) == 9
    assert shared(log, log.until(5).changed(7, D)) == 7
    assert shared(log, RunLog(A).changed(4, B)) == 3
    assert shared(log, RunLog(A).changed(3, D)) == 3
    assert shared(log, RunLog(B)) is None


def test_titles_make_no_other_run():
    assert shared(RunLog(A).changed(3, B), RunLog(edits.set_title(A, "Another")).changed(3, edits.set_title(B, "Third"))) == float("inf")


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from([A, B, C, D])), max_size=4), st.integers(0, 9))
def test_what_is_shared_is_the_same_document_at_every_iteration(changes, iteration):
    log = RunLog(A, tuple(Change(at, experiment) for at, experiment in sorted(changes, key=lambda change: change[0])))
    other = log.until(iteration).changed(iteration, D)
    common = shared(log, other)
    assert common == shared(other, log)
    assert all(log.at(at) == other.at(at) for at in range(12) if at < common)


def test_a_branch_leaves_the_one_it_has_most_in_common_with():
    log = RunLog(A).changed(3, B).changed(9, C)
    second = log.until(5).changed(7, D)
    third = second.changed(20, A)
    other = RunLog(B)
    assert lines([branch(one) for one in (log, second, third, other)]) == [
        BranchLine(0, None, 0),
        BranchLine(1, 0, 7),
        BranchLine(2, 1, 20),
        BranchLine(3, None, 0),
    ]


def test_a_branch_that_only_goes_less_far_leaves_where_it_ends():
    assert lines([branch(RunLog(A)), branch(RunLog(A), reached=40)]) == [BranchLine(0, None, 0), BranchLine(1, 0, 40)]


@pytest.mark.parametrize(("taken", "name"), [([], "branch 2"), (["branch 2", "branch 4"], "branch 3")])
def test_names_are_free(taken, name):
    assert free_name(taken) == name


def test_colours_are_used_evenly():
    branches: list[Branch] = []
    for _ in range(COLORS):
        branches.append(branch(RunLog(A), color=free_color(branches)))
    assert sorted(one.color for one in branches) == list(range(COLORS)) and free_color(branches) == COLORS, "it stands behind the others"
    assert free_color(branches[:3] + branches[4:]) == 3


def test_branches_travel():
    one = branch(RunLog(A).changed(3, B))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(one), type=Branch) == one

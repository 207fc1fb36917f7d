from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from nnviz.document import edits
from nnviz.document.run_branches import Branch
from nnviz.document.run_log import Change, RunLog
from nnviz.document.store import json_text, saved_run
from nnviz.document.store.saved_run import SavedBranch, SavedRun
from tests.session.sessions import two_moons

LATER = edits.change_training(two_moons(), l2=0.1)
PROGRESS = SavedRun(300, 0.1055, RunLog(two_moons(), (Change(120, LATER), Change(120, two_moons()), Change(299, LATER))))


def test_progress_is_written_and_read_back():
    assert saved_run.decode(saved_run.encode(PROGRESS)) == PROGRESS
    assert saved_run.decode(saved_run.encode(SavedRun(1, float("nan"), RunLog(two_moons())))) == SavedRun(1, None, RunLog(two_moons()))
    assert len(saved_run.encode(SavedRun(100_000, 0.1, RunLog(two_moons())))) < 2_000


@pytest.mark.parametrize(
    "change",
    [
        {"iteration": -1},
        {"iteration": True},
        {"iteration": 10**30},
        {"first": "{}"},
        {"first": 3},
        {"loss": "much"},
        {"changes": {}},
        {"changes": [{"iteration": 5}]},
        {"changes": [1]},
    ],
)
def test_what_is_no_progress_is_none(change):
    value = json.loads(saved_run.encode(PROGRESS))
    assert saved_run.decode(json.dumps(value | change).encode()) is None


def test_changes_out_of_order_are_no_history():
    assert saved_run.decode(saved_run.encode(SavedRun(9, 0.1, RunLog(two_moons(), (Change(5, LATER), Change(4, two_moons())))))) is None


BRANCH = SavedBranch(Branch("wide", 3, RunLog(two_moons()).changed(40, LATER), 90), ((0, 0.7, 0.71), (90, 0.2, None)))
WITH_BRANCHES = replace(PROGRESS, name="first try", color=2, branches=(BRANCH, SavedBranch(Branch("branch 2", 1, PROGRESS.log, 5))))


def test_branches_are_written_and_read_back():
    written = saved_run.encode(WITH_BRANCHES)
    assert saved_run.decode(written) == WITH_BRANCHES
    many = saved_run.encode(replace(WITH_BRANCHES, branches=20 * WITH_BRANCHES.branches))
    assert len(many) < len(written) + 20 * len(json_text.encode(LATER)), "each document is written once, and not forty times"
    assert saved_run.encode(PROGRESS) == saved_run.encode(replace(PROGRESS, name="main")), "without branches a file is what it was"


def test_how_far_a_run_had_come_that_had_gone_back_is_kept():
    ahead = replace(PROGRESS, reached=900)
    assert saved_run.decode(saved_run.encode(ahead)) == ahead
    assert saved_run.encode(replace(PROGRESS, reached=300)) == saved_run.encode(PROGRESS), "a file is what it was"


def test_a_run_is_kept_as_its_branches_are():
    itself = replace(PROGRESS, own=replace(BRANCH, branch=Branch("main", 0, PROGRESS.log, 300)))
    assert saved_run.decode(saved_run.encode(itself)) == itself
    value = json.loads(saved_run.encode(itself))
    assert saved_run.decode(json.dumps(value | {"own": {"stopped": "done"}}).encode()) is None


def test_branches_of_older_files_are_read():
    value = json.loads(saved_run.encode(WITH_BRANCHES))
    for branch in value["branches"]:
        for name in ("figures", "stopped", "message", "seconds", "verdict"):
            del branch[name]
    assert saved_run.decode(json.dumps(value).encode()) == WITH_BRANCHES


def test_what_has_been_found_out_by_a_branch_is_kept():
    noted = replace(BRANCH, branch=replace(BRANCH.branch, note="ReLU helps: training loss 0.69 → 0.05."))
    itself = replace(noted, branch=Branch("main", 0, PROGRESS.log, 300, "Xavier start does not help."))
    kept = replace(PROGRESS, branches=(noted,), own=itself)
    assert saved_run.decode(saved_run.encode(kept)) == kept


ENDS = [{"figures": [[0.5]]}, {"figures": [[None] * 3]}, {"stopped": 3}, {"message": None}, {"verdict": []}, {"note": 3}]


@pytest.mark.parametrize("change", ENDS)
def test_what_is_no_end_of_a_branch_is_none(change):
    value = json.loads(saved_run.encode(WITH_BRANCHES))
    value["branches"][0] |= change
    assert saved_run.decode(json.dumps(value).encode()) is None


@pytest.mark.parametrize(
    "change",
    [{"documents": []}, {"branches": [{}]}, {"branches": 3}, {"name": ""}, {"name": 3}, {"name": "x" * 201}, {"color": -1}],
)
def test_what_is_no_branch_is_none(change):
    value = json.loads(saved_run.encode(WITH_BRANCHES))
    assert saved_run.decode(json.dumps(value | change).encode()) is None


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_none(data):
    assert saved_run.decode(data) is None

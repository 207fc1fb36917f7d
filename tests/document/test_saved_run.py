from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnviz.document import edits
from nnviz.document.run_log import Change, RunLog
from nnviz.document.store import saved_run
from nnviz.document.store.saved_run import SavedRun
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


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_none(data):
    assert saved_run.decode(data) is None

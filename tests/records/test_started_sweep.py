"""A sweep in a file: what is written is read again to the bit, and what is no sweep is none."""

from __future__ import annotations

import json
import math
import time

import msgspec
import pytest

from nnviz.document.edits import set_value
from nnviz.document.run_log import RunLog
from nnviz.document.store import saved_run
from nnviz.document.store.examples import open_document
from nnviz.document.store.saved_run import SavedRun
from nnviz.document.sweep_plan import SweepOrder, read_axis
from nnviz.records.started_sweep import from_plain, plain, started
from nnviz.records.sweep_records import SweptRun

MOONS = open_document("example:moons")
RATE = "training.optimizer.learning_rate"
ORDER = SweepOrder((read_axis(f"{RATE}=0.1,0.01,-1"), read_axis("@10:training.dropout=true,false")), seeds=2, iterations=30)
SWEEP = started(MOONS, ORDER)


def row(number: int, **others) -> SweptRun:
    run = SWEEP.runs[number - 1]
    figures = {"loss": 0.1 + 0.2, "metrics": {"accuracy": 1 / 3, "f1": math.inf}, "digest": "d" * 64, "stopped": "done"}
    curves = {"losses": ((1, 1 / 3), (2, -math.inf)), "validation_losses": ((2, 0.1),)}
    return SweptRun(number=number, values=run.values, seed=run.experiment.seed, fingerprint="f", **figures | curves | others)


def read(sweep):
    """As a file brings it back."""
    return from_plain(saved_run.decode(saved_run.encode(SavedRun(0, None, RunLog(MOONS), sweep=plain(sweep)))).sweep)


def test_a_file_brings_all_of_it_back():
    sweep = SWEEP.with_rows([row(3), row(1), row(2, stopped="failed", message="NaN", loss=None, digest="", losses=())])
    assert read(sweep) == sweep and [one.number for one in sweep.rows] == [1, 2, 3]
    (one,) = read(SWEEP.with_rows([row(1, loss=math.nan, stopped="non_finite")])).rows
    assert math.isnan(one.loss) and one.losses == row(1).losses
    assert read(msgspec.structs.replace(sweep, order=sweep.order)).runs == SWEEP.runs


def test_draws_are_the_same_again():
    order = SweepOrder((read_axis(f"{RATE}=log:0.001..0.1"),), draws=5, draw_seed=3, epochs=1)
    assert read(started(MOONS, order)).runs == started(MOONS, order).runs


def test_missing_are_those_that_can_be_made_and_failed_ones_among_them():
    assert [bool(run.problem) for run in SWEEP.runs] == [False] * 8 + [True] * 4
    assert SWEEP.with_rows([row(2), row(5, stopped="failed")]).missing == (1, 3, 4, 5, 6, 7, 8)
    again = SWEEP.with_rows([row(5, stopped="failed")]).with_rows([row(5)])
    assert [one.stopped for one in again.rows] == ["done"]


def test_a_program_that_knows_no_sweeps_reads_the_run():
    log = RunLog(MOONS)
    written = saved_run.encode(SavedRun(7, 0.5, log, sweep=plain(SWEEP.with_rows([row(1)]))))
    value = json.loads(written)
    assert json.loads(saved_run.encode(SavedRun(7, 0.5, log))) == {name: part for name, part in value.items() if name != "sweep"}


def test_a_newer_program_may_have_written_more():
    value = plain(SWEEP.with_rows([row(1)]))
    value["runs"][0]["novelty"] = value["novelty"] = value["order"]["novelty"] = 1
    assert from_plain(value).rows == (row(1),)


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value.pop("document"),
        lambda value: value.update(document="{}"),
        lambda value: value["order"].update(seeds=10**9),
        lambda value: value["order"].update(axes=[{"path": "training.nothing", "values": ["1"]}]),
        lambda value: value["runs"][0].update(number=99),
        lambda value: value["runs"][0].update(number=-1),
        lambda value: value["runs"][0].update(seed=5),
        lambda value: value["runs"][0].update(values=["0.5", "true"]),
        lambda value: value["runs"][0].update(loss="low"),
        lambda value: value["runs"][0].update(losses=[7, [1.0]]),
        lambda value: value["runs"][0].update(losses=[0, [1.0]]),
        lambda value: value.update(runs="none"),
        lambda value: value.update(iterations=[["x"]]),
    ],
)
def test_a_fault_costs_the_sweep_and_not_the_run(change):
    value = json.loads(json.dumps(plain(SWEEP.with_rows([row(1)]))))
    change(value)
    assert from_plain(value) is None
    assert saved_run.decode(saved_run.encode(SavedRun(7, 0.5, RunLog(MOONS), sweep=value))).iteration == 7


def test_two_hundred_runs_are_written_within_a_blink_and_a_megabyte():
    sweep = started(set_value(MOONS, RATE, "0.5"), SweepOrder(seeds=200, iterations=500))
    curve = tuple((5 * place, 1 / place) for place in range(1, 101))
    rows = [
        SweptRun(number=run.number, values=(), seed=run.experiment.seed, fingerprint="f" * 16, losses=curve, validation_losses=curve)
        for run in sweep.runs
    ]
    sweep = sweep.with_rows(rows)
    start = time.process_time()
    written = saved_run.encode(SavedRun(0, None, RunLog(MOONS), sweep=plain(sweep)))
    assert time.process_time() - start < 0.5 and len(written) < 1_000_000

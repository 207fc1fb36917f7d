"""`nnviz sweep`: the same bits as `nnviz run`, on this machine and on a real cluster, whatever happens to the processes on the way."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from nnviz import jobs
from nnviz.cli import main
from nnviz.document.sweep_plan import SweepOrder, read_axis
from nnviz.engine.errors import NO_MEMORY
from nnviz.export.sweep_tables import read_table
from nnviz.sweeps import sweeping
from nnviz.sweeps.sweep_workers import TRIES, LocalWorkers, WorkerLostError

RATE, KIND = "training.optimizer.learning_rate", "training.optimizer.kind"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def two_workers():
    """Two processes for the tests that do not kill them."""
    with LocalWorkers(2) as workers:
        for one in [workers.submit(time.sleep, 0.5) for _ in range(2)]:
            one.result()
        yield workers


@pytest.fixture
def said(capsys):
    """Runs `nnviz sweep`; returns exit code, the rows with --json or the text, and stderr."""

    def run(*arguments: object):
        code = main(["sweep", *map(str, arguments)])
        out, err = capsys.readouterr()
        return code, json.loads(out) if "--json" in arguments and out else out, err

    return run


def ordered(*axes: str, **others) -> sweeping.Sweep:
    return sweeping.opened("example:moons", SweepOrder(tuple(map(read_axis, axes)), **others))


def serial(sweep: sweeping.Sweep) -> list[dict]:
    """What `nnviz run` says of every run."""
    runs = []
    for run in sweep.runs:
        later = tuple(jobs.Setting(one.path, one.value, one.iteration) for one in run.later)
        runs.append(jobs.run(jobs.OpenedFile(run.experiment, sweep.folder, later), sweep.order.iterations, sweep.order.epochs))
    return runs


def assert_same(rows: list[dict], expected: list[dict]) -> None:
    """Every run is there once, bit for bit."""
    assert [row["run"] for row in rows] == list(range(1, len(expected) + 1))
    names = ("digest", "loss", "training_loss", "validation_loss", "metrics", "iterations", "epochs", "parameters", "stopped")
    for row, one in zip(rows, expected, strict=True):
        assert {name: row[name] for name in names} == {name: one[name] for name in names}


def test_two_processes_come_to_the_same_bits_as_one_run_after_the_other(two_workers):
    sweep = ordered(f"{RATE}=0.01,0.1", "@20:training.dropout=false,true", "network.layers.h1.activation=relu,tanh", seeds=2, iterations=40)
    results = sweeping.SweepResults(sweep)
    for run in sweeping.swept(sweep, two_workers):
        results.add(run)
    assert_same(results.plain, serial(sweep))
    assert len({row["digest"] for row in results.plain}) == 8, "moons has no dropout: that setting changes nothing"
    assert {len(run.losses) for run in results.runs} == {40} and {run.verdict for run in results.runs} == {"falling"}


@pytest.mark.parametrize("example", ["example:thinned_nets", "template:vae"])
def test_what_draws_random_numbers_too(two_workers, example):
    sweep = sweeping.opened(example, SweepOrder((read_axis(f"{RATE}=0.01,0.003"),), seeds=2, iterations=6))
    results = sweeping.SweepResults(sweep)
    for run in sweeping.swept(sweep, two_workers):
        results.add(run)
    assert_same(results.plain, serial(sweep))


def test_several_threads_of_one_process_do_not_take_random_numbers_from_each_other():
    """As a worker of dask has them."""
    sweep = sweeping.opened("example:thinned_nets", SweepOrder(seeds=4, iterations=6))
    with ThreadPoolExecutor(4) as threads:
        rows = list(threads.map(sweeping.made, sweep.tasks()))
    assert [row.digest for row in rows] == [one["digest"] for one in serial(sweep)]


def test_a_killed_process_loses_nothing_and_makes_nothing_twice():
    sweep = ordered(f"{RATE}=0.003,0.01,0.1", "training.batch_size=8,32", seeds=2, iterations=400)
    with sweeping.workers(2) as workers:
        numbers, killed = [], []
        results = sweeping.SweepResults(sweep)
        for run in sweeping.swept(sweep, workers):
            numbers.append(run.number)
            results.add(run)
            if len(numbers) in (3, 6):
                killed.append(workers.process_ids[0])
                os.kill(killed[-1], signal.SIGKILL)
        assert not set(killed) & set(workers.process_ids)
    assert sorted(numbers) == list(range(1, 13)) and not any(run.is_failed for run in results.runs)
    assert_same(results.plain, serial(sweep))


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_run_that_kills_its_process_each_time_is_given_up_and_the_others_are_not():
    with LocalWorkers(2) as workers:
        guilty, others = workers.submit(_die), [workers.submit(pow, number, 2) for number in range(20)]
        assert [one.result() for one in others] == [number**2 for number in range(20)]
        with pytest.raises(WorkerLostError, match=f"ended {TRIES} times"):
            guilty.result()


def test_errors_come_back_and_what_is_printed_does_not(two_workers):
    with pytest.raises(ValueError, match="invalid literal"):
        two_workers.submit(int, "x").result()
    assert two_workers.submit(print, "not an answer", flush=True).result() is None
    assert two_workers.submit(json.loads, "[1]").result() == [1]


def test_a_run_that_fails_is_a_row_with_its_sentence(said, monkeypatch):
    monkeypatch.setattr(sweeping, "LocalWorkers", lambda count: _Here())
    axes = ("--set", "training.optimizer.kind=sgd,adam", "--set", "training.optimizer.momentum=0.9", "--set", f"{RATE}=0.001,10000")
    code, rows, err = said("example:sine", *axes, "--iterations", "30", "--json")
    assert code == 0 and not err
    assert [row["stopped"] for row in rows] == ["done", "non_finite", "failed", "failed"]
    assert "momentum" in rows[2]["message"] and rows[2]["digest"] == "" and rows[2]["loss"] is None
    assert (
        rows[1]["verdict"] == "diverged"
        and rows[1]["message"]
        and rows[1]["settings"] == {KIND: "sgd", "training.optimizer.momentum": 0.9, RATE: 10000}
    )
    code, text, _ = said("example:sine", *axes, "--iterations", "30")
    assert code == 0 and "momentum" in text.splitlines()[3] and rows[0]["digest"][:12] in text.splitlines()[1]


class _Here(LocalWorkers):
    """Makes every call at once in this process."""

    def __init__(self) -> None:
        super().__init__(1)

    def submit(self, call, /, *arguments, **named):
        return self._threads.submit(call, *arguments, **named)


def test_want_of_memory_is_a_row_too(monkeypatch):
    def fail(self, *arguments):
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:127] data. DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(jobs.HeadlessRun, "train", fail)
    (task,) = ordered(iterations=3).tasks()
    assert sweeping.made(task).message == NO_MEMORY and sweeping.made(task).is_failed


def test_another_version_makes_no_row_of_figures():
    (task,) = ordered(iterations=3).tasks()
    assert "nnviz 0.0.0" in sweeping.made(msgspec.structs.replace(task, version="0.0.0")).message.replace("not 0.0.0", "nnviz 0.0.0")


# --- the file ---


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_table_is_read_again_as_it_was_written(said, tmp_path, monkeypatch, ending):
    monkeypatch.setattr(sweeping, "LocalWorkers", lambda count: _Here())
    out = tmp_path / f"table é.{ending}"
    axes = ("--set", f"{RATE}=1e-2,0.1", "--set", f"{KIND}=sgd,adam", "--iterations", "5")
    code, rows, _ = said("example:moons", *axes, "--to", out, "--json")
    runs = read_table(out, (RATE, KIND))
    assert code == 0 and [(run.digest, run.loss, run.metrics) for run in runs] == [
        (row["digest"], row["loss"], row["metrics"]) for row in rows
    ]
    made = []
    monkeypatch.setattr(
        sweeping,
        "made",
        lambda task: (
            made.append(task.number) or sweeping.SweptRun(number=task.number, values=task.values, seed=0, fingerprint=task.fingerprint)
        ),
    )
    wider = ("--set", f"{RATE}=1e-2,0.2,0.1", *axes[2:])
    code, again, _ = said("example:moons", *wider, "--to", out, "--resume", "--json")
    assert code == 0 and sorted(made) == [3, 4], "only what is not there is made"
    assert [row["digest"] for row in again] == [rows[0]["digest"], rows[1]["digest"], "", "", rows[2]["digest"], rows[3]["digest"]]
    assert [row["run"] for row in again] == [1, 2, 3, 4, 5, 6]


def test_the_columns_of_a_csv_file(said, tmp_path, monkeypatch):
    monkeypatch.setattr(sweeping, "LocalWorkers", lambda count: _Here())
    out = tmp_path / "table.csv"
    said("example:moons", "--set", "precision=float32,float64", "--seeds", "2", "--epochs", "1", "--to", out)
    first, *others = rows_in(out)
    assert len(others) == 3 and [row["seed"] for row in others] == ["12", "11", "12"]
    assert first["precision"] == "float32" and float(first["metrics.precision"]) > 0 and first["epochs"] == "1" and first["verdict"]


def test_the_document_of_a_row_makes_the_row_again(said, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sweeping, "LocalWorkers", lambda count: _Here())
    axes = ("--set", f"@10:{RATE}=0.5,0.001", "--set", "training.batch_size=16")
    code, rows, _ = said("example:moons", *axes, "--iterations", "25", "--save", tmp_path / "runs", "--json")
    for row in rows:
        assert main(["run", str(tmp_path / "runs" / f"{row['run']:04}.nnviz"), "--branch", "main", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["digest"] == row["digest"]
    code = main(["run", "example:moons", "--iterations", "25", "--set", f"@10:{RATE}=0.5", "--set", "training.batch_size=16", "--json"])
    assert code == 0 and json.loads(capsys.readouterr().out)["digest"] == rows[0]["digest"]


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("--set", "training.nothing=1,2"), 1, "training.nothing: Nothing has this path"),
        (("--set", "training.l2"), 2, "is not PATH=V1,V2"),
        (("--set", f"{RATE}=log:0.1..1"), 1, "random draws"),
        (("--to", "x.txt"), 1, "its ending says the format"),
        (("--to", "no folder/x.csv"), 1, "no such folder"),
        (("--resume",), 2, "--resume needs --to"),
        (("--scheduler", "tcp://127.0.0.1:9", "--workers", "2"), 2, "not allowed with"),
    ],
)
def test_what_is_wrong_is_said_before_anything_runs(said, monkeypatch, arguments, code, sentence):
    monkeypatch.setattr(sweeping, "LocalWorkers", None)
    found, out, err = said("example:moons", *arguments)
    assert found == code and not out and sentence in err


@pytest.mark.parametrize(("name", "arguments"), [("distributed", ("--scheduler", "tcp://127.0.0.1:9")), ("pyarrow", ("--to", "x.parquet"))])
def test_without_the_extra_the_line_that_installs_it_is_said(said, monkeypatch, name, arguments):
    monkeypatch.setitem(sys.modules, name, None)
    code, out, err = said("example:moons", *arguments)
    assert code == 2 and not out and 'pip install "nnviz[sweep]"' in err and name in err


# --- as a person runs it ---


def started(*arguments: object, **options) -> subprocess.Popen:
    command = [sys.executable, "-m", "nnviz", "sweep", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def wait_for(condition, seconds: float = 30) -> None:
    last = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < last, "it did not happen in time"
        time.sleep(0.02)


def rows_in(path: Path) -> list[dict]:
    return list(csv.DictReader(path.read_text("utf-8").splitlines())) if path.exists() else []


def children(process: int) -> list[int]:
    return [int(one) for path in Path(f"/proc/{process}/task").glob("*/children") for one in path.read_text().split()]


def is_gone(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_interrupted_it_keeps_what_is_done_and_leaves_no_process(tmp_path, how):
    out = tmp_path / "rows.csv"
    sweep = started(
        "example:moons", "--set", f"{RATE}=uniform:0.001..0.1", "--random", 5000, "--iterations", 20, "--workers", 2, "--to", out
    )
    wait_for(lambda: len(rows_in(out)) > 3)
    workers = children(sweep.pid)
    sweep.send_signal(how)
    text, said = sweep.communicate(timeout=20)
    assert len(workers) == 2
    wait_for(lambda: all(map(is_gone, workers)), 5)
    done = rows_in(out)
    assert len(done) > 3 and all(row["digest"] for row in done)
    if how != signal.SIGKILL:
        assert sweep.returncode == 1 and said.startswith(f"Stopped. {len(done):,} of 5,000 runs are done.") and "--resume" in said
        assert len(text.splitlines()) == len(done) + 1 and "Traceback" not in said


def test_the_same_command_goes_on_where_it_was_interrupted(said, tmp_path, monkeypatch):
    monkeypatch.setattr(sweeping, "LocalWorkers", lambda count: _Here())
    out, whole = tmp_path / "rows.csv", tmp_path / "whole.csv"
    axes = ("--set", f"{RATE}=0.01,0.1", "--seeds", "3", "--iterations", "8")
    said("example:moons", *axes, "--to", whole)
    made, make = [], sweeping.made

    def interrupted(task):
        made.append(task.number)
        if len(made) == 3:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(1)
        return make(task)

    monkeypatch.setattr(sweeping, "made", interrupted)
    code, _, err = said("example:moons", *axes, "--to", out)
    done = len(rows_in(out))
    assert code == 1 and err.startswith(f"Stopped. {done} of 6 runs are done.") and 1 <= done < 6
    made.clear()
    monkeypatch.setattr(sweeping, "made", lambda task: made.append(task.number) or make(task))
    code, _, err = said("example:moons", *axes, "--to", out)
    assert code == 0 and f"Going on: {done} of 6 runs are in {out} already" in err and len(made) == 6 - done
    rows = [[{name: value for name, value in row.items() if name != "seconds"} for row in rows_in(file)] for file in (out, whole)]
    assert rows[0] == rows[1]
    made.clear()
    code, _, err = said("example:moons", *axes, "--to", out)
    assert code == 0 and not err and len(made) == 6, "a sweep that is done is made anew when it is asked for"


def test_a_table_of_another_sweep_is_none_to_go_on_with(said, tmp_path, monkeypatch):
    monkeypatch.setattr(sweeping, "LocalWorkers", lambda count: _Here())
    out = tmp_path / "rows.csv"
    said("example:moons", "--set", f"{RATE}=0.01,0.1", "--iterations", "3", "--to", out)
    code, _, err = said("example:moons", "--set", "training.l2=0,1", "--iterations", "3", "--to", out)
    assert code == 0 and not err and len(rows_in(out)) == 2


def test_a_full_disk_loses_no_run(said, tmp_path, monkeypatch):
    """What could not be written is printed, and said."""
    monkeypatch.setattr(sweeping, "LocalWorkers", lambda count: _Here())
    monkeypatch.setattr(sweeping, "_REST", 0.0)

    def fail(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sweeping, "write_table", fail)
    code, text, err = said("example:moons", "--set", f"{RATE}=0.01,0.1", "--iterations", "3", "--to", tmp_path / "rows.csv")
    assert code == 1 and "could not be written (No space left on device)" in err and len(text.splitlines()) == 3


@pytest.mark.slow
def test_a_cluster_whose_worker_is_killed_on_the_way(tmp_path):
    out = tmp_path / "rows.csv"
    axes = (f"{RATE}=0.003,0.01,0.03,0.1", "training.batch_size=8,32", "@100:training.l2=0,0.01")
    with subprocess.Popen(
        [sys.executable, str(ROOT / "tests" / "dask_cluster.py")], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as cluster:
        address, workers = json.loads(cluster.stdout.readline())
        sets = [word for axis in axes for word in ("--set", axis)]
        sweep = started("example:moons", *sets, "--iterations", 300, "--scheduler", address, "--to", out, "--json")
        wait_for(lambda: rows_in(out))
        before = len(rows_in(out))
        os.kill(workers[0], signal.SIGKILL)
        text, said = sweep.communicate(timeout=100)
        cluster.stdin.close()
    assert sweep.returncode == 0, said
    rows = json.loads(text)
    assert 0 < before < len(rows) == 16 and is_gone(workers[0])
    assert_same(rows, serial(ordered(*axes, iterations=300)))
    assert [int(row["run"]) for row in rows_in(out)] == list(range(1, 17))


def test_a_scheduler_that_is_not_there_is_named(said, monkeypatch):
    import distributed

    def fail(*arguments, **options):
        raise OSError("timed out")

    monkeypatch.setattr(distributed, "Client", fail)
    code, _, err = said("example:moons", "--scheduler", "tcp://127.0.0.1:9", "--iterations", "1")
    assert code == 2 and err.startswith("tcp://127.0.0.1:9: no scheduler of dask answers there")


@pytest.mark.parametrize("address", ["nonsense", "http://", "tcp://host"])
def test_what_is_no_address_is_said_at_once(said, address):
    start = time.monotonic()
    code, out, err = said("example:moons", "--scheduler", address, "--iterations", "1")
    assert code == 2 and not out and err.startswith(f"{address}: no scheduler") and time.monotonic() - start < 5


def test_a_worker_with_another_version_is_named():
    class Client:
        def run(self, call, name, on_error):
            return self.found

    client = Client()
    for client.found, sentence in (({}, "no workers"), ({"a": "0.0.1"}, "a has nnviz 0.0.1"), ({"b": None}, "b has no nnviz")):
        with pytest.raises(jobs.JobError, match=sentence):
            sweeping._check(client, "tcp://x")
    client.found = {"a": sweeping.__version__}
    sweeping._check(client, "tcp://x")


def test_progress_is_told_on_a_terminal():
    stream = io.StringIO()
    sweep = ordered("training.l2=0,1", iterations=1)
    results = sweeping.SweepResults(sweep, terminal=stream)
    for task in sweep.tasks():
        results.add(sweeping.SweptRun(number=task.number, values=task.values, seed=0, fingerprint=task.fingerprint))
    assert "1 of 2 runs · 1 failed" in stream.getvalue() and stream.getvalue().endswith("\r\x1b[K")


def test_a_sweep_over_seeds_prints_them_once(said):
    code, out, _ = said("example:moons", "--set", "seed=3,4", "--iterations", "1", "--workers", "1")
    head, *rows = [line.split() for line in out.splitlines()]
    assert code == 0 and head.count("seed") == 1
    assert [row[head.index("seed")] for row in rows] == ["3", "4"]

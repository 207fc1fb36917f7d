"""The job `sweep` of the command line: many runs of one document, each with other settings, made by several processes."""

from __future__ import annotations

import logging
import os
import pydoc
import signal
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import CancelledError, Executor, Future, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import msgspec

from nnviz import jobs
from nnviz.document.experiment import Experiment
from nnviz.document.run_branches import FIRST
from nnviz.document.run_length import DEFAULT_EPOCHS
from nnviz.document.store import examples, files, saved_run
from nnviz.document.store.data_paths import with_whole_path
from nnviz.document.store.saved_run import PART, SavedRun
from nnviz.document.sweep_plan import LaterSetting, PlannedRun, SweepOrder, fingerprint, planned
from nnviz.engine.loading import loading
from nnviz.export.sweep_tables import read_table, write_table
from nnviz.extras import extra
from nnviz.jobs import comparing
from nnviz.records.sweep_records import SweptRun, curves_of, plain_row
from nnviz.records.table_files import TABLE_WRITERS
from nnviz.sweeps.sweep_workers import LocalWorkers, WorkerLostError
from nnviz.version import __version__

_REST = 1.0
"""Seconds at least between two times at which the table is written, …"""
_SHARE = 0.05
"""… and at most this share of the time is spent on it."""
_one_at_a_time = threading.Lock()
"""Random numbers of torch belong to the process: two runs in two threads would take them from each other."""


class UnreachableError(jobs.JobError):
    """There is no scheduler at the address that was given."""


class SweepTask(msgspec.Struct, frozen=True):
    """What a process is asked: one run."""

    number: int
    values: tuple[str, ...]
    fingerprint: str
    experiment: Experiment
    folder: str
    later: tuple[LaterSetting, ...]
    iterations: int | None
    epochs: int | None
    version: str = __version__


def made(task: SweepTask) -> SweptRun:
    """Return one run, made here and now; one that cannot be made says why."""
    with _one_at_a_time:
        with loading():
            import nnviz.engine.run.timeline  # noqa: F401 (its time is no run's)
        start = time.perf_counter()
        try:
            figures = _figures(task)
        except ImportError:
            raise
        except Exception as error:
            figures = {"message": jobs.sentence_of(error)}
        return _row(task, seconds=round(time.perf_counter() - start, 3), **figures)


def _figures(task: SweepTask) -> dict[str, Any]:
    if task.version != __version__:
        raise jobs.JobError(f"The process that makes it has nnviz {__version__}, not {task.version}.")
    later = tuple(jobs.Setting(one.path, one.value, one.iteration) for one in task.later)
    run = jobs.HeadlessRun(jobs.OpenedFile(task.experiment, Path(task.folder), later))
    run.train(task.iterations, task.epochs)
    found = comparing.outcome(run)
    if run.later and run.stopped == "done":
        raise jobs.JobError(f"@{run.later[0].iteration}:{run.later[0].path} lies beyond the end: it made {found['iterations']} iterations.")
    return {name: value for name, value in found.items() if name != "loss_is"} | curves_of(run.timeline.points)


def _row(task: SweepTask, **figures: Any) -> SweptRun:
    return SweptRun(number=task.number, values=task.values, seed=task.experiment.seed, fingerprint=task.fingerprint, **figures)


# --- what is asked ---


class Sweep(msgspec.Struct, frozen=True):
    """What is swept, and all its runs."""

    order: SweepOrder
    runs: tuple[PlannedRun, ...]
    folder: Path

    @property
    def labels(self) -> tuple[str, ...]:
        """The settings that change, as they were typed."""
        return tuple(axis.label for axis in self.order.axes)

    def tasks(self) -> tuple[SweepTask, ...]:
        """Return what has to be made."""
        order, folder = self.order, str(self.folder)
        return tuple(
            SweepTask(run.number, run.values, fingerprint(run, order), run.experiment, folder, run.later, order.iterations, order.epochs)
            for run in self.runs
        )


def prepared(experiment: Experiment, folder: Path, order: SweepOrder) -> Sweep:
    """Return a sweep that can be made. Raises Refused before anything runs."""
    if order.iterations is None and order.epochs is None:
        order = msgspec.structs.replace(order, epochs=DEFAULT_EPOCHS)
    return Sweep(order, planned(with_whole_path(experiment, folder), order), folder.absolute())


def opened(file: str, order: SweepOrder) -> Sweep:
    """Return the sweep of a document. Raises DocumentError or Refused."""
    return prepared(examples.open_document(file), examples.document_path(file).parent, order)


# --- making it ---


def swept(sweep: Sweep, executor: Executor, known: Sequence[SweptRun] = (), numbers: Collection[int] | None = None) -> Iterator[SweptRun]:
    """Return every run once, as they are finished, those that cannot be made first. `known`: runs that need not be made again; `numbers`:
    those of the runs that are wanted, None for all.

    What is not finished is cancelled when the iterator is closed. Raises JobError when the executor makes no more.
    """
    made_before = {run.fingerprint: run for run in known if not run.is_failed}
    futures: dict[Future, SweepTask] = {}
    wanted = None if numbers is None else frozenset(numbers)
    for task, run in zip(sweep.tasks(), sweep.runs, strict=True):
        if wanted is not None and run.number not in wanted:
            continue
        if run.problem:
            yield _row(task, message=run.problem)
        elif task.fingerprint in made_before:
            yield msgspec.structs.replace(made_before[task.fingerprint], number=task.number, values=task.values)
        else:
            futures[executor.submit(made, task)] = task
    try:
        for future in as_completed(futures):
            yield _finished(future, futures[future])
    finally:
        for future in futures:
            future.cancel()


def _finished(future: Future, task: SweepTask) -> SweptRun:
    try:
        return future.result()
    except WorkerLostError as error:
        return _row(task, message=str(error))
    except CancelledError:
        raise jobs.JobError("The runs were cancelled, as when the scheduler is gone. What is done is kept.") from None
    except ImportError:
        raise
    except Exception as error:
        return _row(task, message=_of_worker(error))


def _of_worker(error: Exception) -> str:
    if type(error).__name__ == "KilledWorker":
        return "The process that made it was ended each time, as by the system for want of memory."
    return f"It could not be made ({type(error).__name__}: {error})."


def cores() -> int:
    """Return how many processes this process may keep busy."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def workers(count: int | None = None, scheduler: str = "") -> Iterator[Executor]:
    """Open processes on this machine, or those of a dask.distributed cluster; none of them goes on when it is left.

    Raises UnreachableError where a cluster cannot be reached, JobError where it has another version.
    """
    if scheduler:
        with _cluster(scheduler) as executor:
            yield executor
        return
    executor = LocalWorkers(count or cores())
    try:
        yield executor
    except BaseException:
        executor.shutdown(cancel_futures=True)
        raise
    executor.shutdown()


@contextmanager
def _cluster(address: str) -> Iterator[Executor]:
    import distributed

    logging.disable(logging.CRITICAL)  # what goes wrong is told in sentences, not in the tracebacks of another library
    try:
        with _client(distributed, address) as client:
            _check(client, address)
            executor = client.get_executor(pure=False, retries=2)
            try:
                yield executor
            finally:
                executor.shutdown(wait=False)
    finally:
        logging.disable(logging.NOTSET)


def _client(distributed: Any, address: str) -> Any:
    """Raises UnreachableError where no scheduler answers."""
    try:
        distributed.comm.get_address_host_port(address)  # a client that has no such address takes 20 s to go
        return distributed.Client(address, timeout=10, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise UnreachableError(f"{address}: no scheduler of dask answers there ({error}). Start one with: dask scheduler") from None


def _check(client: Any, address: str) -> None:
    """Raises JobError where the workers would not come to the same."""
    found: dict[str, str | None] = client.run(pydoc.locate, "nnviz.version.__version__", on_error="return")
    if not found:
        raise jobs.JobError(f"{address}: the scheduler has no workers. Start some with: dask worker {address} --nthreads 1")
    for worker, version in found.items():
        if version != __version__:
            has = f"nnviz {version}" if isinstance(version, str) else "no nnviz"
            raise jobs.JobError(f"The worker {worker} has {has}; this is {__version__}. Install the same version on all of them.")


def load_extras(out: str | None, scheduler: str | None) -> None:
    """Load the optional libraries that a sweep needs. Raises MissingExtra before anything runs."""
    with extra("sweep", "A cluster of dask"):
        if scheduler:
            import distributed  # noqa: F401
    with extra("sweep", "A Parquet file"):
        if (out or "").lower().endswith(".parquet"):
            import pyarrow  # noqa: F401


# --- what comes of it ---


class SweepResults:
    """The runs that are finished, in a file from the first on if there is one, and how far it has come on a terminal."""

    def __init__(self, sweep: Sweep, out: Path | None = None, terminal: TextIO | None = None) -> None:
        self.sweep = sweep
        self._out, self._terminal = out, terminal
        self._rows: dict[int, SweptRun] = {}
        self._start = self._written_at = time.monotonic()
        self._cost = 0.0
        self._is_written = True

    @property
    def runs(self) -> list[SweptRun]:
        """Those that are finished, in the order of their numbers."""
        return [self._rows[number] for number in sorted(self._rows)]

    @property
    def plain(self) -> list[dict[str, Any]]:
        """The same as plain values."""
        return [plain_row(run, self.sweep.labels) for run in self.runs]

    def add(self, run: SweptRun) -> None:
        """One more is finished."""
        self._rows[run.number] = run
        self._is_written = False
        if time.monotonic() - self._written_at > max(_REST, self._cost / _SHARE):
            self._write_if_possible()
        self._tell()

    def write(self) -> None:
        """Bring the file up to date. Raises OSError."""
        if self._out is None or self._is_written:
            return
        start = self._written_at = time.monotonic()
        write_table(self._out, self.runs, self.sweep.labels)
        self._written_at, self._is_written = time.monotonic(), True
        self._cost = self._written_at - start

    def _write_if_possible(self) -> str:
        """Bring the file up to date; return why it could not be, as a sentence. A disk that is full now may have room at the next try."""
        try:
            self.write()
        except OSError as error:
            return f"{self._out}: it could not be written ({error.strerror or error})."
        return ""

    def _tell(self) -> None:
        if self._terminal is None:
            return
        done, total = len(self._rows), len(self.sweep.runs)
        failed = sum(run.is_failed for run in self._rows.values())
        left = (time.monotonic() - self._start) / done * (total - done)
        words = [f"{done:,} of {total:,} runs", f"{failed:,} failed" if failed else "", f"about {left:,.0f} s left" if left >= 1 else ""]
        print("\r\x1b[K" + " · ".join(filter(None, words)), end="" if done < total else "\r\x1b[K", file=self._terminal, flush=True)

    def known(self, resumes: bool = False) -> Sequence[SweptRun]:
        """Return the runs in the file that need not be made again: with `resumes` all, else those of a sweep that was interrupted.

        Raises OSError, and with `resumes` ValueError where the file holds no table of these settings.
        """
        if self._out is None or not self._out.exists() or self._out.stat().st_size == 0:
            return ()
        try:
            found = read_table(self._out, self.sweep.labels)
        except ValueError:
            if resumes:
                raise
            return ()
        if resumes:
            return found
        wanted = {task.fingerprint for task, run in zip(self.sweep.tasks(), self.sweep.runs, strict=True) if not run.problem}
        made = {run.fingerprint for run in found if not run.is_failed}
        return [run for run in found if run.fingerprint in wanted] if wanted - made else ()

    def fill(self, count: int | None = None, scheduler: str = "", known: Sequence[SweptRun] = ()) -> str:
        """Make all runs but those that are known; return why some are missing, or in no file, as a sentence; empty where none is.

        Ctrl+C and SIGTERM end it without losing what is done.
        """
        said = ""
        try:
            with _ended_by_sigterm(), workers(count, scheduler) as executor:
                for run in swept(self.sweep, executor, known):
                    self.add(run)
        except KeyboardInterrupt:
            said = "Stopped."
        except jobs.JobError as error:
            if not self._rows:
                raise
            said = str(error)
        unwritten = self._write_if_possible()
        kept = f" They are in {self._out}; the same command, or --resume, makes the others." if self._out and not unwritten else ""
        said = said and f"{said} {len(self._rows):,} of {len(self.sweep.runs):,} runs are done.{kept}"
        return " ".join(filter(None, (said, unwritten)))


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM, as the system sends it when it shuts down, end what is done as Ctrl+C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def checked_out(out: str | None) -> Path | None:
    """Return the file to write, if any. Raises JobError before anything runs where it could not be written."""
    if out is None:
        return None
    path = Path(out)
    if path.suffix.lower() not in TABLE_WRITERS:
        raise jobs.JobError(f"{out}: its ending says the format: {' or '.join(TABLE_WRITERS)}.")
    if not path.absolute().parent.is_dir():
        raise jobs.JobError(f"{out}: there is no such folder. Make it first.")
    if files.is_read_only(path):
        raise jobs.JobError(f"{out}: it is read-only. Choose another name.")
    return path


def save_documents(folder: Path, results: SweepResults) -> None:
    """Write the document of each run that is done, as `0007.nnviz`: it opens after as many iterations, which are made again then."""
    folder.mkdir(parents=True, exist_ok=True)
    plans = {run.number: run for run in results.sweep.runs}
    for run in results.runs:
        if not run.is_failed:
            log = plans[run.number].log
            title = f"{log.last.title} · run {run.number}"
            saved = SavedRun(run.iterations, run.loss, log, FIRST)
            document = msgspec.structs.replace(log.last, title=title[:200])
            files.save(folder / f"{run.number:04}.nnviz", document, extras={PART: saved_run.encode(saved)})

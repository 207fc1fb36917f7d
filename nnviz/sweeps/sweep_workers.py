"""Processes that make the runs of a sweep on this machine, behind the face of `concurrent.futures.Executor`.

Each is a Python of its own that a pipe joins to this process. When one dies, as the system ends it for want of memory, only the call it
was at is lost, which is known exactly and made again in a new process. The executors that share one queue among all their processes
(`ProcessPoolExecutor`, loky's) are broken as a whole by one death: every call that was under way fails, and none says whose fault it was.
"""

from __future__ import annotations

import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

COMMAND = ("-u", "-P", "-m", "nnviz", "--sweep-worker")
TRIES = 3
"""A call whose process died so often is given up."""


class WorkerLostError(Exception):
    """The process that made a call died each time."""


class LocalWorkers(Executor):
    """So many processes, each started when it is first needed. A thread of this process waits for each."""

    def __init__(self, count: int) -> None:
        self._threads = ThreadPoolExecutor(count, "sweep")
        self._free: queue.LifoQueue[_Worker | None] = queue.LifoQueue()
        for _ in range(count):
            self._free.put(None)
        self._lock = threading.Lock()
        self._running: set[_Worker] = set()
        self._is_cancelled = False

    @property
    def process_ids(self) -> tuple[int, ...]:
        """Those of the processes that run."""
        with self._lock:
            return tuple(worker.process.pid for worker in self._running)

    def submit(self, call: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future:
        """Return the future of a call, which has to be known by its name in its module."""
        return self._threads.submit(self._made, (call, arguments, named))

    def _made(self, task: tuple) -> Any:
        worker = self._free.get()
        try:
            for _ in range(TRIES):
                worker = worker or self._started()
                try:
                    is_done, answer = worker.asked(task)
                except (EOFError, OSError):
                    worker = self._ended(worker)
                    continue
                if is_done:
                    return answer
                raise answer
            raise WorkerLostError(f"The process that made it was ended {TRIES} times, as by the system for want of memory.")
        finally:
            self._free.put(worker)

    def _started(self) -> _Worker:
        with self._lock:
            if self._is_cancelled:
                raise CancelledError
            worker = _Worker()
            self._running.add(worker)
            return worker

    def _ended(self, worker: _Worker) -> None:
        worker.end()
        with self._lock:
            self._running.discard(worker)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes: at once with `cancel_futures`, else when all calls are made. None is left behind."""
        if cancel_futures:
            with self._lock:
                self._is_cancelled = True
                running = tuple(self._running)
            for worker in running:
                worker.kill()
        self._threads.shutdown(wait=wait, cancel_futures=cancel_futures)
        if wait:
            for worker in tuple(self._running):
                self._ended(worker)


class _Worker:
    """One process, which is asked one thing at a time."""

    def __init__(self) -> None:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen([sys.executable, *COMMAND], env=_environment(), **pipes)

    def asked(self, task: tuple) -> tuple[bool, Any]:
        """Return whether the call was made, and its result or error. Raises EOFError or OSError when the process dies."""
        try:
            pickle.dump(task, self.process.stdin)
            self.process.stdin.flush()
            return pickle.load(self.process.stdout)
        except pickle.UnpicklingError as error:
            raise EOFError from error  # it died while it wrote

    def kill(self) -> None:
        """End it now, whatever it does."""
        self.process.kill()

    def end(self) -> None:
        """End it, and wait until it has gone."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with suppress(OSError):
                pipe.close()


def _environment() -> dict[str, str]:
    """That of this process, in which Python finds this very nnviz."""
    folder = Path(__file__).resolve().parents[2]
    if folder.name in ("site-packages", "dist-packages"):
        return dict(os.environ)
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))])}


def serve() -> int:
    """Make the calls that come over stdin until it ends; then leave at once, whatever is being made."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in a terminal is for the process that started this one
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    tasks: queue.Queue[tuple] = queue.Queue()
    threading.Thread(target=_read, args=(tasks,), daemon=True).start()
    while True:
        call, arguments, named = tasks.get()
        try:
            answer = True, call(*arguments, **named)
        except Exception as error:
            answer = False, error
        answers.write(_packed(answer))
        answers.flush()


def _read(tasks: queue.Queue[tuple]) -> None:
    try:
        while True:
            tasks.put(pickle.load(sys.stdin.buffer))
    except EOFError:
        os._exit(0)
    except Exception as error:
        print(f"A process of the sweep could not read what it was asked: {error}", file=sys.stderr)
        os._exit(1)


def _packed(answer: tuple[bool, Any]) -> bytes:
    try:
        data = pickle.dumps(answer)
        pickle.loads(data)  # there are errors that can be written and not read
        return data
    except Exception as error:
        return pickle.dumps((False, RuntimeError(f"{answer[1]} ({type(error).__name__})")))

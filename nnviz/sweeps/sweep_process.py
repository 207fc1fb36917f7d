"""A sweep for a window: this process makes it with processes of its own, tells each run as it is finished, and ends with stdin.

Started by `python -m nnviz --sweep`; the window process loads no torch, and its engine goes on meanwhile.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from nnviz import jobs, messages
from nnviz.document.store import files
from nnviz.document.sweep_plan import SweepOrder
from nnviz.records.sweep_records import SpeedRequest, SweepEnd, SweepReplies, SweepRequest, SweepRequests, SweepSpeed
from nnviz.sweeps import sweeping

_FIRST, _MOST, _PATIENCE = 3, 60, 0.5
"""How many iterations are timed at first and then at most, and for about how many seconds."""
_NICE = 5
_requests = msgspec.msgpack.Decoder(SweepRequests)


def serve() -> int:
    """Answer the one request that comes over stdin; leave at once, with all processes, when stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in a terminal is the window's to handle
    if hasattr(os, "nice"):
        os.nice(_NICE)  # as all it starts: the window and its engine come first
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    length = int.from_bytes(sys.stdin.buffer.read(4), "little")
    request = _requests.decode(sys.stdin.buffer.read(length))
    threading.Thread(target=_leave_with_stdin, daemon=True).start()
    for reply in answered(request):
        answers.write(messages.frame(reply))
        answers.flush()
    os._exit(0)  # with torch loaded Python takes a second to tidy up what ends with the process anyway


def _leave_with_stdin() -> None:
    sys.stdin.buffer.read()
    os._exit(0)  # the processes that make the runs have this one at the other end of their pipes, and leave too


def answered(request: SweepRequests) -> Iterator[SweepReplies]:
    """Return what is to be told, piece by piece; whatever goes wrong, the end is told last."""
    try:
        yield from _speed(request) if isinstance(request, SpeedRequest) else _runs(request)
    except Exception as error:
        yield SweepEnd(jobs.sentence_of(error))
    else:
        yield SweepEnd()


def _runs(request: SweepRequest) -> Iterator[SweepReplies]:
    sweeping.load_extras(None, request.scheduler)
    sweep = sweeping.prepared(files.loads(request.document.encode()), Path(request.folder), request.order)
    with sweeping.workers(request.workers, request.scheduler) as workers:
        yield from sweeping.swept(sweep, workers, request.known, request.numbers)


def _speed(request: SpeedRequest) -> Iterator[SweepReplies]:
    """From three runs of different lengths: what they have in common is what every run costs besides its iterations."""
    start = time.perf_counter()
    experiment, folder = files.loads(request.document.encode()), Path(request.folder)

    def made(iterations: int) -> float:
        (task,) = sweeping.prepared(experiment, folder, SweepOrder(iterations=iterations)).tasks()
        return sweeping.made(task).seconds

    first = made(_FIRST)
    loading = time.perf_counter() - start - first
    few = round(min(_MOST, max(_FIRST, _FIRST * _PATIENCE / max(first, 1e-3))))
    short, long = made(few), made(3 * few)
    seconds = max(0.0, long - short) / (2 * few)
    yield SweepSpeed(seconds, max(0.0, short - few * seconds), loading)

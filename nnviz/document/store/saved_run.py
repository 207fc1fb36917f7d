"""How far the training of a document had come when it was saved, and all that is needed to make it again exactly: no weights, only history.

Part of a *.nnviz file, as JSON: the iteration, the loss there, the document at the start, and what it became on the way.
"""

from __future__ import annotations

import json
import math
from functools import cache
from typing import Any

import msgspec

from nnviz.document.experiment import Experiment
from nnviz.document.fields import finite
from nnviz.document.run_log import Change, RunLog
from nnviz.document.store import json_text

PART = "run.json"
_MOST_CHANGES = 10_000


class SavedRun(msgspec.Struct, frozen=True):
    """Where a run stood."""

    iteration: int
    loss: float | None
    """Of the last iteration that was made; it tells whether making it again came out the same."""
    log: RunLog


def encode(saved: SavedRun) -> bytes:
    """Return the run as JSON. The same run always gives the same bytes."""
    loss = saved.loss if saved.loss is not None and math.isfinite(saved.loss) else None
    changes = [{"iteration": at, "document": _text(experiment)} for at, experiment in saved.log.changes]
    value = {"iteration": saved.iteration, "loss": loss, "first": _text(saved.log.first), "changes": changes}
    return json.dumps(value, ensure_ascii=False, indent=1).encode()


def decode(data: bytes) -> SavedRun | None:
    """Return the run in this JSON; None if it is none, or a document in it has a fault: then there is none to go back to."""
    try:
        value = json.loads(data)
        read = cache(_document)  # a run goes back and forth between a few
        changes = tuple(Change(_count(change["iteration"]), read(change["document"])) for change in value["changes"][:_MOST_CHANGES])
        saved = SavedRun(_count(value["iteration"]), _loss(value["loss"]), RunLog(read(value["first"]), changes))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return saved if [at for at, _ in changes] == sorted(at for at, _ in changes) else None


def _text(experiment: Experiment) -> str:
    return json_text.encode(experiment).decode()


def _document(text: Any) -> Experiment:
    experiment, _ = json_text.decode(text.encode())
    if experiment is None:
        raise ValueError("a document in the history of the run has a fault")
    return experiment


def _loss(value: Any) -> float | None:
    number = finite(value)
    if value is not None and number is None:
        raise ValueError("that is no loss")
    return number


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= 10**9:
        raise ValueError(f"{value!r} is no iteration")
    return value

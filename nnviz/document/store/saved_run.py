"""How far the training of a document had come when it was saved, and all that is needed to make it again exactly: no weights, only history.

Part of a *.nnviz file, as JSON: the iteration, the loss there, the document at the start, and what it became on the way; the same of the
branches kept beside the run, with a few points of their curves and how they ended; and the sweep, if there is one.
"""

from __future__ import annotations

import json
import math
from functools import cache
from typing import Any

import msgspec

from nnviz.document.experiment import Experiment
from nnviz.document.fields import finite
from nnviz.document.run_branches import FIRST, Branch
from nnviz.document.run_log import Change, RunLog
from nnviz.document.store import json_text

PART = "run.json"
_MOST_CHANGES = 10_000
_MOST_BRANCHES = 1_000
_MOST_NAME, _MOST_MESSAGE = 200, 2_000
MOST_POINTS = 400
"""So many points are kept of the curves of a branch: enough to draw it before it is made again."""

Point = tuple[int, float | None, float | None]
"""An iteration, the loss of its batch, and the validation loss; None where there is none that is finite."""
Figures = tuple[float | None, float | None, float | None]
"""What else was measured there: the score of the validation rows, loss and score of all training rows; None likewise."""


class SavedBranch(msgspec.Struct, frozen=True):
    """A branch beside the run, and what its curves looked like."""

    branch: Branch
    points: tuple[Point, ...] = ()
    figures: tuple[Figures, ...] = ()
    """Those of the points; none in older files."""
    stopped: str = ""
    """Why it went no further, if that is known."""
    message: str = ""
    seconds: float = 0.0
    """How long its iterations took; 0 if that is not known."""
    verdict: dict[str, Any] | None = None
    """How its loss went, as plain values."""


class SavedRun(msgspec.Struct, frozen=True):
    """Where a run stood."""

    iteration: int
    loss: float | None
    """Of the last iteration that was made; it tells whether making it again came out the same."""
    log: RunLog
    name: str = FIRST
    color: int = 0
    """Those of the run as a branch."""
    branches: tuple[SavedBranch, ...] = ()
    """Those beside it."""
    reached: int = 0
    """How many iterations had been made, where it had gone back; 0 where it had not."""
    own: SavedBranch | None = None
    """The run itself as a branch, with points of its curves and how it ended; None in older files."""
    sweep: dict[str, Any] | None = None
    """The sweep of the document as plain values (records/started_sweep.py); None for none, and in older files."""


def encode(saved: SavedRun) -> bytes:
    """Return the run as JSON. The same run always gives the same bytes."""
    changes = [{"iteration": at, "document": _text(experiment)} for at, experiment in saved.log.changes]
    value = {"iteration": saved.iteration, "loss": _finite(saved.loss), "first": _text(saved.log.first), "changes": changes}
    if saved.reached > saved.iteration:
        value["reached"] = saved.reached
    if saved.branches or (saved.name, saved.color) != (FIRST, 0):
        documents: dict[str, int] = {}
        branches = [_plain(one, documents) for one in saved.branches]
        value |= {"name": saved.name, "color": saved.color, "documents": list(documents), "branches": branches}
    if saved.own:
        value["own"] = _plain_figures(saved.own)
    written = json.dumps(value, ensure_ascii=False, indent=1).encode()
    if saved.sweep is None:
        return written
    return written.removesuffix(b"\n}") + b',\n "sweep": ' + msgspec.json.encode(saved.sweep) + b"\n}"  # of many numbers: not a line each


def _finite(loss: float | None) -> float | None:
    return loss if loss is not None and math.isfinite(loss) else None


def _plain(saved: SavedBranch, documents: dict[str, int]) -> dict[str, Any]:
    """A branch as JSON; its documents, most of which are those of another one, are numbers in a list of all."""
    number = lambda experiment: documents.setdefault(_text(experiment), len(documents))  # noqa: E731
    branch = saved.branch
    return {
        "name": branch.name,
        "color": branch.color,
        "reached": branch.reached,
        "first": number(branch.log.first),
        "changes": [[at, number(experiment)] for at, experiment in branch.log.changes],
    } | _plain_figures(saved)


def _plain_figures(saved: SavedBranch) -> dict[str, Any]:
    """What is known of a branch besides how it is made, as JSON."""
    return {
        "points": [[at, _finite(loss), _finite(validation)] for at, loss, validation in saved.points],
        "figures": [list(map(_finite, figures)) for figures in saved.figures],
        "stopped": saved.stopped,
        "message": saved.message[:_MOST_MESSAGE],
        "seconds": saved.seconds,
        "verdict": saved.verdict,
    } | ({"note": saved.branch.note[:_MOST_MESSAGE]} if saved.branch.note else {})


def decode(data: bytes) -> SavedRun | None:
    """Return the run in this JSON; None if it is none, or a document in it has a fault: then there is none to go back to."""
    try:
        value = json.loads(data)
        read = cache(_document)  # a run goes back and forth between a few
        changes = [(change["iteration"], read(change["document"])) for change in value["changes"][:_MOST_CHANGES]]
        log = _log(read(value["first"]), changes)
        documents = [read(text) for text in value.get("documents", [])]
        branches = tuple(_branch(one, documents) for one in value.get("branches", [])[:_MOST_BRANCHES])
        name, color = _name(value.get("name", FIRST)), _color(value.get("color", 0))
        branch = Branch(name, color, log, max(_count(value["iteration"]), _count(value.get("reached", 0))))
        own = _with_figures(branch, value["own"]) if "own" in value else None
        sweep = value.get("sweep")
        sweep, reached = sweep if isinstance(sweep, dict) else None, _count(value.get("reached", 0))
        return SavedRun(_count(value["iteration"]), _loss(value["loss"]), log, name, color, branches, reached, own, sweep)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        return None


def _branch(value: dict[str, Any], documents: list[Experiment]) -> SavedBranch:
    changes = [(at, documents[_count(number)]) for at, number in value["changes"][:_MOST_CHANGES]]
    log = _log(documents[_count(value["first"])], changes)
    return _with_figures(Branch(_name(value["name"]), _color(value["color"]), log, _count(value["reached"])), value)


def _with_figures(branch: Branch, value: dict[str, Any]) -> SavedBranch:
    points = tuple((_count(at), _loss(loss), _loss(validation)) for at, loss, validation in value["points"][:MOST_POINTS])
    figures = tuple((_loss(score), _loss(loss), _loss(other)) for score, loss, other in value.get("figures", [])[:MOST_POINTS])
    stopped, message, verdict, note = value.get("stopped", ""), value.get("message", ""), value.get("verdict"), value.get("note", "")
    is_text = type(stopped) is type(message) is type(note) is str
    if len(figures) not in (0, len(points)) or not is_text or type(verdict) not in (dict, type(None)):
        raise ValueError("that is no branch")
    branch = msgspec.structs.replace(branch, note=note[:_MOST_MESSAGE])
    return SavedBranch(branch, points, figures, stopped, message[:_MOST_MESSAGE], _loss(value.get("seconds", 0.0)) or 0.0, verdict)


def _log(first: Experiment, changes: list[tuple[Any, Experiment]]) -> RunLog:
    found = tuple(Change(_count(at), experiment) for at, experiment in changes)
    if [at for at, _ in found] != sorted(at for at, _ in found):
        raise ValueError("the changes are not in the order of their iterations")
    return RunLog(first, found)


def _name(value: Any) -> str:
    if type(value) is not str or not 0 < len(value) <= _MOST_NAME:
        raise ValueError(f"{value!r} is no name")
    return value


def _color(value: Any) -> int:
    return _count(value) % _MOST_BRANCHES


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

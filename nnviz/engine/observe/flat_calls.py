"""The calls that the next iterations are made of, listed to be read. The run stays as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from nnviz.engine.flat.code import CodeLine
from nnviz.engine.run.flat_iteration import PROOFS, WARM_UP
from nnviz.engine.run.trainer import Trainer
from nnviz.records.call_list import CallList, ListedCall

MOST = 3 * (WARM_UP + PROOFS)
"""Iterations after which a full batch has been proven: at most every second one is the last, smaller batch of an epoch."""
_BELONGS_TO_NONE = {"clip": "trained layers", "update": "trained layers"}


def listed_calls(trainer: Trainer) -> CallList:
    """Return the calls of an iteration over a full batch, as this trainer goes on from here, or why there is no such list.

    If its flat iteration is not yet proven, another trainer proves it: some iterations are made from the same state, and forgotten.
    """
    count = trainer.training_rows.count
    rows = min(trainer.experiment.training.batch_size or count, count)
    if not _is_known(trainer, rows):
        trainer = _proven(trainer, rows)
    flat, experiment = trainer.flat, trainer.experiment
    titles, is_proven = experiment.network.titles, flat.is_proven(rows)
    calls = tuple(_numbered(flat.lines, titles)) if is_proven else ()
    reason = "" if is_proven else why_not_flat(flat.reason or "its first iterations do not give finite numbers")
    return CallList(experiment.title, rows, trainer.net.entry, calls, reason)


def why_not_flat(reason: str) -> str:
    """Return as a sentence why the iterations of a net are made by torch's autograd, and not as a flat list of calls."""
    return f"This network is trained without a flat list of calls, at torch's own speed: {reason}."


def _is_known(trainer: Trainer, rows: int) -> bool:
    return bool(trainer.flat.reason) or trainer.flat.is_proven(rows)


def _proven(trainer: Trainer, rows: int) -> Trainer:
    """Another trainer, in the same state but for the iterations that the proof takes."""
    with trainer.unchanged():
        another = Trainer(trainer.experiment, trainer.data)
        another.restore(trainer.checkpoint())
        for _ in range(MOST):
            stop = None if _is_known(another, rows) else another.advance()
            if _is_known(another, rows) or (stop and stop.comes_before):
                break
    return another


def _numbered(lines: Sequence[CodeLine], titles: Mapping[str, str]) -> Iterator[ListedCall]:
    number = 0
    for line in lines:
        number += line.is_call
        title = titles.get(line.layer) or _BELONGS_TO_NONE.get(line.phase, "loss")
        yield ListedCall(number if line.is_call else None, line.phase, line.layer, title, line.text)

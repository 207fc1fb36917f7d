"""What of a training is lost where the document becomes another: layers that start anew, and what the optimizer remembered. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from nnviz.document.catalog import OPTIMIZERS
from nnviz.document.experiment import Experiment
from nnviz.document.shapes.report import examine


def lost(documents: Sequence[Experiment]) -> tuple[str, ...]:
    """Return a sentence for all that is lost behind an iteration at which the document became these, one after the other.

    The first is the one that was trained with: the optimizer remembers something of it alone.
    """
    tensors = [sentence for old, new in pairwise(documents) for sentence in lost_tensors(old, new)]
    choices = [document.training.optimizer for document in documents]
    other = next((choice for choice in choices if choice.kind != choices[0].kind), None)
    state = [lost_state(choices[0].kind, other.kind)] if other is not None and _remembers(documents[0]) else []
    return tuple(dict.fromkeys((*tensors, *state)))


def lost_state(before: str, after: str) -> str:
    """Return the sentence for an optimizer of another kind."""
    return f"{OPTIMIZERS[after].label} starts without what {OPTIMIZERS[before].label} remembered."


def _remembers(experiment: Experiment) -> bool:
    """Whether its optimizer remembers anything of the gradients it was given."""
    optimizer = experiment.training.optimizer
    return optimizer.kind != "sgd" or optimizer["momentum"] > 0


def lost_tensors(old: Experiment, new: Experiment) -> tuple[str, ...]:
    """Return one sentence for each layer that starts anew: a parameter of it has another shape, or its initializer is another."""
    if new.network is old.network:
        return ()
    before, after = (examine(experiment).layers for experiment in (old, new))
    starts = {layer.id: (layer.initializer, layer.gain) for layer in old.network}
    said = []
    for layer in new.network:
        was, now = (found[layer.id].parameters if layer.id in found else {} for found in (before, after))
        is_new_start = layer.id in starts and starts[layer.id] != (layer.initializer, layer.gain)
        reset = next((name for name, shape in now.items() if name in was and (is_new_start or was[name] != shape)), None)
        if reset is not None:
            shapes = f"its {reset} was {list(was[reset])} and is {list(now[reset])}"
            why = shapes if was[reset] != now[reset] else "its initializer is another"
            said.append(f"{new.network.titles[layer.id]} starts anew: {why}.")
    return tuple(said)

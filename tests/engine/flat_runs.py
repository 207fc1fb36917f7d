"""The same run made twice, by flat iterations and eagerly, and all that is to be the same in both. No test lives here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from torch import Tensor

from nnviz.document.experiment import Experiment
from nnviz.engine.data.datasets import Data
from nnviz.engine.flat.kernel_forms import same_bits
from nnviz.engine.run import _evaluations, flat_iteration
from nnviz.engine.run.timeline import Timeline
from tests.engine.experiments import HERE

NEVER = 10**9


@contextmanager
def eager() -> Iterator[None]:
    """Inside, no iteration and no evaluation is made flat."""
    with mock.patch.object(flat_iteration, "WARM_UP", NEVER), mock.patch.object(_evaluations, "WARM_UP", NEVER):
        yield


def state(timeline: Timeline) -> dict[str, Any]:
    """Everything about a run that must not depend on how its iterations are made."""
    trainer = timeline.trainer
    found: dict[str, Any] = trainer.tensors()
    for parameter, entry in trainer.optimizer.state.items():
        found |= {f"{key} of {trainer.names[parameter]}": value for key, value in entry.items()}
    found |= {"points": repr(timeline.points), "position": trainer.position, "has last": trainer.has_last, "applied": timeline.applied}
    best = trainer.early_stopping
    found |= {"early stopping": (best.loss, best.iteration, best.waited, best.is_over), "plateau": trainer.plateau}
    found |= {f"best {name}": tensor for name, tensor in (best.tensors or {}).items()}
    if trainer.has_last:
        found |= {f"gradient of {name}": gradient for name, gradient in trainer.gradients.items()}
        found |= {f"clipped gradient of {name}": one.grad for name, one in trainer.parameters.items() if one.grad is not None}
        found |= {f"output of {layer}": output for layer, output in trainer.activations.items()}
        found |= {f"{name} before": tensor for name, tensor in trainer.previous.items()}
    return {name: value.detach().clone() if isinstance(value, Tensor) else value for name, value in found.items()}


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """The names of what is not the same to the bit in two states."""
    return [name for name in {**one, **other} if name not in one or name not in other or not _is_same(one[name], other[name])]


def _is_same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return same_bits(one.contiguous(), other.contiguous())
    return repr(one) == repr(other)


Drive = Callable[[Timeline], Any]
"""What is done to a run; returns what is to be the same as well."""


def compared(document: Experiment, drive: Drive, folder: Path = HERE, data: Data | None = None) -> Timeline:
    """Drive two runs, the second eagerly; asserts that they stand alike. Returns the first."""
    flat = Timeline(document, folder, data)
    seen = drive(flat)
    with eager():
        other = Timeline(document, folder, flat.data)
        assert repr(drive(other)) == repr(seen)
    assert differences(state(flat), state(other)) == []
    assert not other.trainer.flat.lines
    return flat


def assert_flat(timeline: Timeline) -> None:
    """That flat iterations are used where the run stands."""
    assert timeline.trainer.flat.reason == "" and timeline.trainer.flat.lines


def go(iteration: int) -> Drive:
    """Go to this iteration; why it stood still."""
    return lambda timeline: timeline.go_to(iteration)

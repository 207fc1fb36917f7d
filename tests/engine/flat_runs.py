"""The same run made twice, by flat iterations and eagerly, and all that is to be the same in both. No test lives here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

import torch
from msgspec.structs import replace
from torch import Tensor

from nnviz.document import catalog
from nnviz.document.experiment import Experiment
from nnviz.document.network import Choice, Layer, Network
from nnviz.document.shapes.report import examine
from nnviz.engine.data.datasets import Data
from nnviz.engine.errors import BuildError
from nnviz.engine.flat.kernel_forms import same_bits
from nnviz.engine.run import _evaluations, flat_iteration
from nnviz.engine.run.timeline import Timeline
from nnviz.engine.run.trainer import TWO_SIDES
from tests.engine.experiments import HERE, chain, experiment

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
        return same_bits(*(tensor.clone(memory_format=torch.contiguous_format) for tensor in (one, other)))
    return repr(one) == repr(other)


Drive = Callable[[Timeline], list]
"""What is done to a run; returns what is to be the same as well, whole states among it."""


def compared(document: Experiment, drive: Drive, folder: Path = HERE, data: Data | None = None) -> Timeline:
    """Drive two runs, the second eagerly; asserts that they go alike and end alike. Returns the first."""
    flat = Timeline(document, folder, data)
    seen = drive(flat)
    with eager():
        other = Timeline(document, folder, flat.data)
        expected = drive(other)
        assert not other.trainer.flat.lines
    assert len(seen) == len(expected)
    for one, two in zip([*seen, state(flat)], [*expected, state(other)], strict=True):
        assert (differences(one, two) == []) if isinstance(one, dict) else (repr(one) == repr(two))
    return flat


def assert_flat(timeline: Timeline) -> None:
    """That flat iterations are used where the run stands; where two sides take turns, that it says why they are not."""
    flat = timeline.trainer.flat
    assert (flat.reason == TWO_SIDES and not flat.lines) if timeline.trainer.sides else (flat.reason == "" and flat.lines)


def to(*iterations: int) -> Drive:
    """Go to these iterations, one after the other; why it stood still there, and the states."""
    return lambda timeline: [found for iteration in iterations for found in (timeline.go_to(iteration), state(timeline))]


# --- random settings ---

VALUES: dict[str, tuple] = {
    "learning_rate": (0.1, 0.003, 0.0, 0.5),
    "momentum": (0.0, 0.9, 0.5),
    "dampening": (0.0, 0.3, 1.0),
    "weight_decay": (0.0, 0.01, 0.5),
    "lr_decay": (0.0, 0.1, 1.0),
    "epsilon": (1e-8, 0.0, 1.0),
    "initial_accumulator_value": (0.0, 0.5),
    "alpha": (0.99, 0.0, 0.5),
    "beta1": (0.9, 0.0, 0.5),
    "beta2": (0.999, 0.0, 0.5),
}
"""By field of an optimizer what it may be; a field that is not here is on or off."""
SCHEDULES: dict[str, dict[str, Any]] = {
    "constant": {},
    "step": {"step_size": 3},
    "exponential": {"gamma": 0.9},
    "cosine": {"t_max": 7, "eta_min": 0.001},
    "warm_up": {"total_iters": 12},
    "plateau": {"patience": 0, "threshold": 0.5, "factor": 0.7},
}


def some_optimizer(random: Random, kind: str) -> Choice:
    """An optimizer of this kind with any settings."""
    settings = {field.name: random.choice(VALUES.get(field.name, (False, True))) for field in catalog.OPTIMIZERS[kind].fields}
    if settings.get("nesterov"):  # which torch refuses otherwise
        settings |= {"momentum": 0.9, "dampening": 0.0}
    return catalog.new_choice(catalog.OPTIMIZERS, kind, **settings)


def some_schedule(random: Random, kind: str) -> Choice:
    """A schedule of this kind that counts epochs or iterations."""
    every = {} if kind in ("constant", "plateau") else {"every": random.choice(["epoch", "iteration"])}
    return catalog.new_choice(catalog.SCHEDULES, kind, **SCHEDULES[kind], **every)


def _training(document: Experiment, **changes: Any) -> Experiment:
    return replace(document, training=replace(document.training, **changes))


def _layer(random: Random, document: Experiment, change: Callable[[Layer], Layer]) -> Experiment:
    """With one layer changed that is no input."""
    layers = list(document.network.layers)
    place = random.choice([index for index, layer in enumerate(layers) if layer.kind != "input"])
    layers[place] = change(layers[place])
    return replace(document, network=Network(tuple(layers), document.network.links))


def _other_setting(random: Random, layer: Layer) -> Layer:
    """With another activation, or another probability of dropout."""
    activations = {"activation": ["tanh", "relu", "sigmoid"], "function": ["elu", "gelu"], "p": [0.0, 0.1, 0.5], "dropout": [0.0, 0.3]}
    fields = [name for name in activations if name in layer.settings and layer.kind not in ("rnn", "global_pool")]
    return replace(layer, settings=layer.settings | {name: random.choice(activations[name]) for name in fields[:1]})


def _lock(random: Random, document: Experiment) -> Experiment:
    if document.locks and random.random() < 0.5:
        return replace(document, locks={})
    shapes = {f"{id}.{tensor}": shape for id, layer in examine(document).layers.items() for tensor, shape in layer.parameters.items()}
    name = random.choice(list(shapes))
    return replace(document, locks=document.locks | {name: random.choice([True, [[0] * len(shapes[name])]])})


TOGGLES: tuple[Callable[[Random, Experiment], Experiment], ...] = (
    lambda random, one: _training(one, optimizer=some_optimizer(random, random.choice(list(catalog.OPTIMIZERS)))),
    lambda random, one: _training(one, optimizer=some_optimizer(random, one.training.optimizer.kind)),
    lambda random, one: _training(
        one, optimizer=replace(one.training.optimizer, settings=one.training.optimizer.settings | {"learning_rate": random.random() / 10})
    ),
    lambda random, one: _training(one, schedule=some_schedule(random, random.choice(list(SCHEDULES)))),
    lambda random, one: _training(one, batch_size=random.choice([3, 7, 16, 32, None, 10**6])),
    lambda random, one: _training(one, dropout=not one.training.dropout),
    lambda random, one: _training(one, l1=random.choice([0.0, 0.001])),
    lambda random, one: _training(one, l2=random.choice([0.0, 0.01])),
    lambda random, one: _training(one, clip_norm=random.choice([None, 0.01, 1.0])),
    lambda random, one: _training(one, clip_value=random.choice([None, 0.01, 1.0])),
    lambda random, one: _training(one, loss=random.choice(list(catalog.LOSSES))),
    lambda random, one: _layer(random, one, lambda layer: _other_setting(random, layer)),
    lambda random, one: _layer(random, one, lambda layer: replace(layer, frozen=not layer.frozen)),
    lambda random, one: _layer(random, one, lambda layer: replace(layer, learning_rate_factor=random.choice([0.0, 0.5, 1.0, 2.0]))),
    _lock,
)
"""What a person changes while a run goes on; not all of it can be built."""


def toggle(timeline: Timeline, random: Random) -> None:
    """Change something while the run goes on."""
    while True:
        document = random.choice(TOGGLES)(random, timeline.document)
        try:
            if document != timeline.document and timeline.can_go_on_with(document):
                timeline.edit(document)
                return
        except BuildError:  # it does not fit, or nothing would be left to train
            continue


def some_document(random: Random, kind: str) -> Experiment:
    """Two moons under an optimizer of this kind, with any settings of all else that an update depends on."""
    layers = [catalog.new_layer("input", "x", shape=[2]), catalog.new_layer("dense", "a", units=5, activation="tanh")]
    layers += [catalog.new_layer("dense", "b", units=3, activation="sigmoid"), catalog.new_layer("batch_norm", "n")]
    layers += [catalog.new_layer("dense", "c", units=4, activation="relu", bias=False), catalog.new_layer("dense", "out", units=2)]
    layers[1:] = [replace(layer, learning_rate_factor=random.choice([1.0, 1.0, 0.5, 0.0])) for layer in layers[1:]]
    layers[2] = replace(layers[2], frozen=random.random() < 0.5)
    locks = random.choice([{}, {"a.weight": [[0, 1], [4, 0]], "out.bias": True}, {"b.weight": True}])
    document = replace(experiment(chain(*layers), precision=random.choice(["float32", "float64"])), locks=locks)
    return _training(
        document,
        optimizer=some_optimizer(random, kind),
        schedule=some_schedule(random, random.choice(list(SCHEDULES))),
        batch_size=random.choice([2, 7, 16, 44, None, 500]),
        clip_norm=random.choice([None, 0.01, 5.0]),
        clip_value=random.choice([None, 0.01, 1.0]),
        l1=random.choice([0.0, 0.01]),
        l2=random.choice([0.0, 0.01]),
        early_stopping=random.choice([None, 2]),
    )

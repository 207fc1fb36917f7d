"""Small experiments for the tests of the engine."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

from nnviz.document.catalog import DATASETS, OPTIMIZERS, SCHEDULES, new_choice, new_layer
from nnviz.document.experiment import Experiment
from nnviz.document.network import Layer, Link, Network
from nnviz.document.training import Training

HERE = Path(".")


def chain(*layers: Layer) -> Network:
    """Layers one behind the other."""
    return Network(layers, tuple(Link(a.id, b.id) for a, b in pairwise(layers)))


def mlp(*, activation: str = "relu", p: float = 0.2) -> Network:
    """2 features, 4 units, dropout, 4 units, 2 outputs."""
    return chain(
        new_layer("input", "x", shape=[2]),
        new_layer("dense", "h1", units=4, activation=activation),
        new_layer("dropout", "d1", p=p),
        new_layer("dense", "h2", units=4, activation="tanh"),
        new_layer("dense", "out", units=2),
    )


def table(x: list, y: list, **settings: Any):
    """Data typed in."""
    return new_choice(DATASETS, "table", x=x, y=y, **settings)


def experiment(
    network: Network | None = None,
    optimizer: str = "adam",
    data: Any = None,
    seed: int = 7,
    precision: str = "float32",
    weights: dict | None = None,
    settings: dict | None = None,
    **training: Any,
) -> Experiment:
    """An experiment on two moons, unless told otherwise. `settings`: the optimizer's."""
    choice = new_choice(OPTIMIZERS, optimizer, **(settings or {"learning_rate": 0.01}))
    data = data or new_choice(DATASETS, "moons", samples=60, noise=0.15)
    return Experiment(
        network or mlp(),
        data,
        Training(choice, new_choice(SCHEDULES, "constant"), **training),
        seed=seed,
        precision=precision,
        weights=weights or {},
    )

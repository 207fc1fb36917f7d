"""Experiments for the tests of the canvas."""

from __future__ import annotations

from itertools import pairwise

import msgspec

from nnviz.document.catalog import DATASETS, OPTIMIZERS, new_choice, new_layer
from nnviz.document.experiment import Experiment
from nnviz.document.network import Choice, Layer, Link, Network
from nnviz.document.training import Training


def layer(kind: str, id: str, name: str = "", **settings) -> Layer:
    return msgspec.structs.replace(new_layer(kind, id, **settings), name=name)


def experiment(
    *layers: Layer, links: list[tuple[str, str]] | None = None, data: str = "moons", loss: str = "cross_entropy", **more
) -> Experiment:
    """These layers, one behind the other unless `links` says otherwise."""
    ids = [layer.id for layer in layers]
    links = links if links is not None else list(pairwise(ids))
    network = Network(layers, tuple(Link(*link) for link in links))
    return Experiment(network, new_choice(DATASETS, data), Training(new_choice(OPTIMIZERS, "adam"), Choice("constant"), loss), **more)


def dropout_net(**more) -> Experiment:
    """The net of tests.ui.traces.dropout_net."""
    return experiment(
        layer("input", "x", "input", shape=[2]),
        layer("dense", "h1", "dense 1", units=4, activation="relu"),
        layer("dense", "h2", "dense 2", units=4, activation="relu"),
        layer("dropout", "d1", "dropout", p=0.25),
        layer("dense", "out", "dense 3", units=2),
        **more,
    )


def residual(**more) -> Experiment:
    """x → h1 → h2, h1 + h2 = s, s and x side by side = c → out."""
    return experiment(
        layer("input", "x", shape=[2]),
        layer("dense", "h1", units=3),
        layer("dense", "h2", units=3),
        layer("add", "s"),
        layer("concat", "c"),
        layer("dense", "out", units=2),
        links=[("x", "h1"), ("h1", "h2"), ("h1", "s"), ("h2", "s"), ("s", "c"), ("x", "c"), ("c", "out")],
        **more,
    )


def digits() -> Experiment:
    """64 pixels, 32 units, 10 classes."""
    return experiment(
        layer("input", "x", shape=[64]), layer("dense", "h1", units=32, activation="relu"), layer("dense", "out", units=10), data="digits"
    )

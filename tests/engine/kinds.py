"""One tiny experiment for every kind of layer, for the tests of the engine. No test lives here."""

from __future__ import annotations

from typing import Any

import torch

from nnviz.document.catalog import new_layer
from nnviz.document.experiment import Experiment
from nnviz.document.network import Layer, Link, Network
from tests.engine.experiments import chain, experiment, table

SEQUENCE, IMAGE, VECTOR, WORDS = [4, 3], [2, 4, 4], [6], [5]
"""Shapes of a row."""
ROWS = 6


def rows(shape: list[int], whole: int = 0, **settings: Any):
    """Random rows of this shape with a class 0 or 1 each; whole numbers below `whole` if it is given."""
    generator = torch.Generator().manual_seed(1)
    size = (ROWS, int(torch.tensor(shape).prod()))
    x = torch.randint(whole, size, generator=generator) if whole else torch.randn(size, generator=generator, dtype=torch.float64)
    return table(x.tolist(), [0, 1, 0, 1, 1, 0], **settings)


def around(shape: list[int], *middle: Layer, whole: int = 0, **changes: Any) -> Experiment:
    """These layers between an input of this shape and a flat output of two units."""
    network = chain(new_layer("input", "x", shape=shape), *middle, new_layer("flatten", "flat"), new_layer("dense", "out", units=2))
    return experiment(network, data=rows(shape, whole), optimizer="sgd", precision="float64", **changes)


def joining(kind: str) -> Experiment:
    """Two dense layers joined by this kind."""
    layers = [new_layer("input", "x", shape=VECTOR), *(new_layer("dense", id, units=3, activation="tanh") for id in "ab")]
    layers += [new_layer(kind, "k"), new_layer("dense", "out", units=2)]
    links = [Link(*pair.split()) for pair in ("x a", "x b", "a k", "b k", "k out")]
    return experiment(Network(tuple(layers), tuple(links)), data=rows(VECTOR), optimizer="sgd", precision="float64")


def one(kind: str, shape: list[int], whole: int = 0, before: tuple[Layer, ...] = (), **settings: Any) -> Experiment:
    """A layer of this kind, called k, by itself."""
    return around(shape, *before, new_layer(kind, "k", **settings), whole=whole)


def against_itself() -> Experiment:
    """A generator and a discriminator of one layer each."""
    layers = [new_layer("input", "x", shape=VECTOR), new_layer("random", "z", units=3), new_layer("dense", "g", units=6)]
    layers += [new_layer("real_or_generated", "k"), new_layer("dense", "out", units=1)]
    links = [Link(*pair.split()) for pair in ("x z", "z g", "x k", "g k", "k out")]
    training = {"optimizer": "sgd", "precision": "float64", "loss": "bce", "target": "adversarial"}
    return experiment(Network(tuple(layers), tuple(links)), data=rows(VECTOR), **training)


EXPERIMENTS: dict[str, Experiment] = {
    "dense": one("dense", VECTOR, activation="gelu"),
    "dense on sequences": one("dense", SEQUENCE, units=2, activation="relu"),
    "dense on images": one("dense", IMAGE, units=3, activation="softmax"),
    "activation": one("activation", VECTOR, function="elu"),
    "dropout": one("dropout", VECTOR, p=0.4),
    "spatial dropout of images": one("spatial_dropout", IMAGE, p=0.5),
    "spatial dropout of sequences": one("spatial_dropout", SEQUENCE, p=0.5),
    "batch norm": one("batch_norm", VECTOR),
    "batch norm of images": one("batch_norm", IMAGE),
    "batch norm of sequences": one("batch_norm", SEQUENCE),
    "layer norm": one("layer_norm", SEQUENCE),
    "add": joining("add"),
    "multiply": joining("multiply"),
    "concat": joining("concat"),
    "flatten": one("flatten", IMAGE),
    "reshape": around(VECTOR, new_layer("reshape", "k", shape=[2, 3])),
    "conv1d": one("conv1d", SEQUENCE, out_channels=2, kernel_size=2, padding=1, activation="relu"),
    "conv2d": one("conv2d", IMAGE, out_channels=3, kernel_size=3, stride=2, padding=1),
    "max pool of images": one("max_pool", IMAGE),
    "max pool of sequences": one("max_pool", SEQUENCE, stride=1, padding=1),
    "average pool of images": one("avg_pool", IMAGE, kernel_size=3, padding=1),
    "average pool of sequences": one("avg_pool", SEQUENCE),
    "global mean of images": one("global_pool", IMAGE),
    "global maximum of sequences": one("global_pool", SEQUENCE, function="max"),
    "rnn": one("rnn", SEQUENCE),
    "rnn with relu": one("rnn", SEQUENCE, activation="relu", return_sequences=True),
    "rnn with sigmoid": one("rnn", SEQUENCE, activation="sigmoid", num_layers=2, bidirectional=True),
    "linear rnn": one("rnn", SEQUENCE, activation="identity", return_sequences=True),
    "lstm": one("lstm", SEQUENCE, units=3),
    "bidirectional stacked lstm": one("lstm", SEQUENCE, units=2, num_layers=2, bidirectional=True, return_sequences=True),
    "stacked lstm with dropout": one("lstm", SEQUENCE, units=3, num_layers=3, dropout=0.5),
    "stacked sigmoid rnn with dropout": one("rnn", SEQUENCE, activation="sigmoid", num_layers=2, dropout=0.5),
    "gru": one("gru", SEQUENCE, units=3),
    "bidirectional gru": one("gru", SEQUENCE, units=2, bidirectional=True),
    "embedding": one("embedding", WORDS, whole=7, num_embeddings=7),
    "one-hot": one("one_hot", WORDS, whole=7, num_classes=7),
    "positional encoding": one("positional_encoding", SEQUENCE),
    "attention": one("attention", SEQUENCE, num_heads=3),
    "causal attention": one("attention", SEQUENCE, causal=True),
    "encoder block": one("encoder_block", SEQUENCE, num_heads=3, units=5, p=0.2),
    "encoder block with norms first": one("encoder_block", SEQUENCE, units=5, activation="gelu", norm_first=True, causal=True),
    "gaussian latent": one("gaussian_latent", VECTOR, beta=0.3),
    "noise": one("noise", VECTOR, std=0.5),
    "random": one("random", VECTOR, units=3),
    "real or generated": against_itself(),
}  # fmt: skip

"""Faults planted into nets that no bound of the doctor was tuned on: other nets, rows, optimizers and seeds than the calibration's."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any, NamedTuple

from msgspec.structs import replace

from nnviz.document.catalog import DATASETS, OPTIMIZERS, SCHEDULES, new_choice, new_layer
from nnviz.document.experiment import Experiment
from nnviz.document.network import Choice, Layer, Link, Network
from nnviz.document.training import Training


class Planted(NamedTuple):
    """One fault: what is to be named first, and after how many iterations at the latest."""

    kind: str
    what: str
    experiment: Experiment
    within: int = 100


def layers(features: int, widths: tuple[int, ...], function: str, outputs: int, start: str = "default") -> list[Layer]:
    """A stack of dense layers."""
    hidden = [new_layer("dense", f"h{number}", units=units, activation=function) for number, units in enumerate(widths, 1)]
    made = [*hidden, new_layer("dense", "out", units=outputs)]
    return [new_layer("input", "x", shape=[features]), *(replace(layer, initializer=start) for layer in made)]


def changed(stack: list[Layer], id: str, settings: dict[str, Any] | None = None, **fields: Any) -> list[Layer]:
    """The stack with one layer, or all whose id begins so, made otherwise."""
    return [replace(layer, settings=layer.settings | (settings or {}), **fields) if layer.id.startswith(id) else layer for layer in stack]


def behind(stack: list[Layer], kind: str, **settings: Any) -> list[Layer]:
    """The stack with a layer of this kind behind every hidden one; a batch norm has the function behind it."""
    found = []
    for layer in stack:
        number = layer.id[1:]
        if not layer.id.startswith("h"):
            found.append(layer)
        elif kind == "batch_norm":
            linear = replace(layer, settings=layer.settings | {"activation": "identity"})
            norm, function = new_layer(kind, f"n{number}", **settings), new_layer("activation", f"a{number}", function=layer["activation"])
            found += [linear, norm, function]
        else:
            found += [layer, new_layer(kind, f"n{number}", **settings)]
    return found


def normed(stack: list[Layer], momentum: float) -> list[Layer]:
    """The stack with a batch norm before all else."""
    return [stack[0], new_layer("batch_norm", "first", momentum=momentum), *stack[1:]]


def experiment(stack: list[Layer], data: Choice, optimizer: str = "sgd", rate: float = 0.1, seed: int = 71, **more: Any) -> Experiment:
    """The stack in a chain, trained on these rows. `more`: of the training, or `weights`, or `settings` of the optimizer."""
    weights, settings = more.pop("weights", {}), more.pop("settings", {})
    chosen = new_choice(OPTIMIZERS, optimizer, learning_rate=rate, **settings)
    links = tuple(Link(one.id, other.id) for one, other in pairwise(stack))
    training = Training(chosen, new_choice(SCHEDULES, "constant"), **more)
    return Experiment(Network(tuple(stack), links), data, training, seed=seed, weights=weights)


def rows(kind: str, **settings: Any) -> Choice:
    """Rows of a data set."""
    return new_choice(DATASETS, kind, **settings)


def drawn(count: int, features: int, classes: int, seed: int, rare: int = 0, apart: float = 0.0, **settings: Any) -> Choice:
    """Typed-in rows whose classes lie `apart`; by default they have nothing to do with the inputs. `rare`: so many rows of class 1."""
    chance = random.Random(seed)
    y = [int(number < rare) if rare else chance.randrange(classes) for number in range(count)]
    x = [[chance.gauss(apart * label, 1.0) for _ in range(features)] for label in y]
    return rows("table", x=x, y=y, **settings)


def full(value: float, *shape: int) -> list:
    """A parameter all of whose elements are the same."""
    return [full(value, *shape[1:]) if shape[1:] else value for _ in range(shape[0])]


MOONS, BLOBS, WINE = rows("moons", samples=400, noise=0.2), rows("blobs", classes=4, samples=320), rows("wine")
CANCER, WAVE = rows("breast_cancer"), rows("sine_wave", window=9, samples=300)
RAW = {"scaling": "none"}
SQUARED = {"loss": "mse"}

EXACT = (
    Planted("non_finite", "sgd at 5,000", experiment(layers(9, (7,), "elu", 1), WAVE, rate=5e3, **SQUARED)),
    Planted("non_finite", "weights 1e30", experiment(layers(2, (5, 5), "relu", 2), MOONS, weights={"h2.weight": full(1e30, 5, 5)}), 20),
    Planted("non_finite", "gain 400 in a deep net", experiment(changed(layers(13, (9,) * 7, "relu", 3), "h", gain=400.0), WINE)),
    Planted("output_range", "softmax twice", experiment(changed(layers(2, (9,), "tanh", 4), "out", {"activation": "softmax"}), BLOBS), 0),
    Planted(
        "output_range",
        "sigmoid before BCE",
        experiment(changed(layers(30, (5,), "relu", 1), "out", {"activation": "sigmoid"}), CANCER, loss="bce"),
        0,
    ),
    Planted(
        "output_range",
        "ReLU for a wave",
        experiment(changed(layers(9, (5,), "tanh", 1), "out", {"activation": "relu"}), WAVE, "adam", 0.01, **SQUARED),
        0,
    ),
    Planted("no_non_linearity", "two linear layers", experiment(layers(2, (7,), "identity", 2), MOONS), 0),
    Planted(
        "no_non_linearity",
        "linear behind tanh",
        experiment(changed(layers(13, (9, 11), "tanh", 3), "h2", {"activation": "identity"}), WINE),
        0,
    ),
    Planted("no_non_linearity", "with dropout between", experiment(behind(layers(2, (8,), "identity", 4), "dropout", p=0.3), BLOBS), 0),
    Planted("symmetric_start", "zeros", experiment(layers(2, (5, 7), "tanh", 4, "zeros"), BLOBS, "adam", 0.01), 0),
    Planted("symmetric_start", "constant", experiment(layers(13, (6,), "sigmoid", 3, "constant"), WINE), 0),
    Planted(
        "symmetric_start",
        "set by hand",
        experiment(
            layers(2, (3,), "gelu", 2),
            MOONS,
            weights={"h1.weight": full(0.2, 3, 2), "h1.bias": full(0.1, 3), "out.weight": full(0.3, 2, 3)},
        ),
        0,
    ),
)

STARTS = (
    Planted("input_scale", "wine as it is", experiment(layers(13, (11,), "gelu", 3), rows("wine", **RAW), "adam", 0.01), 0),
    Planted(
        "input_scale",
        "one column far away",
        experiment(
            layers(2, (6,), "tanh", 2), rows("table", x=[[50 + i % 7, i % 5] for i in range(60)], y=[int(i % 7 > 3) for i in range(60)])
        ),
        0,
    ),
    Planted(
        "input_scale", "tumours as they are", experiment(layers(30, (8,), "leaky_relu", 1), rows("breast_cancer", **RAW), loss="bce"), 0
    ),
    Planted("start_loss", "last layer too wide", experiment(changed(layers(2, (12,), "tanh", 4), "out", gain=40.0), BLOBS, rate=1e-4), 40),
    Planted(
        "start_loss", "all layers too wide", experiment(changed(layers(13, (14, 9), "leaky_relu", 3), "", gain=5.0), WINE, "adam", 1e-4), 40
    ),
    Planted(
        "start_loss",
        "targets far away",
        experiment(
            layers(1, (9,), "tanh", 1),
            rows("table", x=[[i / 30] for i in range(60)], y=[[300 + i / 60] for i in range(60)]),
            "adam",
            1e-3,
            **SQUARED,
        ),
        40,
    ),
)

GRADIENTS = (
    Planted("vanishing", "sigmoid, 7 layers", experiment(layers(13, (7,) * 7, "sigmoid", 3), WINE, seed=72)),
    Planted("vanishing", "sigmoid, regression", experiment(layers(9, (10,) * 8, "sigmoid", 1), WAVE, rate=0.05, **SQUARED)),
    Planted(
        "vanishing", "tanh, small start", experiment(changed(layers(2, (9,) * 5, "tanh", 4), "h", gain=0.1), BLOBS, rate=0.05, seed=73)
    ),
    Planted(
        "exploding",
        "tanh, derivative kept",
        experiment(changed(layers(2, (12,) * 9, "leaky_relu", 4, "he_normal"), "h", gain=4.0), BLOBS, "adam", 1e-4),
    ),
    Planted(
        "exploding",
        "ELU, wide start",
        experiment(changed(layers(13, (10,) * 8, "elu", 3, "he_uniform"), "h", gain=5.0), WINE, "adam", 1e-4),
    ),
    Planted(
        "exploding",
        "clipped all the time",
        experiment(changed(layers(2, (8,) * 4, "leaky_relu", 2, "he_normal"), "h", gain=4.0), MOONS, rate=1e-3, clip_norm=0.1),
    ),
)

RATES = (
    Planted("diverging", "squared error, full batch", experiment(layers(9, (6,), "tanh", 1), WAVE, rate=1.5, batch_size=None, **SQUARED)),
    Planted("diverging", "momentum", experiment(layers(9, (), "tanh", 1), WAVE, rate=0.3, settings={"momentum": 0.95}, **SQUARED), 150),
    Planted(
        "diverging",
        "linear, small batches",
        experiment(layers(1, (), "tanh", 1), rows("sine", samples=200), rate=1.3, batch_size=8, **SQUARED),
        150,
    ),
    Planted("rate_too_large", "sgd at 20", experiment(layers(2, (10, 10), "tanh", 4), BLOBS, rate=20.0, seed=74)),
    Planted("rate_too_large", "Adam at 2", experiment(layers(2, (14, 7), "relu", 2), rows("spiral", noise=0.2), "adam", 2.0, seed=75)),
    Planted("rate_too_large", "RMSprop at 1", experiment(layers(9, (12, 12), "tanh", 1), WAVE, "rmsprop", 1.0, **SQUARED)),
    Planted("rate_too_small", "sgd at 1e-6", experiment(layers(13, (10, 6), "elu", 3), WINE, rate=1e-6)),
    Planted("rate_too_small", "Adam at 1e-7", experiment(layers(9, (14,), "gelu", 1), WAVE, "adam", 1e-7, **SQUARED)),
    Planted("rate_too_small", "AdamW at 5e-7", experiment(layers(2, (20, 20), "relu", 4, "he_normal"), BLOBS, "adamw", 5e-7)),
)

UNITS = (
    Planted("dead_relu", "biases at −15", experiment(layers(2, (9,), "relu", 4), BLOBS, "adam", 0.01, weights={"h1.bias": full(-15.0, 9)})),
    Planted("dead_relu", "second layer dead", experiment(layers(13, (10, 8), "relu", 3), WINE, weights={"h2.bias": full(-30.0, 8)})),
    Planted(
        "dead_relu",
        "tumours, one dead layer",
        experiment(layers(30, (6, 6), "relu", 1), CANCER, "rmsprop", 1e-3, loss="bce", weights={"h2.bias": full(-40.0, 6)}),
    ),
    Planted(
        "saturated",
        "tanh, wide start",
        experiment(changed(layers(2, (10,), "tanh", 2), "h", gain=40.0), rows("spiral", samples=300), rate=0.01),
    ),
    Planted(
        "saturated",
        "sigmoid, wide start",
        experiment(changed(layers(9, (8, 8), "sigmoid", 1), "h2", gain=60.0), WAVE, rate=0.01, **SQUARED),
    ),
    Planted("saturated", "biases at 8", experiment(layers(2, (9,), "tanh", 4), BLOBS, rate=0.01, weights={"h1.bias": full(8.0, 9)})),
)

PENALTIES = (
    Planted("penalty_dominates", "L2 of 1", experiment(layers(2, (9,), "elu", 4), BLOBS, rate=0.02, l2=1.0)),
    Planted("penalty_dominates", "L1 of 0.2", experiment(layers(13, (8,), "tanh", 3), WINE, "adam", 0.003, l1=0.2)),
    Planted(
        "penalty_dominates",
        "weight decay of 5",
        experiment(layers(9, (8,), "tanh", 1), WAVE, rate=0.02, settings={"weight_decay": 5.0}, **SQUARED),
    ),
)

ROWS = (
    Planted(
        "data_ignored", "classes by chance", experiment(layers(4, (2,), "tanh", 3), drawn(1200, 4, 3, 81), rate=0.02, batch_size=64), 900
    ),
    Planted(
        "data_ignored",
        "one line for two rings",
        experiment(layers(2, (), "tanh", 2), rows("circles", samples=1500, noise=0.1), rate=0.02, batch_size=64),
        1000,
    ),
    Planted(
        "data_ignored",
        "first layer of zeros, frozen",
        experiment(changed(layers(2, (5,), "tanh", 4), "h1", initializer="zeros", frozen=True), BLOBS, rate=0.05),
        700,
    ),
    Planted(
        "overfitting", "chance by heart", experiment(layers(5, (50,), "relu", 2), drawn(70, 5, 2, 82, validation=0.3), "adam", 0.01), 600
    ),
    Planted(
        "overfitting",
        "few noisy moons",
        experiment(layers(2, (40, 40), "gelu", 2), rows("moons", samples=40, noise=0.5), "adam", 0.01, batch_size=None),
        600,
    ),
    Planted(
        "overfitting",
        "tumours, wide and long",
        experiment(layers(30, (60, 60), "elu", 2), rows("breast_cancer", validation=0.8), "adam", 0.02),
        600,
    ),
    Planted(
        "mode_gap",
        "statistics that stay behind",
        experiment(normed(layers(13, (20,), "relu", 3), 1e-4), rows("wine", **RAW), "adam", 0.01),
        200,
    ),
    Planted(
        "mode_gap",
        "statistics that stay as they were",
        experiment(normed(layers(30, (10, 10), "tanh", 2), 0.0), rows("breast_cancer", **RAW), rate=0.05),
        200,
    ),
    Planted("mode_gap", "dropout of 0.95", experiment(behind(layers(30, (40,), "relu", 2), "dropout", p=0.95), CANCER, "adam", 0.02), 600),
    Planted(
        "class_imbalance",
        "1 row in 30",
        experiment(layers(3, (7,), "tanh", 2), drawn(600, 3, 2, 83, rare=20, apart=0.5), "adam", 0.01),
        300,
    ),
    Planted(
        "class_imbalance",
        "1 row in 50, BCE",
        experiment(layers(2, (6,), "relu", 1), drawn(500, 2, 2, 84, rare=10, apart=0.8), rate=0.1, loss="bce"),
        300,
    ),
    Planted(
        "class_imbalance",
        "1 row in 20, linear",
        experiment(layers(5, (), "relu", 2), drawn(800, 5, 2, 85, rare=40, apart=0.3), rate=0.05),
        300,
    ),
    Planted("plateau", "one line for xor", experiment(layers(2, (), "tanh", 2), rows("xor", samples=400), rate=0.3, batch_size=None), 300),
    Planted(
        "plateau",
        "a line for a circle, BCE",
        experiment(layers(2, (), "tanh", 1), rows("circles", samples=600), rate=0.5, batch_size=None, loss="bce"),
        300,
    ),
    Planted("plateau", "chance, all rows", experiment(layers(3, (), "tanh", 2), drawn(900, 3, 2, 86), rate=0.5, batch_size=None), 300),
)

ALL = (*EXACT, *STARTS, *GRADIENTS, *RATES, *UNITS, *PENALTIES, *ROWS)

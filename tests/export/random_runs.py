"""Runs with random settings and random edits on the way, by seed: what a person might do, in any order."""

from __future__ import annotations

import random
from pathlib import Path

from msgspec.structs import replace

from nnviz.document.catalog import new_layer
from nnviz.document.edits import set_value
from nnviz.document.experiment import Experiment
from nnviz.document.network import Link, Network
from nnviz.document.problems import Refused
from nnviz.document.shapes.report import examine
from nnviz.document.store.examples import open_document
from nnviz.engine.run.timeline import Timeline

DOCUMENTS = (
    "template:mlp", "template:lstm", "template:encoder", "template:vae", "template:bidirectional_gru", "example:batch_norm",
    "example:thinned_nets", "template:residual_mlp", "template:perceptron", "template:cnn", "example:gan", "example:moons",
)  # fmt: skip
SETTINGS = {
    "training.optimizer": ("sgd", "adam", "adamw", "rmsprop", "adagrad"),
    "training.optimizer.learning_rate": ("0.001", "0.05"),
    "training.optimizer.momentum": ("0", "0.5"),
    "training.optimizer.amsgrad": ("true", "false"),
    "training.optimizer.centered": ("true", "false"),
    "training.optimizer.weight_decay": ("0", "0.01"),
    "training.batch_size": ("7", "50", "none", "1000"),
    "training.l1": ("0", "0.01"),
    "training.l2": ("0", "0.02"),
    "training.clip_norm": ("none", "0.1"),
    "training.clip_value": ("none", "0.01"),
    "training.dropout": ("true", "false"),
    "training.early_stopping": ("none", "1"),
    "training.schedule": ("constant", "step", "exponential", "cosine", "warm_up", "plateau"),
    "training.schedule.every": ("epoch", "iteration"),
    "training.schedule.patience": ("0",),
    "training.loss": ("mse", "mae", "huber", "rmse", "cross_entropy", "bce"),
    "network.layers[{}].frozen": ("true", "false"),
    "network.layers[{}].learning_rate_factor": ("1", "0.1"),
    "network.layers[{}].initializer": ("default", "he_normal", "orthogonal", "xavier_uniform", "zeros"),
    "network.layers[{}].gain": ("1", "0.5"),
    "network.layers[{}].units": ("4", "6", "8"),
    "network.layers[{}].activation": ("relu", "tanh", "gelu", "softmax", "silu", "leaky_relu"),
    "network.layers[{}].negative_slope": ("0.01", "0.3"),
    "network.layers[{}].function": ("relu", "elu", "identity"),
    "network.layers[{}].num_layers": ("1", "2"),
    "network.layers[{}].dropout": ("0.0", "0.3"),
    "network.layers[{}].p": ("0.0", "0.2"),
    "network.layers[{}].bias": ("true", "false"),
    "network.layers[{}].epsilon": ("0.00001", "0.001"),
    "network.layers[{}].causal": ("true", "false"),
    "network.layers[{}].norm_first": ("true", "false"),
    "network.layers[{}].beta": ("0.0", "0.2"),
}
INSERTED = ("dense", "activation", "dropout", "layer_norm", "batch_norm", "noise")


def random_run(seed: int) -> Timeline:
    """Return a run of some twenty iterations; it may stand somewhere on its way."""
    chance = random.Random(seed)
    experiment = open_document(chance.choice(DOCUMENTS))
    for _ in range(chance.randrange(4)):
        experiment = edited(experiment, chance)
    timeline = Timeline(experiment, Path())
    for _ in range(chance.randrange(6)):
        timeline.go_to(timeline.iteration + chance.randrange(10))
        timeline.edit(edited(timeline.document, chance))
    timeline.go_to(timeline.iteration + chance.randrange(12))
    if chance.random() < 0.3:
        timeline.go_to(chance.randrange(timeline.iteration + 1))
    return timeline


def edited(experiment: Experiment, chance: random.Random) -> Experiment:
    """Return the experiment with one more edit; as it is, where that would not be sound."""
    make = chance.choice((with_setting, with_setting, with_setting, with_setting, with_layer, without_layer, with_locks, with_weights))
    try:
        found = make(experiment, chance)
    except (Refused, KeyError):
        return experiment
    is_sound = examine(found).ok and (found.data, found.seed, found.training.target) == (
        experiment.data,
        experiment.seed,
        experiment.training.target,
    )
    return found if is_sound else experiment


def with_setting(experiment: Experiment, chance: random.Random) -> Experiment:
    path = chance.choice(list(SETTINGS))
    return set_value(experiment, path.format(chance.randrange(1, len(experiment.network.layers))), chance.choice(SETTINGS[path]))


def with_layer(experiment: Experiment, chance: random.Random) -> Experiment:
    """A layer put into a link that carries a vector."""
    layers, links, shapes = list(experiment.network.layers), list(experiment.network.links), examine(experiment).layers
    link = chance.choice([link for link in links if len(shapes[link.source].output_shape) == 1])
    kind, id = chance.choice(INSERTED), experiment.network.free_id("new")
    width = {"units": shapes[link.source].output_shape[0]} if kind == "dense" else {}
    links[links.index(link) : links.index(link) + 1] = [Link(link.source, id), Link(id, link.target)]
    layers.insert(chance.randrange(1, len(layers) + 1), new_layer(kind, id, **width))
    return replace(experiment, network=Network(tuple(layers), tuple(links)))


def without_layer(experiment: Experiment, chance: random.Random) -> Experiment:
    """A layer taken out whose input goes to where its output went."""
    layer = chance.choice(experiment.network.layers[1:])
    (source, *_) = experiment.network.inputs_of(layer.id)
    links = [Link(source, link.target) if link.source == layer.id else link for link in experiment.network.links if link.target != layer.id]
    kept = tuple(one for one in experiment.network.layers if one.id != layer.id)
    weights, locks = (
        {name: value for name, value in given.items() if name.partition(".")[0] != layer.id}
        for given in (experiment.weights, experiment.locks)
    )
    return replace(experiment, network=Network(kept, tuple(links)), weights=weights, locks=locks)


def with_locks(experiment: Experiment, chance: random.Random) -> Experiment:
    shapes = examine(experiment).parameters_by_name
    chosen = chance.sample(list(shapes), min(2, len(shapes)))
    return replace(experiment, locks={name: chance.choice((True, [[0] * len(shapes[name])])) for name in chosen})


def with_weights(experiment: Experiment, chance: random.Random) -> Experiment:
    name, shape = chance.choice([(name, shape) for name, shape in examine(experiment).parameters_by_name.items() if len(shape) < 3])
    rows = [[round(chance.gauss(0, 0.3), 3) for _ in range(shape[-1])] for _ in range(shape[0])]
    return replace(experiment, weights=experiment.weights | {name: rows if len(shape) == 2 else rows[0]})

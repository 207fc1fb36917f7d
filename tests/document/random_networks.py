"""Random networks over all kinds of layers, sound ones and broken ones. No test lives here."""

from __future__ import annotations

from random import Random
from typing import Any

from msgspec.structs import replace

from nnviz.document import catalog
from nnviz.document.catalog import Field
from nnviz.document.experiment import Experiment
from nnviz.document.network import Layer, Link, Network
from nnviz.document.shapes.report import examine
from tests.document.documents import experiment

ROWS, NUMBERS = 4, 7
"""Rows of the data, all whole numbers below NUMBERS, so that they can be looked up."""
SHAPES = ([5], [6], [4, 3], [5, 2], [1, 4, 4], [2, 5, 3])
JOINING = ("add", "multiply", "concat")


def sound_experiment(seed: int, length: int = 8) -> Experiment:
    """Return a random experiment that can be trained: a graph of about so many layers over all kinds, in float64."""
    random = Random(seed)
    shape = random.choice(SHAPES)
    network = Network((catalog.new_layer("input", "x", shape=shape),))
    for _ in range(length):
        network = _grown(random, network)
    return _over(shape, random, _ended(network))


def _over(shape: list[int], random: Random, network: Network) -> Experiment:
    features = 1
    for size in shape:
        features *= size
    x = [[float(random.randrange(NUMBERS)) for _ in range(features)] for _ in range(ROWS)]
    data = catalog.new_choice(catalog.DATASETS, "table", x=x, y=[0, 1, 0, 1])
    return replace(experiment(network), data=data, precision="float64")


def _grown(random: Random, network: Network) -> Network:
    """The network with a layer more, of a kind and with settings that fit somewhere; as it is if a few tries find none."""
    for _ in range(30):
        kind = random.choice([kind for kind in catalog.LAYERS if kind != "input"])
        layer = catalog.new_layer(kind, f"k{len(network.layers)}", **_settings(random, kind))
        count = random.randint(2, 3) if kind in JOINING else 1
        sources = ["x"] if kind in ("embedding", "one_hot") else [random.choice(network.layers).id for _ in range(count)]
        if len(set(sources)) < min(count, len(network.layers)) or (count > 1 and len(set(sources)) < 2):
            continue
        larger = Network((*network.layers, layer), (*network.links, *(Link(source, layer.id) for source in dict.fromkeys(sources))))
        if examine(experiment(larger)).layers[layer.id].output_shape is not None:
            return larger
    return network


def _settings(random: Random, kind: str) -> dict[str, Any]:
    fields = {field.name: _value(random, field) for field in catalog.LAYERS[kind].fields}
    lookup = {"num_embeddings": NUMBERS + 1, "num_classes": NUMBERS}
    return {name: lookup.get(name, value) for name, value in fields.items()}


def _value(random: Random, field: Field) -> Any:
    if field.optional and random.random() < 0.5:
        return None
    return {
        "integer": lambda: random.randint(int(field.minimum), 4),
        "number": lambda: random.uniform(field.minimum or 1e-3, min(field.maximum, 0.9)),
        "boolean": lambda: random.random() < 0.5,
        "choice": lambda: random.choice(field.choices),
        "shape": lambda: random.choice([[4], [2, 2], [3, 4], [1, 4, 4], [5, 1], [2, 3], [1, 6]]),
    }[field.type]()


def _ended(network: Network) -> Network:
    """The network with all its loose ends flattened, joined and brought to two outputs."""
    ends = [layer.id for layer in network.layers if not network.outputs_of(layer.id)]
    layers, links = list(network.layers), list(network.links)
    for end in ends:
        layers.append(catalog.new_layer("flatten", f"f_{end}"))
        links.append(Link(end, f"f_{end}"))
    last = f"f_{ends[0]}"
    if len(ends) > 1:
        layers.append(catalog.new_layer("concat", "all"))
        links += [Link(f"f_{end}", "all") for end in ends]
        last = "all"
    layers.append(catalog.new_layer("dense", "out", units=2))
    return Network(tuple(layers), (*links, Link(last, "out")))


# --- broken ---


def broken_experiment(seed: int) -> Experiment:
    """Return a random experiment after a few blows no edit would deal: settings out of range, links across, layers gone or of no kind."""
    random = Random(seed)
    present = sound_experiment(seed, random.randint(1, 6))
    for _ in range(random.randint(1, 3)):
        present = random.choice(BLOWS)(random, present)
    return present


def _with(present: Experiment, layers: list[Layer] | None = None, links: list[Link] | None = None) -> Experiment:
    network = present.network
    return replace(present, network=Network(tuple(layers or network.layers), network.links if links is None else tuple(links)))


def _spoiled_setting(random: Random, present: Experiment) -> Experiment:
    layers = list(present.network.layers)
    place = random.randrange(len(layers))
    layer = layers[place]
    if layer.settings:
        name = random.choice(list(layer.settings))
        value = random.choice([0, -3, 10**6, 1e9, None, "x", [3], [2, 2], True, float("nan"), 3])
        if type(value) is type(layer[name]) or not isinstance(value, bool | int):  # True is 1 and False is 0, which no edit tells apart
            layers[place] = replace(layer, settings=layer.settings | {name: value})
    return _with(present, layers)


def _another_kind(random: Random, present: Experiment) -> Experiment:
    layers = list(present.network.layers)
    place = random.randrange(len(layers))
    kind = random.choice([*catalog.LAYERS, "nonsense", ""])
    known = catalog.LAYERS[kind].defaults if kind in catalog.LAYERS else {}
    layers[place] = Layer(layers[place].id, kind, known)
    return _with(present, layers)


def _cut(random: Random, present: Experiment) -> Experiment:
    links = list(present.network.links)
    if links:
        links.pop(random.randrange(len(links)))
    return _with(present, links=links)


def _crossed(random: Random, present: Experiment) -> Experiment:
    ids = [layer.id for layer in present.network] + ["nobody"]
    return _with(present, links=[*present.network.links, Link(random.choice(ids), random.choice(ids))])


def _lonely(random: Random, present: Experiment) -> Experiment:
    kind = random.choice(list(catalog.LAYERS))
    return _with(present, [*present.network.layers, catalog.new_layer(kind, f"lonely{len(present.network.layers)}")])


def _lost(random: Random, present: Experiment) -> Experiment:
    layers = list(present.network.layers)
    layers.pop(random.randrange(len(layers)))
    return _with(present, layers) if layers else present


def _spoiled_training(random: Random, present: Experiment) -> Experiment:
    name, value = random.choice(
        [
            ("loss", "bce"), ("loss", "mse"), ("loss", "nonsense"), ("batch_size", 1), ("early_stopping", 3),
            ("optimizer", catalog.new_choice(catalog.OPTIMIZERS, "sgd", nesterov=True)),
            ("optimizer", catalog.new_choice(catalog.OPTIMIZERS, "adam", beta1=7.0)),
            ("schedule", catalog.new_choice(catalog.SCHEDULES, "plateau")),
            ("schedule", replace(catalog.new_choice(catalog.SCHEDULES, "step"), kind="stp")),
        ]
    )  # fmt: skip
    return replace(present, training=replace(present.training, **{name: value}))


def _frozen(random: Random, present: Experiment) -> Experiment:
    return _with(present, [replace(layer, frozen=True) for layer in present.network])


def _other_data(random: Random, present: Experiment) -> Experiment:
    kind = random.choice(["moons", "iris", "sine", "text", "sine_wave"])
    return replace(present, data=catalog.new_choice(catalog.DATASETS, kind))


def _weights(random: Random, present: Experiment) -> Experiment:
    return replace(present, weights={random.choice(["out.bias", "out.nothing", "k1.weight", "nobody.bias"]): [1.0, 2.0, 3.0]})


BLOWS = (
    _spoiled_setting, _spoiled_setting, _another_kind, _cut, _crossed, _lonely, _lost, _spoiled_training, _frozen, _other_data, _weights,
)  # fmt: skip

"""Small documents for tests, and random edits of them. No test lives here."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Any

from msgspec.structs import replace

from nnviz.document import catalog, edits
from nnviz.document.breakpoints import KINDS
from nnviz.document.catalog import Field
from nnviz.document.experiment import Experiment
from nnviz.document.finding_kinds import ENABLED, FINDING_KINDS
from nnviz.document.network import Layer, Link, Network
from nnviz.document.problems import Refused
from nnviz.document.shapes.report import examine
from nnviz.document.shapes.rows import RowSize
from nnviz.document.training import Training


def chain(*layers: Layer) -> Network:
    """Return the layers, each linked to the next."""
    return Network(layers, tuple(Link(one.id, other.id) for one, other in pairwise(layers)))


def dense_net(*sizes: int) -> Network:
    """Return input x and dense layers h1, h2, ... of these sizes."""
    dense = [catalog.new_layer("dense", f"h{index}", units=units) for index, units in enumerate(sizes[1:], 1)]
    return chain(catalog.new_layer("input", "x", shape=[sizes[0]]), *dense)


def experiment(network: Network | None = None, data: str = "moons", **changes: Any) -> Experiment:
    """Return an experiment with this network (default: 2-4-2) on this data; `changes` go into its training or else into itself."""
    training = Training(catalog.new_choice(catalog.OPTIMIZERS, "adam"), catalog.new_choice(catalog.SCHEDULES, "constant"))
    inner = {name: changes.pop(name) for name in list(changes) if name in training.__struct_fields__}
    rows = catalog.new_choice(catalog.DATASETS, data)
    return replace(Experiment(network or dense_net(2, 4, 2), rows, replace(training, **inner)), **changes)


def random_value(random: Random, field: Field) -> Any:
    """Return a value the field takes, or now and then one that it does not."""
    if random.random() < 0.1:
        return random.choice([None, -1, 1e9, "nonsense", [], float("nan"), True])
    if field.optional and random.random() < 0.2:
        return None
    low, high = field.minimum or 0, min(field.maximum or 1, 12)
    return {
        "integer": lambda: random.randint(int(low), int(high)),
        "number": lambda: round(random.uniform(low, high), 4),
        "boolean": lambda: random.random() < 0.5,
        "choice": lambda: random.choice(field.choices),
        "shape": lambda: [random.randint(1, 8) for _ in range(random.randint(1, 3))],
        "path": lambda: "data é 网.csv",
        "text": lambda: random.choice(["name", "Größe 网", '<b>"quoted"</b>', "", "\x07"]),
        "table": lambda: [[1.0, 2.5], [0.0, -3.0]],
        "names": lambda: ["id", "Größe 网"],
    }[field.type]()


def random_edit(random: Random, present: Experiment) -> Experiment:
    """Return the experiment after some edit; the same one if the edit was refused."""
    try:
        return random.choice(EDITS)(random, present)
    except Refused:
        return present


def random_document(seed: int, length: int = 25) -> Experiment:
    """Return what so many random edits make of a small document."""
    random, present = Random(seed), experiment()
    for _ in range(length):
        present = random_edit(random, present)
    return present


def _id(random: Random, present: Experiment) -> str:
    return random.choice([layer.id for layer in present.network] or ["nobody"])


def _add(random: Random, present: Experiment) -> Experiment:
    if len(present.network.layers) > 25:
        return _remove(random, present)
    kind = random.choice([*catalog.LAYERS, "nonsense"])
    way = random.choice([{}, {"after": _id(random, present)}, {"position": (random.uniform(-500, 500), 7.0)}])
    if present.network.links and random.random() < 0.3:
        way = {"between": random.choice(present.network.links)}
    add = edits.add_layer if "position" in way else random.choice([edits.add_layer, edits.add_usual_layer])
    return add(present, kind, **way)


def _remove(random: Random, present: Experiment) -> Experiment:
    return edits.remove_layers(present, {_id(random, present) for _ in range(random.randint(1, 3))})


def _duplicate(random: Random, present: Experiment) -> Experiment:
    return present if len(present.network.layers) > 25 else edits.duplicate_layers(present, {_id(random, present), _id(random, present)})


def _paste(random: Random, present: Experiment) -> Experiment:
    if len(present.network.layers) > 25:
        return edits.paste_layers(present, random.choice(["", "{}", "no layers"]))
    return edits.paste_layers(present, edits.clipping(present, {_id(random, present), _id(random, present)}), (8.0, 16.0))


def _reconnect(random: Random, present: Experiment) -> Experiment:
    link = random.choice([*present.network.links, Link("nobody", "x")])
    return edits.reconnect_link(present, link, *random.choice([(link.source, _id(random, present)), (_id(random, present), link.target)]))


def _disconnect(random: Random, present: Experiment) -> Experiment:
    link = random.choice([*present.network.links, Link("nobody", "x")])
    return edits.disconnect_layers(present, link.source, link.target)


def _change_layer(random: Random, present: Experiment) -> Experiment:
    id = _id(random, present)
    fields = catalog.LAYERS[present.network.layer(id).kind].fields if present.network.has(id) else ()
    return edits.change_layer(present, id, **{field.name: random_value(random, field) for field in fields if random.random() < 0.5})


def _name_layer(random: Random, present: Experiment) -> Experiment:
    return edits.rename_layer(present, _id(random, present), random.choice(["first", "", "é 网", "x\ny"]))


def _change_training(random: Random, present: Experiment) -> Experiment:
    field = random.choice(catalog.TRAINING)
    return edits.change_training(present, **{field.name: random_value(random, field)})


def _change_bounds(random: Random, present: Experiment) -> Experiment:
    kind = random.choice([*FINDING_KINDS, "nonsense"])
    fields = (*FINDING_KINDS[kind].fields, ENABLED) if kind in FINDING_KINDS else ()
    return edits.change_bounds(present, kind, **{field.name: random_value(random, field) for field in fields if random.random() < 0.5})


def _change_choice(random: Random, present: Experiment) -> Experiment:
    table, choice, change = random.choice(
        [
            (catalog.OPTIMIZERS, present.training.optimizer, edits.change_optimizer),
            (catalog.DATASETS, present.data, edits.change_data),
        ]
    )
    field = random.choice(table[choice.kind].fields)
    return change(present, **{field.name: random_value(random, field)})


def _set_parameter(random: Random, present: Experiment) -> Experiment:
    dense = [layer for layer in present.network if layer.kind == "dense" and layer["bias"]]
    layer = random.choice(dense or [catalog.new_layer("dense", "nobody")])
    return edits.set_parameter(present, f"{layer.id}.bias", [random.gauss(0, 1) for _ in range(layer["units"])])


def _choose_table(random: Random, present: Experiment) -> Experiment:
    features, classes = random.randint(1, 5), random.choice([0, 3])
    return edits.choose_table(present, {"path": "data é 网.csv", "target": "y"}, RowSize(features, classes, 0 if classes else 1))


def _set_parameters(random: Random, present: Experiment) -> Experiment:
    return edits.set_parameters(present, {"h1.bias": [0.5] * random.choice([4, 5]), "h2.bias": [random.random(), 0.0]})


def _set_weight(random: Random, present: Experiment) -> Experiment:
    dense = [layer for layer in present.network if layer.kind == "dense" and layer["bias"]] or [catalog.new_layer("dense", "nobody")]
    layer, units = dense[0], dense[0]["units"]
    return edits.set_weight(present, f"{layer.id}.bias", (random.randint(0, 12),), random.gauss(0, 1), (units,), [0.0] * units)


def _change_schedule(random: Random, present: Experiment) -> Experiment:
    fields = catalog.SCHEDULES[present.training.schedule.kind].fields
    return edits.change_schedule(present, **{field.name: random_value(random, field) for field in fields if random.random() < 0.5})


def _breakpoint(random: Random, present: Experiment) -> Experiment:
    kind = random.choice([*KINDS, "nonsense"])
    fields = KINDS[kind].fields if kind in KINDS else ()
    settings = {field.name: random_value(random, field) for field in fields if random.random() < 0.7}
    change = random.choice(
        [edits.add_breakpoint, edits.add_breakpoint, edits.toggle_breakpoint, edits.change_breakpoint, edits.remove_breakpoint]
    )
    if change is edits.add_breakpoint:
        return change(present, kind, **settings)
    if change is edits.toggle_breakpoint:
        return change(present, random.choice(["node", "parameter"]), random.choice(["h1/relu", "h2.weight", ""]))
    place = random.randint(-1, 3)
    return change(present, place, enabled=random.choice([True, False, 1])) if change is edits.change_breakpoint else change(present, place)


def _fix(random: Random, present: Experiment) -> Experiment:
    fixes = [problem.fix for problem in examine(present).problems if problem.fix]
    return edits.apply_fix(present, random.choice(fixes)) if fixes else present


EDITS = (
    _change_bounds,
    lambda random, present: edits.reset_bounds(present, random.choice([None, *FINDING_KINDS])),
    _add,
    _remove,
    _duplicate,
    _paste,
    _reconnect,
    lambda random, present: edits.insert_layer(present, _id(random, present), random.choice([*present.network.links, Link("a", "b")])),
    lambda random, present: edits.rename_layers(present, [_id(random, present), _id(random, present)], random.choice(["unit", " ", "é"])),
    lambda random, present: edits.connect_layers(present, _id(random, present), _id(random, present), random.random() < 0.3),
    _disconnect,
    _change_layer,
    _name_layer,
    lambda random, present: edits.move_layers(present, {_id(random, present): (random.gauss(0, 300), random.gauss(0, 300))}),
    lambda random, present: edits.tidy(present),
    lambda random, present: edits.freeze_layer(present, _id(random, present), random.random() < 0.5),
    lambda random, present: edits.set_initializer(present, _id(random, present), random.choice([*catalog.INITIALIZERS, "nonsense"])),
    _change_training,
    _change_choice,
    lambda random, present: edits.choose_optimizer(present, random.choice([*catalog.OPTIMIZERS, "nonsense"])),
    lambda random, present: edits.choose_data(present, random.choice([*catalog.DATASETS, "nonsense"])),
    _set_parameter,
    lambda random, present: edits.clear_weights(present, _id(random, present)),
    lambda random, present: edits.set_seed(present, random.choice([0, 3, 2**32 - 1, -1, 2**40])),
    lambda random, present: edits.set_title(present, random.choice(["A", "é 网", "\t"])),
    _breakpoint,
    _breakpoint,
    lambda random, present: edits.switch_breakpoints(present, random.random() < 0.5),
    lambda random, present: edits.set_value(present, *random.choice([("training.l2", 0.1), ("data.noise", 0.3), ("nothing", 1)])),
    lambda random, present: edits.choose_schedule(present, random.choice([*catalog.SCHEDULES, "nonsense"])),
    _change_schedule,
    _set_weight,
    _set_parameters,
    lambda random, present: edits.lock_parameter(present, random.choice(["h1.weight", "h2.bias", "nobody.bias"]), random.random() < 0.7),
    lambda random, present: edits.lock_weights(present, "h1.bias", [(random.randint(0, 5),)], random.random() < 0.7),
    _choose_table,
    lambda random, present: edits.shape_input(present, random.choice([[4], [1, 2, 2], []])),
    lambda random, present: edits.set_gain(present, _id(random, present), random.choice([0.5, 2.0, -1.0])),
    lambda random, present: edits.set_learning_rate_factor(present, _id(random, present), random.choice([0.0, 3.0, float("nan")])),
    lambda random, present: edits.clear_parameter(present, random.choice(["h1.bias", "h2.bias", "nobody.weight"])),
    _fix,
    lambda random, present: edits.merge_links(present),
    lambda random, present: edits.set_precision(present, random.choice(["float32", "float64", "float16"])),
)

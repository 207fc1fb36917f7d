"""What became of an experiment, in plain words: "dropout on → off", "learning rate 0.01 → 0.003", "dense 2 removed"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nnviz.document import catalog
from nnviz.document.catalog import Field, Kind
from nnviz.document.experiment import Experiment
from nnviz.document.network import Choice, Layer, Link, Network, split_parameter
from nnviz.text import captions, numbers

MOST_SAID = 6
"""Of more differences than this only the first are named."""
_LONGEST = 24
"""A value in more characters than this is not written out."""
_MOST_NAMED = 3
"""Of more links or parameters than this it is said how many there are."""
_TRAINING = {
    "batch_size": ("batch", "all rows"),
    "l1": ("L1", ""),
    "l2": ("L2", ""),
    "clip_norm": ("clip norm", "off"),
    "clip_value": ("clip value", "off"),
    "dropout": ("dropout", ""),
    "early_stopping": ("early stopping", "off"),
    "target": ("target", ""),
}
"""Fields of the training that are one value: what they are called, and what None means."""
_LAYER = {"initializer": "initializer", "gain": "gain", "learning_rate_factor": "learning rate ×"}
"""Fields that every layer has, by what they are called."""


def differences(old: Experiment, new: Experiment) -> tuple[str, ...]:
    """Return what is otherwise in the new experiment, a few words each; empty where no run depends on any of it."""
    parts = (
        _of_training(old, new),
        _of_network(old.network, new.network),
        _of_parameters(old.weights, new.weights, new.network, "set by hand", "as initialised again"),
        _of_parameters(old.locks, new.locks, new.network, "locked", "unlocked"),
        _of_choice("data", old.data, new.data, catalog.DATASETS),
        _of_value("seed", old.seed, new.seed),
        _of_value("precision", old.precision, new.precision),
    )
    return tuple(text for part in parts for text in part)


def told(iteration: int, old: Experiment, new: Experiment) -> str:
    """Return what became of the experiment behind an iteration: "iteration 120: dropout on → off; L2 0 → 0.001"."""
    said = differences(old, new)
    more = f"; … and {len(said) - MOST_SAID} more" if len(said) > MOST_SAID else ""
    return f"iteration {iteration:,}: " + ("; ".join(said[:MOST_SAID]) + more if said else "changed, and back to what it was")


def in_brief(experiment: Experiment) -> str:
    """Return the settings that training depends on most: "Adam · learning rate 0.01 · batch 32"."""
    training = experiment.training
    rate = numbers.number(training.optimizer["learning_rate"])
    schedule = "" if training.schedule.kind == "constant" else f" · {catalog.SCHEDULES[training.schedule.kind].label.lower()} schedule"
    batch = "all rows" if training.batch_size is None else f"batch {training.batch_size:,}"
    return f"{catalog.OPTIMIZERS[training.optimizer.kind].label} · learning rate {rate}{schedule} · {batch}"


# --- training ---


def _of_training(old: Experiment, new: Experiment) -> Iterator[str]:
    before, after = old.training, new.training
    yield from _of_choice("optimizer", before.optimizer, after.optimizer, catalog.OPTIMIZERS)
    yield from _of_choice("schedule", before.schedule, after.schedule, catalog.SCHEDULES)
    yield from _of_value("loss", *(catalog.LOSSES[training.loss].label for training in (before, after)))
    for name, (word, absent) in _TRAINING.items():
        yield from _of_value(word, getattr(before, name), getattr(after, name), absent)


def _of_choice(word: str, old: Choice, new: Choice, table: Mapping[str, Kind]) -> Iterator[str]:
    """One kind of a table, and its settings; those of an optimizer bear names of their own."""
    fields = table[new.kind].fields
    before = "" if word == "optimizer" else f"{word} "
    if old.kind != new.kind:
        yield f"{word} {table[old.kind].label} → {table[new.kind].label}"
        shared = {name: value for name, value in old.settings.items() if word == "optimizer" and name in new.settings}
        for field in fields:
            if field.name in shared:
                yield from _of_field(before, field, shared[field.name], new.settings[field.name])
            elif new.settings.get(field.name) != field.default and field.name in new.settings:
                yield f"{before}{_name(field.name)} {_value(new.settings[field.name], field)}"
        return
    for field in fields:
        yield from _of_field(before, field, old.settings.get(field.name), new.settings.get(field.name))


def _of_field(before: str, field: Field, old: Any, new: Any) -> Iterator[str]:
    if old != new:
        texts = _value(old, field), _value(new, field)
        yield f"{before}{_name(field.name)} " + ("changed" if texts[0] == texts[1] or "" in texts else " → ".join(texts))


def _of_value(word: str, old: Any, new: Any, absent: str = "") -> Iterator[str]:
    field = Field(word, "text", None, "", absent=absent)
    if old != new:
        yield f"{word} {_value(old, field)} → {_value(new, field)}"


# --- the network ---


def _of_network(old: Network, new: Network) -> Iterator[str]:
    if old is new:
        return
    for layer in new:
        if not old.has(layer.id):
            yield f"{layer.title} added"
    for layer in old:
        if not new.has(layer.id):
            yield f"{layer.title} removed"
        else:
            yield from _of_layer(layer, new.layer(layer.id))
    yield from _of_links(old, new)


def _of_layer(old: Layer, new: Layer) -> Iterator[str]:
    if old.name != new.name:
        yield f"{old.title} called {new.title}"
    if old.kind != new.kind:
        yield f"{new.title}: {catalog.layer_kind(old.kind).label} → {catalog.layer_kind(new.kind).label}"
        return
    if old.frozen != new.frozen:
        yield f"{new.title} {'frozen' if new.frozen else 'learns again'}"
    for field in catalog.layer_kind(new.kind).fields:
        yield from _of_field(f"{new.title}: ", field, old.settings.get(field.name), new.settings.get(field.name))
    for name, word in _LAYER.items():
        yield from _of_value(f"{new.title}: {word}", getattr(old, name), getattr(new, name))


def _of_links(old: Network, new: Network) -> Iterator[str]:
    """Links between layers that are there before and after: those of one that came or went go without saying."""
    stays = {layer.id for layer in new if old.has(layer.id)}
    before, after = ([link for link in network.links if {link.source, link.target} <= stays] for network in (old, new))
    yield from _counted([_linked(link, new) for link in after if link not in before], "link", "drawn")
    yield from _counted([_linked(link, new) for link in before if link not in after], "link", "cut")
    if set(before) == set(after) and before != after:
        yield "links in another order"


def _linked(link: Link, network: Network) -> str:
    return f"{network.titles[link.source]} to {network.titles[link.target]}"


def _of_parameters(old: Mapping[str, Any], new: Mapping[str, Any], network: Network, done: str, undone: str) -> Iterator[str]:
    """What is said of parameters by their names."""
    if old is new:
        return
    name = lambda parameter: _parameter(parameter, network)  # noqa: E731
    yield from _counted([name(one) for one in new if one not in old or old[one] != new[one]], "parameter", done)
    yield from _counted([name(one) for one in old if one not in new], "parameter", undone)


def _parameter(name: str, network: Network) -> str:
    layer, tensor = split_parameter(name)
    return f"{network.titles.get(layer, layer)} {captions.tensor_text(tensor)}"


def _counted(names: Sequence[str], word: str, done: str) -> Iterator[str]:
    """What was done to each of them; of many only how many they are."""
    if len(names) > _MOST_NAMED:
        yield f"{len(names):,} {word}s {done}"
        return
    yield from (f"{name} {done}" for name in names)


# --- values ---


def _name(field: str) -> str:
    return field.replace("_", " ")


def _value(value: Any, field: Field) -> str:
    """A value as it is said; empty where it would take too many words."""
    if value is None:
        return field.absent
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return numbers.number(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, str):
        return catalog.ACTIVATIONS[value].label if field.choices == tuple(catalog.ACTIVATIONS) else value
    text = str(value)
    return text if len(text) <= _LONGEST else ""

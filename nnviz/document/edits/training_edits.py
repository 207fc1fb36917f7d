"""Edits of everything but the network: data, loss, optimizer, schedule, seed, precision, title. Pure functions Experiment -> Experiment.

Each raises Refused (a ValueError), with why not and the cure, and returns the very same experiment where nothing changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from math import prod
from pathlib import PurePath
from typing import Any

from msgspec.structs import replace

from nnviz.document import catalog
from nnviz.document.adversarial import TARGET
from nnviz.document.catalog import Kind
from nnviz.document.checks.links import LinkIndex
from nnviz.document.edits.layer_edits import change_layer
from nnviz.document.experiment import Experiment
from nnviz.document.fields import LONGEST_TEXT, checked, takes
from nnviz.document.network import Choice
from nnviz.document.problems import Refused, offered
from nnviz.document.shapes.rows import RowSize, data_size, natural_shape
from nnviz.document.store.examples import built_in_titles
from nnviz.document.training import Training

_NEVER_KEPT = frozenset({"noise", "x", "y", "path", "target"})
"""Fields that another choice does not take over, though it has them: they mean something else in each data set."""
_UNTITLED = frozenset({"", "Untitled"})


def change_training(experiment: Experiment, **fields: Any) -> Experiment:
    """Return the experiment with other values for fields of its training (loss, batch_size, l1, l2, clip_norm, dropout, ...).

    Another target fits loss and output to it, as `choose_data` does.
    """
    changed = _trained(experiment, **checked(catalog.TRAINING, "Training", fields))
    return changed if changed.training.target == experiment.training.target else _fitted(changed, data_size(changed.data))


def choose_optimizer(experiment: Experiment, kind: str, **settings: Any) -> Experiment:
    """Return the experiment with another optimizer.

    The learning rate stays, and so does every field both have whose value was not the old one's default. `settings` go before both.
    """
    return _trained(experiment, optimizer=_chosen(catalog.OPTIMIZERS, "optimizer", kind, experiment.training.optimizer, settings))


def change_optimizer(experiment: Experiment, **settings: Any) -> Experiment:
    """Return the experiment with other values for fields of its optimizer."""
    return _trained(experiment, optimizer=_changed(catalog.OPTIMIZERS, experiment.training.optimizer, settings))


def choose_schedule(experiment: Experiment, kind: str, **settings: Any) -> Experiment:
    """Return the experiment with another schedule of the learning rate."""
    return _trained(experiment, schedule=_chosen(catalog.SCHEDULES, "schedule", kind, experiment.training.schedule, settings))


def change_schedule(experiment: Experiment, **settings: Any) -> Experiment:
    """Return the experiment with other values for fields of its schedule."""
    return _trained(experiment, schedule=_changed(catalog.SCHEDULES, experiment.training.schedule, settings))


def choose_data(experiment: Experiment, kind: str, **settings: Any) -> Experiment:
    """Return the experiment with another data set, and the network changed so that it goes on working.

    Where the size of the new data is known, the input layer takes its features, the last dense layer has as many units as it needs, and
    the loss is exchanged if it does not suit the targets (cross-entropy for classes, mean squared error for numbers). Samples, validation
    share and scaling stay if they were not the default. A title that nobody gave follows the data.
    """
    changed = experiment.replaced(data=_chosen(catalog.DATASETS, "data set", kind, experiment.data, settings))
    return _fitted(_titled(experiment, changed), data_size(changed.data))


def change_data(experiment: Experiment, **settings: Any) -> Experiment:
    """Return the experiment with other values for fields of its data; where its size changes, the network follows as in `choose_data`."""
    changed = experiment.replaced(data=_changed(catalog.DATASETS, experiment.data, settings))
    size = data_size(changed.data)
    return changed if size == data_size(experiment.data) else _fitted(changed, size)


def choose_table(experiment: Experiment, settings: dict[str, Any], size: RowSize) -> Experiment:
    """Return the experiment with a CSV file that has been looked at and is of this size, and the network fitted to it."""
    never = {field.name for field in catalog.DATASETS["csv"].fields} - {"validation", "scaling"}
    chosen = _chosen(catalog.DATASETS, "data set", "csv", experiment.data, settings, never)
    return _fitted(_titled(experiment, experiment.replaced(data=chosen)), size)


def shape_input(experiment: Experiment, shape: Iterable[int]) -> Experiment:
    """Return the experiment with another shape of its input layer: the same rows, flat or with axes."""
    entries = LinkIndex(experiment.network).entries
    if not entries:
        raise Refused("There is no input layer.", "Add one.")
    return change_layer(experiment, entries[0], shape=list(shape))


def change_experiment(experiment: Experiment, **fields: Any) -> Experiment:
    """Return the experiment with other values for the fields that stand by themselves (title, description, seed, precision)."""
    return experiment.replaced(**checked(catalog.EXPERIMENT, "The experiment", fields))


def set_seed(experiment: Experiment, seed: int) -> Experiment:
    """Return the experiment with another start for every random draw, from 0 to 2³² − 1."""
    return change_experiment(experiment, seed=seed)


def set_precision(experiment: Experiment, precision: str) -> Experiment:
    """Return the experiment computed in float32 or float64."""
    return change_experiment(experiment, precision=precision)


def set_title(experiment: Experiment, title: str) -> Experiment:
    """Return the experiment with another title."""
    return change_experiment(experiment, title=title)


# --- choices ---


def _trained(experiment: Experiment, **changes: Any) -> Experiment:
    return experiment.replaced(training=replace(experiment.training, **changes))


def _chosen(table: dict[str, Kind], noun: str, kind: str, old: Choice, settings: dict[str, Any], never: Set[str] = _NEVER_KEPT) -> Choice:
    """Return a choice of this kind that carries over what `choose_optimizer` and `choose_data` promise."""
    if kind not in table:
        raise Refused(f'There is no {noun} called "{kind}".', offered(str(kind), table))
    if kind == old.kind:
        return _changed(table, old, settings)
    defaults = table[old.kind].defaults if old.kind in table else {}
    carried = {name: value for name, value in old.settings.items() if name == "learning_rate" or value != defaults.get(name)}
    fields = {field.name: field for field in table[kind].fields}
    kept = {name: value for name, value in carried.items() if name in fields and name not in never and takes(fields[name], value)}
    return catalog.new_choice(table, kind, **(kept | checked(table[kind].fields, table[kind].label, settings)))


def _changed(table: dict[str, Kind], choice: Choice, settings: dict[str, Any]) -> Choice:
    row = table[choice.kind]
    return Choice(choice.kind, choice.settings | checked(row.fields, row.label, settings))


# --- title and network after other data ---


def _titled(before: Experiment, after: Experiment) -> Experiment:
    """Call the document by its new data, if it is called as an example is, or by its old data; what was said of it is true no longer."""
    if after.data.kind == before.data.kind and after.data.kind != "csv":
        return after
    if before.title not in _UNTITLED | built_in_titles() | {data_title(before.data)}:
        return after
    return after.replaced(title=data_title(after.data), description="")


def data_title(data: Choice) -> str:
    """Return what a document with this data is called as long as nobody gives it a title: by the file, or by the data set."""
    stem = PurePath(data.settings.get("path") or "").stem if data.kind == "csv" else ""
    return stem[:LONGEST_TEXT] or (catalog.DATASETS[data.kind].label if data.kind in catalog.DATASETS else "")


def _fitted(experiment: Experiment, size: RowSize | None) -> Experiment:
    if size is None:
        return experiment
    features, classes, targets = size
    if experiment.training.target == "input":
        classes, targets = 0, features
    elif experiment.training.target == TARGET:
        classes, targets = 2, 0
    experiment = _trained(experiment, loss=_suitable_loss(experiment.training, classes))
    links = LinkIndex(experiment.network)
    for id in links.entries[:1]:
        shape = links.layers[id]["shape"]
        if prod(shape) != features:
            following = [links.layers[target].kind for target in links.outputs[id]]
            experiment = change_layer(experiment, id, shape=natural_shape(experiment.data, features, shape, following))
    units = 1 if experiment.training.loss == "bce" and classes else classes or targets
    last = _last_dense(links)
    return change_layer(experiment, last, units=units) if last else experiment


def _suitable_loss(training: Training, classes: int) -> str:
    if training.target == TARGET:
        return "bce"
    is_classification = catalog.LOSSES[training.loss].group == "Classification"
    if not classes:
        is_copy = training.target == "input" and training.loss == "bce"
        return "mse" if is_classification and not is_copy else training.loss
    return training.loss if training.loss == "bce" and classes == 2 else "cross_entropy"


def _last_dense(links: LinkIndex) -> str:
    """Return the dense layer that decides how many outputs there are; empty if none alone does."""
    id = links.deciding(links.output)
    return id if id and links.layers[id].kind == "dense" else ""

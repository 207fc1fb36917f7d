"""The documents that come with the program, examples and templates to begin with, by name; and opening one by what a person typed."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from nnviz.document.experiment import Experiment
from nnviz.document.problems import Problem, offered
from nnviz.document.store.files import DocumentError, load
from nnviz.resource_files import resource_folder

PREFIX = "example:"
FIRST_EXAMPLE = f"{PREFIX}moons"
"""What a new window shows."""
TEMPLATE_PREFIX = "template:"

TEMPLATES = {
    "perceptron": "one neuron: a straight line between two clouds",
    "mlp": "two hidden layers bend the border between two moons",
    "deep_sigmoid": "eight sigmoid layers: watch the gradient vanish on its way back",
    "residual_mlp": "skip connections carry the gradient past the layers",
    "cnn": "convolutions and pools read handwritten digits",
    "rnn": "one state runs over a window of a sine wave",
    "lstm": "a cell line with gates remembers a sawtooth",
    "bidirectional_gru": "two passes over a window, one from each end",
    "autoencoder": "eight numbers through a bottleneck of two, and back",
    "vae": "a bottleneck that draws from a normal distribution",
    "encoder": "self-attention, add & norm over a window of a series",
    "worked_2-2-1": "the lecture's net: one iteration that can be followed by hand",
    "recurrent_neuron": "the lecture's recurrent neuron: three shared weights",
}
"""Every template by name, in the order they are offered, with a line of explanation."""


def example_names() -> tuple[str, ...]:
    """Return the names of all examples, sorted."""
    return tuple(sorted(path.stem for path in resource_folder("examples").glob("*.json")))


def example_path(name: str) -> Path:
    """Return the file of the example. Raises DocumentError, which lists all, if there is none of this name."""
    if name not in example_names():
        problem = Problem("the name", "There is no such example.", offered(name, example_names()))
        raise DocumentError(f"{PREFIX}{name}", (problem,))
    return resource_folder("examples") / f"{name}.json"


def template_path(name: str) -> Path:
    """Return the file of the template. Raises DocumentError, which lists all, if there is none of this name."""
    if name not in TEMPLATES:
        raise DocumentError(f"{TEMPLATE_PREFIX}{name}", (Problem("the name", "There is no such template.", offered(name, TEMPLATES)),))
    return resource_folder("templates") / f"{name}.json"


@cache
def template(name: str) -> Experiment:
    """Return the template of this name. Raises DocumentError."""
    return load(template_path(name))


@cache
def built_in_titles() -> frozenset[str]:
    """Return the titles of all examples and templates."""
    paths = [*map(example_path, example_names()), *map(template_path, TEMPLATES)]
    return frozenset(json.loads(path.read_text("utf-8")).get("title", "") for path in paths)


def is_built_in(name_or_path: str) -> bool:
    """Return whether this is written like the name of a document that comes with the program."""
    return name_or_path.startswith((PREFIX, TEMPLATE_PREFIX))


def document_path(name_or_path: str | Path) -> Path:
    """Return the file that `example:NAME`, `template:NAME` or a path means. Raises DocumentError for one of these that does not exist."""
    name = str(name_or_path)
    if name.startswith(TEMPLATE_PREFIX):
        return template_path(name.removeprefix(TEMPLATE_PREFIX))
    return example_path(name.removeprefix(PREFIX)) if name.startswith(PREFIX) else Path(name_or_path)


def open_document(name_or_path: str | Path) -> Experiment:
    """Return the experiment of `example:NAME`, or in the file at a path. Raises DocumentError."""
    return load(document_path(name_or_path))

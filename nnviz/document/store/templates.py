"""Nets to begin with, by name: documents that come with the program and train at once. The files are in resources/templates."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from nnviz.document.experiment import Experiment
from nnviz.document.problems import Problem, offered
from nnviz.document.store.files import DocumentError, load
from nnviz.resource_files import resource_folder

PREFIX = "template:"

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


def template_path(name: str) -> Path:
    """Return the file of the template. Raises DocumentError, which lists all, if there is none of this name."""
    if name not in TEMPLATES:
        raise DocumentError(f"{PREFIX}{name}", (Problem("the name", "There is no such template.", offered(name, TEMPLATES)),))
    return resource_folder("templates") / f"{name}.json"


@cache
def template(name: str) -> Experiment:
    """Return the template of this name. Raises DocumentError."""
    return load(template_path(name))

"""Plots of the inside of a net in a larger card, and runs with the engine's own pictures in them."""

from __future__ import annotations

import pytest

from nnviz.document import edits
from nnviz.document.store.examples import open_document
from nnviz.engine.data.datasets import load
from nnviz.engine.observe._net_pictures import picture
from nnviz.engine.observe.data_records import data_record
from nnviz.engine.observe.predictions import predictions
from nnviz.engine.run.trainer import Trainer
from nnviz.session.run import RunState
from tests.engine.experiments import HERE


@pytest.fixture
def shown(shown):
    """Return a function that shows a plot in a card, large enough for tiles."""
    return lambda plot, width=600, height=320: shown(plot, width, height)


def trained(document, iterations: int = 5) -> Trainer:
    """Return a trainer after so many iterations of a document, or of the one that is called so."""
    made = open_document(document) if isinstance(document, str) else document
    at = Trainer(edits.set_precision(made, "float32"), load(made, HERE))
    for _ in range(iterations):
        at.advance()
    return at


def run_of(at: Trainer, *wishes, stands_at: int | None = None) -> RunState:
    """Return a run with these pictures, with answers, and at another iteration if told so."""
    iteration = at.position.iteration
    pictures = {wish.kind: (iteration, picture(at, wish)) for wish in wishes}
    stands = iteration if stands_at is None else stands_at
    answers = {"answers": predictions(at), "answers_iteration": iteration}
    return RunState(data=data_record(at.data), pictures=pictures, iteration=stands, **answers)

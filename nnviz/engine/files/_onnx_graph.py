"""A network, or one side of it, as ONNX: torch's own exporter writes it, onnxruntime says whether it computes the same."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn

from nnviz.engine.errors import BuildError
from nnviz.engine.model.build import Net, set_training
from nnviz.engine.run.trainer import Trainer, digest
from nnviz.extras import extra
from nnviz.records.task_records import FileWritten

INPUT, OUTPUT = "input", "output"
LAYER = "layer_"
"""What names of layers begin with while torch reads them: modules need names like "training" for themselves."""
ROWS = 64
"""So many training rows are answered by both."""
CLOSE = 1e-5
"""The largest difference that passes for rounding, relative to the largest output."""


class _Part(nn.Module):
    """Layers of a network from what one of them puts out, or the input, up to another."""

    def __init__(self, net: Net, entry: str, layers: Container[str], exit: str) -> None:
        super().__init__()
        self.entry, self.exit = entry, exit
        self.plan = tuple(step for step in net.plan if step[0] in layers)
        self._modules.update((LAYER + layer, net._modules[layer]) for layer, _ in self.plan)

    def forward(self, x: Tensor) -> Tensor:
        values = {self.entry: x}
        for layer, sources in self.plan:
            values[layer] = self._modules[LAYER + layer](*[values[source] for source in sources])
        return values[self.exit]


class _Asked(NamedTuple):
    """What is to be written, rows to try it with, and how the network itself answers them."""

    part: _Part
    rows: Tensor
    answer: Callable[[Tensor], Tensor]


def onnx_bytes(trainer: Trainer, what: str) -> tuple[bytes, FileWritten]:
    """Return the network in evaluation mode as an ONNX file, and what comparing it with torch has shown.

    Its input is (batch, *shape of a row), as it is scaled for training; its output is what the loss is given (scores, not probabilities).
    Of a network that is trained against itself `what` is its generator, which takes random numbers (batch, units) and gives rows as they
    are scaled, or its discriminator. Parameters keep their names. Raises BuildError for what cannot be written or answers differently,
    MissingExtra.
    """
    asked = _asked(trainer, what)
    with extra("onnx", "An ONNX file"), _quiet():
        import onnxruntime
        import onnxscript  # noqa: F401

        net, rows = trainer.net, asked.rows
        mode = net.__dict__["training"]
        set_training(net, False)
        try:
            data = _exported(trainer, asked.part, _several(rows))
            session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
            error = max(_difference(session, asked.answer, some) for some in (rows, rows[:1]))
        finally:
            set_training(net, mode)
    if not error <= CLOSE:
        raise BuildError(what, f"onnxruntime answers differently: by {error:.1e} of the largest output.", "Write its weights instead.")
    return data, FileWritten(f"onnxruntime answers as torch does: the largest difference is {error:.1e} of the largest output.")


def _asked(trainer: Trainer, what: str) -> _Asked:
    net, sides, rows = trainer.net, trainer.sides, trainer.training_rows.x[:ROWS]
    if what == "network" and sides:
        raise BuildError(
            what,
            "A network that is trained against itself has no one output: generator and discriminator answer different questions.",
            "Write one of the two: `--what generator` or `--what discriminator`.",
        )
    if what == "network":
        return _Asked(_Part(net, net.entry, net._modules, net.exit), rows, net)
    if not sides:
        raise BuildError(what, f"This network has no {what}: it is not trained against itself.", "Write the network as ONNX.")
    random, generated, meeting = sides.sides.random, sides.sides.generated, sides.sides.meeting
    if what == "generator":
        return _Asked(_Part(net, random, sides.sides.generator, generated), sides.drawn(ROWS), sides.made_of)
    return _Asked(_Part(net, meeting, sides.sides.discriminator, net.exit), rows, net)


def _several(rows: Tensor) -> Tensor:
    """Two rows or more: torch takes a batch of one for a batch that can be of no other size."""
    return rows if len(rows) > 1 else rows.expand(2, *rows.shape[1:]).clone()


def _exported(trainer: Trainer, part: _Part, rows: Tensor) -> bytes:
    try:
        program = torch.onnx.export(
            part,
            (rows,),
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes=({0: torch.export.Dim("batch", min=1)},),
            dynamo=True,
            verbose=False,
        )
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise BuildError("network", f"torch cannot write this network as ONNX: {reason}", "Write its weights instead.") from error
    for value in list(program.model.graph.initializers.values()):
        value.name = (value.name or "").removeprefix(LAYER)
    about = {"title": trainer.experiment.title, "iteration": str(trainer.position.iteration), "digest": digest(trainer.net)}
    program.model.metadata_props.update(about)
    buffer = io.BytesIO()
    program.save(buffer)
    return buffer.getvalue()


def _difference(session, answer: Callable[[Tensor], Tensor], rows: Tensor) -> float:
    """How far both are apart, in units of the largest output."""
    with torch.no_grad():
        expected = answer(rows)
    found = torch.from_numpy(session.run([OUTPUT], {INPUT: rows.numpy()})[0])
    return ((found - expected).abs().max() / expected.abs().max().clamp_min(1.0)).item()


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter tells of its own progress and of things to come."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)

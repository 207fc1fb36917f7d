"""A network as ONNX: torch's own exporter writes it, onnxruntime says whether it computes the same."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from nnviz.engine.errors import BuildError
from nnviz.engine.model.build import Net, set_training
from nnviz.engine.run.trainer import Trainer, digest
from nnviz.extras import extra
from nnviz.records.task_records import FileWritten

INPUT, OUTPUT = "input", "output"
ROWS = 64
"""So many training rows are answered by both."""
CLOSE = 1e-5
"""The largest difference that passes for rounding, relative to the largest output."""


class _Wrapped(nn.Module):
    """The network one level deeper: a layer may have a name that torch's graph modules need for themselves."""

    def __init__(self, net: Net) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


def onnx_bytes(trainer: Trainer) -> tuple[bytes, FileWritten]:
    """Return the network in evaluation mode as an ONNX file, and what comparing it with torch has shown.

    Its input is (batch, *shape of a row), as it is scaled for training; its output is what the loss is given (scores, not probabilities).
    Parameters keep their names. Raises BuildError for a network that cannot be written or answers differently, MissingExtra.
    """
    if trainer.sides:
        raise BuildError(
            "network",
            "A network that is trained against itself has no one output: each side has an iteration of its own.",
            "Write its weights as safetensors, or sample its generator with `nnviz sample`.",
        )
    with extra("onnx", "An ONNX file"), _quiet():
        import onnxruntime
        import onnxscript  # noqa: F401

        net, rows = trainer.net, trainer.training_rows.x[:ROWS]
        mode = net.__dict__["training"]
        set_training(net, False)
        try:
            data = _exported(trainer, _several(rows))
            session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
            error = max(_difference(session, net, rows), _difference(session, net, rows[:1]))
        finally:
            set_training(net, mode)
    if not error <= CLOSE:
        raise BuildError("network", f"onnxruntime answers differently: by {error:.1e} of the largest output.", "Write its weights instead.")
    return data, FileWritten(f"onnxruntime answers as torch does: the largest difference is {error:.1e} of the largest output.")


def _several(rows: Tensor) -> Tensor:
    """Two rows or more: torch takes a batch of one for a batch that can be of no other size."""
    return rows if len(rows) > 1 else rows.expand(2, *rows.shape[1:]).clone()


def _exported(trainer: Trainer, rows: Tensor) -> bytes:
    try:
        program = torch.onnx.export(
            _Wrapped(trainer.net),
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
        value.name = (value.name or "").removeprefix("net.")
    about = {"title": trainer.experiment.title, "iteration": str(trainer.position.iteration), "digest": digest(trainer.net)}
    program.model.metadata_props.update(about)
    buffer = io.BytesIO()
    program.save(buffer)
    return buffer.getvalue()


def _difference(session, net: Net, rows: Tensor) -> float:
    """How far both are apart, in units of the largest output."""
    with torch.no_grad():
        expected = net(rows)
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

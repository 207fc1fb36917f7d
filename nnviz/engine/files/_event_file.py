"""A run as an event file of TensorBoard: its curves, norms and histograms, as `tensorboard --logdir` shows them."""

from __future__ import annotations

import io
import time

from nnviz.document.store import json_text
from nnviz.engine.files.run_tables import layer_tensors, metric_name
from nnviz.engine.observe.measures import learning_layers
from nnviz.engine.run.timeline import Timeline
from nnviz.engine.run.trainer import Trainer
from nnviz.extras import extra

SCALARS = {
    "loss": "loss/batch",
    "training_loss": "loss/training",
    "validation_loss": "loss/validation",
    "metric": "{score}/validation",
    "training_metric": "{score}/training",
    "learning_rate": "learning_rate",
}
"""The tag of each figure of the curves."""


class EventFile:
    """Summaries gathered in memory; `bytes` is the whole file. Raises MissingExtra without tensorboard."""

    def __init__(self, timeline: Timeline) -> None:
        with extra("tensorboard", "An event file"):
            from tensorboard.compat.proto.event_pb2 import Event
            from tensorboard.plugins.histogram.summary_v2 import histogram_pb
            from tensorboard.plugins.scalar.summary_v2 import scalar_pb
            from tensorboard.plugins.text.summary_v2 import text_pb
            from tensorboard.summary.writer.record_writer import RecordWriter
        self._event, self._histogram, self._scalar, self._text = Event, histogram_pb, scalar_pb, text_pb
        self._buffer = io.BytesIO()
        self._writer = RecordWriter(self._buffer)
        self._now = time.time()
        self._write(Event(wall_time=self._now, file_version="brain.Event:2"))
        document = json_text.encode(timeline.document).decode().replace("\n", "\n    ")
        self._add(0, self._text("document", f"    {document}"))

    @property
    def bytes(self) -> bytes:
        """All that was added, as the content of a file."""
        return self._buffer.getvalue()

    def add_curves(self, timeline: Timeline) -> None:
        """Add the curves up to where a run stands."""
        score = metric_name(timeline.trainer)
        for point in timeline.points:
            for name, tag in SCALARS.items():
                if (value := getattr(point, name)) is not None:
                    self._add(point.iteration, self._scalar(tag.format(score=score), value))

    def add_layers(self, trainer: Trainer) -> None:
        """Add norm and histogram of weights, gradients and activations of every layer, where a run stands."""
        for layer in learning_layers(trainer):
            for of, tensor in layer_tensors(trainer, layer).items():
                values = tensor.double().ravel().numpy()
                self._add(trainer.position.iteration, self._scalar(f"norm_of_{of}/{layer}", float((values @ values) ** 0.5)))
                self._add(trainer.position.iteration, self._histogram(f"{of}/{layer}", values))

    def _add(self, iteration: int, summary) -> None:
        self._write(self._event(wall_time=self._now, step=iteration, summary=summary))

    def _write(self, event) -> None:
        self._writer.write(event.SerializeToString())

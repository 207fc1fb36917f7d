"""What a row of a table says of a row of data: its input as numbers, series, image or text, its target, what the network answers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nnviz.messages import BatchInspected
from nnviz.records.data_record import DataRecord, unscaled
from nnviz.records.tensors import to_numpy
from nnviz.text import numbers

_MOST_NUMBERS = 4


@dataclass(frozen=True)
class RowCells:
    """The rows of one batch, with what is known of each."""

    data: DataRecord
    batch: BatchInspected

    @cached_property
    def places(self) -> np.ndarray:
        """(rows,) Where each row of the batch stands in the data."""
        training = np.flatnonzero(to_numpy(self.data.training))
        return training[list(self.batch.rows[: self.batch.losses.shape[0]])]

    @cached_property
    def inputs(self) -> np.ndarray:
        """(rows, features) As the network sees them."""
        return to_numpy(self.data.x)[self.places]

    @cached_property
    def pictures(self) -> np.ndarray:
        """(rows, height, width) The pictures, before scaling."""
        return unscaled(self.data, self.inputs).reshape(len(self.inputs), *self.data.shape)[:, 0]

    @cached_property
    def targets(self) -> np.ndarray:
        """(rows,) class numbers, or (rows, targets)."""
        return to_numpy(self.data.y)[self.places]

    @cached_property
    def losses(self) -> np.ndarray:
        """(rows,) Each row's loss."""
        return to_numpy(self.batch.losses)

    @cached_property
    def norms(self) -> np.ndarray:
        """(rows,) Each row's gradient norm; NaN where it was not computed."""
        known = to_numpy(self.batch.gradient_norms)
        return np.concatenate([known, np.full(len(self.losses) - len(known), np.nan)])

    @cached_property
    def outputs(self) -> np.ndarray:
        """(rows, outputs)"""
        return to_numpy(self.batch.outputs).reshape(len(self.losses), -1)

    @cached_property
    def answers(self) -> np.ndarray:
        """(rows,) The class that is answered, −1 for none, or the first output."""
        return self.outputs[:, 0] if self.batch.classes is None else to_numpy(self.batch.classes)

    @property
    def form(self) -> str:
        """How the input is shown: image · series · tokens · numbers."""
        if len(self.data.shape) == 3:
            return "image"
        if self.data.feature_names[:1] and "token" in self.data.feature_names[0]:
            return "tokens"
        return "series" if len(self.data.shape) == 2 else "numbers"

    def input_text(self, row: int) -> str:
        """Return the input as text; pictures and series have none."""
        values = self.inputs[row]
        if self.form == "tokens":
            names = self.data.class_names
            return ("" if max(map(len, names)) == 1 else " ").join(names[int(number)] for number in values)
        if self.form == "image":
            return ""
        more = f" … {len(values)}" if len(values) > _MOST_NUMBERS else ""
        return "  ".join(numbers.short(float(value)) for value in values[:_MOST_NUMBERS]) + more

    def target_text(self, row: int) -> str:
        """Return the class, or the numbers."""
        if self.data.classes:
            return self._class(int(self.targets[row]))
        return "  ".join(numbers.number(float(value)) for value in self.targets[row][:2])

    def answer_text(self, row: int) -> str:
        """Return the likeliest class and its probability, or the numbers."""
        if not self.data.classes:
            return "  ".join(numbers.number(float(value)) for value in self.outputs[row][:2])
        number = int(self.answers[row])
        if number < 0:
            return "not finite"
        share = self.outputs[row][number] if self.outputs.shape[1] > 1 else abs(1 - number - self.outputs[row][0])
        return f"{self._class(number)}  {100 * float(share):.0f} %"

    def is_wrong(self, row: int) -> bool:
        """Return whether another class is answered than the row has."""
        return bool(self.data.classes) and int(self.answers[row]) != int(self.targets[row])

    def _class(self, number: int) -> str:
        return self.data.class_names[number] if number < len(self.data.class_names) else str(number)

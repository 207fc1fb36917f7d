"""How well each class is answered: confusion matrix, precision, recall, F, counts, and the rows behind a cell. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nnviz.records.data_record import DataRecord
from nnviz.records.run_records import Predictions
from nnviz.records.tensors import to_numpy

USUAL = 0.5
"""The threshold with which the engine scores."""


@dataclass(frozen=True)
class ClassFigures:
    """One class. Its figures are shares of 0 to 1, NaN where they are a share of nothing."""

    name: str
    right: int
    """How many rows of it are answered with it."""
    answered: int
    """How many rows are answered with it."""
    count: int
    """How many rows are of it."""

    @property
    def precision(self) -> float:
        """Of the rows answered with it, those that are of it."""
        return self.right / self.answered if self.answered else float("nan")

    @property
    def recall(self) -> float:
        """Of the rows of it, those answered with it."""
        return self.right / self.count if self.count else float("nan")

    def f(self, beta: float) -> float:
        """Return the weighted harmonic mean of both, in which recall counts β times as much as precision. Source: sklearn's fbeta_score."""
        total = self.answered + beta**2 * self.count
        return (1 + beta**2) * self.right / total if total else float("nan")


@dataclass(frozen=True, eq=False)
class AnswersOfSet:
    """The answers to the training or to the validation rows of data with classes."""

    data: DataRecord
    answers: Predictions
    of_training: bool
    threshold: float = USUAL
    """Of two classes the second is answered where its probability is above this."""

    @cached_property
    def rows(self) -> np.ndarray:
        """(rows,) Which rows of the data were answered, of this set."""
        return to_numpy(self.answers.rows)[self._chosen]

    @cached_property
    def _chosen(self) -> np.ndarray:
        return np.flatnonzero(to_numpy(self.data.training)[to_numpy(self.answers.rows)] == self.of_training)

    @cached_property
    def answered(self) -> np.ndarray:
        """(rows,) The class each is answered with, −1 for none."""
        usual = to_numpy(self.answers.values)[self._chosen]
        return usual if not self._is_moved else np.where(usual < 0, usual, (self.second > self.threshold).astype(usual.dtype))

    @property
    def _is_moved(self) -> bool:
        return self.data.classes == 2 and self.threshold != USUAL

    @cached_property
    def second(self) -> np.ndarray:
        """(rows,) The probability of the second of two classes."""
        usual, sure = (to_numpy(part)[self._chosen] for part in (self.answers.values, self.answers.sure))
        return np.where(usual == 1, sure, 1 - sure)

    @cached_property
    def truth(self) -> np.ndarray:
        """(rows,) The class each is of."""
        return to_numpy(self.data.y)[self.rows]

    @cached_property
    def sure(self) -> np.ndarray:
        """(rows,) The probability of the class that is answered."""
        sure = to_numpy(self.answers.sure)[self._chosen]
        return np.where(self.answered == 1, self.second, 1 - self.second) if self._is_moved else sure

    @property
    def total(self) -> int:
        """How many rows the set has."""
        return int((to_numpy(self.data.training) == self.of_training).sum())

    @cached_property
    def matrix(self) -> np.ndarray:
        """(classes, classes) How often class j (column) is answered where class i (row) is true: over the whole set where the engine
        scored that, else over the rows that were sent."""
        is_scored = self.of_training == bool(to_numpy(self.data.training).all())
        if is_scored and self.answers.confusion is not None and not self._is_moved:
            return to_numpy(self.answers.confusion)
        known, classes = self.answered >= 0, self.data.classes
        places = self.truth[known] * classes + self.answered[known]
        return np.bincount(places, minlength=classes * classes).reshape(classes, classes)

    @cached_property
    def classes(self) -> tuple[ClassFigures, ...]:
        """The figures of every class, in order."""
        right, answered, true = np.diag(self.matrix), self.matrix.sum(0), self.matrix.sum(1)
        return tuple(ClassFigures(self.name(k), int(right[k]), int(answered[k]), int(true[k])) for k in range(len(right)))

    @property
    def remark(self) -> str:
        """What is not counted; empty where everything is."""
        parts = [f"{(self.answered < 0).sum():,} rows are not answered"] if (self.answered < 0).any() else []
        counted = int(self.matrix.sum()) + int((self.answered < 0).sum())
        return " · ".join([*parts, *([f"the first {counted:,} of {self.total:,} rows"] if counted < self.total else [])])

    def of_cell(self, true: int, answered: int) -> np.ndarray:
        """Return places of the rows of a cell, the surest first."""
        places = np.flatnonzero((self.truth == true) & (self.answered == answered))
        return places[np.argsort(-self.sure[places], kind="stable")]

    def name(self, number: int) -> str:
        """Return what a class is called."""
        return self.data.class_names[number] if number < len(self.data.class_names) else str(number)

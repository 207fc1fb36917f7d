"""The points of a run's curves as they travel."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan

import numpy as np

from nnviz.engine.observe.measures import array_of
from nnviz.records.run_records import CurvePoint, CurvePoints


def curve_points(points: Sequence[CurvePoint]) -> CurvePoints | None:
    """Return these points column by column; None for no points."""
    if not points:
        return None
    measured = [
        (place, one.validation_loss, one.metric, one.training_loss, one.training_metric)
        for place, one in enumerate(points)
        if one.validation_loss is not None or one.training_loss is not None
    ]
    rows = np.array(measured, dtype=np.float64).reshape(-1, 5)
    return CurvePoints(
        array_of(np.array([one.iteration for one in points], dtype=np.int64)),
        array_of(np.array([one.loss for one in points], dtype=np.float64)),
        array_of(rows[:, 0].astype(np.int64)),
        array_of(rows[:, 1:]),
        array_of(np.array([nan if one.learning_rate is None else one.learning_rate for one in points], dtype=np.float64)),
    )

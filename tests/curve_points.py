"""Points of the curves one by one, as tests write and read them, from and to how they travel."""

from __future__ import annotations

import numpy as np

from nnviz.records.run_records import CurvePoint, CurvePoints
from nnviz.records.tensors import Array, to_numpy


def travelling(*points: CurvePoint) -> CurvePoints:
    """Return these points column by column."""
    fields = CurvePoint.__struct_fields__[2:6]
    measured = [place for place, point in enumerate(points) if any(getattr(point, field) is not None for field in fields)]
    figures = [[getattr(points[place], field) for field in fields] for place in measured]
    return CurvePoints(
        _array([point.iteration for point in points], "int64"),
        _array([point.loss for point in points], "float64"),
        _array(measured, "int64"),
        _array(np.reshape(figures, (-1, len(fields))), "float64"),
        _array([float("nan") if point.learning_rate is None else point.learning_rate for point in points], "float64"),
    )


def arrived(points: CurvePoints | None) -> list[CurvePoint]:
    """Return the points one by one; a figure that was not measured (or is NaN) is None."""
    if points is None:
        return []
    figures = dict(zip(to_numpy(points.measured).tolist(), to_numpy(points.figures).tolist(), strict=True))
    pairs = zip(to_numpy(points.iterations).tolist(), to_numpy(points.losses).tolist(), strict=True)
    rates = 4 * (float("nan"),)
    known = lambda values: (None if value != value else value for value in values)  # noqa: E731
    return [
        CurvePoint(*pair, *known((*figures.get(place, rates), rate)))
        for place, (pair, rate) in enumerate(zip(pairs, to_numpy(points.rates).tolist(), strict=True))
    ]


def _array(values: object, dtype: str) -> Array:
    array = np.array(values, dtype=dtype)
    return Array(dtype, array.shape, array.tobytes())

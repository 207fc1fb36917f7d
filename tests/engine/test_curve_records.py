"""The points of a run's curves, as they travel."""

from __future__ import annotations

import pytest

from nnviz.engine.observe.curve_records import curve_points
from nnviz.records.run_records import CurvePoint
from tests.curve_points import arrived, travelling

POINTS = [CurvePoint(3, 0.7, 0.6, None), CurvePoint(4, 0.65), CurvePoint(5, float("inf"), None, None, 0.5, 0.25)]


@pytest.mark.parametrize("points", [POINTS, POINTS[:1], POINTS[1:2]])
def test_points_arrive_as_they_were(points):
    assert arrived(curve_points(points)) == points
    assert curve_points(points) == travelling(*points)


def test_no_points_are_nothing():
    assert curve_points([]) is None

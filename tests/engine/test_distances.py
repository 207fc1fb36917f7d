"""Distances are those of scipy, and the answers of the nearest rows those of scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from nnviz.engine.errors import BuildError
from nnviz.engine.observe.distances import distances
from nnviz.engine.run.timeline import Timeline
from nnviz.jobs.comparing import finished
from nnviz.records.task_records import DistancesTask
from nnviz.records.tensors import to_numpy
from tests.engine.experiments import HERE, chain, experiment, table
from tests.engine.kinds import new_layer
from tests.engine.runs_of_examples import trained


@pytest.mark.parametrize(("name", "kind"), [("iris", KNeighborsClassifier), ("sine", KNeighborsRegressor)])
def test_without_noise(name, kind):
    data = trained(name, 0).trainer.data
    found = finished(distances(DistancesTask(rows=10_000, doublings=3), trained(name, 0).trainer))
    x, y, held, y_held = (part[mask] for mask in (data.training, ~data.training) for part in (data.x, data.y))
    pairs = pdist(x)
    assert found.rows == len(x) and found.columns == x.shape[1] and to_numpy(found.added).tolist() == [0, 1, 2, 4, 8]
    assert to_numpy(found.spreads)[0] == pytest.approx(pairs.std() / pairs.mean(), rel=1e-6)
    assert to_numpy(found.histograms)[0].sum() == (pairs <= found.reach * pairs.mean()).sum()
    apart = squareform(pairs)
    nearest = np.where(apart > 1e-6 * pairs.max(), apart, np.inf).min(1)
    assert to_numpy(found.ratios)[0] == pytest.approx(np.median(apart.max(1) / nearest), rel=1e-3)
    answers = kind(5).fit(x, y).predict(held)
    score = (answers == y_held).mean() if found.metric == "accuracy" else np.sqrt(((answers - y_held) ** 2).mean())
    assert to_numpy(found.scores)[0] == pytest.approx(score, abs=0.03 if found.metric == "accuracy" else 1e-6), "ties may fall otherwise"


def test_large_sets_are_drawn_from():
    found = finished(distances(DistancesTask(rows=50, doublings=2), trained("moons", 0).trainer))
    assert found.rows == 50 and to_numpy(found.histograms).shape == (4, 60)


def test_rows_without_distances_are_refused():
    network = chain(new_layer("input", "x", shape=[2]), new_layer("dense", "out", units=2))
    for rows, message in ((2, "Fewer than three"), (5, "are equal")):
        document = experiment(network, data=table([[1.0, 2.0]] * rows, [0, 1, 0, 1, 0][:rows]))
        with pytest.raises(BuildError, match=message):
            distances(DistancesTask(), Timeline(document, HERE).trainer)

from __future__ import annotations

import numpy as np
import pytest

from nnviz.document.catalog import DATA_SIZES, DATASETS, new_choice
from nnviz.engine.data.datasets import SOURCES, load
from nnviz.engine.errors import BuildError
from tests.engine.experiments import HERE, experiment, table


def data_of(kind: str, seed: int = 7, **settings):
    return load(experiment(data=new_choice(DATASETS, kind, **settings), seed=seed), HERE)


def test_every_kind_has_a_source():
    assert set(SOURCES) == set(DATASETS)


@pytest.mark.parametrize("kind", DATA_SIZES)
def test_sizes_classes_split_and_scaling(kind):
    data = data_of(kind)
    assert (data.x.shape[1], data.classes) == DATA_SIZES[kind]
    assert data.training.mean() == pytest.approx(0.7, abs=0.01)
    spread = data.x[data.training].std(0)
    assert np.allclose(data.x[data.training].mean(0), 0, atol=1e-9) and np.allclose(spread[spread > 1e-9], 1)
    if data.classes:
        for label in range(data.classes):
            share = (data.y[data.training] == label).mean()
            assert share == pytest.approx((data.y == label).mean(), abs=0.02)


@pytest.mark.parametrize("kind", DATA_SIZES)
def test_the_seed_decides_everything(kind):
    one, same, other = data_of(kind), data_of(kind), data_of(kind, seed=8)
    assert np.array_equal(one.x, same.x) and np.array_equal(one.training, same.training)
    assert not np.array_equal(one.training, other.training)


def test_scalers_are_fitted_on_training_rows_only():
    data = load(experiment(data=table([[0.0], [1.0], [2.0], [100.0]] * 5, [[0.0]] * 20, validation=0.3, scaling="min-max")), HERE)
    seen = data.x[data.training]
    assert seen.min() == 0 and seen.max() == 1
    assert np.array_equal(
        data_of("xor", scaling="none").x, SOURCES["xor"](experiment(data=new_choice(DATASETS, "xor", scaling="none")), HERE).x
    )


NUMBERS = ["sine", "sine_wave", "sawtooth", "ar", "volatility"]


@pytest.mark.parametrize("scaling", ["min-max", "standardise"])
@pytest.mark.parametrize("kind", NUMBERS)
def test_targets_of_numbers_are_scaled_on_the_training_rows_if_that_is_asked_for(kind, scaling):
    plain, scaled = data_of(kind), data_of(kind, target_scaling=scaling)
    assert np.array_equal(plain.x, scaled.x)
    seen = plain.y[plain.training]
    low, width = (seen.min(), seen.max() - seen.min()) if scaling == "min-max" else (seen.mean(), seen.std())
    assert np.allclose(scaled.y, (plain.y - low) / width, rtol=1e-12, atol=1e-12)


def test_typed_in_numbers_are_scaled_and_typed_in_classes_are_not():
    numbers = load(experiment(data=table([[0.0], [1.0]], [[10.0], [30.0]], target_scaling="min-max")), HERE)
    assert numbers.y.tolist() == [[0.0], [1.0]]
    assert load(experiment(data=table([[0.0], [1.0]], [0, 1], target_scaling="min-max")), HERE).y.tolist() == [0, 1]


def test_xor_and_spiral_are_what_they_say():
    xor = data_of("xor", noise=0.0, scaling="none")
    assert np.array_equal(xor.y, (xor.x.prod(1) < 0).astype(int))
    spiral = data_of("spiral", noise=0.0, scaling="none")
    assert np.hypot(*spiral.x.T).max() <= 3.0 + 1e-9 and np.bincount(spiral.y).tolist() == [250, 250]


def test_xor_can_be_its_four_corners_all_of_them_trained_on():
    corners = data_of("xor", corners=True)
    assert corners.x.tolist() == [[-1, -1], [-1, 1], [1, -1], [1, 1]] and corners.y.tolist() == [0, 1, 1, 0]
    assert corners.training.all() and corners.classes == 2


def test_typed_in_rows():
    data = load(experiment(data=table([[1.3, 0.7]], [[1.0]])), HERE)
    assert data.classes == 0 and data.x.tolist() == [[1.3, 0.7]] and data.training.all()
    assert load(experiment(data=table([[1.0], [2.0]], [0, 1])), HERE).classes == 2
    for x, y in (([], []), ([[1.0]], [[1.0], [2.0]]), ([[1.0]], [123_456])):
        with pytest.raises(BuildError):
            load(experiment(data=table(x, y)), HERE)


def test_columns_of_noise_stand_behind_the_features_and_leave_the_rows_as_they_are():
    plain, noisy = data_of("moons", scaling="none"), data_of("moons", scaling="none", noise_columns=3)
    assert noisy.x.shape[1] == 5 and np.array_equal(noisy.x[:, :2], plain.x) and np.array_equal(noisy.y, plain.y)
    assert noisy.feature_names == ("x₁", "x₂", "noise 1", "noise 2", "noise 3") and np.array_equal(noisy.training, plain.training)
    assert noisy.x[:, 2:].std(0) == pytest.approx(plain.x.std(0).mean(), rel=0.15)
    assert np.abs(np.corrcoef(noisy.x[:, 2:].T, noisy.y)[-1, :-1]).max() < 0.15

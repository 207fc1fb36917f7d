"""scikit-learn is the oracle: the same bits, in the same layout."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import make_blobs, make_circles, make_moons
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from nnviz.engine.data import _scikit_rows as rows

SAMPLES = [4, 5, 9, 10, 33, 100, 501, 4096]
SEEDS = [0, 1, 7, 12345, 2**32 - 1]
NOISES = [0.0, 0.1, 1, 3.7]


def assert_same(one: np.ndarray, other: np.ndarray) -> None:
    assert (one.dtype, one.shape, one.strides) == (other.dtype, other.shape, other.strides)
    assert one.tobytes("A") == other.tobytes("A")


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("seed", SEEDS)
def test_rows_that_are_drawn(seed, noise):
    for samples in SAMPLES:
        cases = [
            (rows.moons(samples, noise, seed), make_moons(samples, noise=noise, random_state=seed)),
            (rows.circles(samples, noise, seed, 0.5), make_circles(samples, noise=noise, random_state=seed, factor=0.5)),
        ]
        for classes in (2, 3, 7, 9):
            theirs = make_blobs(samples, cluster_std=noise, centers=classes, random_state=seed)
            cases.append((rows.blobs(samples, noise, seed, classes), theirs))
        for (x, y), (their_x, their_y) in cases:
            assert_same(x, their_x)
            assert np.array_equal(y, their_y)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_split_without_classes(seed):
    for count in (2, 3, 10, 501):
        for validated in {1, count // 3 or 1, count - 1}:
            theirs = train_test_split(np.arange(count), test_size=validated, random_state=seed)[1]
            assert sorted(rows.held_out_of(count, validated, None, seed)) == sorted(theirs)


@pytest.mark.parametrize("seed", range(60))
def test_the_split_with_classes(seed):
    """Sizes of classes at random, many of them equal, so that rows left over go by lot."""
    generator = np.random.default_rng(seed)
    sizes = generator.integers(2, 2 + int(generator.choice([2, 6, 40, 300])), generator.integers(2, 11))
    labels = generator.permutation(np.repeat(generator.permutation(20)[: len(sizes)], sizes))
    count = len(labels)
    for validated in {len(sizes), count - len(sizes), *generator.integers(len(sizes), count - len(sizes) + 1, 8).tolist()}:
        theirs = train_test_split(np.arange(count), test_size=validated, random_state=seed, stratify=labels)[1]
        assert sorted(rows.held_out_of(count, validated, labels, seed)) == sorted(theirs)


def scaled_rows(seed: int) -> np.ndarray:
    """Columns of very different sizes; some the same in every row or nearly so, one of negative zeros."""
    generator = np.random.default_rng(seed)
    count = int(generator.integers(1, 400))
    x = generator.normal(size=(count, 8)) * 10.0 ** generator.integers(-12, 12, 8) + 10.0 ** generator.integers(-6, 9, 8)
    x[:, 0], x[:, 1], x[:, 2] = 3.7, 1e9 + 1e-7 * x[:, 3], -0.0
    return np.asfortranarray(x) if seed % 2 else x


@pytest.mark.parametrize("seed", range(40))
def test_scaling(seed):
    x = scaled_rows(seed)
    fitted = x[np.random.default_rng(seed).permutation(len(x)) < max(1, len(x) * 2 // 3)]
    assert_same(rows.standardised(x, fitted), StandardScaler().fit(fitted).transform(x))
    assert_same(rows.to_unit_range(x, fitted), MinMaxScaler().fit(fitted).transform(x))

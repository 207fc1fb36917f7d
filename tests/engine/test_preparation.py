from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import sklearn.datasets
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from nnviz.engine import point_clouds, preparation

seeds = st.integers(0, 2**32 - 1)
CLOUDS = {
    "moons": (point_clouds.moons, lambda n, noise, seed: sklearn.datasets.make_moons(n, noise=noise, random_state=seed)),
    "circles": (point_clouds.circles, lambda n, noise, seed: sklearn.datasets.make_circles(n, noise=noise, random_state=seed, factor=0.5)),
    "blobs": (point_clouds.blobs, lambda n, noise, seed: sklearn.datasets.make_blobs(n, centers=3, cluster_std=noise, random_state=seed)),
}


@pytest.mark.parametrize("name", CLOUDS)
@settings(max_examples=40, deadline=None)
@given(samples=st.integers(4, 300), noise=st.floats(0, 3), seed=seeds)
def test_clouds_are_those_of_scikit_learn_to_the_bit(name, samples, noise, seed):
    ours, theirs = CLOUDS[name]
    for mine, expected in zip(ours(samples, noise, seed), theirs(samples, noise, seed), strict=True):
        assert np.array_equal(mine, expected)


@settings(max_examples=60, deadline=None)
@given(sizes=st.lists(st.integers(2, 40), min_size=2, max_size=6), share=st.floats(0.05, 0.9), seed=seeds)
def test_rows_held_out_are_those_of_scikit_learn(sizes, share, seed):
    classes = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    count = len(classes)
    held = min(max(round(count * share), len(sizes)), count - len(sizes))
    for labels in (None, classes):
        expected = train_test_split(np.arange(count), test_size=held, random_state=seed, stratify=labels)[1]
        assert sorted(preparation.held_out(count, held, seed, labels)) == sorted(expected)


@settings(max_examples=60, deadline=None)
@given(rows=st.integers(1, 60), features=st.integers(1, 5), size=st.sampled_from([1e-9, 1.0, 1e9]), seed=seeds)
def test_scaling_is_that_of_scikit_learn_to_the_bit(rows, features, size, seed):
    generator = np.random.default_rng(seed)
    x = generator.normal(3.0, size, (rows, features))
    x[:, 0] = 4.0
    training = generator.uniform(size=rows) < 0.7
    training[0] = True
    assert np.array_equal(preparation.standardised(x, training), StandardScaler().fit(x[training]).transform(x))
    assert np.array_equal(preparation.between_0_and_1(x, training), MinMaxScaler().fit(x[training]).transform(x))


def test_an_engine_trains_and_traces_without_loading_what_it_does_not_need():
    program = """
import sys
from pathlib import Path
from nnviz.document.examples import open_document
from nnviz.engine.records import to_record
from nnviz.engine.timeline import Timeline
from nnviz.engine.tracing import capture_next
timeline = Timeline(open_document("example:moons"), Path("."))
timeline.advance()
to_record(capture_next(timeline.trainer, "textbook"))
print([name for name in ("sklearn", "scipy", "sympy", "torch._dynamo") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "[]"

"""Series: the windows against numpy's own, the drawn ones against what defines them, the split in time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnviz.document import tiny_text
from nnviz.document.catalog import DATASETS, new_choice, new_layer
from nnviz.document.shapes.rows import data_size
from nnviz.engine.data import _series as series
from nnviz.engine.data.datasets import load
from nnviz.engine.data.samples import samples
from nnviz.engine.errors import BuildError
from nnviz.engine.run.trainer import Trainer
from tests.engine.experiments import HERE, chain, experiment

SERIES = ("sine_wave", "sawtooth", "ar", "volatility")


def data_of(kind: str, seed: int = 7, **settings):
    return load(experiment(data=new_choice(DATASETS, kind, **settings), seed=seed), HERE)


@given(steps=st.integers(3, 40), columns=st.integers(1, 3), window=st.integers(1, 12), horizon=st.integers(1, 5))
def test_windows_are_those_of_numpy(steps, columns, window, horizon):
    values = np.arange(steps * columns, dtype=np.float64).reshape(steps, columns)
    if steps < window + horizon + 1:
        with pytest.raises(BuildError, match="there are"):
            series.rows_of(values, values, window, horizon)
        return
    x, y = series.rows_of(values, values, window, horizon)
    expected = np.lib.stride_tricks.sliding_window_view(values, (window, columns)).reshape(-1, window, columns)
    assert np.array_equal(x.reshape(len(x), window, columns), expected[: steps - window - horizon + 1])
    for row in range(len(x)):
        assert np.array_equal(y[row], values[row + window + horizon - 1])


@pytest.mark.parametrize("kind", SERIES)
def test_sizes_and_shape_and_a_split_in_time(kind):
    choice = new_choice(DATASETS, kind, samples=60, window=5, horizon=3, validation=0.25)
    data = load(experiment(data=choice), HERE)
    assert data.x.shape == (60, 5) and data.y.shape == (60, 1) and data.shape == (5, 1) and data_size(choice) == (5, 0, 1)
    assert data.training.tolist() == [True] * 45 + [False] * 15
    assert data.raw is not None and data.raw.shape == data.x.shape
    if kind != "volatility":
        raw = data.raw
        assert np.array_equal(raw[1:, :-1], raw[:-1, 1:])
        assert np.allclose(data.y[:-7, 0], raw[7:, 0])


def test_all_time_steps_are_scaled_alike():
    data = data_of("sine_wave", window=4)
    steps = data.x[1:, :-1] - data.x[:-1, 1:]
    assert np.allclose(steps, 0, atol=1e-12)
    seen = data.x[data.training]
    assert seen.mean() == pytest.approx(0, abs=1e-12) and seen.std() == pytest.approx(1)


def test_the_seed_decides_a_series():
    assert np.array_equal(data_of("ar").x, data_of("ar").x) and not np.array_equal(data_of("ar").x, data_of("ar", seed=8).x)


def test_sine_and_sawtooth_without_noise_come_again_each_period():
    for kind in ("sine_wave", "sawtooth"):
        y = data_of(kind, noise=0.0, period=10.0, samples=50, window=3).y[:, 0]
        assert np.allclose(y[10:], y[:-10], atol=1e-9) and np.abs(y).max() <= 1 + 1e-9
    saw = data_of("sawtooth", noise=0.0, period=10.0, samples=50, window=3).y[:, 0]
    rises = np.diff(saw)
    assert np.isclose(np.sort(np.unique(rises.round(9))), [-1.8, 0.2]).all()


@pytest.mark.parametrize("order", [1, 2, 5])
def test_an_ar_series_is_stationary_and_least_squares_finds_its_weights(order):
    choice = new_choice(DATASETS, "ar", order=order, samples=20_000, window=order, noise=0.5)
    weights = series.ar_weights(order, np.random.default_rng(3))
    roots = np.roots([1, *-weights])
    assert (np.abs(roots) < 1).all()
    x, y = series.drawn_rows(choice, 3)
    found = np.linalg.lstsq(x[:, ::-1], y[:, 0], rcond=None)[0]
    assert np.allclose(found, weights, atol=0.03)
    assert (y[:, 0] - x[:, ::-1] @ found).std() == pytest.approx(0.5, rel=0.05)


def test_volatility_comes_in_bursts():
    choice = new_choice(DATASETS, "volatility", samples=20_000, window=1)
    r, size = (part[:, 0] for part in series.drawn_rows(choice, 1))
    assert abs(np.corrcoef(r[1:], r[:-1])[0, 1]) < 0.05, "the sign cannot be foretold"
    assert np.corrcoef(np.abs(r), size)[0, 1] > 0.15, "the size can"
    assert r.var() == pytest.approx(1, abs=0.25)
    with pytest.raises(BuildError, match="without end"):
        series.drawn_rows(new_choice(DATASETS, "volatility", alpha=0.4, beta=0.7), 1)


@pytest.mark.parametrize("unit", ["characters", "words"])
def test_text_rows_spell_the_text(unit):
    choice = new_choice(DATASETS, "text", unit=unit, window=6)
    data = load(experiment(data=choice), HERE)
    words = np.array(tiny_text.vocabulary(unit))
    tokens = tiny_text.tokens(unit)
    assert tuple(words[data.x[3].astype(int)]) == tokens[3:9] and words[data.y[3]] == tokens[9]
    assert data.raw is None and data_size(choice) == (6, data.classes, 0) and data.classes == len(data.class_names) == len(words)
    assert "".join(tiny_text.tokens("characters")) == tiny_text.TEXT


@pytest.mark.parametrize("kind", [*SERIES, "text"])
def test_unscaled_windows_train_as_rows_of_their_own(kind):
    choice = new_choice(DATASETS, kind, window=6, **({} if kind == "text" else {"scaling": "none", "samples": 50}))
    size = data_size(choice)
    net = chain(new_layer("input", "x", shape=[6]), new_layer("dense", "out", units=size.classes or 1))
    document = experiment(net, data=choice, loss="cross_entropy" if size.classes else "mse")
    data = load(document, HERE)
    assert data.x.flags.writeable and data.x.base is None
    trainer = Trainer(document, data)
    assert trainer.advance() is None and np.isfinite(trainer.point.loss)


def test_images_flat_and_with_their_axes_are_the_same_rows():
    choice = new_choice(DATASETS, "digits", scaling="none")
    flat = experiment(chain(new_layer("input", "x", shape=[64]), new_layer("dense", "out", units=10)), data=choice)
    image = chain(new_layer("input", "x", shape=[1, 8, 8]), new_layer("flatten", "f"), new_layer("dense", "out", units=10))
    data = load(flat, HERE)
    assert data.shape == (1, 8, 8) and data.x.max() == 16
    one, other = (samples(net, data, Trainer(net, data).net)[0].x for net in (flat, experiment(image, data=choice)))
    assert other.shape[1:] == (1, 8, 8) and np.array_equal(one.numpy(), other.numpy().reshape(len(other), 64))


def test_a_network_learns_the_next_value_of_a_series():
    net = chain(
        new_layer("input", "x", shape=[12]), new_layer("dense", "h", units=16, activation="tanh"), new_layer("dense", "out", units=1)
    )
    document = experiment(net, data=new_choice(DATASETS, "sine_wave", noise=0.02), loss="mse")
    trainer = Trainer(document, load(document, HERE))
    for _ in range(400):
        trainer.advance()
    assert trainer.evaluate(trainer.validation_rows)[1] < 0.1, "the root mean squared error over the last part in time"

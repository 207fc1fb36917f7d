"""What the pictures of a sweep show, as values: axes, brushes, ranks, bands."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nnviz.document.store.examples import open_document
from nnviz.document.sweep_plan import SweepOrder, planned, read_axis
from nnviz.records.sweep_records import SweptRun
from nnviz.ui.sweep._parallel_plot import ticks
from nnviz.ui.sweep.swept_values import best_of, passing, ranks, result_dimensions, seed_bands, setting_dimensions, short_names

LABELS = ("training.optimizer.learning_rate", "training.optimizer.kind")
ORDER = SweepOrder((read_axis(f"{LABELS[0]}=0.001,0.01,0.1"), read_axis(f"{LABELS[1]}=sgd,adam")), seeds=2)
RUNS = planned(open_document("example:moons"), ORDER)


def row(number: int, loss: float | None = None, **others) -> SweptRun:
    run = RUNS[number - 1]
    return SweptRun(number=number, values=run.values, seed=run.experiment.seed, fingerprint="", validation_loss=loss, **others)


def test_axes_are_those_of_all_runs_from_the_first_on():
    rate, kind, seed = setting_dimensions(LABELS, RUNS)
    (loss,) = result_dimensions([row(1, 0.5), row(2, 0.25)])
    assert [one.name for one in (rate, kind, seed, loss)] == ["learning rate", "optimizer", "seed", "validation loss"]
    assert rate.is_log and [rate.share(number) for number in (1, 5, 9)] == pytest.approx([0, 0.5, 1])
    assert kind.words == ("sgd", "adam") and [kind.share(number) for number in (1, 3)] == [0, 1]
    assert [seed.share(1), seed.share(2), loss.share(1), loss.share(2), loss.share(3)] == [0, 1, 1, 0, None]
    assert (rate.text(5), kind.text(1), loss.text(1), loss.text(9)) == ("0.01", "sgd", "0.5000", "–")


def test_results_that_are_not_finite_have_no_place():
    (loss,) = result_dimensions([row(1, 0.5), row(2, math.inf), row(3, math.nan), row(4, 0.1)])
    assert [loss.share(number) for number in (1, 2, 3, 4)] == [1, None, None, 0]


def test_brushes_let_pass_what_lies_within_all_of_them():
    all, numbers = setting_dimensions(LABELS, RUNS), tuple(range(1, 13))
    assert passing(all, {}, numbers) == numbers
    assert passing(all, {"learning rate": (0.4, 1)}, numbers) == tuple(range(5, 13))
    assert passing(all, {"learning rate": (0.4, 0.6), "optimizer": (0.9, 1)}, numbers) == (7, 8)


def test_ranks_go_by_the_validation_loss():
    assert ranks([row(1, 0.5), row(2, 0.1), row(3, 0.3), row(4, math.nan), row(5)]) == {1: 1.0, 2: 0.0, 3: 0.5}
    assert ranks([row(1, None, training_loss=1.0), row(2, None, training_loss=2.0)]) == {1: 0.0, 2: 1.0}


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["training.l2", "@120:training.dropout", "data.kind"], ["l2", "dropout @120", "data"]),
        (["network.layers.h1.units", "network.layers[2].units"], ["h1 units", "layers[2] units"]),
        (["training.optimizer.learning_rate", "x.learning_rate"], ["training.optimizer.learning_rate", "x.learning_rate"]),
    ],
)
def test_settings_have_short_names(labels, names):
    assert list(short_names(labels).values()) == names


def test_bands_are_the_mean_and_the_ends_of_the_seeds():
    one = row(1, losses=((1, 2.0), (2, 1.0)))
    two = row(2, losses=((1, 4.0), (2, 3.0), (3, 1.0)))
    other = row(3, losses=((1, 1.0), (2, math.nan)))
    bands = seed_bands(LABELS, [one, two, other, row(4)], "losses")
    assert [band.name for band in bands] == ["optimizer sgd", "optimizer adam"] and bands[0].numbers == (1, 2)
    assert np.array_equal(bands[0].iterations, [1, 2, 3]) and np.array_equal(bands[0].mean, [3, 2, 1])
    assert np.array_equal(bands[0].low, [2, 1, 1]) and np.array_equal(bands[0].high, [4, 3, 1])
    assert np.array_equal(bands[1].iterations, [1])
    assert seed_bands(LABELS, [one], "validation_losses") == ()


def test_the_best_is_that_of_the_lowest_mean_over_the_seeds():
    rows = [row(1, 0.5, iterations=1), row(2, 0.1, iterations=1), row(3, 0.25, iterations=1), row(4, 0.25, iterations=1)]
    assert best_of(LABELS, rows) == "Lowest with optimizer adam: mean validation loss 0.2500 ± 0 over 2 seeds, 0.2500 to 0.2500."
    assert best_of(LABELS, rows[:2]) == "Mean validation loss 0.3000 ± 0.2828 over 2 seeds, 0.1000 to 0.5000."
    assert best_of(LABELS, rows[:1]) == "Validation loss 0.5000."
    assert best_of(LABELS, [row(1, 0.1), row(2, math.nan), row(3, None), row(4, 0.9)]) == ""
    assert best_of((), []) == ""


def test_the_texts_of_an_axis_are_values_that_are_there():
    order = SweepOrder(seeds=10)
    (seed,) = setting_dimensions((), planned(open_document("example:moons"), order))
    assert [text for _, text in ticks(seed, 6)] == ["11", "15", "20"]
    (loss,) = result_dimensions([row(1, 0.5), row(2, 0.25)])
    assert [text for _, text in ticks(loss, 6)] == ["0.25", "0.375", "0.5"]
    (constant,) = setting_dimensions(
        ("training.l2",), planned(open_document("example:moons"), SweepOrder((read_axis("training.l2=0.001"),)))
    )
    assert ticks(constant, 6) == [(0.5, "0.001")]


def test_what_diverged_stands_at_the_end_and_leaves_the_others_their_room():
    rows = [row(1, 0.5, iterations=1), row(2, 0.25, iterations=1), row(3, 1e20, verdict="diverged"), row(4, math.inf, verdict="diverged")]
    (loss,) = result_dimensions(rows)
    assert [loss.share(number) for number in (1, 2, 3, 4)] == [1, 0, 1, None] and ticks(loss, 6)[-1] == (1, "≥0.5")
    (loss,) = result_dimensions(rows[2:])
    assert loss.ends == (1e20, 1e20), "where all did, they have it all"
    bands = seed_bands(LABELS, [row(1, losses=((1, 2.0),)), row(3, losses=((1, 1e20),), verdict="diverged")], "losses")
    assert [band.is_diverged for band in bands] == [False, True]

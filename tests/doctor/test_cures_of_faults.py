"""Every cure of planted faults is tried by the real engine, and told as it was measured: also those that do not help."""

from __future__ import annotations

import pytest

from nnviz.doctor.cures import cures
from nnviz.doctor.trial import TrialVerdict, trial
from nnviz.jobs.diagnosing import verdicts
from tests.doctor.going import diagnoses
from tests.doctor.planted import ALL, Planted

CURABLE = {"non_finite": "weights 1e30", "diverging": "momentum", "saturated": "biases at 8", "data_ignored": "one line for two rings"}
"""Of these kinds a fault that a document can cure; of the others the first is taken."""
CHOSEN = {planted.kind: planted for planted in reversed(ALL)} | {one.kind: one for one in ALL if CURABLE.get(one.kind) == one.what}
"""One fault of every kind."""
HELPS = {
    "non_finite": "Start with He and Xavier",
    "output_range": "Set activation to identity",
    "diverging": "Learning rate 0.03",
    "saturated": "Start with He and Xavier",
    "data_ignored": "A hidden layer of 16 ReLU units",
    "symmetric_start": "Start with He and Xavier",
    "input_scale": "Standardise the input",
    "start_loss": "Start out with small weights",
    "vanishing": "ReLU with He start",
    "exploding": "Start with He and Xavier",
    "rate_too_large": "Learning rate 0.1",
    "rate_too_small": "Learning rate 0.1",
    "dead_relu": "Leaky ReLU",
    "penalty_dominates": "A hundredth of the penalty",
    "overfitting": "Stop early, after 10 epochs without gain",
    "mode_gap": "Layer norm instead of batch norm",
    "plateau": "A hidden layer of 16 ReLU units",
}
"""By kind of fault a cure that helps, …"""
DOES_NOT = {
    "non_finite": "Learning rate 0.01",
    "input_scale": "Learning rate 0.001",
    "vanishing": "Xavier start",
    "exploding": "Learning rate 1e-05",
    "rate_too_large": "Batch size 128",
    "dead_relu": "Learning rate 0.001",
    "plateau": "Learning rate 3",
}
"""… and one that does not."""
WITHOUT_HELP = {"no_non_linearity", "class_imbalance"}
"""Kinds for which no cure lowers the loss here: a line is enough for these rows, and there are no weights for classes."""


def tried(planted: Planted) -> dict[str, TrialVerdict]:
    for timeline, found in diagnoses(planted.experiment, planted.within):
        finding = next((one for one in found if one.kind == planted.kind and not one.is_information), None)
        if finding:
            trials = [trial(timeline.log, finding, one, timeline.iteration) for one in cures(finding, timeline.trainer.experiment)]
            return {one.fix.label: said for one, said in zip(trials, verdicts(timeline, trials), strict=True)}
    raise AssertionError(f"{planted.what} was not named")


@pytest.mark.parametrize("kind", CHOSEN)
def test_cures_are_told_as_they_were_measured(kind: str) -> None:
    found = tried(CHOSEN[kind])
    assert found
    for label, one in found.items():
        assert one.sentence.startswith(label)
        if one.outcome == "helps" and None not in (one.before, one.after):
            is_score = "accuracy" in one.sentence or "recall" in one.sentence
            assert 1 - one.after < 0.8 * (1 - one.before) if is_score else one.after < 0.8 * one.before
    if kind not in WITHOUT_HELP:
        assert found[HELPS[kind]].outcome == "helps", found[HELPS[kind]].sentence
    if kind in DOES_NOT:
        assert found[DOES_NOT[kind]].outcome in ("no help", "worse"), found[DOES_NOT[kind]].sentence

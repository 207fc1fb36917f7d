"""Every cure of planted faults is tried by the real engine, and told as it was measured: also those that do not help."""

from __future__ import annotations

import pytest

from nnviz.diagnosing import verdicts
from nnviz.doctor.cures import cures
from nnviz.doctor.trial import TrialVerdict, trial
from tests.doctor.going import diagnoses
from tests.doctor.planted import ALL, Planted

FIRST = {planted.kind: planted for planted in reversed(ALL)}
"""One fault of every kind."""
HELPS = {
    "output_range": "Set activation to identity",
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
    "non_finite": "Learning rate 500",
    "input_scale": "Learning rate 0.001",
    "vanishing": "Xavier start",
    "exploding": "Learning rate 1e-05",
    "rate_too_large": "Batch size 128",
    "dead_relu": "Learning rate 0.001",
    "plateau": "Learning rate 3",
}
"""… and one that does not."""
WITHOUT_HELP = {"no_non_linearity", "data_ignored", "class_imbalance", "saturated", "non_finite", "diverging"}
"""Kinds for which this test asks no cure to help: what nnviz can change need not be what is wrong."""


def tried(planted: Planted) -> dict[str, TrialVerdict]:
    for timeline, found in diagnoses(planted.experiment, planted.within):
        finding = next((one for one in found if one.kind == planted.kind and not one.is_information), None)
        if finding:
            trials = [trial(timeline.log, finding, one, timeline.iteration) for one in cures(finding, timeline.trainer.experiment)]
            return {one.fix.label: said for one, said in zip(trials, verdicts(timeline, trials), strict=True)}
    raise AssertionError(f"{planted.what} was not named")


@pytest.mark.parametrize("kind", FIRST)
def test_cures_are_told_as_they_were_measured(kind: str) -> None:
    found = tried(FIRST[kind])
    assert found
    for label, one in found.items():
        assert one.sentence.startswith(label)
        if one.outcome == "helps" and None not in (one.before, one.after):
            assert one.after != one.before
    if kind not in WITHOUT_HELP:
        assert found[HELPS[kind]].outcome == "helps", found[HELPS[kind]].sentence
    if kind in DOES_NOT:
        assert found[DOES_NOT[kind]].outcome in ("no help", "worse"), found[DOES_NOT[kind]].sentence

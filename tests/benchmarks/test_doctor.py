"""What the doctor costs a training, and, over more runs than the tests have time for, what it finds of healthy and of ill nets."""

from __future__ import annotations

import time

import pytest
import torch
from msgspec.structs import replace

from nnviz.doctor.diagnosis import diagnose
from nnviz.document.experiment import Experiment
from nnviz.document.finding_kinds import FINDING_KINDS
from nnviz.document.store import examples
from nnviz.engine.run import _checkup_times as checkup_times
from nnviz.engine.run.timeline import Timeline
from tests.doctor.going import after, diagnoses
from tests.doctor.planted import ALL
from tests.doctor.test_sensitivity import named_first
from tests.doctor.test_specificity import DOCUMENTS, ILL
from tests.engine.experiments import HERE

COST = 0.03
"""Of the time of a training."""
SEEDS, ITERATIONS = 5, 1000


def seconds(experiment: Experiment, iterations: int) -> float:
    """CPU seconds of a run as `nnviz run` makes it."""
    start = time.process_time()
    after(experiment, iterations)
    return time.process_time() - start


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", ["moons", "deep_sigmoid", "digits"])
def test_what_measuring_costs(name: str, report, monkeypatch) -> None:
    """Of 10,000 iterations, on against off, in turn: the least of each counts, of so many that it is known to one percent."""
    torch.set_num_threads(1)
    document, on, off = examples.open_document(f"{examples.PREFIX}{name}"), [], []
    for _ in range(12):
        on.append(seconds(document, 10_000))
        with monkeypatch.context() as patch:
            patch.setattr(checkup_times, "next_due", lambda iteration, changed_at: 10**9)
            off.append(seconds(document, 10_000))
    report(f"measuring {name} for the doctor, of its training", 100 * (min(on) / min(off) - 1), 100 * COST, "%")


@pytest.mark.parametrize("iterations", [10_000, 100_000])
def test_what_a_diagnosis_costs(iterations: int, report) -> None:
    timeline = Timeline(examples.open_document("example:moons"), HERE)
    timeline.go_to(iterations)
    costs = []
    for _ in range(5):
        start = time.process_time()
        diagnose(timeline.history())
        costs.append(time.process_time() - start)
    report(f"a diagnosis after {iterations:,} iterations of moons", 1000 * min(costs), 50 if iterations < 50_000 else 100, "ms")


def test_false_alarms(report) -> None:
    """Findings of healthy documents, of runs that have learnt something: one that has not is ill, whatever its document is."""
    alarms, runs = dict.fromkeys(FINDING_KINDS, 0), 0
    for name in DOCUMENTS:
        for seed in range(SEEDS if name not in ILL else 0):
            document = examples.open_document(name)
            found: set[str] = set()
            for timeline, findings in diagnoses(replace(document, seed=document.seed + seed), ITERATIONS):  # noqa: B007
                found |= {one.kind for one in findings if not one.is_information}
            if not timeline.history().is_no_better:
                runs += 1
                alarms |= {kind: alarms[kind] + 1 for kind in found}
    for kind, count in alarms.items():
        report(f"false alarms of {kind}, of {runs} runs", count, 0)


def test_planted_faults(report) -> None:
    for kind in FINDING_KINDS:
        planted = [one for one in ALL if one.kind == kind]
        report(f"missed of {len(planted)} planted: {kind}", sum(not named_first(one) for one in planted), 0)

"""Questions that a short replay by the real engine answers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from nnviz.doctor.run_questions import QUESTIONS, Replay, answer, replay
from nnviz.document import edits
from nnviz.document.experiment import Experiment
from nnviz.document.problems import Refused
from nnviz.document.store import examples
from nnviz.engine.run.race import race
from nnviz.engine.run.timeline import Timeline
from nnviz.records.checkup_records import WholeCheckup
from nnviz.records.run_records import CurvePoint
from nnviz.records.task_records import RacedRun, RaceTask
from tests.curve_points import travelling


def example(name: str) -> Experiment:
    return examples.open_document(f"example:{name}")


def asked(question: str, experiment: Experiment, iterations: int) -> str:
    timeline = Timeline(experiment, Path())
    while timeline.iteration < iterations and not timeline.advance(at_most=iterations - timeline.iteration):
        pass
    wanted = replay(question, timeline.log, timeline.iteration, timeline.trainer.training_rows.count)
    work = race(RaceTask(wanted.logs, wanted.end), timeline)
    while True:
        try:
            next(work)
        except StopIteration as end:
            return answer(wanted, end.value.runs)


def with_rate(experiment: Experiment, rate: float, kind: str = "sgd") -> Experiment:
    return edits.change_optimizer(edits.choose_optimizer(experiment, kind), learning_rate=rate)


def test_small_batches_swing_by_noise() -> None:
    noisy = edits.change_training(with_rate(example("moons"), 0.05), batch_size=4)
    assert asked("noise", noisy, 300).startswith("It is noise of the batches.")


def test_a_rate_at_the_edge_swings_by_itself() -> None:
    steep = edits.change_training(with_rate(example("circles"), 3.0), batch_size=300)
    assert asked("noise", steep, 100).startswith("It is both: larger batches and a smaller rate calm it.")


@pytest.mark.parametrize(
    ("swings", "said"),
    [
        ((1.0, 0.1, 1.0), "It is noise of the batches."),
        ((1.0, 1.0, 0.1), "It is the learning rate."),
        ((1.0, 0.1, 0.1), "It is both"),
        ((1.0, 1.0, 1.0), "It is neither"),
        ((0.0, 0.0, 0.0), "The loss does not swing."),
    ],
)
def test_what_calms_the_loss_is_named(swings: tuple[float, ...], said: str) -> None:
    """The loss falls in a straight line and swings about it."""
    runs = [
        RacedRun(300, "done", points=travelling(*(CurvePoint(at, 9 - at / 100 + swing * (-1) ** at) for at in range(301))))
        for swing in swings
    ]
    found = answer(Replay("noise", (), 300, 100), runs)
    assert found.startswith(said) and f"{swings[0] ** 2:.2g}" in found


def test_whole_batches_have_no_noise() -> None:
    with pytest.raises(Refused, match="Every batch holds all rows"):
        replay("noise", Timeline(edits.change_training(example("moons"), batch_size=None), Path()).log, 10, 350)


def test_a_net_that_learnt_uses_its_inputs_and_one_that_did_not_does_not() -> None:
    timeline = Timeline(example("moons"), Path())
    said = asked("inputs", example("moons"), 300)
    while timeline.iteration < 300:
        timeline.advance(at_most=300 - timeline.iteration)
    trainer = timeline.trainer
    rows = trainer.training_rows
    order = torch.randperm(rows.count, generator=torch.Generator().manual_seed(0))
    permuted = trainer.loss(trainer.answer(rows.x[order]), rows.targets).item()
    assert said.startswith("Yes") and f"{permuted:.4g}" in said and f"{trainer.evaluate(rows)[0]:.4g}" in said
    assert asked("inputs", example("deep_sigmoid"), 100).startswith("No")
    with pytest.raises(Refused, match="Nothing has been trained"):
        asked("inputs", example("moons"), 0)


def test_few_rows_are_not_handed_to_one_another() -> None:
    """Of one row, or of two that keep their places, every net would be said to answer without its inputs."""
    with pytest.raises(Refused, match="Of 4 rows"):
        replay("inputs", Timeline(example("moons"), Path()).log, 10, 4)


@pytest.mark.parametrize(
    ("permuted", "said"), [(0.693, "No: its answers suit other rows as well"), (0.5, "Not well"), (1.2, "Yes, it uses its inputs")]
)
def test_what_other_rows_say_of_the_inputs(permuted: float, said: str) -> None:
    """A net that has hardly begun answers by its inputs, and no better for its own rows than for others."""
    run = RacedRun(1, "done", whole=WholeCheckup(350, 0.69, permuted, None, {}))
    found = answer(Replay("inputs", (), 1, 1), [run])
    assert found.startswith(said) and f"{permuted:.4g}" in found


def test_runs_that_stop_early_swing_too_short_to_tell() -> None:
    runs = [RacedRun(end, "done", points=travelling(*(CurvePoint(at, 1.0) for at in range(end + 1)))) for end in (300, 130, 300)]
    assert "stopped early, at iteration 130" in answer(Replay("noise", (), 300, 100), runs)


def test_a_rate_chosen_for_the_sum_is_told() -> None:
    too_small = with_rate(example("moons"), 0.1 / 32)
    assert asked("reduction", too_small, 10).startswith("The rate seems meant for the sum over the batch")
    assert asked("reduction", with_rate(example("moons"), 0.5), 10).startswith("The mean, as it is")
    assert "not finite" in asked("reduction", with_rate(example("learning_rate"), 0.1), 2)


def test_an_optimizer_that_rescales_gradients_needs_no_replay() -> None:
    """Adam's step is the same for the sum and the mean, up to ε: seen with torch itself."""
    steps = []
    for scale in (1.0, 32.0):
        weight = torch.ones(3, dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.Adam([weight], lr=0.01, eps=0.0)
        (scale * (weight * torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64)).sum()).backward()
        optimizer.step()
        steps.append(weight.detach() - 1)
    assert torch.allclose(*steps, rtol=1e-12, atol=0)
    with pytest.raises(Refused, match="the sum and the mean are the same"):
        asked("reduction", example("moons"), 10)


def test_every_question_has_words() -> None:
    assert [one.key for one in QUESTIONS] == ["noise", "inputs", "reduction"]
    assert all(one.label.endswith("?") and one.explanation for one in QUESTIONS)

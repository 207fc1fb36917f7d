import math

import pytest

from nnviz.records.hindsight_record import FirstTime, Predicate, Question
from nnviz.text.question_text import duration_text, first_time_text, question_label

TITLES = {"h1": "dense 1"}
LOSS = Question("loss", rows="training")


@pytest.mark.parametrize(
    ("question", "label"),
    [
        (LOSS, "training loss"),
        (Question("metric"), "validation accuracy"),
        (Question("loss", rows=(0, 3)), "rows 0, 3: loss"),
        (Question("gradients", "h1"), "dense 1 · gradients · norm"),
        (Question("activations", "h1", statistic="dead"), "dense 1 · activations · share of dead units"),
        (Question("weights", parameter="h1.weight", element=(2, 1)), "dense 1 weight [2, 1]"),
        (Question("gradients", parameter="h1.bias", element=(2,)), "gradient of dense 1 bias [2]"),
        (Question("updates", parameter="h1.bias"), "dense 1 bias · updates · norm"),
    ],
)
def test_a_number_has_a_short_name(question, label):
    assert question_label(question, TITLES, "accuracy") == label


@pytest.mark.parametrize(
    ("found", "predicate", "text"),
    [
        (
            FirstTime(412, 0.0998, 0.1003, "bisected", 57),
            Predicate(LOSS, "below", 0.1),
            "First at iteration 412: training loss below 0.1000 (bisected by checkpoints, looked at 57 iterations). "
            "There it is 0.09980, before it 0.1003.",
        ),
        (
            FirstTime(None, None, None, "scanned", 1),
            Predicate(Question("activations", "h1", statistic="dead"), "above", 0.0),
            "Never up to iteration 900: a unit of dense 1 0 for every row of the batch (looked at every iteration, 1 iteration).",
        ),
        (
            FirstTime(1, 0.25, math.nan, "scanned", 2),
            Predicate(Question("weights", "h1", statistic="non_finite"), "above", 0.0),
            "First at iteration 1: one of the weights of dense 1 not finite (looked at every iteration, 2 iterations). There it is 0.2500.",
        ),
    ],
)
def test_when_it_was_first_true(found, predicate, text):
    assert first_time_text(found, predicate, 900, TITLES, "accuracy") == text


def test_durations():
    assert [duration_text(seconds) for seconds in (0.2, 12.4, 150.0, 9000.0)] == ["less than 1 s", "about 12 s", "about 2 min", "about 2 h"]

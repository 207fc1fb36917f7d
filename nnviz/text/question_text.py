"""How a number that was asked of the past is called, and what is said of when something first became true."""

from __future__ import annotations

from collections.abc import Mapping

from nnviz.document.network import split_parameter
from nnviz.records.hindsight_record import FirstTime, Predicate, Question
from nnviz.text.captions import tensor_text
from nnviz.text.numbers import place, steady

OF = {"weights": "weights", "gradients": "gradients", "updates": "updates", "activations": "activations"}
STATISTICS = {
    "norm": "norm",
    "mean": "mean",
    "std": "standard deviation",
    "min": "lowest",
    "max": "highest",
    "largest": "largest size",
    "zeros": "share of zeros",
    "non_finite": "share not finite",
    "dead": "share of dead units",
    "saturated": "share saturated",
}
_ONE = {"weights": "", "gradients": "gradient of ", "updates": "update of "}


def question_label(question: Question, titles: Mapping[str, str], score: str) -> str:
    """Return a short name of the number. `titles`: layer id to name; `score`: what the metric is called."""
    if question.of in ("loss", "metric"):
        rows = question.rows if isinstance(question.rows, str) else f"rows {', '.join(map(str, question.rows))}:"
        return f"{rows} {score if question.of == 'metric' else 'loss'}"
    if question.parameter:
        layer, tensor = split_parameter(question.parameter)
        name = f"{titles.get(layer, layer)} {tensor_text(tensor)}"
        if question.element:
            return f"{_ONE.get(question.of, '')}{name} {place(question.element)}"
        return f"{name} · {question.of} · {STATISTICS[question.statistic]}"
    return f"{titles.get(question.layer, question.layer)} · {OF[question.of]} · {STATISTICS[question.statistic]}"


def predicate_text(predicate: Predicate, titles: Mapping[str, str], score: str) -> str:
    """Return what shall have become true, as the beginning of a sentence."""
    question = predicate.question
    title = titles.get(question.layer, question.layer)
    if predicate.comparison == "above" and predicate.threshold == 0:
        if question.statistic == "dead":
            return f"a unit of {title} 0 for every row of the batch"
        if question.statistic == "non_finite":
            return f"one of the {question.of} of {title} not finite"
    return f"{question_label(question, titles, score)} {predicate.comparison} {steady(predicate.threshold)}"


def first_time_text(found: FirstTime, predicate: Predicate, last: int, titles: Mapping[str, str], score: str) -> str:
    """Return when it became true for the first time, and how that was found, as sentences."""
    what = predicate_text(predicate, titles, score)
    looked = f"{found.looked:,} iteration{'s' * (found.looked != 1)}"
    how = f"looked at every iteration, {looked}" if found.how == "scanned" else f"bisected by checkpoints, looked at {looked}"
    if found.iteration is None:
        return f"Never up to iteration {last:,}: {what} ({how})."
    before = "" if found.before is None or found.before != found.before else f", before it {steady(found.before)}"
    return f"First at iteration {found.iteration:,}: {what} ({how}). There it is {steady(found.value)}{before}."


def duration_text(seconds: float) -> str:
    """Return about how long something takes, in words: 12 s, 3 min."""
    if seconds < 1:
        return "less than 1 s"
    if seconds < 100:
        return f"about {seconds:.0f} s"
    return f"about {seconds / 60:.0f} min" if seconds < 6000 else f"about {seconds / 3600:.0f} h"

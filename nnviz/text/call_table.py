"""How the calls of an iteration are written to be read: a heading, what the names mean, and one line for each call."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from nnviz.records.call_list import CallList, ListedCall

_MEANINGS = {
    "all_x": "the features of all training rows",
    "all_targets": "what the network should answer for all training rows",
    "rows": "which training rows are in the batch",
    "target": "what the network should answer for the rows of the batch",
    "all_gradients": "the gradients of all parameters, one behind the other",
    "unclipped": "the gradients before they are clipped",
    "norms": "the norm of every gradient",
    "norm": "the norm of all gradients together",
    "parameters": "all trained parameters, one behind the other",
    "gradients": "their gradients, in the same order",
    "direction": "the gradients as the optimizer uses them",
    "rate": "the learning rate",
    "t": "the number of the iteration, as the optimizer counts",
    "exp_avg": "the running mean of the gradients (m)",
    "exp_avg_sq": "the running mean of their squares (v)",
    "max_exp_avg_sq": "the largest v so far",
    "momentum_buffer": "the momentum of every parameter",
    "square_avg": "the running mean of the squares of the gradients",
    "grad_avg": "the running mean of the gradients",
    "sum": "the sum of the squares of the gradients so far",
    **dict.fromkeys(("momentum", "alpha", "beta2", "epsilon"), "set in the optimizer"),
    "root": "room for a square root, of every parameter",
    "factor": "room for one number",
    "step_counts": "t, as torch's optimizer keeps it for every parameter",
    "locked": "which weights are locked",
    "free": "the gradients, 0 where a weight is locked",
    "values": "all parameters, one behind the other",
    "kept": "the weights as they were before the update",
}
"""What fixed names stand for."""
_ENDINGS = {
    r"\w+_grad": ("…_grad", "the gradient of a parameter"),
    r"\w+_t": ("…_t", "the same numbers, transposed"),
    r"\w+_view(_\d+)?": ("…_view", "the same numbers in another shape"),
    r"\w+_\d+": ("…_1, …_2", "what is worked out on the way through a layer, forward or back"),
}
"""What the ends of names stand for."""
_WRITES = ("out=…", "where the result is written; a call whose name ends in _ changes its first argument")
_NO_CALL = "Lines without a number compute no tensor: they take a number, count, or switch something on or off."


def call_table(listed: CallList) -> str:
    """Return all lines of a list of calls as one text; or why there are none."""
    if listed.reason:
        return listed.reason
    return "\n".join([heading(listed), "", *_aligned(_meanings(listed)), "", *_notes(listed), *_sections(listed)])


def heading(listed: CallList) -> str:
    """Return what the list is, as one line."""
    of, rows = f" of {listed.title}" if listed.title else "", "1 row" if listed.rows == 1 else f"{listed.rows:,} rows"
    return f"The {listed.count:,} calls that one iteration{of} really is, {rows} at a time"


def _meanings(listed: CallList) -> list[tuple[str, str]]:
    """The names that occur, and what they mean."""
    words = {word for call in listed.calls for word in _names(call)}
    plain = words | {re.sub(r"_\d+$", "", word) for call in listed.calls if call.phase in ("clip", "update") for word in _names(call)}
    known = [(name, meaning) for name, meaning in _MEANINGS.items() if name in plain]
    fixed = [(", ".join(name for name, _ in rows), meaning) for meaning, rows in groupby(known, lambda row: row[1])]
    explained = {listed.entry, *_MEANINGS}
    ends = [end for pattern, end in _ENDINGS.items() if any(re.fullmatch(pattern, word) and word not in explained for word in words)]
    return [(listed.entry, "the features of the rows of the batch"), *fixed, *ends, _WRITES]


def _names(call: ListedCall) -> list[str]:
    """What a line works on: neither what it calls nor the names of arguments."""
    return re.findall(r"(?<![\w.])[A-Za-z_]\w*\b(?![(=])", call.code)


def _notes(listed: CallList) -> list[str]:
    return [_NO_CALL, ""] if listed.count < len(listed.calls) else []


def _sections(listed: CallList) -> Iterator[str]:
    width, digits = max(len(call.title) for call in listed.calls), len(str(listed.count))
    for number, (phase, calls) in enumerate(groupby(listed.calls, lambda call: call.phase)):
        yield from ([""] if number else []) + [phase]
        for call in calls:
            place = "" if call.number is None else str(call.number)
            yield f"  {place:>{digits}}  {call.title:<{width}}  {call.code}"


def _aligned(rows: list[tuple[str, str]]) -> list[str]:
    width = max(len(name) for name, _ in rows)
    return [f"{name:<{width}}  {meaning}" for name, meaning in rows]

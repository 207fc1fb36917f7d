"""How results are printed: one JSON value with --json, tables and sentences without; what is no result goes to stderr."""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

FIGURES = {"loss": "loss of the last batch", "precision": "mean precision", "recall": "mean recall", "f1": "mean F1"}
"""What figures of a run are called where their names do not say enough."""


def show(options: argparse.Namespace, value: Any, print_it: Callable[[], None]) -> int:
    """Print the result as one JSON value if that was asked for, else as `print_it` does; return the exit code."""
    if options.json:
        print(json.dumps(finite(value), allow_nan=False))
    else:
        print_it()
    return 0


def finite(value: Any) -> Any:
    """Return a value that JSON can hold, which has no NaN: what is not finite becomes the text "nan", "inf" or "-inf"."""
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {key: finite(entry) for key, entry in value.items()}
    return [finite(entry) for entry in value] if isinstance(value, list | tuple) else value


def complain(sentence: str, code: int = 1) -> int:
    """Print a sentence to stderr; return the exit code."""
    print(sentence, file=sys.stderr)
    return code


def print_table(rows: Iterable[Sequence[Any]]) -> None:
    """Print rows of one length in columns."""
    cells = [[_written(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def print_findings(findings: Sequence[dict[str, Any]]) -> None:
    """Print what the doctor has found, with the cures that were tried."""
    for one in findings:
        since, at = one["iterations"]
        until = "on" if one["present"] else f"to {at}"
        label = f"{one['label']} (information)" if one["information"] else one["label"]
        print(f"\n{label}: {one['cause']}\n  {one['evidence'].rstrip('.')}. From iteration {since} {until}.")
        for trial in one.get("trials", ()):
            print(f"  {trial['sentence']}")


def _written(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else "×".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def readable(value: Any) -> str:
    """Return a text as it is, and any other value short."""
    return value if isinstance(value, str) else short(value)


def short(value: Any) -> str:
    """Return a tensor in at most 44 letters: its numbers, or the range of a large one; "-" for none."""
    if isinstance(value, dict):
        return f"{value['min']:.4g} … {value['max']:.4g}"
    text = re.sub(r"-?\d+\.\d+(e[+-]\d+)?", lambda match: f"{float(match[0]):.5g}", json.dumps(finite(value))) if value is not None else "-"
    return text if len(text) <= 44 else text[:43] + "…"

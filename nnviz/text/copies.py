"""Numbers as they are put on the clipboard: what a program reads back, with the minus of the keyboard."""

from __future__ import annotations

import numpy as np

from nnviz.text.numbers import MINUS

FORMS = ("text", "numpy", "torch")


def plain(text: str) -> str:
    """Return a text of the screen as a program reads it: a hyphen for the true minus, plain spaces, 1e-9 for what is written 1e−9."""
    return text.replace(MINUS, "-").replace("\u00a0", " ")


def copied(array: np.ndarray, form: str) -> str:
    """Return all numbers of an array with as many digits as bring them back: "numpy" and "torch" as code, "text" with tabs between."""
    if form == "text":
        lines = array.reshape(-1, array.shape[-1]) if array.ndim else array.reshape(1, 1)
        return "\n".join("\t".join(str(value) for value in line) for line in lines)
    dtype = array.dtype.name
    code = _code(array, 0)
    return f"np.array({code}, dtype=np.{dtype})" if form == "numpy" else f"torch.tensor({code}, dtype=torch.{dtype})"


def _code(array: np.ndarray, depth: int) -> str:
    """Nested lists, a row of numbers in each line."""
    if array.ndim == 0:
        kind = "complex" if array.dtype.kind == "c" else "float"
        return str(array[()]) if np.isfinite(array) else f'{kind}("{array[()]}")'
    between = ", " if array.ndim == 1 else ",\n" + " " * (depth + 1)
    return f"[{between.join(_code(part, depth + 1) for part in array)}]"

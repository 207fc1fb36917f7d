"""Numbers as they are put on the clipboard: what a program reads back, with the minus of the keyboard."""

from __future__ import annotations

import numpy as np

from nnviz.text.numbers import MINUS

FORMS = ("text", "numpy", "torch")
MOST = 100_000
"""More elements than this are no text that anybody pastes."""


def plain(text: str) -> str:
    """Return a text of the screen as a program reads it: a hyphen for the true minus, plain spaces, 1e-9 for what is written 1e−9."""
    return text.replace(MINUS, "-").replace("\u00a0", " ")


def copied(array: np.ndarray, form: str, dtype: str = "") -> str:
    """Return all numbers of an array with as many digits as bring them back: "numpy" and "torch" as code, "text" with tabs between.

    `dtype`: what torch calls them where numpy has no such type; the code for torch makes them of that type, to the bit.
    """
    if form == "text":
        lines = array.reshape(-1, array.shape[-1]) if array.ndim else array.reshape(1, 1)
        return "\n".join("\t".join(str(value) for value in line) for line in lines)
    own = array.dtype.name
    numpys, torchs = "bool_" if own == "bool" else own, dtype or own
    call, kind = ("np.array", f"np.{numpys}") if form == "numpy" else ("torch.tensor", f"torch.{torchs}")
    if not array.size:  # nested lists do not say how long an axis is that nothing lies along
        return f"{call.partition('.')[0]}.empty({array.shape}, dtype={kind})"
    return f"{call}({_code(array, 0)}, dtype={kind})"


def _code(array: np.ndarray, depth: int) -> str:
    """Nested lists, a row of numbers in each line."""
    if array.ndim == 0:
        return _number(array[()])
    between = ", " if array.ndim == 1 else ",\n" + " " * (depth + 1)
    return f"[{between.join(_code(part, depth + 1) for part in array)}]"


def _number(value: np.generic) -> str:
    """As code. A complex one with a part that is 0 or not finite is quoted: a sum would lose the sign of that 0, and nanj is no number."""
    if value.dtype.kind != "c":
        return str(value) if np.isfinite(value) else f'float("{value}")'
    return str(value) if np.isfinite(value) and value.real and value.imag else f'complex("{value}")'

"""What scaling does to the columns of the input: fitted on the training rows, made on all. It knows no network.

scikit-learn is imported where it is used, so that the engine answers before it is loaded."""

from __future__ import annotations

import math

import numpy as np

from nnviz.engine.errors import BuildError


def scaled(x: np.ndarray, training: np.ndarray, scaling: str, columns: int | None = None) -> np.ndarray:
    """Return the rows scaled: none · min-max to [0, 1] · standardise to mean 0 and standard deviation 1.

    `x`: (rows, features); `training`: (rows,) the rows it is fitted on. `columns`: of a series, whose time steps are scaled alike.
    """
    if scaling == "none":
        return x
    from sklearn.preprocessing import MinMaxScaler, StandardScaler

    columns = columns or x.shape[1]
    scaler = StandardScaler() if scaling == "standardise" else MinMaxScaler()
    with np.errstate(over="ignore", invalid="ignore"):  # what comes of it is looked at in check_size
        return scaler.fit(x[training].reshape(-1, columns)).transform(x.reshape(-1, columns)).reshape(x.shape)


def check_size(x: np.ndarray, names: tuple[str, ...], precision: str) -> None:
    """Raises BuildError, which names the column, where scaled numbers are too large to compute with."""
    largest = math.sqrt(float(np.finfo(np.float32 if precision == "float32" else np.float64).max))
    bad = ~(np.abs(x) < largest)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        name = names[column] if column < len(names) else f"column {column + 1}"
        message = f"Row {row + 1} of column {name[:40]!r} is too large to compute with in {precision} (from {largest:.0e} on)."
        raise BuildError("data.scaling", message, "Leave the column out, give it another unit, or scale it.")

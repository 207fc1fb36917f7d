"""Series, and how they are cut into windows: drawn ones, and the bundled text. Everything follows from the document and its seed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nnviz.document import tiny_text
from nnviz.document.network import Choice
from nnviz.engine.errors import BuildError

BURN_IN = 500
"""Steps of a drawn series that pass before it counts, so that its start does not matter."""


def windows(values: np.ndarray, window: int) -> np.ndarray:
    """Return every stretch of `window` steps, (steps − window + 1, window, columns), the earliest first. `values`: (steps, columns)."""
    return np.lib.stride_tricks.sliding_window_view(values, window, axis=0).transpose(0, 2, 1)


def rows_of(values: np.ndarray, targets: np.ndarray, window: int, horizon: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the windows as flat rows, (rows, window · columns), time step by time step, and the target `horizon` steps behind each.

    Raises BuildError if the series is too short for two rows.
    """
    count = len(values) - window - horizon + 1
    if count < 2:
        needed = f"A window of {window} steps and a target {horizon} behind it need {window + horizon + 1} steps"
        raise BuildError("data.window", f"{needed}, and there are {len(values)}.", "Make the window shorter.")
    return windows(values, window)[:count].reshape(count, -1).copy(), targets[window + horizon - 1 :][:count]


def drawn_rows(data: Choice, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the windows of a drawn series and their targets, (rows, 1). `seed`: of numpy's generator."""
    steps = data["samples"] + data["window"] + data["horizon"] - 1
    series = SERIES[data.kind](data, np.random.default_rng(seed), steps)
    targets = np.abs(series) if data.kind == "volatility" else series
    return rows_of(series[:, None], targets[:, None], data["window"], data["horizon"])


def text_rows(data: Choice) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Return windows of token numbers, the number of the token behind each, and what the tokens are called."""
    vocabulary = tiny_text.vocabulary(data["unit"])
    places = {token: place for place, token in enumerate(vocabulary)}
    numbers = np.array([places[token] for token in tiny_text.tokens(data["unit"])])
    x, y = rows_of(numbers[:, None].astype(np.float64), numbers, data["window"], 1)
    return x, y, tuple("␣" if token == " " else token for token in vocabulary)


# --- the series ---


def _sine_wave(data: Choice, generator: np.random.Generator, steps: int) -> np.ndarray:
    return np.sin(2 * np.pi * np.arange(steps) / data["period"]) + generator.normal(0.0, data["noise"], steps)


def _sawtooth(data: Choice, generator: np.random.Generator, steps: int) -> np.ndarray:
    return 2 * (np.arange(steps) / data["period"] % 1.0) - 1 + generator.normal(0.0, data["noise"], steps)


def ar_weights(order: int, generator: np.random.Generator) -> np.ndarray:
    """Return the weights φ₁ … φₚ of a stationary autoregressive series, (order,).

    Partial autocorrelations within ±0.8 are drawn and turned into weights by Levinson and Durbin's recursion, which makes no other series.
    """
    weights = np.zeros(0)
    for partial in generator.uniform(-0.8, 0.8, order):
        weights = np.append(weights - partial * weights[::-1], partial)
    return weights


def _ar(data: Choice, generator: np.random.Generator, steps: int) -> np.ndarray:
    weights, order = ar_weights(data["order"], generator), data["order"]
    noise = generator.normal(0.0, data["noise"], BURN_IN + steps)
    values = np.zeros(order + len(noise))
    for step, shock in enumerate(noise):
        values[order + step] = weights @ values[step : order + step][::-1] + shock
    return values[-steps:]


def _volatility(data: Choice, generator: np.random.Generator, steps: int) -> np.ndarray:
    """r = σ·ε with σ² = ω + α r² + β σ²; ω makes the variance 1 in the long run. Source: Bollerslev 1986."""
    alpha, beta = data["alpha"], data["beta"]
    if alpha + beta >= 1:
        raise BuildError("data.beta", f"α + β is {alpha + beta:g}; from 1 on the bursts grow without end.", f"Set β below {1 - alpha:g}.")
    shocks, values, variance = generator.normal(0.0, 1.0, BURN_IN + steps), np.empty(BURN_IN + steps), 1.0
    for step, shock in enumerate(shocks):
        values[step] = np.sqrt(variance) * shock
        variance = 1 - alpha - beta + alpha * values[step] ** 2 + beta * variance
    return values[-steps:]


SERIES: dict[str, Callable[[Choice, np.random.Generator, int], np.ndarray]] = {
    "sine_wave": _sine_wave,
    "sawtooth": _sawtooth,
    "ar": _ar,
    "volatility": _volatility,
}
"""Data kind -> function (data, generator, steps) -> (steps,) values."""

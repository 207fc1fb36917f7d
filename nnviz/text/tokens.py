"""What the numbers of a text mean: a token's number beside its character or word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nnviz.records.data_record import DataRecord


def vocabulary(data: DataRecord | None) -> tuple[str, ...]:
    """Return the tokens that the numbers of a data set stand for, by number; none if it is no text."""
    is_text = data is not None and bool(data.feature_names) and "token" in data.feature_names[0]
    return data.class_names if is_text else ()


def written(numbers: Iterable[float], tokens: Sequence[str]) -> tuple[str, ...]:
    """Return each number with its token, "18 t"; nothing if one of them is no token's number, such as a mean."""
    numbers = list(numbers)
    if not all(float(number).is_integer() and 0 <= number < len(tokens) for number in numbers):
        return ()
    return tuple(f"{int(number)} {tokens[int(number)]}" for number in numbers)

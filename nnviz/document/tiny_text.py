"""The text that comes with the program, and its vocabulary."""

from __future__ import annotations

from functools import cache

DEEDS = (
    ("malt", "lay in the house that jack built"),
    ("rat", "ate"),
    ("cat", "killed"),
    ("dog", "worried"),
    ("cow with the crumpled horn", "tossed"),
    ("maiden all forlorn", "milked"),
    ("man all tattered and torn", "kissed"),
)


def _verse(count: int) -> str:
    """The verse that tells of the first `count` of them, the last first."""
    told = [f"the {who} that {deed}" for who, deed in reversed(DEEDS[:count])]
    return f"this is {' '.join(told)}." if told else "this is the house that jack built."


TEXT = " ".join(_verse(count) for count in range(len(DEEDS) + 1))
"""“The house that Jack built”, in small letters; source: traditional, printed in 1755."""


@cache
def tokens(unit: str) -> tuple[str, ...]:
    """Return the text as its characters or its words (a full stop is a word too). `unit`: characters · words."""
    return tuple(TEXT) if unit == "characters" else tuple(TEXT.replace(".", " .").split())


@cache
def vocabulary(unit: str) -> tuple[str, ...]:
    """Return every token once, sorted; a token's number is its place here."""
    return tuple(sorted(set(tokens(unit))))

"""How far a person has come in each lesson, and how each question went, kept between starts on this machine and nowhere else."""

from __future__ import annotations

import json

from PySide6.QtCore import QSettings

_LATEST, _PLACES, _DONE, _OFFERED, _ANSWERS = "learn/latest", "learn/places", "learn/done", "learn/offered", "learn/answers"


class LessonProgress:
    """Where each lesson was left, by its name. `is_kept`: whether the next start of the program knows it, too."""

    def __init__(self, is_kept: bool) -> None:
        self._is_kept = is_kept
        self._known: dict[str, str] = {}

    def place(self, name: str) -> int | None:
        """Return the place of the step at which a lesson was left; None if it was never begun, or left behind its end."""
        text = self._value(f"{_PLACES}/{name}")
        return int(text) if text.isdecimal() else None

    def is_done(self, name: str) -> bool:
        """Return whether the end of a lesson was ever reached."""
        return self._value(f"{_DONE}/{name}") == "yes"

    @property
    def latest(self) -> str:
        """The name of the lesson that was open last; empty for none."""
        return self._value(_LATEST)

    @property
    def was_offered(self) -> bool:
        """Whether the person has been told of the first lesson, or has begun one."""
        return bool(self.latest) or self._value(_OFFERED) == "yes"

    def keep(self, name: str, place: int) -> None:
        """Remember at which step a lesson stands."""
        self._put(_LATEST, name)
        self._put(f"{_PLACES}/{name}", str(place))

    def finish(self, name: str) -> None:
        """Remember that the end of a lesson was reached: it begins at its start the next time."""
        self._put(f"{_DONE}/{name}", "yes")
        self._put(f"{_PLACES}/{name}", "")

    def answers(self, kind: str) -> dict[str, str]:
        """Return how each question went the last time it was answered, by its name. `kind`: interview or quiz."""
        try:
            found = json.loads(self._value(f"{_ANSWERS}/{kind}") or "{}")
        except ValueError:
            return {}
        return {str(name): str(outcome) for name, outcome in found.items()} if isinstance(found, dict) else {}

    def note_answer(self, kind: str, name: str, outcome: str) -> None:
        """Remember how a question went."""
        self._put(f"{_ANSWERS}/{kind}", json.dumps(self.answers(kind) | {name: outcome}))

    def forget_answers(self, kind: str) -> None:
        """Know of no answer any more."""
        self._put(f"{_ANSWERS}/{kind}", "")

    def note_offered(self) -> None:
        """Remember that the person has been told of the first lesson."""
        self._put(_OFFERED, "yes")

    def _value(self, key: str) -> str:
        if key not in self._known:
            self._known[key] = str(QSettings().value(key, "")) if self._is_kept else ""
        return self._known[key]

    def _put(self, key: str, value: str) -> None:
        if self._value(key) != value:
            self._known[key] = value
            if self._is_kept:
                QSettings().setValue(key, value)

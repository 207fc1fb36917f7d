"""What a step sets in the document, by path, as `--set` names it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnviz.document import edits
from nnviz.document.experiment import Experiment
from nnviz.lessons.lesson_documents import refuse_file


def with_settings(experiment: Experiment, settings: Mapping[str, Any]) -> Experiment:
    """Return the experiment with these settings by path. Raises Refused, also where one of them would open a file."""
    changed = experiment
    for path, value in settings.items():
        changed = edits.set_value(changed, path, _as_typed(value))
    refuse_file(experiment, changed)
    return changed


def _as_typed(value: object) -> str:
    if value is None or isinstance(value, bool):
        return "none" if value is None else str(value).lower()
    return str(value)

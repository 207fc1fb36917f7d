"""What a step of a lesson can have the engine work out beside the run, by the name of the panel that shows it."""

from __future__ import annotations

from nnviz.records.task_records import BaselinesTask, DistancesTask, TaskKind

MEASURES: dict[str, type[TaskKind]] = {"baselines": BaselinesTask, "distances": DistancesTask}

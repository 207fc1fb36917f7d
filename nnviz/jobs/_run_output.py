"""What a run makes after so many iterations: new rows, for the job `sample`, and the files of `export`."""

from __future__ import annotations

from typing import Any

from nnviz.jobs.headless_run import trained_to
from nnviz.jobs.opened_file import OpenedFile
from nnviz.records.data_record import unscaled
from nnviz.records.task_records import FileTask


def sample(document: OpenedFile, iteration: int, count: int, seed: int, side: int | None = None) -> dict[str, Any]:
    """Return rows that the network makes of random numbers after so many iterations, in the units of the data before its scaling.

    `side`: of a grid of so many places each way over two numbers instead. Raises JobError or BuildError where it makes none.
    """
    going = trained_to(document, iteration)
    from nnviz.engine.observe.data_records import data_record
    from nnviz.engine.observe.new_samples import grid_samples, new_samples

    trainer = going.timeline.trainer
    made = new_samples(trainer, count, seed) if side is None else grid_samples(trainer, side)
    data = data_record(trainer.data, 1)
    rows = unscaled(data, made.rows.flatten(1).double().numpy())
    names = data.feature_names if len(data.feature_names) == rows.shape[1] else tuple(f"x{place}" for place in range(1, rows.shape[1] + 1))
    return {"iteration": iteration, "columns": names, "rows": rows.tolist(), "codes": made.codes.double().tolist()}


def write_file(document: OpenedFile, iteration: int, task: FileTask) -> str:
    """Write a file of the run after so many iterations, and return what is in it. Raises BuildError for what cannot be written."""
    timeline = trained_to(document, iteration).timeline
    from nnviz.engine.files.written_file import written_file

    work = written_file(task, timeline)
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value.told

"""The job of writing a run as a program: the document is trained, and what was recorded becomes a file of Python or a notebook."""

from __future__ import annotations

from nnviz.document.run_length import DEFAULT_EPOCHS
from nnviz.export.python import program
from nnviz.jobs import HeadlessRun, JobError, OpenedFile

WRITERS = {".py": program.script_text, ".ipynb": program.notebook_text}
"""By the ending of the file."""


def program_text(document: OpenedFile, ending: str, iterations: int | None = None) -> str:
    """Return the run of a document as a program of torch and numpy alone: up to so many iterations, else as far as a saved run came,
    else over as many epochs as `nnviz run` makes. Raises JobError where settings lie beyond the end."""
    from nnviz.engine.observe.recorded_runs import recorded_run

    going = HeadlessRun(document)
    if iterations is None:
        iterations = document.reached
    going.train(iterations, DEFAULT_EPOCHS if iterations is None else None)
    if going.later:
        raise JobError(
            f"@{going.later[0].iteration}:{going.later[0].path} lies beyond the end: the run has {going.timeline.iteration} iterations."
        )
    return WRITERS[ending](recorded_run(going.timeline))

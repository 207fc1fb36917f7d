"""Examples and templates, changed as the command line changes them, and trained."""

from __future__ import annotations

from nnviz import jobs
from nnviz.engine.run.timeline import Timeline
from nnviz.jobs import Setting
from nnviz.records.verdicts import Verdict, noise_of, verdict_of_points


def going(name: str, iterations: int, **settings: object) -> jobs.HeadlessRun:
    """The example after so many iterations. `settings`: what is changed, by its path or one of the short names below."""
    made = [Setting(path if "." in path else _PATHS.get(path, f"training.{path}"), str(value)) for path, value in settings.items()]
    run = jobs.HeadlessRun(jobs.open_document(f"example:{name}", made))
    run.train(iterations, None)
    return run


def trained(name: str, iterations: int, **settings: object) -> Timeline:
    """The same as a timeline."""
    return going(name, iterations, **settings).timeline


def judged(name: str, iterations: int, **settings: object) -> Verdict:
    """How that run ended."""
    run = going(name, iterations, **settings)
    trainer = run.timeline.trainer
    return verdict_of_points(run.timeline.points, noise_of(trainer.experiment, trainer.training_rows.count), run.stopped == "non_finite")


_PATHS = {
    "optimizer": "training.optimizer.kind",
    "rate": "training.optimizer.learning_rate",
    "scaling": "data.scaling",
    "seed": "seed",
}

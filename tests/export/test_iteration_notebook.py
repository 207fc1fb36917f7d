"""Notebooks of one iteration: in a process without nnviz all they work out by hand agrees with torch's autograd, which they check."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from nnviz import cli
from nnviz.document import catalog
from nnviz.document.edits import set_value
from nnviz.document.experiment import Experiment
from nnviz.document.store.examples import PREFIX, TEMPLATES, example_names, open_document
from nnviz.engine.observe.recorded_iterations import recorded_leaves
from nnviz.engine.run.timeline import Timeline
from nnviz.export.python._hand_rules import BACKWARD, FORWARD
from nnviz.export.python.iteration_notebook import iteration_notebook
from tests.export.test_program import OWN, file_name, own, run_all

DOCUMENTS = [f"{PREFIX}{name}" for name in example_names()] + [f"template:{name}" for name in TEMPLATES]
VARIED = {f"{path}={value}": (document, path, value) for document, path, values in (
    ("template:mlp", "network.layers[1].activation", catalog.ACTIVATIONS),
    ("template:rnn", "training.loss", ("mse", "mae", "rmse", "huber")),
    ("template:mlp", "training.loss", ("cross_entropy", "mse")),
    ("template:encoder", "network.layers[3].causal", ("true",)),
    ("template:encoder", "network.layers[3].p", ("0.3",)),
    ("template:mlp", "training.l1", ("0.01",)),
    ("template:mlp", "training.l2", ("0.01",)),
) for value in values}  # fmt: skip


def write(folder: Path, name: str, experiment: Experiment, iteration: int) -> None:
    timeline = Timeline(experiment, Path())
    timeline.go_to(iteration)
    trace, given = recorded_leaves(timeline.trainer)
    text = iteration_notebook(trace, given, experiment.title, experiment.network.titles)
    (folder / f"{file_name(name)}.ipynb").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, dict]]:
    """The folder of the notebooks, and what each did, by the name of its file."""
    folder = tmp_path_factory.mktemp("notebooks")
    for document in DOCUMENTS:
        write(folder, document, open_document(document), 0 if document.endswith(("exploding", "learning_rate")) else 1)
    for name, (document, path, value) in VARIED.items():
        write(folder, name, set_value(open_document(document), path, value), 1)
    for name in OWN:
        write(folder, name, own(name), 2)
    altered = (folder / f"{file_name('template:mlp')}.ipynb").read_text(encoding="utf-8")
    assert "d_out_linear @ out_weight" in altered
    (folder / "altered.ipynb").write_text(altered.replace("d_out_linear @ out_weight", "d_out_linear @ (2 * out_weight)"), encoding="utf-8")
    return folder, run_all(folder)


@pytest.mark.parametrize("name", [*DOCUMENTS, *VARIED, *OWN])
def test_every_gradient_by_hand_is_torchs(written, name):
    gave = written[1][f"{file_name(name)}.ipynb"]
    assert gave["code"] == 0, gave["code"][-800:]
    assert gave["output"].count("difference from torch") >= 2


def test_a_wrong_rule_is_found(written):
    assert "differs from torch by" in written[1]["altered.ipynb"]["code"]


def test_notebooks_are_valid_and_laid_out_as_ruff_does(written):
    for path in written[0].glob("*.ipynb"):
        nbformat.validate(nbformat.read(path, as_version=4))
    for command in (["format", "--diff"], ["check"]):
        done = subprocess.run([sys.executable, "-m", "ruff", *command, "--isolated", str(written[0])], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-3000:]


def test_formulas_stand_above_what_they_say(written):
    cells = json.loads((written[0] / f"{file_name('template:worked_2-2-1')}.ipynb").read_text(encoding="utf-8"))["cells"]
    texts = ["".join(cell["source"]) for cell in cells]
    forward = texts.index("### hidden\n\n- linear: z = x Wᵀ + b\n- relu: a = max(0, z)")
    assert texts[forward + 1].startswith("h1_linear = x @ h1_weight.T + h1_bias\n")
    backward = next(place for place, text in enumerate(texts) if text.startswith("### hidden, backward"))
    assert "- relu: ∂L/∂z = ∂L/∂a · [z > 0]" in texts[backward]
    assert "d_h1_linear = d_h1_relu * (h1_linear > 0)" in texts[backward + 1]


def test_a_rule_backward_has_a_form_forward():
    assert BACKWARD.keys() <= FORWARD.keys()


def test_the_command_line_writes_it(tmp_path):
    out = tmp_path / "hand.ipynb"
    assert cli.main(["export", "template:worked_2-2-1", "--to", str(out), "--what", "iteration", "--iteration", "3"]) == 0
    assert "iteration 4 by hand" in out.read_text(encoding="utf-8")

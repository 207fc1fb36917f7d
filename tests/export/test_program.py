"""Exported programs, run without nnviz, give its losses and its digest to the bit; and they are laid out as ruff would."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from nnviz import cli
from nnviz.document import catalog
from nnviz.document.catalog import new_layer
from nnviz.document.edits import set_value
from nnviz.document.experiment import Experiment
from nnviz.document.network import Choice, Link, Network
from nnviz.document.store import json_text
from nnviz.document.store.examples import PREFIX, TEMPLATES, example_names
from nnviz.engine.observe.recorded_runs import recorded_run
from nnviz.engine.run import optimizers
from nnviz.engine.run.timeline import Timeline
from nnviz.engine.run.trainer import digest
from nnviz.export.python import data_code, net_code, start_code, training_code
from nnviz.export.python.program import notebook_text, script_text
from nnviz.export.python.python_text import Bracketed, CallSource, assigned, laid_out, numbers
from nnviz.jobs import HeadlessRun, OpenedFile, Setting, open_document
from tests.export.random_runs import random_run

pytestmark = pytest.mark.timeout(600)  # all programs are written and run before the first test
RUNNER = Path(__file__).with_name("program_runner.py")
ITERATIONS = 24
DOCUMENTS = [f"{PREFIX}{name}" for name in example_names()] + [f"template:{name}" for name in TEMPLATES]
NOTEBOOKS = ("template:mlp", "template:lstm", "example:gan", "template:worked_2-2-1")


ROWS = Path(__file__).with_name("program_rows.txt").read_text(encoding="utf-8").splitlines()
"""Each a document, how many iterations if not 40, and settings as of `--set`, without `network.` and `training.`."""
ROW_NAMES = [f"row_{place + 1:03}" for place in range(len(ROWS))]
"""By the lines of the file."""
CHANGED = next(place for place, row in enumerate(ROWS) if row == "template:mlp @10:optimizer.learning_rate=0.1")
EDITED = (
    "layer_added", "weights_edited", "many_weights_edited", "locks_set", "gates_locked", "sequence", "images", "wide", "before_random",
    "function_changed", "outputs_changed", "no_weights",
)  # fmt: skip
"""Runs with changes that no setting can make, and documents that use what no example does."""


SEEDS = range(40)
RANDOM = [f"random_{seed}" for seed in SEEDS]
"""Runs with random settings and edits."""


def read_row(row: str) -> tuple[str, int, list[Setting]]:
    name, *settings = row.split(" ")
    length = int(settings.pop(0)) if settings[0].isdigit() else 40
    return name, length, [setting(text) for text in settings]


def setting(text: str) -> Setting:
    at, _, rest = text.removeprefix("@").partition(":") if text.startswith("@") else ("", "", text)
    path, value = rest.split("=", 1)
    part = {"layers": "network.", "data": "", "seed": "", "precision": ""}.get(path.partition(".")[0].partition("[")[0], "training.")
    return Setting(part + path, value, int(at) if at else None)


def write(folder: Path, name: str, document: OpenedFile, iterations: int, notebook: bool = False) -> dict:
    """Write the program of a document's run; return what it must give."""
    going = HeadlessRun(document)
    while going.timeline.iteration < iterations and not going._stop(going._advanced(iterations)):
        pass
    going._make_settings()
    return write_run(folder, name, going.timeline, notebook)


def write_run(folder: Path, name: str, timeline: Timeline, notebook: bool = False) -> dict:
    run = recorded_run(timeline)
    (folder / f"{name}.py").write_text(script_text(run), encoding="utf-8")
    if notebook:
        (folder / f"{name}.ipynb").write_text(notebook_text(run), encoding="utf-8")
    losses = [point.loss for point in timeline.points[1 : timeline.iteration + 1]]
    return {"losses": losses, "digest": digest(timeline.trainer.net)}


def run_all(folder: Path) -> dict[str, dict]:
    environment = os.environ | {"PYTHONPATH": "", "PYTHONSAFEPATH": "1"}
    command = [sys.executable, str(RUNNER), str(folder)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    results = [json.loads(line) for line in done.stdout.splitlines()]
    return {result["name"]: result for result in results}


def file_name(document: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in document)


# --- documents that use what no example has ---

SEQUENCE = {
    "format": "nnviz", "version": 1, "title": 'Layers "of" sequences', "seed": 5,
    "data": {"kind": "sine_wave", "samples": 90, "noise": 0.05, "window": 8, "validation": 0.25, "scaling": "min-max"},
    "network": {
        "layers": [
            {"id": "training", "kind": "input", "shape": [8, 1]},
            {"id": "forward", "kind": "conv1d", "out_channels": 6, "kernel_size": 3, "padding": 1, "activation": "softmax"},
            {"id": "class", "kind": "batch_norm", "momentum": 0.2, "epsilon": 0.001},
            {"id": "F", "kind": "spatial_dropout", "p": 0.3},
            {"id": "a", "kind": "attention", "num_heads": 2, "causal": True},
            {"id": "a_layer_with_quite_a_long_name_of_its", "kind": "dense", "units": 6, "activation": "leaky_relu"},
            {"id": "gate", "kind": "multiply"},
            {"id": "norm", "kind": "layer_norm", "epsilon": 0.001},
            {"id": "both", "kind": "concat", "axis": 2},
            {"id": "pool", "kind": "max_pool", "kernel_size": 3, "stride": 2, "padding": 1},
            {"id": "n", "kind": "noise", "std": 0.2},
            {"id": "half", "kind": "avg_pool", "kernel_size": 2},
            {"id": "_flat", "kind": "flatten"},
            {"id": "shape", "kind": "reshape", "shape": [6, 4]},
            {"id": "best", "kind": "global_pool", "function": "max"},
            {"id": "out", "kind": "dense", "units": 1, "bias": False},
        ],
        "links": [
            ["training", "forward"], ["forward", "class"], ["class", "F"], ["F", "a"],
            ["F", "a_layer_with_quite_a_long_name_of_its"], ["a", "gate"],
            ["a_layer_with_quite_a_long_name_of_its", "gate"], ["gate", "norm"], ["norm", "both"], ["a", "both"], ["both", "pool"],
            ["pool", "n"], ["n", "half"], ["half", "_flat"], ["_flat", "shape"], ["shape", "best"], ["best", "out"],
        ],
    },
    "training": {"loss": "rmse", "optimizer": {"kind": "adam", "learning_rate": 0.01}, "batch_size": 16, "early_stopping": 50},
}  # fmt: skip
IMAGES = {
    "format": "nnviz", "version": 1, "title": "Layers of images", "seed": 6, "precision": "float64",
    "data": {"kind": "digits", "validation": 0.5, "scaling": "standardise"},
    "network": {
        "layers": [
            {"id": "x", "kind": "input", "shape": [1, 8, 8]},
            {"id": "c", "kind": "conv2d", "out_channels": 4, "kernel_size": 3, "stride": 2, "bias": False, "activation": "elu"},
            {"id": "b", "kind": "batch_norm"},
            {"id": "d", "kind": "spatial_dropout", "p": 0.4},
            {"id": "s", "kind": "activation", "function": "silu"},
            {"id": "sum", "kind": "add"},
            {"id": "p", "kind": "avg_pool", "kernel_size": 2, "stride": 1, "padding": 1},
            {"id": "g", "kind": "global_pool", "function": "mean"},
            {"id": "z", "kind": "gaussian_latent", "units": 3, "beta": 0.5},
            {"id": "out", "kind": "dense", "units": 10},
        ],
        "links": [
            ["x", "c"], ["c", "b"], ["b", "d"], ["d", "s"], ["s", "sum"], ["c", "sum"], ["b", "sum"], ["sum", "p"], ["p", "g"], ["g", "z"],
            ["z", "out"],
        ],
    },
    "training": {"loss": "cross_entropy", "optimizer": {"kind": "rmsprop", "learning_rate": 0.01}, "batch_size": 200},
}  # fmt: skip
WIDE = {
    "format": "nnviz", "version": 1, "title": "Rows that take several lines", "seed": 1,
    "data": {
        "kind": "table", "x": [[round(0.1 * (row * 7 % 13) - 0.05 * place, 4) for place in range(20)] for row in range(40)],
        "y": [row % 3 for row in range(40)], "validation": 0.3, "scaling": "standardise",
    },
    "network": {
        "layers": [
            {"id": "x", "kind": "input", "shape": [20]}, {"id": "h", "kind": "dense", "units": 5, "activation": "tanh", "gain": 1.5},
            {"id": "out", "kind": "dense", "units": 3},
        ],
        "links": [["x", "h"], ["h", "out"]],
    },
    "training": {"loss": "mae", "optimizer": {"kind": "sgd", "learning_rate": 0.1, "momentum": 0.5}, "batch_size": 7},
    "weights": {"h.weight": [[round(0.01 * (row - place), 3) for place in range(20)] for row in range(5)], "out.bias": [0.1, 0.2, 0.3]},
    "locks": {"h.weight": [[0, 0], [2, 3]], "out.bias": True},
}  # fmt: skip
OWN = {"sequence": SEQUENCE, "images": IMAGES, "wide": WIDE}


def own(name: str, **training: object) -> Experiment:
    document = OWN[name] | {"training": OWN[name]["training"] | training}
    experiment, problems = json_text.decode(json.dumps(document).encode())
    assert experiment is not None, problems
    return experiment


# --- changes of the run that a person makes in the window ---


def edited(experiment: Experiment, edits: dict[int, Callable[[Experiment], Experiment]], end: int) -> Timeline:
    timeline = Timeline(experiment, Path())
    for iteration, edit in edits.items():
        timeline.go_to(iteration)
        timeline.edit(edit(timeline.document))
    timeline.go_to(end)
    return timeline


def with_layer(experiment: Experiment) -> Experiment:
    """A dense layer put between two others."""
    layers = list(experiment.network.layers)
    layers.insert(2, new_layer("dense", "extra", units=8, activation="tanh"))
    pairs = [(link.source, link.target) for link in experiment.network.links if link != Link("h1", "h2")]
    links = [Link(*pair) for pair in (*pairs, ("h1", "extra"), ("extra", "h2"))]
    return replace(experiment, network=Network(tuple(layers), tuple(links)))


def before_random(experiment: Experiment) -> Experiment:
    """Layers between the input and the random numbers: they draw, learn from what is added to the loss, and only say how many rows."""
    added = [new_layer("noise", "n"), new_layer("dense", "before", units=3), new_layer("gaussian_latent", "latent", units=2)]
    links = [link for link in experiment.network.links if link.target != "z"]
    links += [Link(*pair) for pair in (("x", "n"), ("n", "before"), ("before", "latent"), ("latent", "z"))]
    return replace(experiment, network=Network((*experiment.network.layers, *added), tuple(links)))


def changed(path: str, text: str) -> Callable[[Experiment], Experiment]:
    return lambda experiment: set_value(experiment, path, text)


def normed(experiment: Experiment) -> Experiment:
    """A layer norm alone: it has no weights that a penalty counts."""
    links = (Link("x", "norm"),)
    return replace(experiment, network=Network((experiment.network.layers[0], new_layer("layer_norm", "norm")), links))


def set_weights(name: str, values: list) -> Callable[[Experiment], Experiment]:
    return lambda experiment: replace(experiment, weights=experiment.weights | {name: values})


def set_locks(**locks: object) -> Callable[[Experiment], Experiment]:
    named = {name.replace("__", "."): value for name, value in locks.items()}
    return lambda experiment: replace(experiment, locks=named)


def timelines() -> dict[str, Timeline]:
    torch.set_num_threads(1)
    mlp, lstm = (open_document(f"template:{name}").experiment for name in ("mlp", "lstm"))
    gan, rnn = (open_document(name).experiment for name in ("example:gan", "template:rnn"))
    squares = set_value(mlp, "training.loss", "mse")
    large = [[0.01 * (row - column) for column in range(8)] for row in range(8)] * 2
    wide = replace(mlp, network=set_value(mlp, "network.layers[1].units", "16").network)
    return {
        "layer_added": edited(mlp, {9: with_layer, 15: set_weights("h1.weight", [[0.5, -0.5]] * 8)}, 30),
        "weights_edited": edited(mlp, {0: set_weights("out.bias", [0.5, -0.5]), 20: set_weights("out.bias", [1.0, 2.0])}, 20),
        "many_weights_edited": edited(wide, {10: set_weights("h2.weight", [[*row, *row] for row in large[:8]])}, 20),
        "locks_set": edited(mlp, {5: set_locks(h1__weight=[[0, 1]], h2__bias=True), 15: set_locks()}, 25),
        "gates_locked": edited(lstm, {4: set_locks(r__bias_l0=True)}, 12),
        "sequence": edited(own("sequence"), {10: lambda one: set_value(one, "training.dropout", "false")}, 20),
        "images": edited(own("images"), {}, 12),
        "before_random": edited(gan, {5: before_random, 9: lambda one: set_value(one, "training.l2", "0.01"), 14: lambda _: gan}, 20),
        "function_changed": edited(
            rnn, {5: changed("network.layers[1].activation", "relu"), 9: changed("network.layers[1].activation", "silu")}, 14
        ),
        "outputs_changed": edited(squares, {5: changed("network.layers[3].units", "1"), 9: lambda _: squares}, 14),
        "no_weights": edited(set_value(squares, "training.l2", "0.01"), {5: normed}, 10),
        "wide": edited(own("wide", clip_norm=0.1), {12: lambda one: set_value(one, "training.clip_norm", "0.05")}, 20),
    }


# --- rows of files ---

COLOURS = ("red", '"dark, green"')
FILES = {
    "words.csv": "a,b,colour,kind\n" + "\n".join(f"{i % 7}.{i},{i % 5 - 2},{COLOURS[i % 2]},{'yn'[i % 3 > 0]}" for i in range(60)),
    "commas.csv": "a;b;y\n" + "\n".join(f"{i % 7},{i % 10};{i % 5}e-1;{i % 4},5" for i in range(60)),
    "gaps.csv": "\n".join(f"{i % 7}.5,{'' if i % 9 == 4 else i % 5},{i % 3}" for i in range(60)),
}
FROM_FILES = {
    "from_words": ({"path": "words.csv", "target": "kind"}, [4], 2, "cross_entropy"),
    "from_commas": ({"path": "commas.csv", "target": "y", "target_scaling": "standardise"}, [2], 1, "mse"),
    "from_gaps": ({"path": "gaps.csv", "target": "column 3", "missing": "column mean"}, [2], 3, "cross_entropy"),
    "from_series": ({"path": "commas.csv", "target": "b", "window": 4, "horizon": 2}, [4, 3], 1, "mae"),
}
"""What of a file becomes which input and output, under which loss."""


def from_file(name: str, folder: Path) -> Timeline:
    data, shape, units, loss = FROM_FILES[name]
    layers = [{"id": "x", "kind": "input", "shape": shape}, {"id": "f", "kind": "flatten"}, {"id": "out", "kind": "dense", "units": units}]
    document = {
        **{"format": "nnviz", "version": 1, "data": {"kind": "csv", "validation": 0.3, "scaling": "standardise", **data}},
        **{"network": {"layers": layers, "links": [["x", "f"], ["f", "out"]]}, "training": {"loss": loss, "batch_size": 16}},
    }
    experiment, problems = json_text.decode(json.dumps(document).encode())
    assert experiment is not None, problems
    timeline = Timeline(experiment, folder)
    timeline.go_to(15)
    return timeline


# --- what every program must do ---


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, dict], dict[str, dict]]:
    """The folder of all programs, what each must give, and what each gave, by the name of its file."""
    folder, wanted = tmp_path_factory.mktemp("programs"), {}
    for document in DOCUMENTS:
        wanted[file_name(document)] = write(folder, file_name(document), open_document(document), ITERATIONS, document in NOTEBOOKS)
    for row, line in zip(ROW_NAMES, ROWS, strict=True):
        name, length, settings = read_row(line)
        wanted[row] = write(folder, row, open_document(name, settings), length)
    for name, timeline in timelines().items():
        wanted[name] = write_run(folder, name, timeline, notebook=True)
    for seed in SEEDS:
        wanted[f"random_{seed}"] = write_run(folder, f"random_{seed}", random_run(seed))
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    for name in FROM_FILES:
        wanted[name] = write_run(folder, name, from_file(name, folder))
    text = (folder / f"{file_name('template:mlp')}.py").read_text(encoding="utf-8")
    (folder / "altered.py").write_text(text.replace("lr=0.01", "lr=0.02"), encoding="utf-8")
    return folder, wanted, run_all(folder)


@pytest.mark.parametrize("name", [*DOCUMENTS, *ROW_NAMES, *EDITED, *FROM_FILES, *RANDOM])
def test_a_program_gives_the_losses_and_the_weights_to_the_bit(written, name):
    _, wanted, found = written
    gave, must = found[f"{file_name(name)}.py"], wanted[file_name(name)]
    assert gave["code"] == 0, gave["code"] if isinstance(gave["code"], str) else gave["output"][-300:]
    assert gave["losses"] == must["losses"]
    assert gave["digest"] == gave["trained"] == must["digest"]
    assert gave["output"].endswith("losses: the same to the bit as in nnviz\nweights: the same to the bit as in nnviz\n")


@pytest.mark.parametrize("name", [*NOTEBOOKS, *EDITED])
def test_a_notebook_does_the_same(written, name):
    folder, wanted, found = written
    gave, must = found[f"{file_name(name)}.ipynb"], wanted[file_name(name)]
    assert gave["code"] == 0, gave["code"]
    assert (gave["losses"], gave["digest"]) == (must["losses"], must["digest"])
    nbformat.validate(nbformat.read(folder / f"{file_name(name)}.ipynb", as_version=4))


def test_a_program_prints_every_loss_of_a_short_run(written):
    _, wanted, found = written
    name = file_name("template:mlp")
    printed = [float(line.rpartition(" ")[2]) for line in found[f"{name}.py"]["output"].splitlines() if line.startswith("iteration ")]
    assert printed == wanted[name]["losses"]


def test_a_program_that_was_altered_says_how_far_it_is_off(written):
    gave = written[2]["altered.py"]
    assert gave["code"] == 1
    assert "losses: not the same as in nnviz, the largest difference is 0." in gave["output"]
    assert "weights: not the same as in nnviz, the largest difference is 0." in gave["output"]


def test_the_net_of_the_end_is_there_without_training(written):
    command = [sys.executable, str(written[0] / f"{file_name('template:mlp')}.py"), "--trained"]
    done = subprocess.run(command, cwd=written[0], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "weights: the same to the bit as in nnviz\n"), done.stderr


def test_programs_and_notebooks_are_laid_out_as_ruff_does_and_have_no_faults(written):
    for command in (["format", "--diff"], ["check"]):
        done = subprocess.run([sys.executable, "-m", "ruff", *command, "--isolated", str(written[0])], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-500:]


def test_a_program_imports_torch_and_numpy_alone_and_sklearn_for_its_own_data(written):
    for path in written[0].glob("*.py"):
        imported = {node.names[0].name if isinstance(node, ast.Import) else node.module for node in imports(path)}
        libraries = {name.partition(".")[0] for name in imported} - sys.stdlib_module_names
        own = {"sklearn"} if "datasets.load_" in path.read_text(encoding="utf-8") else set()
        assert libraries == {"torch", "numpy"} | own, path.name


def imports(path: Path) -> list[ast.Import | ast.ImportFrom]:
    return [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Import | ast.ImportFrom)]


def test_a_simple_run_is_a_short_page(written):
    text = (written[0] / f"{file_name('template:mlp')}.py").read_text(encoding="utf-8")
    assert len(text.partition("# --- comparison ---")[0].splitlines()) < 180
    assert "        h1 = F.relu(self.h1(x))\n        h2 = F.relu(self.h2(h1))\n        return self.out(h2)\n" in text


def test_a_network_that_comes_back_is_written_once(written):
    text = (written[0] / "outputs_changed.py").read_text(encoding="utf-8")
    assert text.count("(nn.Module):") == 2 and 'from iteration 5 on."""' in text and text.count("model = model, Net()") == 1


def test_a_change_of_the_run_is_told_where_it_is_made(written):
    text = (written[0] / f"{ROW_NAMES[CHANGED]}.py").read_text(encoding="utf-8")
    assert "if iteration == 10:\n            # learning rate 0.01 → 0.1\n            for group in optimizer.param_groups:" in text


def test_a_file_is_read_plainly_where_that_gives_the_same_rows(written):
    texts = {name: (written[0] / f"{name}.py").read_text(encoding="utf-8") for name in FROM_FILES}
    assert {name: "csv.reader(" in text for name, text in texts.items()} == {name: name != "from_gaps" for name in FROM_FILES}
    assert "ROWS = {" in texts["from_gaps"]


# --- the command line ---


def test_without_a_number_it_is_as_many_epochs_as_a_run_has(tmp_path):
    out = tmp_path / "net.py"
    assert cli.main(["export", "template:perceptron", "--to", str(out), "--seed", "5", "--precision", "float64"]) == 0
    text = out.read_text(encoding="utf-8")
    assert "SEED = 5\nITERATIONS = 110\n" in text
    assert "torch.set_default_dtype(torch.float64)" in text


def test_a_run_that_stops_early_is_written_as_far_as_it_came(tmp_path):
    out = tmp_path / "net.py"
    words = ["--iteration", "300", "--set", "training.early_stopping=1", "--set", "training.optimizer.learning_rate=0.3"]
    assert cli.main(["export", "template:mlp", "--to", str(out), *words]) == 0
    assert "ITERATIONS = 33\n" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--iteration", "5", "--set", "@9:training.l1=1"], "@9:training.l1 lies beyond the end"),
        (["--set", "@2:seed=3"], "seed cannot change while a run goes on"),
        (["--set", "training.loss=none"], "training.loss"),
    ],
)
def test_what_cannot_be_written_is_said_in_a_sentence(tmp_path, capsys, words, sentence):
    out = tmp_path / "net.py"
    assert cli.main(["export", "template:mlp", "--to", str(out), *words]) == 1
    assert sentence in capsys.readouterr().err
    assert not out.exists()


# --- what the catalog offers ---


def test_every_kind_of_the_catalog_is_written_somehow():
    inside = {"input", "random", "real_or_generated"}  # of these the method itself is made
    assert net_code.LAYER_SOURCES.keys() == catalog.LAYERS.keys() - inside
    assert data_code.SOURCES.keys() == catalog.DATASETS.keys()
    assert net_code.FUNCTIONS.keys() == catalog.ACTIVATIONS.keys() - {"identity"}
    assert training_code.LOSSES.keys() == catalog.LOSSES.keys()
    assert training_code.OPTIMIZER_CLASSES.keys() == catalog.OPTIMIZERS.keys()
    assert start_code.FILLS.keys() == catalog.INITIALIZERS.keys() - {"default"}


@pytest.mark.parametrize("kind", catalog.OPTIMIZERS)
def test_what_is_left_out_of_an_optimizer_is_what_torch_takes(kind):
    fields = {"learning_rate": 0.1, **training_code.TORCH_DEFAULTS[kind]}
    assert fields.keys() == {field.name for field in catalog.OPTIMIZERS[kind].fields}
    parameter = torch.nn.Parameter(torch.zeros(1))
    bare = getattr(torch.optim, training_code.OPTIMIZER_CLASSES[kind])([parameter], lr=0.1)
    full = optimizers.OPTIMIZERS[kind]([parameter], **optimizers.arguments(Choice(kind, fields)))
    assert bare.defaults == full.defaults


@pytest.mark.parametrize("name", dir(torch.nn.Module))
def test_no_layer_takes_the_place_of_a_part_of_a_module(name):
    assert net_code.attribute(name) not in dir(torch.nn.Module)


# --- layout ---


@pytest.mark.parametrize(
    ("source", "margin", "text"),
    [
        (CallSource("f", ("a", "b")), 0, "f(a, b)"),
        (CallSource("a_function", ("a" * 38, "b" * 38)), 0, f"a_function(\n    {'a' * 38}, {'b' * 38}\n)"),
        (CallSource("f", ("a" * 50, "b" * 50)), 0, f"f(\n    {'a' * 50},\n    {'b' * 50},\n)"),
        (Bracketed("[", ("a" * 60, "b" * 40), "]"), 0, f"[\n    {'a' * 60},\n    {'b' * 40},\n]"),
        (numbers([[1.5, 2.0], [1e300, -1]]), 0, "[[1.5, 2.0], [1e300, -1]]"),
    ],
)
def test_source_is_broken_as_ruff_breaks_it(source, margin, text):
    assert laid_out(source, margin=margin) == text


@settings(deadline=None, max_examples=40)
@given(st.recursive(st.text("ab", min_size=1, max_size=60), lambda inner: st.lists(inner, min_size=1, max_size=5), max_leaves=12))
def test_any_list_of_names_is_laid_out_as_ruff_does(nested):
    def source(part):
        return part if isinstance(part, str) else Bracketed("[", tuple(map(source, part)), "]")

    text = assigned("x", source(nested if isinstance(nested, list) else [nested])) + "\n"
    done = subprocess.run([sys.executable, "-m", "ruff", "format", "--isolated", "-"], input=text, capture_output=True, text=True)
    assert done.stdout == text

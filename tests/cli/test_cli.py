"""The command line as a script meets it: what is printed, where, and the exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from nnviz import jobs
from nnviz.cli import main
from nnviz.document.breakpoints import Breakpoint
from nnviz.document.store import examples, files
from nnviz.document.store.examples import example_names
from tests.engine.experiments import experiment

ROOT = Path(__file__).resolve().parents[2]
CASES = ROOT / "tests" / "cases"


@pytest.fixture
def document(tmp_path):
    path = tmp_path / "small é 网.json"
    files.save(path, experiment(batch_size=16))
    return str(path)


@pytest.fixture
def said(capsys):
    """Runs a command; returns exit code, the JSON value on stdout (or the text), and stderr."""

    def run(*arguments: str):
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return code, json.loads(out) if "--json" in arguments and out else out, err

    return run


def flat(value):
    return [number for entry in value for number in flat(entry)] if isinstance(value, list) else [value]


# --- trace ---


@pytest.mark.parametrize("detail", ["layer", "textbook", "math"])
def test_the_worked_example_by_hand(said, detail):
    code, trace, err = said("trace", "example:worked_2-2-1", "--detail", detail, "--json")
    assert code == 0 and not err
    nodes = {node["label"] if node["kind"] == "parameter" else f"{node['operation']} {node['module']}": node for node in trace["nodes"]}
    close = lambda numbers: pytest.approx(numbers, rel=1e-12, abs=1e-12)  # noqa: E731
    assert flat(nodes["linear h1"]["value"]) == close([-0.72, 1.73])
    assert flat(nodes["linear out"]["value"]) == close([2.276])
    assert trace["loss"] == close(1.628176) and trace["worst_error"] <= 1e-12
    assert flat(nodes["h1.weight"]["gradient"]) == close([0, 0, 3.98112, 2.14368])
    assert flat(nodes["out.bias"]["gradient"]) == close([2.552])
    assert nodes["linear h1"]["shape"] == [1, 2] and nodes["linear h1"]["inputs"] == [0, 1, 2]
    assert flat(nodes["linear h1"]["gradient"]) == close([0, 3.0624])


def test_traces_have_the_promised_keys(said, document):
    _, trace, _ = said("trace", document, "--iteration", "3", "--json", "--set", "training.clip_norm=0.01")
    assert {"iteration", "loss", "detail", "worst_error", "nodes", "steps", "updates"} <= set(trace)
    assert trace["iteration"] == 3 and trace["detail"] == "textbook" and len(trace["rows"]) == 16
    promised = set("id kind operation label module group inputs shape value gradient contributions reads formula derivative".split())  # noqa: SIM905
    assert all(promised <= set(node) for node in trace["nodes"])
    assert [step["index"] for step in trace["steps"]] == list(range(len(trace["steps"])))
    assert {"index", "phase", "node", "parameter"} == set(trace["steps"][-1])
    row = trace["updates"][0]["rows"][0]
    assert set(row) == {"symbol", "formula", "value"} and set(trace["updates"][0]) == {"parameter", "rows", "before", "after"}
    weight = next(node for node in trace["nodes"] if node["label"] == "h2.weight")
    assert flat(weight["contributions"][0]["gradient"]) == flat(weight["gradient"])
    assert trace["nodes"][weight["contributions"][0]["from"]]["operation"] == "linear"


@pytest.mark.parametrize("detail", ["textbook", "neurons"])
def test_one_layer_at_another_detail(said, detail):
    code, trace, err = said("trace", "example:moons", "--detail", detail, "--detail-of", "loss=math", "--json")
    assert code == 0 and not err and trace["details"] == {"loss": "math"}
    assert {"log_softmax", "nll_loss"} <= {node["operation"] for node in trace["nodes"]}


def test_a_detail_of_a_layer_there_is_not_names_those_there_are(said):
    code, _, err = said("trace", "example:moons", "--detail-of", "h9=math")
    assert code != 0 and "'h9' is no group in which a call is made" in err and "this iteration has h1, h2, loss, out" in err
    code, _, err = said("trace", "example:moons", "--detail-of", "h1=neurons")
    assert code == 2 and "'h1=neurons' is not PATH=DETAIL" in err


def test_a_trace_follows_the_run(said, document):
    _, before, _ = said("trace", document, "--iteration", "3", "--json")
    _, after, _ = said("trace", document, "--iteration", "4", "--json")
    values = {node["label"]: node["value"] for node in after["nodes"] if node["kind"] == "parameter"}
    for update in before["updates"]:
        assert flat(update["after"]) == pytest.approx(flat(values[update["parameter"]]), abs=1e-6)


def test_trace_one_sample_and_in_words(said, document):
    _, trace, _ = said("trace", document, "--sample", "7", "--json", "--precision", "float64")
    assert trace["rows"] == [7] and trace["precision"] == "float64" and trace["nodes"][0]["shape"] == [1, 2]
    code, text, _ = said("trace", document)
    assert code == 0 and "h1.weight" in text and "backward" in text


def test_every_output_of_an_operation_is_told_with_its_port(said):
    """x Wᵀ + b of the second time step, from what the trace says of unbind's second output."""
    _, trace, _ = said("trace", CASES / "trace-multi-output.json", "--json")
    nodes = trace["nodes"]
    unbind = next(node for node in nodes if node["operation"] == "unbind")
    assert [output["port"] for output in unbind["outputs"]] == [0, 1]
    assert unbind["outputs"][0] == {"port": 0, "shape": unbind["shape"], "value": unbind["value"], "gradient": unbind["gradient"]}
    linears = [node for node in nodes if node["operation"] == "linear" and node["inputs"][0] == unbind["id"]]
    assert sorted(node["ports"][0] for node in linears) == [0, 1]
    for linear in linears:
        (w,), (b,) = (flat(nodes[source]["value"]) for source in linear["inputs"][1:])
        (x,) = flat(unbind["outputs"][linear["ports"][0]]["value"])
        assert flat(linear["value"]) == pytest.approx([x * w + b], rel=1e-12)
    for output in unbind["outputs"]:
        sent = [flat(part["gradient"]) for part in unbind["contributions"] if part["port"] == output["port"]]
        assert [sum(numbers) for numbers in zip(*sent, strict=True)] == pytest.approx(flat(output["gradient"]), rel=1e-12)


def test_an_update_that_lands_on_zero_is_traced(said):
    code, trace, err = said("trace", CASES / "update-lands-on-zero.json", "--json")
    assert code == 0 and not err
    assert flat(trace["updates"][0]["before"]) == pytest.approx([0.1]) and abs(flat(trace["updates"][0]["after"])[0]) < 1e-7


def test_large_tensors_are_measures(said, tmp_path):
    path = tmp_path / "wide.json"
    files.save(path, experiment(batch_size=16))
    _, trace, _ = said("trace", path, "--json", "--set", "network.layers.h2.units=1500")
    weight = next(node for node in trace["nodes"] if node["label"] == "h2.weight")["value"]
    promised = {"shape", "min", "max", "mean", "std", "norm", "zeros", "non_finite", "histogram"}
    assert promised <= set(weight) and weight["shape"] == [1500, 4] and sum(weight["histogram"]) + weight["zeros"] == 6000


# --- run ---


def test_run_twice_gives_the_same_digest(said, document):
    code, one, err = said("run", document, "--iterations", "30", "--json")
    assert code == 0 and not err
    known = {"iterations", "epochs", "loss", "validation_loss", "metrics", "parameters", "digest", "seconds", "stopped", "findings"}
    assert known | {"breakpoint", "loss_is", "training_loss", "message"} == set(one)
    assert (one["iterations"], one["epochs"], one["parameters"], one["stopped"], one["findings"]) == (30, 10, 42, "done", [])
    _, same, _ = said("run", document, "--epochs", "10", "--json")
    _, other, _ = said("run", document, "--iterations", "30", "--json", "--seed", "8")
    assert one["digest"] == same["digest"] != other["digest"] and len(one["digest"]) == 64


def test_settings_before_and_on_the_way(said, document):
    plain, before, on_the_way = (
        said("run", document, "--iterations", "120", "--json", *more)
        for more in (
            [],
            ["--set", "training.dropout=false"],
            ["--set", "@100:training.dropout=false"],
        )
    )
    digests = [each[1]["digest"] for each in (plain, before, on_the_way)]
    assert len(set(digests)) == 3


def test_a_setting_beyond_the_last_epoch_is_told(said, document):
    code, result, err = said("run", document, "--epochs", "1", "--json", "--set", "@500:training.dropout=false")
    assert code == 1 and result["iterations"] == 3 and "beyond the end" in err


def test_save_keeps_the_trained_weights(said, document, tmp_path):
    for name in ("trained.json", "trained.nnviz"):
        _, one, _ = said("run", document, "--iterations", "20", "--save", tmp_path / name, "--json")
        _, again, _ = said("run", tmp_path / name, "--iterations", "0", "--json")
        assert again["digest"] == one["digest"] and again["validation_loss"] == one["validation_loss"]


def test_non_finite_figures_are_valid_json(said, document):
    code, result, _ = said(
        "run",
        document,
        "--iterations",
        "500",
        "--json",
        "--set",
        "training.optimizer.kind=sgd",
        "--set",
        "training.loss=mse",
        "--set",
        "network.layers.h2.activation=identity",
        "--set",
        "training.optimizer.learning_rate=1e4",
    )
    assert code == 0 and result["stopped"] == "non_finite"
    from nnviz.cli.printing import finite

    assert json.dumps(finite({"a": [float("nan"), {"b": -float("inf")}]}), allow_nan=False) == '{"a": ["nan", {"b": "-inf"}]}'


def test_run_in_words(said, document):
    code, text, _ = said("run", document, "--iterations", "3")
    assert code == 0 and "accuracy" in text and "digest" in text


def test_the_calls_of_an_iteration_in_words_and_as_json(said):
    code, text, err = said("run", "example:moons", "--calls")
    assert code == 0 and not err and text.startswith("The 30 calls that one iteration of Two moons really is, 32 rows at a time\n")
    code, value, _ = said("run", "example:moons", "--calls", "--json")
    assert code == 0 and value["reason"] == "" and max(call["number"] or 0 for call in value["calls"]) == 30
    assert value["calls"][2] == {
        "number": 3,
        "phase": "forward",
        "layer": "h1",
        "title": "dense 1",
        "code": "addmm(h1_bias, x, h1_weight_t, out=h1_1)",
    }


def test_the_calls_follow_the_settings_also_the_later_ones(said, document):
    phases = lambda *more: {call["phase"] for call in said("run", document, "--calls", "--json", *more)[1]["calls"]}  # noqa: E731
    later = ("--set", "@4:training.clip_value=1")
    assert "clip" not in phases() and "clip" in phases(*later) and "clip" in phases(*later, "--iterations", "9")
    _, value, _ = said("run", document, "--calls", "--json", "--precision", "float64", "--set", "training.optimizer.kind=sgd")
    assert [call["code"] for call in value["calls"] if call["phase"] == "update"][-1] == "add_(parameters, gradients, alpha=-rate)"


def test_where_there_is_no_such_list_the_reason_is_said(said, document, monkeypatch):
    monkeypatch.setattr("nnviz.engine.run.flat_iteration.LARGE", 10)
    code, text, _ = said("run", document, "--calls")
    assert code == 0 and text.endswith("its kernels take nearly all of the time.\n") and text.count("\n") == 1
    code, value, _ = said("run", document, "--calls", "--json")
    assert code == 0 and value["calls"] == [] and value["reason"] == text.strip()
    assert "speed" not in "".join(said("run", document, "--iterations", "9")[1:]), "who only trains is not told"


@pytest.mark.parametrize(("example", "epochs", "accuracy"), [("moons", 60, 0.97), ("digits", 20, 0.95)])
def test_examples_learn(example, epochs, accuracy):
    result = jobs.run(jobs.open_document(f"example:{example}"), epochs=epochs)
    assert result["metrics"]["accuracy"] >= accuracy and result["seconds"] < 60


@pytest.mark.parametrize("example", example_names())
def test_every_example_checks_runs_and_traces(example):
    assert jobs.check(f"example:{example}")["ok"]
    document = jobs.open_document(f"example:{example}")
    assert jobs.run(document, iterations=2)["stopped"] == "done"
    assert jobs.trace(document, 1, "textbook")["worst_error"] < 1e-4


# --- check, examples, errors ---


def test_check(said, document, tmp_path):
    code, result, _ = said("check", document, "--json")
    assert code == 0 and result["ok"] and result["parameters"] == 42 and result["problems"] == []
    assert result["layers"][1] == {"id": "h1", "output_shape": [4], "parameters": 12}
    code, result, err = said("check", document, "--json", "--set", "network.layers.out.units=5")
    assert code == 1 and not result["ok"] and result["problems"][0]["place"] == "network.layers[4].units" and "units" in err
    broken = tmp_path / "broken.json"
    broken.write_text('{"format": "nnviz", "version": 1, "network": {"layers": [{"id": "x", "kind": "inputt"}]}}')
    code, result, err = said("check", broken, "--json")
    assert code == 1 and result["problems"] and "inputt" in err


def test_check_reads_the_rows_of_a_table(said, tmp_path):
    table = tmp_path / "rows.csv"
    table.write_text("a,b,kind\n" + "".join(f"{row},{-row},{row % 2}\n" for row in range(20)))
    settings = ["--set", "data.kind=csv", "--set", f"data.path={table}", "--set"]
    code, result, err = said("check", "example:moons", "--json", *settings, "data.target=kind")
    assert code == 0 and result["ok"], err
    code, result, err = said("check", "example:moons", "--json", *settings, "data.target=nothing")
    assert code == 1 and not result["ok"] and result["problems"][0]["place"] == "data.target" and "nothing" in err


@pytest.mark.parametrize("word", ["bogus", "example:bogus", "template:bogus", "no/such.nnviz"])
def test_a_word_that_is_nothing_exits_with_2(said, word):
    code, out, err = said(word)
    assert code == 2 and not out and word in err and len(err.splitlines()) == 1


def test_examples_are_listed(said):
    code, found, _ = said("examples", "--json")
    assert code == 0 and {"moons", "digits"} <= {example["name"] for example in found} and all(example["title"] for example in found)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "nothing.json"], "nothing.json"),
        (["run", "example:nothing"], "There is"),
        (["trace", "example:digits", "--detail", "neurons"], "up to 600"),
        (["trace", "example:moons", "--sample", "100000"], "training row"),
        (["trace", "example:batch_norm", "--sample", "0"], "Row 0 alone cannot be traced: batch normalisation"),
        (["run", "example:moons", "--set", "training.nothing=3"], "training.nothing"),
        (["run", "example:moons", "--set", "@2:seed=3", "--iterations", "4"], "seed"),
        (["run", "example:moons", "--set", "@500:training.dropout=false", "--iterations", "4"], "beyond the end"),
        (["trace", "example:moons", "--set", "@500:training.dropout=false", "--iteration", "4"], "beyond the end"),
        (["run", "example:moons", "--set", "training.batch_size=-1"], "batch_size"),
        (["run", "example:moons", "--set", "network.layers.out.units=3"], "units"),
        (["run", "example:moons", "--iterations", "1", "--save", "no/such/folder/out.json"], "folder"),
        (["export", "example:worked_2-2-1", "--to", "out.dot", "--step", "999"], "999"),
    ],
)
def test_failures_are_sentences(said, arguments, told):
    code, out, err = said(*arguments)
    assert code == 1 and not out and told in err and "Traceback" not in err and len(err.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["run"],
        ["run", "x", "--iterations", "-1"],
        ["run", "x", "--iterations", "1", "--epochs", "1"],
        ["trace", "x", "--detail", "fine"],
        ["run", "x", "--calls", "--save", "y"],
        ["run", "x", "--set", "novalue"],
        ["run", "x", "--set", "@a:b=c"],
        ["screenshot", "x"],
        ["screenshot", "x", "y.png", "--size", "big"],
        ["screenshot", "x", "y.png", "--workspace", "teach"],
        ["export", "x"],
        ["--nonsense"],
        ["a", "b"],
    ],
)
def test_bad_usage_exits_with_2(said, arguments):
    code, out, err = said(*arguments)
    assert code == 2 and not out and "usage" in err


def test_help_and_version(said):
    assert said("--help")[0] == 0
    assert said("--version")[1].startswith("nnviz ")


def test_as_a_process(document):
    run = [sys.executable, "main.py", "check", document]
    found = subprocess.run([*run, "--json"], cwd=ROOT, capture_output=True, env={"LANG": "C", "PYTHONIOENCODING": "ascii"}, check=True)
    assert json.loads(found.stdout)["ok"] and not found.stderr
    helped = "import sys; from nnviz.cli import main; main(['--help']); assert 'numpy' not in sys.modules"
    code = f"{helped}; main(['check', 'example:moons']); assert not {{'torch', 'PySide6'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    found = subprocess.run([sys.executable, "-m", "nnviz", "run", "nothing.json"], cwd=ROOT, capture_output=True)
    assert found.returncode == 1 and b"nothing.json" in found.stderr and b"Traceback" not in found.stderr


# --- breakpoints ---


@pytest.fixture
def guarded(tmp_path):
    """Moons with breakpoints, as a file."""

    def save(*breakpoints: Breakpoint) -> str:
        path = tmp_path / "guarded.json"
        files.save(path, msgspec.structs.replace(examples.open_document("example:moons"), breakpoints=breakpoints))
        return str(path)

    return save


def test_a_run_does_not_stop_at_breakpoints_unless_it_is_told_to(said, guarded):
    path = guarded(Breakpoint("node", "h1/relu"), Breakpoint("loss_rising", enabled=False))
    code, result, err = said("run", path, "--iterations", "3", "--json")
    assert code == 0 and result["iterations"] == 3 and result["stopped"] == "done" and result["breakpoint"] is None
    assert "did not look at the document's breakpoints (1 switched on)" in err and "--breakpoints" in err
    code, _, err = said("run", guarded(Breakpoint("node", "h1/relu", enabled=False)), "--iterations", "3", "--json")
    assert code == 0 and not err, "what is switched off is not missed"


@pytest.mark.parametrize(
    ("breakpoint", "node", "phase"),
    [
        (Breakpoint("node", "h1/relu"), "h1/relu", "forward"),
        (Breakpoint("parameter", "out.bias"), "out.bias", "backward"),
        (Breakpoint("gradient", "h1.weight", "above", 1e-9), "h1.weight", "backward"),
        (Breakpoint("activation", "h2", "above", 1e-9), "h2/relu", "forward"),
    ],
)
def test_with_breakpoints_it_stops_there_and_says_where(said, guarded, breakpoint, node, phase):
    code, result, err = said("run", guarded(breakpoint), "--iterations", "3", "--json", "--breakpoints")
    assert code == 0 and not err and result["stopped"] == "breakpoint" and result["iterations"] == 0
    stop = result["breakpoint"]
    assert (stop["kind"], stop["target"]) == (breakpoint.kind, breakpoint.target)
    assert (stop["iteration"], stop["node"], stop["phase"]) == (1, node, phase)
    assert stop["value"] is None if breakpoint.is_at_a_place else stop["value"] > 1e-9


def test_it_stops_where_the_loss_rises_for_the_first_time(said, guarded):
    path = guarded(Breakpoint("loss_rising"))
    _, result, _ = said("run", path, "--iterations", "40", "--json", "--breakpoints")
    losses = [jobs.run(jobs.open_document(path), n)["loss"] for n in range(1, result["iterations"] + 1)]
    assert losses == sorted(losses, reverse=True), "it has not risen before"
    assert result["breakpoint"]["iteration"] == result["iterations"] + 1 and result["breakpoint"]["value"] > losses[-1]
    assert "loss" in result["breakpoint"]["node"] or "cross_entropy" in result["breakpoint"]["node"]
    _, text, _ = said("run", path, "--iterations", "40", "--breakpoints")
    assert f"breakpoint: {result['breakpoint']['reason']}, before iteration {result['iterations'] + 1}" in text


def test_a_breakpoint_on_a_node_that_is_not_there_stops_nothing(said, guarded):
    code, result, _ = said("run", guarded(Breakpoint("node", "h9/relu")), "--iterations", "2", "--json", "--breakpoints")
    assert code == 0 and result["stopped"] == "done" and result["iterations"] == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--iterations", "2"),
        ("trace",),
        ("check",),
        ("export", "--to", "out.json"),
    ],
    ids=" ".join,
)
def test_data_beside_a_document_is_found_from_any_folder(said, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    code, _, err = said(arguments[0], os.path.relpath(CASES / "relative-csv.json"), *arguments[1:])
    assert code == 0, err
    assert "--to" not in arguments or any(tmp_path.iterdir())


@pytest.mark.parametrize("words", ["export FILE --to out.svg --what network", "screenshot FILE out.png"])
def test_pictures_find_the_data_beside_a_document_from_any_folder(tmp_path, words):
    """In a process of its own, as the window needs one."""
    given = words.replace("FILE", os.path.relpath(CASES / "relative-csv.json", tmp_path)).split(" ")
    process = [sys.executable, "-m", "nnviz", *given]
    done = subprocess.run(process, cwd=tmp_path, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr
    assert any(tmp_path.iterdir())


def test_a_warning_is_said_and_the_document_can_be_run_all_the_same(said):
    path = "tests/cases/sigmoid-then-bce.json"
    code, found, err = said("check", path, "--json")
    assert code == 0 and found["ok"] and [problem["severity"] for problem in found["problems"]] == ["warning"]
    assert "warning: network.layers[1].activation: Binary cross-entropy applies sigmoid itself" in err
    code, text, _ = said("check", path)
    assert code == 0 and "It can be run, with warnings; 2 parameters." in text


def test_a_run_that_is_not_finite_names_the_first_place(said):
    path = "tests/cases/nan-metrics.json"
    _, result, _ = said("run", path, "--json")
    sentence = "Iteration 1: The output of out is the first value that is not finite: 4 of 4 elements."
    assert result["message"] == sentence and result["metrics"]["accuracy"] is None
    _, text, _ = said("run", path)
    assert f"non_finite: {sentence}" in text


def test_a_picture_of_what_cannot_be_run_is_refused_with_the_cure(tmp_path):
    """In a process of its own, as the window needs one."""
    code = "import sys; from nnviz.cli import main; sys.exit(main(sys.argv[1:]))"
    arguments = ["export", str(CASES / "batchnorm-check.json"), "--to", str(tmp_path / "graph.svg")]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1 and not list(tmp_path.iterdir())
    assert "network.layers[1]: Batch norm compares the rows of a batch" in done.stderr and "Set the batch size to 3." in done.stderr


@pytest.mark.parametrize("detail", ["layer", "textbook", "math"])
def test_a_trace_of_a_document_has_no_notes_of_our_own_code(said, detail):
    code, trace, _ = said("trace", CASES / "rmse-batch-inspector.json", "--detail", detail, "--json")
    assert code == 0 and trace["loss"] == pytest.approx(5**0.5) and not trace["notes"]


def test_run_says_what_the_doctor_finds(said):
    _, result, _ = said("run", "example:deep_sigmoid", "--iterations", "60", "--json")
    found = result["findings"][0]
    assert (found["kind"], found["place"], found["present"]) == ("vanishing", "h1", True)
    assert found["value"] < found["bound"] and found["iterations"][0] < 20 and "Batch norm" in found["fixes"]


def test_doctor_tries_the_cures_of_what_it_finds(said):
    _, value, _ = said("doctor", "example:deep_sigmoid", "--iterations", "60", "--json")
    trials = {one["fix"]: one for one in value["findings"][0]["trials"]}
    assert trials["Batch norm"]["outcome"] == "helps" and trials["Batch norm"]["after"] < 0.8 * trials["Batch norm"]["before"]
    assert trials["Xavier start"]["outcome"] == "no help" and "does not help" in trials["Xavier start"]["sentence"]


def test_doctor_says_in_words_what_it_finds_and_when_it_cannot_tell(said):
    _, out, _ = said("doctor", "example:deep_sigmoid", "--iterations", "60", "--try", "none")
    assert "Vanishing gradients: dense 1 hardly learns" in out and "From iteration" in out
    assert said("doctor", "example:moons", "--iterations", "60")[1].endswith("Nothing is found.\n")
    assert "Dead ReLU (information): " in said("doctor", "template:worked_2-2-1", "--iterations", "100", "--try", "none")[1]
    assert "too short" in said("doctor", "example:moons", "--iterations", "3")[1]


# --- new rows ---


def test_new_rows_are_the_same_for_the_same_draw_and_in_the_units_of_the_data(said):
    runs = [said("sample", "example:gan", "--iteration", 30, "--count", 7, "--draw", draw, "--json")[1] for draw in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]
    assert len(runs[0]["rows"]) == len(runs[0]["codes"]) == 7 and runs[0]["columns"] == ["x₁", "x₂"]
    timeline = jobs.HeadlessRun(jobs.open_document("example:gan"))
    timeline.train(30, None)
    trainer = timeline.timeline.trainer
    scaled = trainer.sides.made_of(trainer.sides.drawn(7, 1)).double().numpy()
    rows = trainer.data.raw
    assert flat(runs[0]["rows"]) == pytest.approx((scaled * rows.std(0) + rows.mean(0)).ravel().tolist(), rel=1e-4, abs=1e-5)


def test_new_rows_of_a_variational_autoencoder_are_csv(said):
    code, text, _ = said("sample", "template:vae", "--iteration", 3, "--grid", 3)
    head, *lines = text.splitlines()
    assert code == 0 and head.count(",") == 7 and len(lines) == 9
    assert all(len([float(value) for value in line.split(",")]) == 8 for line in lines)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("example:moons",), "this network has neither"),
        (("template:vae", "--grid", 4, "--set", "network.layers.z.units=3"), "A grid lies over two numbers, and latent has 3"),
    ],
)
def test_a_network_that_makes_no_rows_says_so(said, words, told):
    code, out, err = said("sample", *words)
    assert code == 1 and not out and told in err


def test_the_same_gan_has_the_same_digest_each_time_and_names_its_side_in_a_trace(said):
    digests = {said("run", "example:gan", "--iterations", 40, "--json")[1]["digest"] for _ in range(2)}
    assert len(digests) == 1
    for iteration, side in ((4, "discriminator"), (5, "generator")):
        assert said("trace", "example:gan", "--iteration", iteration, "--json")[1]["notes"][0].startswith(f"The {side}'s iteration")


# --- files of a run ---


def test_files_of_a_run_are_written_and_weights_read_in(said, document, tmp_path):
    _, trained, _ = said("run", document, "--iterations", "5", "--json")
    weights = tmp_path / "w.safetensors"
    assert said("export", document, "--to", weights, "--iteration", "5")[0] == 0
    code, again, told = said("run", document, "--weights", weights, "--iterations", "0", "--json")
    assert code == 0 and again["digest"] == trained["digest"] and "tensors fit" in told
    curves = tmp_path / "c.csv"
    code, _, told = said("export", document, "--to", curves, "--iteration", "5", "--set", "training.optimizer.learning_rate=0")
    assert code == 0 and told.strip() == "6 iterations."
    assert len(curves.read_text().splitlines()) == 7
    code, _, told = said("export", document, "--to", tmp_path / "graph.svg", "--set", "seed=2")
    assert code == 1 and "files of a run" in told
    assert said("export", document, "--to", tmp_path / "c.txt", "--what", "curves")[0] == 1


def test_recordings_have_the_promised_pictures(said, tmp_path):
    import av

    code, _, told = said("export", "example:moons", "--to", tmp_path / "a.gif", "--steps", "2:8:3", "--size", "800x500", "--theme", "dark")
    assert code == 0 and told.strip() == "3 pictures."
    with av.open(tmp_path / "a.gif") as container:
        assert len([*container.decode(video=0)]) == 3
    code, _, told = said("export", "example:moons", "--to", tmp_path / "b.mp4", "--steps", "2:8000")
    assert code == 1 and "goes beyond its end" in told
    assert said("export", "example:moons", "--to", tmp_path / "b.mp4", "--steps", "8:2")[0] == 2

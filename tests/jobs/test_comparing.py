"""`nnviz compare`: two documents side by side on the command line."""

from __future__ import annotations

import json

import pytest

from nnviz.cli import main


@pytest.fixture
def compared(capsys):
    """Runs `nnviz compare`; returns exit code and what is printed, as a value with --json."""

    def run(*arguments: str):
        code = main(["compare", *arguments])
        out = capsys.readouterr()
        return code, json.loads(out.out) if "--json" in arguments else out.out or out.err

    return run


def test_the_same_document_twice(compared):
    code, value = compared("example:moons", "example:moons", "--iterations", "60", "--json")
    assert code == 0 and value["identical"] and value["first_difference"] is None and value["document"] == []
    assert value["compared"] == 60 and value["runs"][0]["digest"] == value["runs"][1]["digest"]
    assert [run["verdict"] for run in value["runs"]] == ["falling", "falling"]
    code, text = compared("example:moons", "example:moons", "--iterations", "0")
    assert code == 0 and text.startswith("No difference: both runs have the same bits in all of 0 iterations.")


def test_one_thing_changed(compared):
    changes = "--set-b", "@20:training.optimizer.learning_rate=0.5", "--set", "training.optimizer.kind=sgd"
    code, value = compared("example:moons", "example:moons", "--iterations", "60", *changes, "--json")
    found = value["first_difference"]
    assert code == 0 and not value["identical"]
    assert (found["iteration"], found["phase"], found["nodes"][0]["label"]) == (21, "update", "h1.weight")
    assert value["document"] == [{"path": "training.optimizer.learning_rate", "first": 0.01, "second": 0.5}]
    code, text = compared("example:moons", "example:moons", "--iterations", "60", *changes)
    lines = text.splitlines()
    assert lines[0] == "First difference: iteration 21, update, W of dense 1." and "first run" in lines[1]
    assert any(line.split() == ["training.optimizer.learning_rate", "0.01", "0.5"] for line in lines)
    assert any(line.startswith("ended ") and line.count("Fall") + line.count("Flat") == 2 for line in lines)


def test_a_run_that_stops_before_the_other(compared):
    changes = "--set", "training.early_stopping=1", "--set", "training.optimizer.learning_rate=0.3"
    code, value = compared("example:iris", "example:iris", *changes, "--set-b", "training.early_stopping=none", "--json")
    first, second = value["runs"]
    assert code == 0 and (first["stopped"], second["stopped"]) == ("early_stopping", "done")
    assert value["compared"] == first["iterations"] < second["iterations"] and not value["identical"]
    assert value["first_difference"]["place"] == f"iteration {first['iterations']}, after its update, dense 1.W", (
        "the best weights are back"
    )


def test_two_different_documents(compared):
    code, value = compared("example:digits", "example:moons", "--iterations", "5", "--json")
    found = value["first_difference"]
    assert code == 0 and (found["iteration"], found["what"], found["shapes"]) == (1, "graph", [[64, 64], [4, 2]])
    assert found["difference_is"] == "From here on other things are computed: it is 64×64 in the first run, 4×2 in the second."


def test_what_cannot_be_compared_is_said(compared):
    assert compared("example:moons", "example:none")[0] == 1
    code, text = compared("example:moons", "example:moons", "--set-b", "training.nothing=1")
    assert code == 1 and "training.nothing" in text

"""The examples that come with the program, and opening by name."""

from __future__ import annotations

import pytest

from nnviz.document.shapes.report import examine
from nnviz.document.store.examples import document_path, example_names, example_path, open_document
from nnviz.document.store.files import DocumentError, save


def test_the_examples_promised_are_there():
    promised = "batch_norm blobs circles deep_sigmoid digits iris moons residual sine spiral wine worked_2-2-1 xor"
    of_the_course = (
        "batch_size deep_relu deep_residual exploding learning_rate narrow_valley overfitting sparse_weights starting_weights unscaled "
        "weight_decay curse_of_dimension curved_autoencoder linear_autoencoder logistic_neuron selected_columns series_plane thinned_nets "
        "threshold"
    )
    assert set(promised.split()) | set(of_the_course.split()) <= set(example_names())


@pytest.mark.parametrize("name", example_names())
def test_every_example_can_be_run(name):
    present = open_document(f"example:{name}")
    assert examine(present).problems == () and present.title not in ("", "Untitled")


def test_titles_tell_the_examples_apart():
    titles = [open_document(f"example:{name}").title for name in example_names()]
    assert len(set(titles)) == len(titles)


def test_two_moons_is_the_net_of_the_first_start():
    assert examine(open_document("example:moons")).parameters == 42


def test_the_net_worked_out_by_hand():
    present = open_document("example:worked_2-2-1")
    assert present.weights == {
        "h1.weight": [[0.1, 0.5], [0.8, -0.3]],
        "h1.bias": [-1.2, 0.9],
        "out.weight": [[0.8, 1.2]],
        "out.bias": [0.2],
    }
    x, w1, b1 = present.data["x"][0], present.weights["h1.weight"], present.weights["h1.bias"]
    z = [sum(weight * value for weight, value in zip(row, x, strict=True)) + bias for row, bias in zip(w1, b1, strict=True)]
    assert z == pytest.approx([-0.72, 1.73])
    answer = sum(weight * max(0, value) for weight, value in zip(present.weights["out.weight"][0], z, strict=True)) + 0.2
    assert (answer - present.data["y"][0][0]) ** 2 == pytest.approx(1.628176)
    assert (present.precision, present.training.batch_size, present.data["scaling"]) == ("float64", 1, "none")


@pytest.mark.parametrize("name", ["moon", "../moons", "", "moons.json"])
def test_an_example_that_does_not_exist(name):
    with pytest.raises(DocumentError, match="There is: batch_norm") as caught:
        example_path(name)
    assert f"example:{name}" in str(caught.value)


def test_files_open_by_path(tmp_path):
    saved = open_document("template:perceptron")
    save(tmp_path / "a.nnviz", saved)
    assert open_document(str(tmp_path / "a.nnviz")) == open_document(tmp_path / "a.nnviz") == saved
    assert document_path("example:moons") == example_path("moons") and document_path("x/y.json").name == "y.json"

"""What check finds nothing wrong with can be run, and what it refuses cannot; also what only the rows of the data decide."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from nnviz import jobs
from nnviz.document import edits
from nnviz.document.catalog import DATASETS, SCHEDULES, new_choice, new_layer
from nnviz.document.shapes.report import examine
from nnviz.document.shapes.rows import split_sizes
from nnviz.document.store import files
from nnviz.engine.data.datasets import load
from nnviz.engine.errors import BuildError
from nnviz.engine.run.trainer import Trainer
from tests.document.random_networks import broken_experiment
from tests.engine.experiments import HERE, chain, experiment, table

DRAWN = {
    "moons": {"samples": 12}, "blobs": {"samples": 9}, "xor": {"samples": 7}, "sine": {"samples": 11},
    "sawtooth": {"samples": 9, "window": 4}, "iris": {}, "text": {"window": 3},
}  # fmt: skip


def is_refused(document) -> bool:
    """Whether the engine refuses the document, or its first epoch."""
    try:
        trainer = Trainer(document, load(document, HERE))
    except BuildError:
        return True
    while trainer.position.epoch == 0 and trainer.position.iteration < 40:
        if trainer.advance():
            break
    return False


def random_rows(seed: int):
    """A document in which only how many rows there are, and what they hold, can be wrong."""
    random = Random(seed)
    kind = random.choice([*DRAWN, "table"])
    share = random.choice([0.0, 0.05, 0.2, 0.3, 0.5])
    if kind == "table":
        count = random.randint(1, 9)
        x = [[float(random.choice([0, 1, 2, 5, random.choice([0.5, -1, 3])]))] * 2 for _ in range(count)]
        data = table(x, [row % 2 for row in range(count)], validation=share)
    else:
        data = new_choice(DATASETS, kind, **DRAWN[kind], validation=share)
    middle = random.choice([(new_layer("batch_norm", "n"),), (), _looking_up(random)])
    net = chain(new_layer("input", "x", shape=[2]), *middle, new_layer("dense", "h", units=3), new_layer("dense", "out", units=2))
    training = {"batch_size": random.choice([None, 1, 2, 3, 4, 8, 32]), "early_stopping": random.choice([None, None, 2])}
    present = edits.choose_data(experiment(net, **training), kind if kind != "table" else "moons")
    present = replace(present, data=data) if kind == "table" else edits.change_data(present, **data.settings)
    return edits.choose_schedule(present, "plateau") if random.random() < 0.2 else present


def _looking_up(random: Random):
    layer = random.choice([new_layer("embedding", "e", num_embeddings=5), new_layer("one_hot", "e", num_classes=31)])
    return (layer, new_layer("flatten", "f"))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**9))
def test_rows_that_check_takes_can_be_run_and_others_not(seed):
    document = random_rows(seed)
    assert examine(document).ok != is_refused(document), examine(document).problems


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**9))
def test_broken_networks_are_refused_by_both(seed):
    document = broken_experiment(seed)
    report = examine(document)
    if report.ok:
        assert not is_refused(document)
    else:
        with pytest.raises(BuildError) as caught:
            Trainer(document, load(sound_data(document), HERE))
        assert caught.value.message == report.problems[0].message


def sound_data(document):
    """The document with data that can be read, whatever else is wrong with it."""
    return replace(document, data=table([[0.0, 1.0]] * 4, [0, 1, 0, 1]), training=replace(document.training, loss="mse"))


@pytest.mark.parametrize("kind", [kind for kind in DATASETS if kind != "csv"])
@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.9])
def test_so_many_rows_are_trained_on_as_the_document_says(kind, share):
    settings = {"samples": 10} if any(field.name == "samples" for field in DATASETS[kind].fields) else {}
    choice = table([[0.0], [1.0], [2.0], [3.0], [4.0]], [0, 1, 0, 1, 1], validation=share)
    document = experiment(data=choice if kind == "table" else new_choice(DATASETS, kind, **settings, validation=share))
    training = load(document, HERE).training
    assert split_sizes(document.data) == (int(training.sum()), int((~training).sum()))


@pytest.mark.parametrize(
    ("name", "place", "words"),
    [
        ("batchnorm-check", "network.layers[1]", "of 3 rows in batches of 2 the last has one"),
        ("batchnorm-one-row", "network.layers[1]", "there is one row to train on"),
        ("early-stopping-check", "training.early_stopping", "20 % of 2 rows are none"),
        ("plateau-without-rows", "training.schedule", "20 % of 2 rows are none"),
    ],
)
def test_check_says_what_a_run_refuses(name, place, words):
    path = f"tests/cases/{name}.json"
    document, found = files.load(path), jobs.check(path)
    assert not found["ok"] and found["problems"][0]["place"] == place and words in found["problems"][0]["message"]
    with pytest.raises(BuildError, match=words):
        jobs.run(jobs.open_document(path), iterations=1)
    (problem,) = examine(document).problems
    if problem.fix:
        mended = edits.apply_fix(document, problem.fix)
        assert examine(mended).ok and not is_refused(mended)
    else:
        assert "more rows" in problem.cure


def test_a_file_is_checked_for_how_many_rows_it_has(tmp_path):
    (tmp_path / "rows.csv").write_text("a,b,c\n" + "".join(f"{row},{row % 3},{row / 2}\n" for row in range(3)))
    net = chain(new_layer("input", "x", shape=[2]), new_layer("batch_norm", "n"), new_layer("dense", "out", units=1))
    data = new_choice(DATASETS, "csv", path="rows.csv", validation=0.0)
    document = experiment(net, data=data, loss="mse", batch_size=2)
    files.save(tmp_path / "d.json", document)
    assert examine(document).ok, "only reading the file tells"
    assert "the last has one" in jobs.check(str(tmp_path / "d.json"))["problems"][0]["message"]
    plateau = replace(document.training, batch_size=3, schedule=new_choice(SCHEDULES, "plateau"))
    data = new_choice(DATASETS, "csv", path="rows.csv", validation=0.1)
    files.save(tmp_path / "p.json", replace(document, training=plateau, data=data))
    assert "10 % of 3 rows are none" in jobs.check(str(tmp_path / "p.json"))["problems"][0]["message"]

"""What is written of a run is read back with the libraries others read it with, and compared with the run itself."""

import builtins
import csv
import math

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from msgspec.structs import replace
from pyarrow import parquet
from safetensors import safe_open
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from nnviz.document import edits
from nnviz.document.catalog import new_layer
from nnviz.document.network import Link, Network
from nnviz.document.store.examples import TEMPLATES, example_names, open_document
from nnviz.engine.errors import BuildError
from nnviz.engine.files.written_file import written_file
from nnviz.engine.model.build import set_training
from nnviz.engine.run.trainer import digest
from nnviz.jobs import HeadlessRun, OpenedFile
from nnviz.records.task_records import FileTask, FileWritten, Progress
from tests.engine.runs_of_examples import trained


def finished(task: FileTask, timeline) -> FileWritten:
    work = written_file(task, timeline)
    while True:
        try:
            assert isinstance(next(work), Progress)
        except StopIteration as end:
            return end.value


@pytest.fixture(scope="module")
def moons():
    return trained("moons", 60)


def few_with_all_kinds() -> list[str]:
    """The fewest documents, greedily, that together have every kind of layer and activation there is in any of them."""
    names = [f"template:{name}" for name in TEMPLATES] + [f"example:{name}" for name in example_names()]
    kinds = {
        name: {(layer.kind, layer.settings.get("activation"), layer.settings.get("bidirectional")) for layer in open_document(name).network}
        for name in names
        if open_document(name).training.target != "adversarial"
    }
    chosen, left = [], set().union(*kinds.values())
    while left:
        best = max(kinds, key=lambda name: len(kinds[name] & left))
        chosen.append(best)
        left -= kinds[best]
    return chosen


LEAKY = {"activation": "leaky_relu", "negative_slope": 0.3}


@pytest.mark.parametrize(
    ("name", "of_layer", "set_"),
    [*((name, "", {}) for name in few_with_all_kinds()), ("template:rnn", "rnn", LEAKY), ("template:encoder", "encoder_block", LEAKY)],
)
def test_onnxruntime_answers_as_torch_does(name, of_layer, set_, tmp_path):
    document = open_document(name)
    for layer in document.network:
        for field, value in set_.items() if layer.kind == of_layer else ():
            document = edits.set_value(document, f"network.layers.{layer.id}.{field}", value)
    timeline = HeadlessRun(OpenedFile(document, tmp_path)).timeline
    timeline.advance()
    before = digest(timeline.trainer.net)
    told = finished(FileTask(str(tmp_path / "net.onnx"), "network"), timeline).told
    assert "onnxruntime answers as torch does" in told and digest(timeline.trainer.net) == before
    model = onnx.load(tmp_path / "net.onnx")
    onnx.checker.check_model(model)
    assert {prop.key: prop.value for prop in model.metadata_props}["digest"] == before
    net, rows = timeline.trainer.net, timeline.trainer.training_rows.x[:7]
    set_training(net, False)
    with torch.no_grad():
        expected = net(rows).numpy()
    found = onnxruntime.InferenceSession(tmp_path / "net.onnx", providers=["CPUExecutionProvider"]).run(None, {"input": rows.numpy()})[0]
    assert np.abs(found - expected).max() <= 1e-5 * max(1.0, np.abs(expected).max())
    parameters = {name: parameter.shape for name, parameter in net.named_parameters()}
    kept = {one.name: tuple(one.dims) for one in model.graph.initializer if one.name in parameters}
    assert all(kept[name] == tuple(parameters[name]) for name in kept)


def test_each_side_of_a_network_is_a_file_of_its_own(tmp_path):
    gan = open_document("example:gan")
    layers = list(gan.network.layers)
    layers.insert(4, new_layer("batch_norm", "training"))
    links = [Link("g1", "training") if link == Link("g1", "g2") else link for link in gan.network.links] + [Link("training", "g2")]
    links = [one for one in links if one.target != "z"] + [Link("x", "before"), Link("before", "z")]
    network = Network((*layers, new_layer("noise", "before")), tuple(links))
    timeline = HeadlessRun(OpenedFile(replace(gan, network=network), tmp_path)).timeline
    timeline.go_to(30)
    trainer, before = timeline.trainer, digest(timeline.trainer.net)
    for side, rows, answer in (
        ("generator", torch.randn(7, 2), trainer.sides.made_of),
        ("discriminator", trainer.training_rows.x[:7], lambda rows: trainer.net(rows)),
    ):
        finished(FileTask(str(tmp_path / f"{side}.onnx"), side), timeline)
        model = onnx.load(tmp_path / f"{side}.onnx")
        names = {one.name.partition(".")[0] for one in model.graph.initializer}
        assert {"g1", "d1"} & names == {side[0] + "1"}
        set_training(trainer.net, False)
        with torch.no_grad():
            expected = answer(rows).numpy()
        session = onnxruntime.InferenceSession(tmp_path / f"{side}.onnx", providers=["CPUExecutionProvider"])
        assert np.abs(session.run(None, {"input": rows.numpy()})[0] - expected).max() <= 1e-5 * max(1.0, np.abs(expected).max())
    assert digest(trainer.net) == before


def test_a_network_of_two_sides_has_no_one_output_and_another_has_no_side(moons, tmp_path):
    with pytest.raises(BuildError, match=r"trained against itself.*--what generator"):
        finished(FileTask(str(tmp_path / "net.onnx"), "network"), trained("gan", 1))
    with pytest.raises(BuildError, match=r"has no generator"):
        finished(FileTask(str(tmp_path / "net.onnx"), "generator"), moons)
    assert not list(tmp_path.iterdir())


def test_weights_are_there_to_the_bit(moons, tmp_path):
    finished(FileTask(str(tmp_path / "w.safetensors"), "weights"), moons)
    with safe_open(tmp_path / "w.safetensors", "pt") as file:
        assert file.metadata()["digest"] == digest(moons.trainer.net) and file.metadata()["iteration"] == "60"
        assert set(file.keys()) == set(moons.trainer.parameters)
        assert all(torch.equal(file.get_tensor(name), tensor) for name, tensor in moons.trainer.parameters.items())


def test_running_statistics_are_there_too(tmp_path):
    timeline = trained("batch_norm", 5)
    finished(FileTask(str(tmp_path / "w.safetensors"), "weights"), timeline)
    with safe_open(tmp_path / "w.safetensors", "pt") as file:
        assert timeline.trainer.buffers
        assert all(torch.equal(file.get_tensor(name), tensor) for name, tensor in timeline.trainer.buffers.items())


def read_csv(path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_curves_are_the_points_of_the_run(moons, tmp_path):
    for suffix in ("csv", "parquet"):
        finished(FileTask(str(tmp_path / f"c.{suffix}"), "curves"), moons)
    rows = read_csv(tmp_path / "c.csv")
    assert [int(row["iteration"]) for row in rows] == list(range(61))
    assert [float(row["loss"]) for row in rows] == [point.loss for point in moons.points]
    assert [row["accuracy"] and float(row["accuracy"]) for row in rows] == ["" if p.metric is None else p.metric for p in moons.points]
    table = parquet.read_table(tmp_path / "c.parquet").to_pydict()
    assert table["loss"] == [point.loss for point in moons.points]
    assert table["validation_loss"] == [point.validation_loss for point in moons.points]


def test_scores_of_a_regression_are_called_rmse(tmp_path):
    finished(FileTask(str(tmp_path / "c.csv"), "curves"), trained("narrow_valley", 3))
    assert {"rmse", "training_rmse"} <= read_csv(tmp_path / "c.csv")[0].keys()


def test_histograms_count_every_element(moons, tmp_path):
    here = moons.iteration
    finished(FileTask(str(tmp_path / "h.csv"), "histograms", 25), moons)
    assert moons.iteration == here  # the run stays where it is
    rows = read_csv(tmp_path / "h.csv")
    assert {int(row["iteration"]) for row in rows} == {0, 25, 50, 60}
    twin = trained("moons", 25)
    for of, tensor in (("weights", twin.trainer.parameters["h1.weight"]), ("activations", twin.trainer.activations["h1"])):
        own = [row for row in rows if (row["iteration"], row["layer"], row["of"]) == ("25", "h1", of)]
        values = tensor.detach().double().ravel().numpy()
        assert sum(int(row["count"]) for row in own) == values.size
        zeros = [int(row["count"]) for row in own if float(row["low"]) == float(row["high"]) == 0]
        assert sum(zeros) == (values == 0).sum()
        bins = [row for row in own if float(row["low"]) < float(row["high"])]
        assert math.isclose(float(bins[0]["low"]), values[values != 0].min(), rel_tol=1e-6)
        for row in bins[:-1]:
            inside = (values >= float(row["low"])) & (values < float(row["high"])) & (values != 0)
            assert abs(int(row["count"]) - inside.sum()) <= 1  # one that lies on an edge may fall either way


def test_tensorboard_reads_the_curves_and_histograms(moons, tmp_path):
    finished(FileTask(str(tmp_path / "run.tfevents"), "events", 30), moons)
    events = EventAccumulator(str(tmp_path / "run.tfevents"), {"tensors": 0})
    events.Reload()
    tags = events.Tags()["tensors"]
    loss = [(one.step, float(one.tensor_proto.float_val[0])) for one in events.Tensors("loss/batch")]
    assert loss == [(point.iteration, np.float32(point.loss)) for point in moons.points]
    assert {"loss/validation", "accuracy/validation", "learning_rate", "weights/h1", "gradients/h1", "activations/h1"} <= set(tags)
    assert [one.step for one in events.Tensors("weights/h1")] == [0, 30, 60]
    norm = events.Tensors("norm_of_weights/out")[-1].tensor_proto.float_val[0]
    assert norm == pytest.approx(moons.trainer.parameters["out.weight"].norm().item())


def test_what_cannot_be_written_says_why_and_leaves_nothing(moons, tmp_path, monkeypatch):
    with pytest.raises(BuildError, match=r"Choose one of: \.csv, \.parquet"):
        finished(FileTask(str(tmp_path / "c.xlsx"), "curves"), moons)
    with pytest.raises(BuildError, match=r"could not be written: No such file"):
        finished(FileTask(str(tmp_path / "nowhere" / "c.csv"), "curves"), moons)
    plain = builtins.__import__

    def without(name, *others):
        if name.partition(".")[0] in ("pyarrow", "onnxruntime", "tensorboard"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return plain(name, *others)

    monkeypatch.setattr(builtins, "__import__", without)
    for name, what, line in (("c.parquet", "curves", "sweep"), ("n.onnx", "network", "onnx"), ("e.tfevents", "events", "tensorboard")):
        with pytest.raises(BuildError, match=rf'pip install "nnviz\[{line}\]"'):
            finished(FileTask(str(tmp_path / name), what), moons)
    assert not list(tmp_path.iterdir())

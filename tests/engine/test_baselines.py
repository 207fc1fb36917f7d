"""The models beside the net are those scikit-learn fits in one go, and the thinned nets those that dropout leaves."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsClassifier

from nnviz.document import edits
from nnviz.document.store.examples import open_document
from nnviz.engine import seeds
from nnviz.engine.data.datasets import load
from nnviz.engine.errors import BuildError
from nnviz.engine.observe._thinned_nets import ThinnedNets
from nnviz.engine.observe.baselines import baselines
from nnviz.engine.observe.surface import surface
from nnviz.engine.run.private_copy import private_copy
from nnviz.engine.run.timeline import Timeline
from nnviz.engine.run.trainer import digest
from nnviz.engine.tasks import Task
from nnviz.jobs.comparing import finished
from nnviz.records.task_records import BaselinesTask, Progress
from nnviz.records.tensors import to_numpy
from tests.engine.experiments import HERE
from tests.engine.kinds import EXPERIMENTS
from tests.engine.runs_of_examples import trained

FEW = BaselinesTask(trees=12, nets=6)


def found(trainer, task=FEW):
    """The baselines, and each model by its name."""
    result = finished(baselines(task, trainer))
    return result, {model.name: model for model in result.models}


def rows_of(trainer):
    """x and y of the training rows, and of the validation rows."""
    return [(rows.x.double().flatten(1).numpy(), rows.y.numpy()) for rows in (trainer.training_rows, trainer.validation_rows)]


def test_the_models_are_those_of_scikit_learn():
    trainer = trained("moons", 60).trainer
    before = digest(trainer.net)
    result, models = found(trainer)
    seed = seeds.number(trainer.experiment.seed, "baselines") % 2**32
    (x, y), (x_held, y_held) = rows_of(trainer)
    own = {
        "nearest neighbours": KNeighborsClassifier(5).fit(x, y),
        "random forest": RandomForestClassifier(12, random_state=seed).fit(x, y),
        "gradient boosting": GradientBoostingClassifier(n_estimators=12, random_state=seed).fit(x, y),
    }
    for name, model in own.items():
        assert (models[name].training, models[name].validation) == (model.score(x, y), model.score(x_held, y_held)), name
    assert models["same answer"].validation == pytest.approx(0.5) and models["logistic regression"].size == 3
    assert models["random forest"].size == sum(tree.tree_.node_count for tree in own["random forest"].estimators_)
    assert models["this net"].validation == trainer.evaluate(trainer.validation_rows)[1] and models["this net"].size == 42
    assert np.allclose(to_numpy(models["this net"].picture), to_numpy(surface(trainer).output), atol=1e-6)
    singles = [float((tree.predict(x_held) == y_held).mean()) for tree in own["random forest"].estimators_]
    assert result.averaged[0].name == "random forest" and to_numpy(result.averaged[0].singles).tolist() == singles
    assert to_numpy(result.averaged[0].means)[-1] == models["random forest"].validation
    assert [name for name, _ in result.left_out] == ["thinned nets"] and digest(trainer.net) == before


def test_models_of_numbers():
    trainer = trained("sine", 40).trainer
    result, models = found(trainer)
    seed = seeds.number(trainer.experiment.seed, "baselines") % 2**32
    (x, y), (x_held, y_held) = rows_of(trainer)
    own = {
        "linear regression": LinearRegression(),
        "random forest": RandomForestRegressor(12, random_state=seed),
        "gradient boosting": GradientBoostingRegressor(n_estimators=12, random_state=seed),
    }
    for name, model in own.items():
        error = model.fit(x, y[:, 0].astype(np.float64)).predict(x_held) - y_held[:, 0]
        assert models[name].validation == pytest.approx(np.sqrt((error**2).mean()), rel=1e-6), name
    assert result.metric == "RMSE" and models["this net"].validation == pytest.approx(trainer.evaluate(trainer.validation_rows)[1])
    assert to_numpy(models["random forest"].picture).shape == (200, 1)


def test_a_thinned_net_has_one_mask_for_all_rows():
    trainer = private_copy(trained("digits", 20).trainer)
    nets, x = ThinnedNets(trainer), trainer.validation_rows.x[:50]
    whole, first = trainer.answer(x), nets.answer(0, x)
    assert torch.equal(first, nets.answer(0, x)) and not torch.equal(first, nets.answer(1, x)) and not torch.equal(first, whole)
    assert torch.allclose(nets.answer(0, x[7:8]), first[7:8], atol=1e-6) and torch.equal(trainer.answer(x), whole)
    nets.answer(0, x)
    (drop,) = [layer for layer in trainer.experiment.network if layer.kind == "dropout"]
    (before,) = [link.source for link in trainer.experiment.network.links if link.target == drop.id]
    given, left = trainer.net.outputs[before], trainer.net.outputs[drop.id]
    dropped = (left == 0).all(0) & (given != 0).any(0)
    assert dropped.any() and torch.allclose(left[:, ~dropped], given[:, ~dropped] / (1 - drop["p"]))


@pytest.mark.parametrize("kind", ["spatial dropout of images", "spatial dropout of sequences", "encoder block"])
def test_nets_of_every_kind_of_dropout_are_averaged(kind):
    trainer = Timeline(EXPERIMENTS[kind], HERE).trainer
    result, models = found(trainer)
    nets = result.averaged[1]
    assert nets.name == "thinned nets" and nets.whole == models["this net"].training and len(to_numpy(nets.means)) == FEW.nets
    mean = sum(ThinnedNets(trainer).answer(number, trainer.training_rows.x).softmax(1) for number in range(FEW.nets))
    score = (mean.argmax(1) == trainer.training_rows.y).double().mean().item()
    assert to_numpy(nets.means)[-1] == score and nets.rows == "training"


def test_an_autoencoder_stands_beside_principal_components():
    timeline = Timeline(open_document("template:autoencoder"), HERE)
    for _ in range(5):
        timeline.advance()
    trainer = timeline.trainer
    result, models = found(trainer)
    x = rows_of(trainer)[0][0]
    pca = PCA(2).fit(x)
    error = ((pca.inverse_transform(pca.transform(x)) - x) ** 2).mean()
    assert result.metric == "MSE" and models["PCA, 2 components"].training == pytest.approx(error, rel=1e-6)
    assert models["mean of the rows"].training == pytest.approx(x.var(0).mean(), rel=1e-9) and not result.averaged
    assert models["this net"].training == pytest.approx(trainer.evaluate(trainer.training_rows)[1] ** 2, rel=1e-5)


def test_words_are_refused():
    with pytest.raises(BuildError, match="Words"):
        baselines(FEW, Timeline(EXPERIMENTS["embedding"], HERE).trainer)


def test_it_goes_on_in_pieces_and_tells_what_it_has_so_far():
    task, seen = Task(baselines(FEW, trained("moons", 20).trainer)), []
    while not task.is_over:
        task.advance()
        seen.append((type(task.progress), len(task.found.models) if task.found else 0))
    assert {kind for kind, _ in seen} == {Progress} and [count for _, count in seen] == sorted(count for _, count in seen)
    assert len(seen) > FEW.trees and {count for _, count in seen} == set(range(7))


@pytest.mark.parametrize("scaling", ["none", "standardise"])
def test_a_series_that_foretells_itself_stands_beside_its_last_value(scaling):
    document = edits.change_data(edits.choose_data(open_document("example:sawtooth"), "ar"), scaling=scaling)
    trainer = Timeline(document, HERE).trainer
    _, models = found(trainer, BaselinesTask(trees=2))
    own = load(edits.change_data(document, scaling="none"), HERE)
    off = own.x[:, -1] - own.y[:, 0]
    expected = [np.sqrt((off[mask] ** 2).mean()) for mask in (own.training, ~own.training)]
    assert [models["last value"].training, models["last value"].validation] == pytest.approx(expected, rel=1e-5)


def test_there_is_no_last_value_of_another_target():
    assert "last value" not in found(Timeline(edits.choose_data(open_document("example:sawtooth"), "volatility"), HERE).trainer)[1]
    scaled = edits.change_data(open_document("example:sawtooth"), target_scaling="min-max")
    result, models = found(Timeline(scaled, HERE).trainer, BaselinesTask(trees=2))
    assert "last value" not in models and ("last value", "the target has a scale of its own; choose none for it") in result.left_out

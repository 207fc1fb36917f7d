import pytest
from msgspec.structs import replace

from nnviz.document import catalog, edits
from nnviz.document.network import Link
from nnviz.text.change_text import differences, in_brief, told
from tests.session.sessions import two_moons

START = two_moons()


def training(**changes):
    return replace(START, training=replace(START.training, **changes))


def with_layer(new=None, **changes):
    """The experiment with another layer in the place of h1, or with these changes of it."""
    new = new or replace(START.network.layer("h1"), **changes)
    layers = tuple(new if layer.id == "h1" else layer for layer in START.network)
    return replace(START, network=replace(START.network, layers=layers))


def choice(table, kind, **settings):
    return catalog.new_choice(getattr(catalog, table), kind, **settings)


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (training(dropout=False), ["dropout on → off"]),
        (training(batch_size=None), ["batch 32 → all rows"]),
        (training(l2=0.001, l1=0.5), ["L1 0 → 0.5", "L2 0 → 0.001"]),
        (training(clip_norm=1.0), ["clip norm off → 1"]),
        (training(clip_value=0.25), ["clip value off → 0.25"]),
        (training(early_stopping=5), ["early stopping off → 5"]),
        (training(loss="mse"), ["loss Cross-entropy → Mean squared error"]),
        (training(optimizer=choice("OPTIMIZERS", "adam", learning_rate=0.003)), ["learning rate 0.01 → 0.003"]),
        (
            training(optimizer=choice("OPTIMIZERS", "sgd", learning_rate=0.1, momentum=0.9)),
            ["optimizer Adam → SGD", "learning rate 0.01 → 0.1", "momentum 0.9"],
        ),
        (training(optimizer=choice("OPTIMIZERS", "rmsprop", learning_rate=0.01)), ["optimizer Adam → RMSprop"]),
        (training(schedule=choice("SCHEDULES", "cosine", t_max=80)), ["schedule Constant → Cosine", "schedule t max 80"]),
        (edits.change_layer(START, "h1", units=8), ["h1: units 4 → 8"]),
        (edits.change_layer(START, "h1", activation="tanh"), ["h1: activation ReLU → Tanh"]),
        (with_layer(frozen=True), ["h1 frozen"]),
        (edits.remove_layers(START, ("h1",)), ["h1 removed", "x to out drawn"]),
        (replace(START, weights={"h1.weight": [[1.0, 2.0]] * 4}), ["h1 weight set by hand"]),
        (replace(START, locks={"h1.bias": True}), ["h1 bias locked"]),
        (replace(START, data=choice("DATASETS", "moons", samples=90)), ["data samples 60 → 90"]),
        (replace(START, data=choice("DATASETS", "circles")), ["data Two moons → Circles"]),
        (replace(START, seed=8), ["seed 7 → 8"]),
        (replace(START, precision="float64"), ["precision float32 → float64"]),
        (edits.set_title(START, "Another"), []),
        (START, []),
    ],
)
def test_differences(new, said):
    assert list(differences(START, new)) == said


def test_every_difference_is_said_the_other_way_round_too():
    network = replace(
        START.network, layers=(*START.network.layers, catalog.new_layer("dense", "h2")), links=(*START.network.links, Link("x", "h2"))
    )
    more = replace(START, network=network, locks={"h1.bias": True}, weights={"h1.weight": [[1.0, 2.0]] * 4})
    assert list(differences(START, more)) == ["h2 added", "h1 weight set by hand", "h1 bias locked"]
    assert list(differences(more, START)) == ["h2 removed", "h1 weight as initialised again", "h1 bias unlocked"]


def test_links_between_layers_that_stay_are_said():
    linked = replace(START, network=replace(START.network, links=(*START.network.links, Link("x", "out"))))
    assert list(differences(START, linked)) == ["x to out drawn"]
    assert list(differences(linked, START)) == ["x to out cut"]


def test_many_parameters_are_counted():
    locked = replace(START, locks={f"{layer}.{tensor}": True for layer in ("h1", "out") for tensor in ("weight", "bias")})
    assert list(differences(START, locked)) == ["4 parameters locked"]


def test_a_layer_of_another_kind_and_name():
    assert list(differences(START, with_layer(name="hidden"))) == ["h1 called hidden"]
    assert list(differences(START, with_layer(catalog.new_layer("gru", "h1")))) == ["h1: Dense → GRU"]
    assert list(differences(START, with_layer(gain=2.0))) == ["h1: gain 1 → 2"]


def test_a_change_is_told_with_its_iteration():
    new = training(dropout=False, optimizer=choice("OPTIMIZERS", "adam", learning_rate=0.003))
    assert told(1200, START, new) == "iteration 1,200: learning rate 0.01 → 0.003; dropout on → off"
    assert told(3, START, START) == "iteration 3: changed, and back to what it was"


def test_of_many_differences_the_first_are_told():
    new = replace(training(dropout=False, l1=1.0, l2=1.0, clip_norm=1.0, clip_value=1.0, batch_size=8, early_stopping=3), seed=9)
    assert told(0, START, new).endswith("clip value off → 1; dropout on → off; … and 2 more")


def test_the_settings_in_brief():
    assert in_brief(START) == "Adam · learning rate 0.01 · batch 32"
    cosine = training(batch_size=None, schedule=choice("SCHEDULES", "cosine"))
    assert in_brief(cosine) == "Adam · learning rate 0.01 · cosine schedule · all rows"

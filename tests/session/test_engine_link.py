"""Which run goes on after an edit: the present one, a former one, or a new one that begins at 0."""

import gc
import weakref

import pytest

from nnviz import messages
from nnviz.document import edits
from tests.session.sessions import Stage, two_moons


@pytest.fixture
def stage(qtbot):
    stage = Stage()
    stage.ready()
    stage.opened()
    stage.frame(300)
    stage.wire.take()
    yield stage
    stage.session.close()


def build(stage, *kinds):
    """Put these layers one behind the other into an empty document."""
    last = ""
    for kind, settings in kinds:
        id = edits.new_id(stage.session.experiment, kind)
        stage.session.edit("Add", edits.add_layer, kind, after=last or None, **settings)
        last = id


NET = ("input", {"shape": [2]}), ("dense", {"units": 3}), ("dense", {"units": 2})


def delete_all(stage):
    stage.session.edit("Delete", edits.remove_layers, ("x", "h1", "out"))


def test_nothing_of_a_deleted_network_is_shown(stage):
    delete_all(stage)
    run = stage.session.run
    assert (run.iteration, run.curves.iteration.size, run.snapshots, run.trace_index, run.surface) == (0, 0, (), None, None)


def test_a_network_built_anew_begins_at_0_and_undo_returns_to_the_old_run(stage):
    delete_all(stage)
    build(stage, *NET)
    opened = stage.wire.of(messages.Open)[-1]
    assert opened.iteration == 0 and not opened.log.changes and not stage.wire.of(messages.Edit)
    stage.opened()
    assert stage.session.run.iteration == 0
    for _ in range(4):
        stage.session.document.undo()
    opened = stage.wire.of(messages.Open)[-1]
    assert opened.iteration == 300 and opened.log.first.network == two_moons().network
    assert stage.session.run.iteration == 300 and stage.session.run.curves.iteration.tolist() == [300]
    stage.opened(iteration=300)
    assert stage.session.run.iteration == 300 and stage.session.run.snapshots == ()


def test_a_network_typed_again_with_the_same_names_is_another(stage):
    layers = [(layer.kind, layer.settings) for layer in stage.session.experiment.network]
    delete_all(stage)
    build(stage, *layers)
    stage.opened()
    before = stage.session.experiment
    stage.frame(40)
    stage.session.edit("Delete", edits.remove_layers, ("input1", "dense1", "dense2"))
    build(stage, *layers)
    assert stage.session.experiment.network == before.network
    assert stage.wire.of(messages.Open)[-1].iteration == 0


def test_a_run_goes_on_while_one_tensor_is_carried_over(stage):
    stage.session.edit("Delete", edits.remove_layers, ("out",))
    assert stage.session.run.iteration == 300
    stage.session.edit("Add", edits.add_layer, "dense", after="h1", units=2)
    assert stage.wire.of(messages.Edit) and not stage.wire.of(messages.Open)
    assert stage.session.run.iteration == 300


def test_a_late_answer_about_the_deleted_network_is_not_shown(stage):
    stage.session.edit("Wider", edits.change_layer, "h1", units=5)
    revision = stage.session.run.revision
    delete_all(stage)
    stage.reply(messages.Opened(revision, 300, 3, False, 2))
    assert stage.session.run.iteration == 0


def test_that_a_former_run_is_back_is_said_when_it_is(stage):
    back = lambda: [text for text in stage.texts if "is back" in text]  # noqa: E731
    delete_all(stage)
    build(stage, *NET)
    stage.opened()
    for _ in range(4):
        stage.session.document.undo()
    assert not back(), "it is still being made again"
    stage.opened(iteration=300)
    assert back() == ["The former network is back, and its run stands at iteration 300 again."]
    stage.opened(iteration=300)
    assert len(back()) == 1
    for _ in range(4):
        stage.session.document.redo()
    stage.opened()
    assert stage.session.run.iteration == 0 and len(back()) == 1, "a run that never trained has nothing to come back to"


def test_of_a_run_that_was_left_no_trace_is_kept(stage):
    stage.traced(300)
    trace = weakref.ref(stage.session.run.trace_index)
    delete_all(stage)
    build(stage, *NET)
    stage.opened()
    stage.traced(0)
    stage.runs.clear()
    gc.collect()
    assert trace() is None


# --- one network in the place of another, at once: the engine decides ---


def replace_network(stage):
    """Another net, of which no tensor fits the former one."""

    def replaced(experiment):
        cut = edits.remove_layers(experiment, ["h1", "out"])
        wide = edits.add_layer(cut, "dense", after="x", units=5)
        return edits.add_layer(wide, "dense", after=wide.network.layers[-1].id, units=2)

    stage.session.edit("Replace", replaced)
    return stage.wire.of(messages.Edit)[-1].revision


def begun_anew(stage, revision):
    stage.reply(messages.Opened(revision, 0, 0, True, 2, reasons=("Nothing is left.",), nothing_left=True))


def test_that_nothing_is_left_is_what_the_engine_says(stage):
    before = stage.session.experiment
    stage.session.stepping.move("node", +1)
    revision = replace_network(stage)
    assert stage.session.run.iteration == 300, "it is not known yet"
    begun_anew(stage, revision)
    assert (stage.session.run.iteration, stage.session.run.curves.iteration.size, stage.texts[-1]) == (0, 0, "Nothing is left.")
    assert stage.session.link.log.first is stage.session.experiment and not stage.session.stepping.is_awaiting
    stage.session.document.undo()
    opened = stage.wire.of(messages.Open)[-1]
    assert (opened.iteration, opened.log.first) == (300, before)
    assert stage.session.run.curves.iteration.tolist() == [300], "it looks at once as it did"
    stage.reply(messages.Opened(opened.revision, 300, 3, True, 2))
    assert "is back" in stage.texts[-1]


def test_an_undo_that_overtakes_the_answer_returns_to_the_run_too(stage):
    revision = replace_network(stage)
    stage.session.document.undo()
    begun_anew(stage, revision)
    opened = stage.wire.of(messages.Open)[-1]
    assert opened.iteration == 300
    begun_anew(stage, revision + 1)
    assert stage.wire.of(messages.Open)[-1] is opened, "what it says of the run that is left is heard no more"
    stage.reply(messages.Opened(opened.revision, 300, 3, True, 2))
    assert stage.session.run.iteration == 300 and stage.session.link.is_up_to_date


def test_the_engine_is_told_which_layers_were_there_all_the_time(stage):
    stage.session.edit("Unlink", edits.disconnect_layers, "x", "h1")
    stage.session.edit("Delete", edits.remove_layers, ("out",))
    stage.session.edit("Add", edits.add_layer, "dense", after="h1", units=2)
    stage.session.edit("Link", edits.connect_layers, "x", "h1")
    assert stage.wire.of(messages.Edit)[-1].alive == ("h1",)
    stage.opened(new_run=False, iteration=300)
    stage.session.edit("Rate", edits.change_optimizer, learning_rate=0.5)
    assert stage.wire.of(messages.Edit)[-1].alive is None

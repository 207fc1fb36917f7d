"""The doctor in a real window with a real engine: what it says is of where the run stands, and leads there; a cure is tried beside it."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from nnviz.document import edits
from nnviz.document.store.examples import open_document
from tests.ui.window import opened, stands_at, wait

LEFT = Qt.MouseButton.LeftButton
HEADLINE = "vanishing gradients in dense 1 since iteration 5"


@pytest.fixture
def sick(qtbot, lent_engine):
    """Ten layers of sigmoids, whose gradients vanish."""
    yield from opened(qtbot, "deep_sigmoid", 40, engine=lent_engine)


@pytest.fixture
def sound(qtbot, lent_engine):
    yield from opened(qtbot, "moons", 0, engine=lent_engine)


def said(window) -> str:
    return window.features.doctor.line.sentence.text()


def kinds(window) -> set[str]:
    """What is found where the run stands."""
    return {finding.kind for finding in window.session.doctor.present}


def is_judged(window) -> bool:
    return not window.session.doctor.is_past


def go_to(qtbot, window, iteration: int) -> None:
    window.session.training.go_to(iteration)
    wait(qtbot, lambda: stands_at(window, iteration) and is_judged(window))


def edit(qtbot, window, function, *args, **settings) -> None:
    assert window.session.edit("Edit", function, *args, **settings)
    assert not is_judged(window), "what was found was found in another document"
    wait(qtbot, lambda: is_judged(window))


def test_nothing_is_called_healthy_before_it_is_judged(qtbot, sound):
    window, session = sound, sound.session
    wait(qtbot, lambda: is_judged(window))
    assert said(window).startswith("not judged yet") and "gradients" not in said(window)
    session.training.iterations(60)
    wait(qtbot, lambda: stands_at(window, 60))
    assert said(window).startswith("healthy: gradients") and not window.features.doctor.marks
    for name in ("build", "train", "step"):
        window.features.area.show_workspace(name)
        assert window.features.doctor.line.isVisible()
    go_to(qtbot, window, 3)
    assert said(window).startswith("not judged yet")


def test_it_is_found_marked_and_gone_where_the_run_stands_before(qtbot, sick):
    window, doctor = sick, sick.features.doctor
    assert said(window).startswith(HEADLINE)
    cause = window.session.doctor.latest[0].cause
    assert window.features.network.view.scene().columns["h1"].causes == (cause,)
    marked = [frame.causes for frame in window.features.graph.view.trace_scene.frames.values() if frame.causes]
    folded = [card for card in window.features.graph.view.trace_scene.cards.values() if "found" in card.state.marks]
    assert marked == [(cause,)] or folded
    go_to(qtbot, window, 4)
    assert said(window).startswith("not judged yet") and not doctor.marks and not doctor.list.boxes
    assert not window.features.network.view.scene().columns["h1"].causes
    go_to(qtbot, window, 40)
    assert said(window).startswith(HEADLINE) and doctor.marks


def test_a_click_on_the_line_leads_to_where_it_began(qtbot, sick):
    window, session = sick, sick.session
    window.features.area.show_workspace("build")
    QTest.mouseClick(window.features.doctor.line.sentence, LEFT, pos=QPoint(60, 10))
    assert window.features.area.name == "step"
    wait(qtbot, lambda: stands_at(window, 4))
    step = session.stepping.state.step
    assert step.phase == "backward" and session.stepping.index.node(step.node).group[:1] == ("h1",)
    assert session.run.reached == 40, "the way back is open"


def test_what_is_past_is_pale_and_cannot_be_pressed(qtbot, sick):
    window, doctor = sick, sick.features.doctor
    window.session.training.go_to(0)
    assert said(window).startswith(HEADLINE) and doctor.line.sentence._tone == "faint" and not doctor.line.sentence.isEnabled()
    assert not doctor.marks and not any(button.isEnabled() for button in doctor.list.boxes[0].buttons.values())
    wait(qtbot, lambda: stands_at(window, 0))
    assert said(window).startswith("not judged yet")


def test_an_edit_that_cures_and_an_undo(qtbot, sick):
    window = sick
    fix = window.features.doctor.list.boxes[0]._offered[0].fix
    window.features.area.show_workspace("train")
    window.action_table["doctor"].trigger()
    QTest.mouseClick(window.features.doctor.list.boxes[0].buttons[f"apply {fix.label}"], LEFT)
    wait(qtbot, lambda: is_judged(window))
    assert not {"vanishing", "rate_too_small"} & kinds(window), "another document has to be judged anew"
    window.session.undo_order.undo()
    wait(qtbot, lambda: is_judged(window))
    assert said(window).startswith(HEADLINE)


def test_bounds_are_judged_by_at_once_and_saved_with_the_document(qtbot, sick):
    window, session = sick, sick.session
    window.action_table["doctor_bounds"].trigger()
    sheet = window.features.doctor.bounds
    box = sheet.editors["vanishing", "ratio"]
    box.setFocus()
    box.selectAll()
    QTest.keyClicks(box, "1e-30")
    QTest.keyClick(box, Qt.Key.Key_Return)
    wait(qtbot, lambda: is_judged(window) and "vanishing" not in kinds(window))
    assert session.experiment.doctor == {"vanishing": {"ratio": 1e-30}} and HEADLINE not in said(window)
    assert session.run.iteration == 40, "the run is the same"
    QTest.mouseClick(sheet.resets["vanishing"], LEFT)
    wait(qtbot, lambda: said(window).startswith(HEADLINE))
    assert session.experiment.doctor == {} and box.value() == 1e-3
    QTest.mouseClick(sheet.editors["vanishing", "enabled"], LEFT, pos=QPoint(8, 8))
    wait(qtbot, lambda: is_judged(window) and "vanishing" not in kinds(window))
    assert not box.isEnabled()
    session.undo_order.undo()
    wait(qtbot, lambda: said(window).startswith(HEADLINE))
    assert box.isEnabled()


def test_bounds_survive_an_engine_that_is_started_anew(qtbot, sick):
    window, session = sick, sick.session
    edit(qtbot, window, edits.change_bounds, "vanishing", enabled=False)
    found = kinds(window)
    assert "vanishing" not in found
    session.restart_engine()
    wait(qtbot, lambda: session.run.engine != "ready")
    wait(qtbot, lambda: stands_at(window, 40) and is_judged(window))
    assert kinds(window) == found
    edit(qtbot, window, edits.reset_bounds)
    assert said(window).startswith(HEADLINE)


def test_another_document_has_nothing_of_the_former_one(qtbot, sick):
    window, session = sick, sick.session
    session.document.new(open_document("example:moons"))
    assert not session.doctor.latest and not window.features.doctor.list.boxes
    wait(qtbot, lambda: stands_at(window, 0) and is_judged(window))
    assert said(window).startswith("not judged yet")


def test_a_cure_is_tried_beside_the_run_and_gone_on_with(qtbot, sick):
    window, session = sick, sick.session
    box = window.features.doctor.brief.boxes[0]
    (button,) = box.buttons.values()
    label = box._offered[0].fix.label
    button.click()
    assert window.features.area.name == "train" and window.is_visible("doctor") and session.trials.is_going
    assert not window.features.doctor.list.boxes[0].try_button.isEnabled(), "one group of cures at a time"
    wait(qtbot, lambda: not session.trials.is_going)
    shown = window.features.doctor.list.boxes[0]
    wait(qtbot, lambda: f"go on with {label}" in shown.buttons)
    assert session.run.iteration == 40 and said(window).startswith(HEADLINE), "the present run stays as it is"
    (kept,) = session.branches.kept
    assert kept.branch.reached == 300 and kept.curves.last("training_loss") < session.run.curves.last("training_loss")
    verdict = shown._offered[0].verdict
    assert f"{kept.curves.last('training_loss'):.3g}" in verdict and "in 300 iterations" in verdict
    QTest.mouseClick(shown.buttons[f"go on with {label}"], LEFT)
    wait(qtbot, lambda: stands_at(window, 300) and is_judged(window))
    assert session.branches.present.name == kept.branch.name and "vanishing" not in said(window)
    wait(qtbot, lambda: [one.verdict for one in window.features.doctor.list._shown] == [verdict])  # what it has shown is kept


def test_a_verdict_is_told_where_the_panel_cannot_be_seen(qtbot, sick):
    window, session = sick, sick.session
    posted = []
    session.message_posted.connect(lambda level, text: posted.append(text))
    window.features.area.show_workspace("build")
    finding = session.doctor.present[0]
    fix = session.trials.cures(finding)[0]
    assert session.trials.start(finding, (fix,))
    wait(qtbot, lambda: session.trials.of(finding, fix).verdict is not None)
    assert posted[-1] == session.trials.of(finding, fix).verdict.sentence


def test_a_run_is_asked(qtbot, sound):
    window, session = sound, sound.session
    session.training.iterations(100)
    wait(qtbot, lambda: stands_at(window, 100))
    window.features.area.show_workspace("train")
    window.action_table["doctor"].trigger()
    button, answer = window.features.doctor.list.questions["inputs"]
    wait(qtbot, button.isEnabled)
    QTest.mouseClick(button, LEFT)
    assert not button.isEnabled() and not answer.isVisible()
    wait(qtbot, answer.isVisible)
    assert answer.text().startswith("Yes") and answer.text().endswith("(asked at iteration 100)")
    assert not session.branches.kept and session.run.iteration == 100, "nothing of it is left beside the run"


def test_while_training_runs_it_is_judged_on_the_way(qtbot, sick):
    window, session = sick, sick.session
    session.training.set_pace(200.0)
    session.training.train()
    wait(qtbot, lambda: session.run.iteration > 60 and session.doctor.iteration > 50)
    assert said(window).startswith(HEADLINE) and is_judged(window)
    fix = session.trials.cures(session.doctor.present[0])[0]
    session.doctor.apply(fix)
    assert not is_judged(window) and window.features.doctor.line.sentence._tone == "faint"
    wait(qtbot, lambda: is_judged(window))
    assert session.run.training and "vanishing" not in kinds(window) and "h1" not in window.features.doctor.marks
    session.training.pause()
    wait(qtbot, lambda: not session.run.training and is_judged(window))
    assert "vanishing" not in kinds(window) and session.doctor.iteration == session.run.iteration


def test_each_branch_has_what_was_found_in_it(qtbot, sick):
    window, session = sick, sick.session
    session.training.go_to(20)
    wait(qtbot, lambda: stands_at(window, 20) and is_judged(window))
    fix = session.trials.cures(session.doctor.latest[0])[0] if session.doctor.latest else None
    session.edit("ReLU", edits.change_layer, "h1", activation="relu") if fix is None else session.doctor.apply(fix)
    wait(qtbot, lambda: is_judged(window))
    assert "vanishing" not in kinds(window)
    session.branches.go_to("main")
    assert not is_judged(window)
    wait(qtbot, lambda: stands_at(window, 40) and is_judged(window))
    assert said(window).startswith(HEADLINE)

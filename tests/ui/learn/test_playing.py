"""A lesson in the real window with a real engine, played with clicks and keys, rightly and wrongly, left and come back to."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QMessageBox

from nnviz.document import edits
from nnviz.document.store.examples import open_document
from nnviz.jobs.teaching import _Player
from nnviz.lessons.checks import filled, right_answer
from nnviz.lessons.expression import number
from nnviz.lessons.lesson import Ask, Lesson, LessonStep, Option, RunBeside
from nnviz.lessons.store import lesson_names, open_lesson
from nnviz.ui.network.neurons import bias_dot
from nnviz.ui.shell.layouts import WORKSPACES
from nnviz.ui.shell.top_bar import Figure
from tests.ui.window import opened, wait

NAME = "first_backward_pass"
LEFT, KEY = Qt.MouseButton.LeftButton, Qt.Key


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, "moons", engine=lent_engine)


@pytest.fixture
def unasked(monkeypatch):
    """Fails where the window asks what shall become of unsaved work."""
    monkeypatch.setattr(QMessageBox, "question", lambda *_: pytest.fail("asked"))


def stands(window, place: int) -> bool:
    lessons = window.session.lessons
    return lessons.state is not None and lessons.state.place == place and not lessons.is_setting_up


def begin(qtbot, window, lesson: Lesson | None = None) -> None:
    """Open the first lesson as a person does; or another one."""
    if lesson is None:
        window.action_table["first_lesson"].trigger()
    else:
        window.features.area.show_workspace("learn")
        window.session.lessons.open("own", lesson)
        window.features.learn.take_keyboard()
    wait(qtbot, lambda: stands(window, 0))


def focused(window):
    return window.focusWidget()


def press(window, key, modifier=Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(focused(window), key, modifier)


def type_answer(window, text: str) -> None:
    QTest.keyClicks(focused(window), text)
    press(window, KEY.Key_Return)


def measured(window, expression: str) -> float:
    return number(expression, window.session.lessons.facts.names)


def written(value: float) -> str:
    return f"{value:.6g}"


def said(window) -> str:
    return window.features.learn.page.verdict.label.text()


def reveal(window) -> str:
    return window.features.learn.page.reveal.text()


def test_the_first_lesson_by_keyboard_alone(qtbot, window, unasked):
    session, page = window.session, window.features.learn.page
    QTest.keyClick(window, KEY.Key_4, Qt.KeyboardModifier.ControlModifier)
    assert window.features.area.name == "learn" and focused(window) is window.features.learn.list.rows[0]
    press(window, KEY.Key_Return)
    wait(qtbot, lambda: stands(window, 0))
    assert session.experiment.title == open_document("template:worked_2-2-1").title
    lesson, headless = session.lessons.state.lesson, _Player()
    for place, step in enumerate(lesson.steps):
        wait(qtbot, lambda place=place: stands(window, place))
        headless._set_up(step)
        assert page.text.text() == filled(step.text, headless.facts()), "the same numbers as without a window"
        assert not page.next.isEnabled() and not reveal(window)
        if step.ask.kind == "number":
            assert focused(window) is page.field
            for wrong in step.ask.wrong:
                page.field.clear()
                type_answer(window, written(measured(window, wrong.answer)))
                assert said(window).startswith("**Not yet.** ") and "Try once more" not in said(window)
            page.field.clear()
            type_answer(window, written(measured(window, step.ask.answer)).replace(".", ","))
        else:
            right = int(right_answer(step.ask, session.lessons.facts))
            wrong = next(other for other in range(len(step.ask.options)) if other != right)
            press(window, KEY.Key_1 + wrong)
            assert said(window).startswith("**Not yet.**") and not page.next.isEnabled()
            press(window, KEY.Key_1 + right)
        assert said(window) == "**Right.**" and "{=" not in reveal(window) and reveal(window)
        press(window, KEY.Key_Return if place % 2 else KEY.Key_Right)
    assert session.lessons.state is None and window.features.learn.list.isVisible()
    assert window.features.learn.list.rows[0].lesson.is_done


def test_the_answer_is_not_on_the_screen_before_it_is_given(qtbot, window):
    begin(qtbot, window)
    stepping, page = window.session.stepping, window.features.learn.page
    linear = next(node.id for node in stepping.index.trace.nodes if node.operation == "linear")
    assert stepping.selected_node == linear and not stepping.state.is_made(linear)
    qtbot.keyClicks(page.field, written(measured(window, "value('h1/linear')[0, 0]")))
    QTest.mouseClick(page.check, LEFT)
    assert stepping.state.is_made(linear) and stepping.selected_node == linear
    assert "−0.72" in reveal(window).replace("-", "−")


def test_hints_come_one_by_one_and_show_me_gives_up(qtbot, window):
    begin(qtbot, window)
    page = window.features.learn.page
    assert not page.hints.isVisible()
    QTest.mouseClick(page.hint, LEFT)
    assert "Multiply each input" in page.hints.text() and not page.hint.isVisible()
    QTest.mouseClick(page.show_me, LEFT)
    assert page.field.text() == "-0.72" and said(window) == "Here it is." and page.next.isEnabled() and reveal(window)
    QTest.mouseClick(page.next, LEFT)
    wait(qtbot, lambda: stands(window, 1))
    QTest.mouseClick(page.back, LEFT)
    wait(qtbot, lambda: stands(window, 0))
    assert reveal(window) and page.next.isEnabled(), "it stays answered"


def test_what_is_no_number_is_told(qtbot, window):
    begin(qtbot, window)
    type_answer(window, "many")
    assert "That is no number" in said(window)


def test_leaving_the_step_and_coming_back_restores_it(qtbot, window, unasked):
    begin(qtbot, window)
    session, page = window.session, window.features.learn.page
    text, experiment, cursor = page.text.text(), session.experiment, session.stepping.cursor
    assert not page.away.isVisible()
    session.stepping.to_end()
    assert not page.away.isVisible(), "stepping is no leaving"
    window.action_table["train_iteration"].trigger()
    wait(qtbot, lambda: session.run.iteration == 1 and session.run.is_traced)
    assert page.away.isVisible() and page.text.text() == text, "its numbers stay as they were"
    QTest.mouseClick(page.away.button, LEFT)
    wait(qtbot, lambda: stands(window, 0) and not session.lessons.is_away)
    assert (session.experiment, session.run.iteration, session.stepping.cursor) == (experiment, 0, cursor)
    assert not page.away.isVisible() and page.text.text() == text


def test_an_edit_of_the_person_is_not_thrown_away_unasked(qtbot, window, monkeypatch):
    begin(qtbot, window)
    session, asked = window.session, []
    answers = [QMessageBox.StandardButton.Cancel, QMessageBox.StandardButton.Discard]
    monkeypatch.setattr(QMessageBox, "question", lambda *_: asked.append(1) or answers[len(asked) - 1])
    before = session.experiment
    session.edit("Other rate", edits.set_value, "training.optimizer.learning_rate", "0.5")
    wait(qtbot, lambda: session.run.is_traced)
    assert session.lessons.is_away
    window.action_table["lesson_restore"].trigger()
    assert len(asked) == 1 and session.lessons.is_away
    window.action_table["lesson_restore"].trigger()
    wait(qtbot, lambda: not session.lessons.is_away and stands(window, 0))
    assert len(asked) == 2 and session.experiment == before


def test_another_document_and_back(qtbot, window, unasked):
    begin(qtbot, window)
    session, page = window.session, window.features.learn.page
    window.features.files.documents.take(open_document("example:xor"))
    wait(qtbot, lambda: session.run.is_traced)
    assert page.away.isVisible() and "1.3" in page.text.text()
    window.features.area.show_workspace("step")
    window.action_table["lesson_restore"].trigger()
    wait(qtbot, lambda: stands(window, 0) and not session.lessons.is_away)
    assert window.features.area.name == "learn" and session.experiment.title == open_document("template:worked_2-2-1").title


def test_a_new_engine_goes_on_at_the_step(qtbot, window):
    begin(qtbot, window)
    session = window.session
    session.lessons.give_up()
    cursor, index = session.stepping.cursor, session.stepping.index
    session.restart_engine()
    wait(qtbot, lambda: session.stepping.index is not index and session.run.is_traced)
    assert stands(window, 0) and not session.lessons.is_away and session.stepping.cursor == cursor
    window.action_table["lesson_next"].trigger()
    wait(qtbot, lambda: stands(window, 1))


def test_a_click_is_asked_for_on_graph_and_canvas(qtbot, window):
    ask = Ask("click", "Which node is silent?", when="clicked == 'h1/relu' or clicked == 'h1'", example="h1/relu")
    begin(qtbot, window, Lesson("t", "s", 1, (LessonStep("Look.", document="template:worked_2-2-1", ask=ask),)))
    view, network, page = window.features.graph.view, window.features.network.view, window.features.learn.page
    wait(qtbot, lambda: view.trace_scene.is_shown and not view.trace_scene.placer.is_busy)
    index = window.session.stepping.index
    relu, loss = (next(node.id for node in index.trace.nodes if node.operation == name) for name in ("relu", "mse_loss"))

    def click(node: int) -> None:
        QTest.mouseClick(view.viewport(), LEFT, pos=view.mapFromScene(view.trace_scene.card_of(node).sceneBoundingRect().center()))

    click(loss)
    assert "mse_loss" in said(window) and not page.next.isEnabled()
    click(relu)
    assert said(window) == "**Right.**"
    window.session.lessons.restore()
    wait(qtbot, lambda: stands(window, 0))
    place = network.scene().columns["h1"].sceneBoundingRect().center()
    QTest.mouseClick(network.viewport(), LEFT, pos=network.mapFromScene(place))
    assert window.session.lessons.state.verdict == "right"


def test_a_change_is_waited_for_and_the_next_step_goes_on_from_it(qtbot, window, unasked):
    slower = Ask("change", "Slower.", when="learning_rate < 0.05", example="training.optimizer.learning_rate=0.01")
    longer = Ask("change", "Train.", when="iteration >= 3", example="iterations=3")
    first = LessonStep("{= learning_rate }", document="template:worked_2-2-1", ask=slower)
    steps = (first, LessonStep("{= learning_rate }", ask=longer), LessonStep("{= learning_rate } {= iteration }"))
    begin(qtbot, window, Lesson("t", "s", 1, steps))
    session, page = window.session, window.features.learn.page
    assert window.is_visible("training") and not page.next.isEnabled()
    session.edit("Rate", edits.set_value, "training.optimizer.learning_rate", "0.02")
    wait(qtbot, page.next.isEnabled)
    page.setFocus()
    press(window, KEY.Key_Return)
    wait(qtbot, lambda: stands(window, 1))
    assert page.text.text() == "0.02", "it is the person's"
    session.training.iterations(5)
    wait(qtbot, page.next.isEnabled)
    wait(qtbot, lambda: session.run.iteration == 5 and not session.run.training)
    press(window, KEY.Key_Right)
    wait(qtbot, lambda: stands(window, 2))
    assert page.text.text() == "0.02 5" and page.next.text().startswith("Finish")
    press(window, KEY.Key_Left)
    wait(qtbot, lambda: stands(window, 1))
    assert page.text.text() == "0.01", "made again from its document, with the example of the step before"


def test_runs_beside_are_trained_and_asked_of(qtbot, window, unasked):
    beside = {name: RunBeside({"training.optimizer.learning_rate": rate}) for name, rate in {"fast": 0.3, "slow": 0.001}.items()}
    ask = Ask("number", "How far?", answer="final('loss', 'fast') / final('loss', 'slow')")
    step = LessonStep(
        "{= final('loss', 'slow') }", document="template:worked_2-2-1", iteration=5, workspace="train", panels=("loss",), ask=ask
    )
    begin(qtbot, window, Lesson("t", "s", 1, (replace(step, runs=beside, run_iterations=5), LessonStep("{= final('loss') }"))))
    session, page = window.session, window.features.learn.page
    assert {kept.branch.name: kept.branch.reached for kept in session.branches.kept} == {"fast": 5, "slow": 5}
    assert session.run.iteration == 5 and "–" not in page.text.text()
    assert set(window.features.area.visible_panels()) == {"lesson", "loss", "training"}
    session.lessons.give_up()
    QApplication.processEvents()
    window.action_table["lesson_next"].trigger()
    wait(qtbot, lambda: stands(window, 1))
    assert len(session.branches.kept) == 2


def test_an_engine_that_ends_on_the_way_to_the_step_is_followed_by_one_that_gets_there(qtbot, window):
    steps = (LessonStep("{= iteration }", document="example:moons", iteration=400),)
    window.features.area.show_workspace("learn")
    window.session.lessons.open("own", Lesson("t", "s", 1, steps))
    wait(qtbot, lambda: window.session.run.target == 400)
    assert "Training to iteration 400" in window.features.learn.page.waiting.text()
    window.session.restart_engine()
    wait(qtbot, lambda: stands(window, 0))
    assert window.session.run.iteration == 400 and window.features.learn.page.text.text() == "400"


@pytest.mark.parametrize("name", ["example:nowhere", "/etc/hosts", "file:///etc/hosts", "http://127.0.0.1:9/a.json"])
def test_a_lesson_opens_nothing_but_what_comes_with_the_program(window, name):
    before, page = window.session.experiment, window.features.learn.page
    window.features.area.show_workspace("learn")
    window.session.lessons.open("own", Lesson("t", "s", 1, (LessonStep("Look: {= loss }", document=name),)))
    assert window.session.experiment is before and page.waiting.text().startswith("The step cannot be set up")
    assert page.text.text() == "Look: …" and not page.next.isEnabled()


def test_runs_beside_have_what_the_step_has_set_before_the_first_iteration(qtbot, window):
    rate, momentum = "training.optimizer.learning_rate", "training.optimizer.momentum"
    step = LessonStep("Two.", "example:narrow_valley", {rate: 0.1}, runs={"plain": RunBeside({momentum: 0})}, run_iterations=5)
    begin(qtbot, window, Lesson("Runs", "Some.", 1, (step,)))
    player = _Player()
    player._set_up(step)
    expected = number("final('loss', 'plain')", player.facts().names)
    player._set_up(replace(step, set={}))
    assert measured(window, "final('loss', 'plain')") == expected != number("final('loss', 'plain')", player.facts().names)


def test_the_runs_of_a_step_are_seen_once_its_question_is_answered(qtbot, window, unasked):
    runs = {"fast": RunBeside({"training.optimizer.learning_rate": 0.3})}
    ask = Ask("number", "How far?", answer="final('loss', 'fast')")
    step = LessonStep("Guess.", document="template:worked_2-2-1", workspace="train", panels=("loss", "runs"), ask=ask)
    later = replace(step, document=None, runs={"slow": RunBeside({"training.optimizer.learning_rate": 0.001})}, ask=None, run_iterations=5)
    begin(qtbot, window, Lesson("t", "s", 1, (replace(step, runs=runs, run_iterations=5), later)))
    cards, bar = window.features.cards, window.features.run.bar
    hidden = bar.grab().toImage()
    QTest.mouseClick(bar, LEFT, pos=bar.places().name_box(1).center().toPoint())
    assert window.session.branches.present.name == "main" and "Shown as soon" in bar.accessibleDescription() and not bar.is_reachable
    assert not cards["loss"].body.isVisible() and not cards["runs"].body.isVisible() and cards["training"].body.isVisible()
    window.features.area.show_workspace("train")
    assert cards["loss"].body.isVisible(), "the cover belongs to the lesson"
    window.features.area.show_workspace("learn")
    assert not cards["loss"].body.isVisible()
    window.session.lessons.give_up()
    assert cards["loss"].body.isVisible() and cards["runs"].body.isVisible()
    rows = window.features.comparison.panel.table.rows()
    assert {row.name: row.branch.reached for row in rows} == {"main": 0, "fast": 5}, "as far as the curves"
    assert bar.is_reachable and bar.grab().toImage() != hidden, "how far each has come may be the answer"
    window.features.learn.go_on()
    wait(qtbot, lambda: stands(window, 1))
    assert [kept.branch.name for kept in window.session.branches.kept] == ["slow"], "those of the step before are over"


def test_what_a_step_covers_is_seen_once_its_question_is_answered(qtbot, window):
    ask = Ask("number", "How many?", answer="parameters('h1')")
    step = LessonStep("Count.", document="template:worked_2-2-1", workspace="build", covers=("parameters",), ask=ask)
    begin(qtbot, window, Lesson("t", "s", 1, (step,)))
    card = window.features.cards["parameters"]
    assert not card.body.isVisible()
    window.session.lessons.give_up()
    assert card.body.isVisible()


def test_what_doctor_and_top_bar_would_say_is_covered_too(qtbot, window):
    ask = Ask("choice", "Large?", options=(Option("yes", "loss > 1"), Option("no", "loss <= 1")))
    begin(qtbot, window, Lesson("t", "s", 1, (LessonStep("Look.", document="example:unscaled", covers=("doctor",), ask=ask),)))
    doctor, figures = window.features.doctor, window.top_bar.findChildren(Figure)
    wait(qtbot, lambda: bool(window.session.doctor.present))
    said = [figure.findChildren(QLabel)[1].text() for figure in figures]
    assert "Shown as soon" in doctor.line.sentence.text() and not doctor.marks and doctor.section.isHidden() and said.count("?") == 2
    window.session.lessons.give_up()
    assert "Shown" not in doctor.line.sentence.text() and doctor.marks and not doctor.section.isHidden()
    assert "?" not in [figure.findChildren(QLabel)[1].text() for figure in figures]


def test_a_count_that_is_asked_for_is_not_said_by_the_network(qtbot, window):
    ask = Ask("number", "How many parameters?", answer="parameters()")
    begin(qtbot, window, Lesson("t", "s", 1, (LessonStep("Count.", document="template:worked_2-2-1", ask=ask),)))
    card = window.features.cards["network"]
    silent = card.grab().toImage()
    window.session.lessons.give_up()
    assert card.grab().toImage() != silent and not window.features.learn.silent


def test_a_weight_is_clicked_for_an_answer_and_opens_no_field(qtbot, window):
    ask = Ask("click", "Which bias?", when="clicked == 'h1.bias'", example="h1.bias")
    begin(qtbot, window, Lesson("t", "s", 1, (LessonStep("Look.", document="template:worked_2-2-1", ask=ask),)))
    network = window.features.network.view
    column = network.scene().columns["h1"]
    place = column.mapToScene(bias_dot(column.face, 1))

    def click() -> list[QLineEdit]:
        QTest.mouseClick(network.viewport(), LEFT, pos=network.mapFromScene(place))
        return [field for field in network.viewport().findChildren(QLineEdit) if field.isVisible()]

    assert not click() and window.session.lessons.state.verdict == "right"
    assert click(), "after the answer it can be typed again"


def test_a_step_that_sets_something_after_going_back_leaves_no_branch(qtbot, window, unasked):
    rate = "training.optimizer.learning_rate"
    first = LessonStep("Train.", document="template:worked_2-2-1", iteration=5)
    begin(qtbot, window, Lesson("t", "s", 1, (first, LessonStep("{= learning_rate }", set={rate: 0.3}, iteration=0))))
    told = []
    window.session.message_posted.connect(lambda level, text: told.append(text))
    window.features.learn.go_on()
    wait(qtbot, lambda: stands(window, 1))
    assert window.features.learn.page.text.text() == "0.3" and window.session.run.reached == 0
    assert not window.session.branches.kept and not told
    window.session.training.iterations(3)
    wait(qtbot, lambda: window.session.run.iteration == 3 and not window.session.run.training)
    window.session.training.go_to(1)
    wait(qtbot, lambda: window.session.run.iteration == 1 and window.session.run.target is None)
    window.session.edit("Rate", edits.set_value, rate, "0.02")
    assert len(window.session.branches.kept) == 1, "what a person edits starts one as ever"


def test_what_a_step_has_measured_stands_in_its_text_and_its_panel(qtbot, window, unasked):
    ask = Ask("number", "What?", answer="distances('ratios')[0]")
    step = LessonStep("{= distances('ratios')[0] :: .3f}", document="example:curse_of_dimension", iteration=0, workspace="train", ask=ask)
    beside = replace(step, panels=("distances", "baselines"), measure=("distances", "baselines"))
    begin(qtbot, window, Lesson("t", "s", 1, (beside, LessonStep("{= score('this net') :: .3f}", measure=("baselines",)))))
    headless, page = _Player(), window.features.learn.page
    headless._set_up(beside)
    assert page.text.text() == filled(step.text, headless.facts()) and measured(window, ask.answer) > 10
    assert not window.features.cards["distances"].body.isVisible(), "it would show the answer"
    assert {"distances", "baselines"} <= set(window.features.area.visible_panels())
    type_answer(window, written(measured(window, ask.answer)))
    press(window, KEY.Key_Return)
    wait(qtbot, lambda: stands(window, 1))
    assert page.text.text() == filled("{= score('this net') :: .3f}", headless.facts())


@pytest.mark.parametrize("name", lesson_names())
def test_the_panels_of_a_lesson_stand_beside_it(name):
    assert {panel for step in open_lesson(name).steps for panel in step.panels} <= set(WORKSPACES["learn"].panels())


def test_a_long_reveal_is_brought_into_sight(qtbot, window):
    window.resize(1280, 720)
    step = LessonStep("Text. " * 200, document="template:worked_2-2-1", ask=Ask("number", "Two?", answer="2"), reveal="Because. " * 20)
    begin(qtbot, window, Lesson("t", "s", 1, (step,)))
    type_answer(window, "2")
    page = window.features.learn.page
    qtbot.waitUntil(lambda: not page.reveal.visibleRegion().isEmpty())
    qtbot.waitUntil(lambda: page.reveal.visibleRegion().boundingRect() == page.reveal.rect(), timeout=2000)


def test_the_graph_opens_what_hides_the_node_of_a_step(qtbot, window):
    step = LessonStep("Cell.", document="template:lstm", cursor="r/t=1/cell/add", phase="forward")
    begin(qtbot, window, Lesson("t", "s", 1, (step,)))
    graph, stepping = window.features.graph.view, window.session.stepping
    wait(qtbot, lambda: graph.trace_scene.is_shown and not graph.trace_scene.placer.is_busy)
    assert graph.trace_scene.card_of(stepping.selected_node).card.nodes == (stepping.selected_node,)

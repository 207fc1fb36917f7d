"""What the doctor says is of where the run stands, or known to be past; and its bounds change no run."""

from nnviz.document import edits
from nnviz.messages import Frame, GoTo, Moved, Pause, SetBounds
from nnviz.records.finding import Finding
from tests.session.sessions import kinds, two_moons

VANISHING = Finding("vanishing", "h1", "h1 hardly learns.", "1e-5 (below 1e-3)", since=5, at=40)
LINEAR = Finding("no_non_linearity", "h1", "They are one layer.", "The layers alone say so.")


def frame(stage, iteration: int, *findings: Finding, judged: tuple[str, ...] = ()) -> None:
    stage.reply(Frame(1, stage.session.run.revision, iteration, 0, 0.01, findings=findings, judged=judged))


def known(stage) -> tuple:
    doctor = stage.session.doctor
    return doctor.latest, doctor.is_past


def trained(stage) -> None:
    """The run stands at iteration 40, where something was found."""
    frame(stage, 40, VANISHING, judged=("vanishing",))
    stage.traced(40)
    stage.wire.take()


def test_what_is_found_is_of_the_present(standing):
    assert known(standing) == ((), True), "it has not looked yet"
    trained(standing)
    assert known(standing) == ((VANISHING,), False) and standing.session.doctor.present == (VANISHING,)
    assert standing.session.doctor.judged == ("vanishing",)


def test_it_is_past_on_the_way_and_gone_before_it_began(standing):
    trained(standing)
    standing.session.training.go_to(3)
    assert known(standing) == ((VANISHING,), True) and standing.session.doctor.present == ()
    standing.reply(Moved(3, 0))
    assert known(standing) == ((VANISHING,), True), "nobody has judged it there yet"
    frame(standing, 3)
    assert known(standing) == ((), False)


def test_it_is_past_after_an_edit_until_it_is_judged_anew(standing):
    trained(standing)
    standing.session.edit("Rate", edits.change_optimizer, learning_rate=0.5)
    assert known(standing) == ((VANISHING,), True)
    frame(standing, 40, VANISHING)
    standing.opened(new_run=False, iteration=40)
    assert standing.session.doctor.is_past
    frame(standing, 40)
    assert known(standing) == ((), False)


def test_it_is_past_without_an_engine(standing):
    trained(standing)
    standing.session.link.lost("It was killed.")
    assert standing.session.doctor.is_past


def test_another_document_has_nothing(standing):
    trained(standing)
    standing.session.document.new(two_moons(5))
    assert known(standing) == ((), True)


def test_other_bounds_change_no_run_and_are_judged_by_at_once(standing):
    trained(standing)
    revision = standing.session.run.revision
    standing.session.doctor.set_bounds("vanishing", ratio=1e-9)
    assert standing.wire.take() == [SetBounds({"vanishing": {"ratio": 1e-9}})]
    assert standing.session.run.revision == revision and standing.session.doctor.is_past
    frame(standing, 40)
    assert known(standing) == ((), False)
    standing.session.document.undo()
    assert standing.wire.take() == [SetBounds({})] and standing.session.doctor.is_past


def test_a_bound_that_cannot_be_is_refused(standing):
    standing.session.doctor.set_bounds("vanishing", ratio=-1.0)
    assert standing.wire.take() == [] and standing.messages[-1][0] == "warning" and "from 0" in standing.texts[-1]


def test_an_engine_that_comes_back_judges_by_them(standing):
    standing.session.doctor.set_bounds("plateau", enabled=False)
    standing.session.link.lost("It was killed.")
    standing.ready()
    opened = next(request for request in standing.wire.take() if kinds([request]) == ["Open"])
    assert opened.doctor == {"plateau": {"enabled": False}}


def test_the_way_to_where_it_began(standing):
    trained(standing)
    standing.session.doctor.show(VANISHING)
    assert standing.wire.take() == [GoTo(4)]
    standing.reply(Moved(4, 0))
    standing.traced(4)
    step = standing.session.stepping.state.step
    assert (step.phase, standing.session.stepping.index.node(step.node).group[0]) == ("backward", "h1")


def test_what_is_so_anywhere_is_shown_here(standing):
    trained(standing)
    standing.session.doctor.show(LINEAR)
    assert standing.wire.take() == []
    step = standing.session.stepping.state.step
    assert (step.phase, standing.session.stepping.index.node(step.node).group[0]) == ("forward", "h1")


def test_training_is_stopped_on_the_way(standing):
    trained(standing)
    standing.session.training.train()
    standing.wire.take()
    standing.session.doctor.show(VANISHING)
    assert standing.wire.take() == [Pause(), GoTo(4)]

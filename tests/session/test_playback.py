from nnviz.session.playback import FASTEST, Playback


def test_steps_at_once_and_again_and_again_until_stopped(qtbot):
    steps, told = [], []
    playback = Playback(lambda: steps.append(1))
    playback.playing_changed.connect(told.append)
    playback.play(FASTEST)
    assert len(steps) == 1
    qtbot.waitUntil(lambda: len(steps) >= 4, timeout=2000)
    playback.stop()
    playback.stop()
    count = len(steps)
    qtbot.wait(5 * FASTEST)
    assert (len(steps), told, playback.is_playing) == (count, [True, False], False)


def test_playing_faster_is_no_new_start(qtbot):
    steps, told = [], []
    playback = Playback(lambda: steps.append(1))
    playback.playing_changed.connect(told.append)
    playback.toggle(100_000)
    playback.play(FASTEST)
    assert (len(steps), told) == (1, [True])
    qtbot.waitUntil(lambda: len(steps) >= 2, timeout=2000)
    playback.toggle()
    assert told == [True, False]


def test_a_step_that_stops_it_is_the_last(qtbot):
    steps = []

    def step() -> None:
        steps.append(1)
        playback.stop()

    playback = Playback(step)
    playback.play(FASTEST)
    qtbot.wait(5 * FASTEST)
    assert len(steps) == 1

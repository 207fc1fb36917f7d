"""What the Run menu offers."""

from __future__ import annotations

from typing import Any

from nnviz.ui.shell_api import Act, can_step, can_train


def _has_branches(feature: Any) -> bool:
    return bool(feature.session.branches.kept)


ACTIONS = (
    Act("dropout", "Dropout on or off", "Edit", lambda f: f.toggle_dropout(), "Ctrl+D", "fa6s.droplet-slash", "Switch all dropout layers on or off, also while training runs"),
    Act("train", "Train or pause", "Run", lambda f: f.session.training.toggle(), "Ctrl+T", "fa6s.play", "Train until paused", "train", enabled=can_train),
    Act("train_iteration", "+1 iteration", "Run", lambda f: f.session.training.iterations(1), "Ctrl+I", "fa6s.forward-step", "Make one parameter update", "+1", enabled=can_step),
    Act("train_epoch", "+1 epoch", "Run", lambda f: f.session.training.epoch(), "Ctrl+E", "fa6s.forward-fast", "Train once through the training data", "+epoch", enabled=can_step),
    Act("train_as", "Train for, until, how fast…", "Run", lambda f: f.ask_training(), "Ctrl+Shift+T", "fa6s.gauge-high", "Say how fast training goes, for how many iterations or epochs, or until which figure passes a number", enabled=can_train),
    Act("rewind", "Rewind to the start", "Run", lambda f: f.session.branches.start_over(), "Ctrl+R", "fa6s.rotate-left", "Start over at iteration 0: same seed, the identical start; a run with another start stays as a branch", enabled=can_train),
    Act("go_to", "Go to iteration…", "Run", lambda f: f.ask_iteration(), "Ctrl+G", "fa6s.clock-rotate-left", "Make the run stand after any number of iterations, exactly", enabled=can_step),
    Act("go_to_branch", "Go to branch…", "Run", lambda f: f.navigation.ask_branch(), "Ctrl+Shift+G", "fa6s.code-branch", "Go on with another branch of the run, where it ended", enabled=_has_branches),
    Act("rename_branch", "Rename branch…", "Run", lambda f: f.navigation.rename_present(), "", "fa6s.pen", "Give the present branch of the run another name", enabled=lambda f: f.session.branches.present is not None),
    Act("color_branch", "Colour of the branch…", "Run", lambda f: f.navigation.ask_color(), "", "fa6s.palette", "Give the present branch of the run another colour; a branch that has it gets the former one", enabled=lambda f: f.session.branches.present is not None),
    Act("forget_branch", "Forget branch…", "Run", lambda f: f.navigation.ask_forget(), "", "fa6s.trash-can", "Take a branch beside the present one away; it can be had back at once", enabled=_has_branches),
    Act("ghosts", "Other branches in plots: show or hide", "Run", lambda f: f.toggle_ghosts(), "", "fa6s.ghost", "Draw the curves of all branches, pale, or those of the present one alone", enabled=_has_branches),
    Act("ask_past", "Ask the past…", "Run", lambda f: f.ask_past(), "Ctrl+Alt+H", "fa6s.clock", "Any number of all past iterations as a curve, or when something first became true", enabled=can_train),
    Act("calls", "Calls of one iteration…", "Run", lambda f: f.show_calls(), "Ctrl+Alt+C", "fa6s.list-ol", "The calls of torch that one iteration really is, in their order, each with its layer"),
    Act("log", "Log…", "Run", lambda f: f.show_log(), "Ctrl+Alt+L", "fa6s.scroll", "What a model or a library printed, and warnings: the newest lines, to read and to copy"),
    Act("resume", "Go to where it was saved", "Run", lambda f: f.session.kept_run.resume(), "Ctrl+Shift+R", "fa6s.forward", "Make the iterations again, exactly, that the document was saved with", enabled=lambda f: f.session.kept_run.saved is not None and can_step(f)),
    Act("stop_going", "Stop on the way", "Run", lambda f: f.navigation.stop(), "Esc", "fa6s.stop", "Stay at the iteration that is reached now, on the way to another", enabled=lambda f: f.session.training.is_moving),
    Act("cancel", "Cancel what the engine does", "Run", lambda f: f.session.work.cancel(), "Ctrl+.", "fa6s.ban", "End an iteration, a replay, an opening that takes too long; nothing is lost", enabled=lambda f: f.session.work.can_cancel),
    Act("restart_engine", "Restart the engine", "Run", lambda f: f.session.restart_engine(), "", "fa6s.power-off", "End the engine process and start another one; it makes the run again, exactly"),
)

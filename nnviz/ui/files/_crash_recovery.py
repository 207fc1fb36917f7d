"""Unsaved work that earlier starts left behind: offered in one note, opened in this window or one of its own, or discarded."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from nnviz.document.store import saved_run
from nnviz.document.store.autosave import RecoveryFile, discard, recoverable, sweep_autosaves
from nnviz.session.session import Session
from nnviz.ui.shell_api import Shell

_NOTE = "lost"


class CrashRecovery:
    """Offers it in one window. A copy goes only when it has been opened and copied again, or when a person says so."""

    def __init__(self, session: Session, shell: Shell) -> None:
        self._session, self._shell = session, shell
        self._opened: set[Path] = set()
        """Copies that another window is about to take."""

    def ask(self) -> None:
        """Offer what there is, or say that there is nothing."""
        if not self.offer():
            self._shell.toast.post("info", "No earlier start has left unsaved work behind.")

    def offer(self) -> bool:
        """Show one note, about the newest copy and how many more there are; return whether there is any."""
        sweep_autosaves()
        found = [recovery for recovery in recoverable() if recovery.file not in self._opened]
        self._shell.notes.drop(_NOTE)
        if found:
            answers = [("Open", partial(self._open, found[0])), ("Discard", partial(self._drop, found[:1]))]
            more = [("Discard all", partial(self._drop, found))] if found[1:] else []
            self._shell.notes.post(_NOTE, "info", _described(found), [*answers, *more])
        return bool(found)

    def take(self, recovery: RecoveryFile) -> None:
        """Go on with this work here; the old copy is dropped once there is a new one."""
        session = self._session
        session.document.new(recovery.experiment, saved=False, path=recovery.document)
        session.kept_run.offer(recovery.run)
        session.autosaver.write()
        discard(recovery)

    def _open(self, recovery: RecoveryFile) -> None:
        self._opened.add(recovery.file)
        if self._session.is_saved:
            self.take(recovery)
        else:
            self._shell.open_window(lambda files: files.lost_work.take(recovery))
        self.offer()
        self._shell.focus_canvas()  # the button that had the keyboard is gone

    def _drop(self, unwanted: Sequence[RecoveryFile]) -> None:
        for recovery in unwanted:
            discard(recovery)
        self.offer()


def _described(found: Sequence[RecoveryFile]) -> str:
    newest = found[0]
    saved = time.strftime("%d %B, %H:%M", time.localtime(newest.saved_at)).lstrip("0")
    file = newest.document.name if newest.document else f"“{newest.title}”, never saved"
    run = saved_run.decode(newest.run) if newest.run else None
    trained = f", after {run.iteration:,} iterations" if run and run.iteration else ""
    swept = f", with {len(run.sweep.get('runs', ())):,} runs of a sweep" if run and run.sweep else ""
    others = f" There are {len(found) - 1} more." if found[2:] else " There is one more." if found[1:] else ""
    return f"An earlier start left unsaved work behind: {file}{trained}{swept}, {saved}.{others}"

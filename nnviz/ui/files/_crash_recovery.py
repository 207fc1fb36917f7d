"""Unsaved work that an earlier start left behind: offered in notes, opened in this window or one of its own, or discarded."""

from __future__ import annotations

import time
from functools import partial

from nnviz.document.store.autosave import RecoveryFile, discard, recoverable, sweep_autosaves
from nnviz.session.session import Session
from nnviz.ui.shell_api import Shell

MOST = 3
"""So many notes at once; when one is answered the next appears."""


class CrashRecovery:
    """Offers it in one window. A copy goes only when it has been opened and copied again, or when a person says so."""

    def __init__(self, session: Session, shell: Shell) -> None:
        self._session, self._shell = session, shell

    def ask(self) -> None:
        """Offer what there is, or say that there is nothing."""
        if not self.offer():
            self._shell.toast.post("info", "No earlier start has left unsaved work behind.")

    def offer(self) -> bool:
        """Show a note for each of the newest copies; return whether there is any."""
        sweep_autosaves()
        found, notes = recoverable(), self._shell.notes
        notes.drop_all("lost ")
        for recovery in found[:MOST]:
            answers = [("Open", partial(self._open, recovery)), ("Discard", partial(self._drop, recovery))]
            notes.post(f"lost {recovery.file.name}", "info", _described(recovery), answers)
        if len(found) > MOST:
            titles = ", ".join(f"“{recovery.title}”" for recovery in found[MOST : MOST + 4])
            notes.post("lost more", "info", f"And {len(found) - MOST} more: {titles}{' …' if len(found) > MOST + 4 else ''}")
        return bool(found)

    def take(self, recovery: RecoveryFile) -> None:
        """Go on with this work here; the old copy is dropped once there is a new one."""
        session = self._session
        session.document.new(recovery.experiment, saved=False, path=recovery.document)
        session.kept_run.offer(recovery.run)
        session.autosaver.write()
        discard(recovery)

    def _open(self, recovery: RecoveryFile) -> None:
        if self._session.is_saved:
            self.take(recovery)
        else:
            self._shell.open_window(lambda files: files.lost_work.take(recovery))
        self._offer_next(recovery)
        self._shell.focus_canvas()  # the button that had the keyboard is gone

    def _drop(self, recovery: RecoveryFile) -> None:
        discard(recovery)
        self._offer_next(recovery)

    def _offer_next(self, answered: RecoveryFile) -> None:
        if "lost more" in self._shell.notes.notes:
            self.offer()


def _described(recovery: RecoveryFile) -> str:
    saved = time.strftime("%d %B, %H:%M", time.localtime(recovery.saved_at)).lstrip("0")
    file = recovery.document.name if recovery.document else f"“{recovery.title}”, never saved"
    return f"An earlier start left unsaved work behind: {file}, {saved}."

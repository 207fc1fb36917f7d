"""A run that was saved with its document: kept in the file as its history, and made again from it, bit by bit, when a person says so."""

from __future__ import annotations

from contextlib import suppress

from PySide6.QtCore import QObject, Signal

from nnviz import messages
from nnviz.document.experiment import Experiment
from nnviz.document.run_log import same_run
from nnviz.document.store import files, saved_run
from nnviz.document.store.files import DocumentError
from nnviz.document.store.saved_run import PART, SavedRun
from nnviz.records.run_records import Change
from nnviz.session.conversation import Conversation
from nnviz.session.document import Document
from nnviz.session.lineage import Lineage
from nnviz.session.trainer import Trainer


class Resumption(QObject):
    """`saved` is what the present document was saved with, for as long as the document is what it was then."""

    changed = Signal()
    """Something can be resumed, or cannot any more."""
    kept_changed = Signal()
    """`is_kept` is another."""
    message_posted = Signal(str, str)

    def __init__(self, document: Document, conversation: Conversation, trainer: Trainer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document, self._conversation, self._trainer = document, conversation, trainer
        self.saved: SavedRun | None = None
        self._going: SavedRun | None = None
        self._is_asked = False
        self._in_file: tuple[int, Lineage] | None = None
        """How far the run in the document's file has come, and how it came about."""
        self._is_attached = False
        """Whether the run was among what was last given to a file."""
        self._was_kept = True
        document.written.connect(self._written)
        document.changed.connect(self._watch_kept)
        conversation.run_changed.connect(lambda old, new: self._watch_kept())
        document.attachments = self._attachments
        document.replaced.connect(self._replaced)
        document.edited.connect(self._edited)
        conversation.replied.connect(self._take)

    def resume(self) -> None:
        """Make the run stand where it stood when the document was saved; as soon as the engine is up, if it is not yet."""
        self._going, self._is_asked = self.saved, False
        self._offer(None)
        if self._going and self._conversation.is_settled:
            self._begin()

    # --- saving ---

    @property
    def is_kept(self) -> bool:
        """Whether the document's file holds the run as it stands, or would hold none: only *.nnviz files keep training."""
        path, iteration = self._document.path, self._conversation.run.iteration
        if path is None or path.suffix.lower() != ".nnviz":
            return True
        if iteration == 0:
            return self._in_file is None or self.saved is not None
        return self._in_file is not None and self._in_file[0] == iteration and self._in_file[1] == self._lineage()

    def _watch_kept(self) -> None:
        if self.is_kept != self._was_kept:
            self._was_kept = not self._was_kept
            self.kept_changed.emit()

    def _written(self) -> None:
        """The file holds the run as it stands now, if it could be attached; before the first iteration what it held before."""
        iteration, lineage = self._conversation.run.iteration, self._lineage()
        if iteration:
            self._in_file = (iteration, lineage) if lineage and self._is_attached else None
        elif not self.saved:
            self._in_file = None

    def _lineage(self) -> Lineage | None:
        """How the run came about, with the document as it is now."""
        lineage, experiment = self._conversation.lineage, self._document.experiment
        if lineage is None or same_run(lineage.last, experiment):
            return lineage
        return lineage.changed(self._conversation.run.iteration, experiment)

    def _attachments(self) -> dict[str, bytes]:
        """What goes into the file beside the document."""
        written = self._progress()
        self._is_attached = written is not None and len(written) <= files.LARGEST[PART]
        return {PART: written} if self._is_attached else {}

    def _progress(self) -> bytes | None:
        """The run as a part of a file: before the first iteration what it was saved with last, if anything."""
        lineage, run = self._lineage(), self._conversation.run
        if self.saved and run.iteration == 0:
            return saved_run.encode(self.saved)
        if lineage is None or run.iteration == 0 or not self._conversation.is_sound:
            return None
        changes = tuple((change.iteration, change.experiment) for change in lineage.changes)
        return saved_run.encode(SavedRun(run.iteration, run.curves.last("loss"), lineage.first, changes))

    # --- opening ---

    def offer(self, data: bytes | None) -> None:
        """Take what the present document was kept with, if that leads to this document."""
        found = saved_run.decode(data) if data else None
        self._offer(found if found and found.iteration and same_run(_last(found), self._document.experiment) else None)
        self._in_file = (self.saved.iteration, _lineage_of(self.saved)) if self.saved else None

    def _replaced(self, old: Experiment, new: Experiment) -> None:
        self._going, data = None, None
        if self._document.path and self._document.is_saved:
            with suppress(DocumentError):
                data = files.part(self._document.path, PART)
        self.offer(data)

    def _edited(self, old: Experiment, new: Experiment) -> None:
        if not same_run(old, new):
            self._offer(None)

    def _offer(self, saved: SavedRun | None) -> None:
        if saved is not self.saved:
            self.saved = saved
            self.changed.emit()

    # --- on the way ---

    def _begin(self) -> None:
        """With changes on the way the run begins anew, as the document was at first; without, it is only moved."""
        if self._going.changes:
            self._conversation.begin_again(_lineage_of(self._going))
        else:
            self._go()

    def _go(self) -> None:
        self._is_asked = True
        self._trainer.go_to(self._going.iteration)

    def _take(self, reply: messages.Reply) -> None:
        if self._going is None:
            return
        match reply:
            case messages.Opened() if not self._is_asked:
                is_begun = self._conversation.lineage is not None and len(self._conversation.lineage.changes) == len(self._going.changes)
                self._go() if is_begun else self._begin()
            case messages.Moved() if self._is_asked:
                self._arrived(reply)
            case messages.Failed():
                self._going = None

    def _arrived(self, reply: messages.Moved) -> None:
        """Say so if the same iterations did not give the same loss."""
        wanted, self._going = self._going, None
        loss = reply.points[-1].loss if reply.points else None
        if reply.iteration == wanted.iteration and wanted.loss is not None and loss != wanted.loss:
            text = f"The run came out differently than when it was saved: loss {loss:.6g} instead of {wanted.loss:.6g}."
            self.message_posted.emit("warning", f"{text} Another torch, another machine, or other data can be why.")


def _lineage_of(saved: SavedRun) -> Lineage:
    return Lineage(saved.first, tuple(Change(at, experiment) for at, experiment in saved.changes))


def _last(saved: SavedRun) -> Experiment:
    return saved.changes[-1][1] if saved.changes else saved.first

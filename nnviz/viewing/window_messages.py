"""What a program and the process of its trace window say to each other, when the window is not to live in the program itself."""

from __future__ import annotations

import msgspec

from nnviz.messages import GradientChecked
from nnviz.records.halt_record import HaltRecord
from nnviz.records.picture_records import Picture, PictureWish
from nnviz.records.trace_record import Details, NodeTensors, TraceRecord, WhatIf


class ToWindow(msgspec.Struct, frozen=True, tag=True):
    """What the program says; `number` is that of the question."""

    number: int


class OpenTrace(ToWindow, frozen=True):
    """The first of all: which window to open."""

    title: str
    detail: str
    details: tuple[str, ...]
    halt: HaltRecord | None = None
    obstacle: str = ""
    """Why nothing can be supposed of it; empty if something can."""


class IterationTaken(ToWindow, frozen=True):
    """The iteration at the detail that was asked for."""

    trace: TraceRecord


class NodeRead(ToWindow, frozen=True):
    """What was too large to travel around a node."""

    tensors: NodeTensors


class ElementChecked(ToWindow, frozen=True):
    """One element of a gradient beside a finite difference."""

    check: GradientChecked


class PictureDrawn(ToWindow, frozen=True):
    """A picture of the iteration."""

    picture: Picture


class QuestionFailed(ToWindow, frozen=True):
    """There is no answer: the kind of the error, what it says, and the calls that led there, as Python prints them."""

    kind: str
    text: str
    traceback: str = ""


class FromWindow(msgspec.Struct, frozen=True, tag=True):
    """What the window asks."""

    number: int


class TakeIteration(FromWindow, frozen=True):
    """Asks for the iteration at a detail, or for what it would be if these were supposed of it."""

    detail: str
    details: Details = ()
    what_ifs: tuple[WhatIf, ...] = ()


class ReadNode(FromWindow, frozen=True):
    """Asks for what was too large to travel around a node."""

    node: int
    row: int | None
    is_supposed: bool = False
    """Whether it is about the last iteration that was asked for with something supposed."""


class CheckElement(FromWindow, frozen=True):
    """Asks for one element of a gradient beside a finite difference."""

    node: int
    element: tuple[int, ...]
    is_supposed: bool = False


class DrawPicture(FromWindow, frozen=True):
    """Asks for a picture of the weights, or of what a part of the module puts out for a row."""

    wish: PictureWish
    is_supposed: bool = False


class GiveUp(FromWindow, frozen=True):
    """Nobody wants the iteration of this number any more."""


class WindowClosed(FromWindow, frozen=True):
    """The last of all: what was answered; `failed` if there was nothing to be shown."""

    answer: str = "continue"
    failed: bool = False


Told = OpenTrace | IterationTaken | NodeRead | ElementChecked | PictureDrawn | QuestionFailed
Asked = TakeIteration | ReadNode | CheckElement | DrawPicture | GiveUp | WindowClosed
_told, _asked = msgspec.msgpack.Decoder(Told), msgspec.msgpack.Decoder(Asked)


def packed(message: ToWindow | FromWindow) -> bytes:
    """Return the message as one frame: a 4-byte little-endian length, then msgpack. What is worked out when looked at travels whole."""
    body = msgspec.msgpack.encode(message, enc_hook=lambda value: value.whole())
    return len(body).to_bytes(4, "little") + body


def told(body: bytes) -> Told:
    """Return what the program said in the body of a frame."""
    return _told.decode(body)


def asked_for(body: bytes) -> Asked:
    """Return what the window asked in the body of a frame."""
    return _asked.decode(body)

"""Documents on disk: opened with every hole closed, saved so that a crash at any moment leaves the old file or the new one.

`*.nnviz` is a zip with experiment.json inside, anything else bare JSON. Nothing found in a file is ever run or unpacked to disk.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import platform
import stat
import struct
import sys
import tempfile
import time
import zipfile
import zlib
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from nnviz.document.experiment import Experiment
from nnviz.document.problems import Problem
from nnviz.document.store import json_text

EXPERIMENT = "experiment.json"
THUMBNAIL = "thumbnail.png"
LARGEST = {
    EXPERIMENT: 16 << 20,
    THUMBNAIL: 8 << 20,
    "run.json": 32 << 20,
    "checkpoint.safetensors": 1 << 30,
    "history.safetensors": 1 << 30,
}
"""What a document may hold, and the most bytes each part may have."""

_MOST_DIRECTORY = 4096
_TEMPORARY = (".nnviz-", ".tmp")
_HOST = hashlib.sha256(platform.node().encode()).hexdigest()[:8]
"""Tells the temporary files of this machine from those of another one that writes to the same folder."""
_STALE = 3600
_EPOCH = (1980, 1, 1, 0, 0, 0)


class DocumentError(ValueError):
    """A document that cannot be opened or saved: one line for each thing that is wrong, with file, place and cure."""

    def __init__(self, file: str, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(f"{file}: {problem}" for problem in problems))
        self.file = file
        self.problems = problems


def load(path: str | os.PathLike[str]) -> Experiment:
    """Return the experiment in the file. Raises DocumentError for anything but a valid document."""
    path = Path(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise _error(path.name, "It is not a file.", "Choose a document.")
        with path.open("rb") as file:
            return _read(file, path.name, path.stat().st_size)
    except FileNotFoundError:
        raise _error(str(path), "There is no such file.", "Check the name and the folder.") from None
    except (OSError, ValueError) as error:
        if isinstance(error, DocumentError):
            raise
        raise _error(str(path), f"It cannot be read: {_reason(error)}.", "Check the path and your rights to it.") from error


def loads(data: bytes, name: str = "document") -> Experiment:
    """Return the experiment in the bytes of a file, JSON or zip. Raises DocumentError, which calls the file `name`."""
    return _read(BytesIO(data), name, len(data))


def dumps(experiment: Experiment) -> bytes:
    """Return the experiment as JSON. The same experiment always gives the same bytes."""
    return json_text.encode(experiment)


def packed(experiment: Experiment, extras: dict[str, bytes]) -> bytes:
    """Return what `save` writes to a *.nnviz file, or plain JSON if there are no extras."""
    return _zipped({EXPERIMENT: dumps(experiment), **extras}) if extras else dumps(experiment)


def save(
    path: str | os.PathLike[str], experiment: Experiment, thumbnail: bytes | None = None, extras: dict[str, bytes] | None = None
) -> None:
    """Write the experiment: a zip if the name ends in .nnviz, else bare JSON, which has no place for a thumbnail or extras.

    `extras` are further parts by name, as listed in LARGEST. The file is replaced in one step, once everything is on the disk.
    Raises DocumentError if that fails; the file is then as it was before.
    """
    path = Path(path)
    parts = {EXPERIMENT: dumps(experiment), **({THUMBNAIL: thumbnail} if thumbnail else {}), **(extras or {})}
    for name, part in parts.items():
        _check_part(path.name, name, len(part))
    if excess := json_text.too_large(parts[EXPERIMENT]):
        raise DocumentError(path.name, (excess,))
    if path.suffix.lower() != ".nnviz" and len(parts) > 1:
        raise _error(path.name, "A bare JSON file holds the experiment only.", "Save it with a name that ends in .nnviz.")
    if is_read_only(path):
        raise _error(str(path), "It is read-only and stays as it is.", "Save it under another name.")
    try:
        replace_file(path, _zipped(parts) if path.suffix.lower() == ".nnviz" else parts[EXPERIMENT])
    except OSError as error:
        message = f"It could not be saved: {_reason(error)}. What was there before is unchanged."
        raise _error(str(path), message, "Save it somewhere else, or make room.") from error


def part(path: str | os.PathLike[str], name: str) -> bytes | None:
    """Return another part of a *.nnviz file, as its thumbnail or checkpoint; None if it has none. Raises DocumentError."""
    path = Path(path)
    try:
        with path.open("rb") as file:
            return _member(file, path.name, name) if _is_zip(file) else None
    except (OSError, ValueError) as error:
        if isinstance(error, DocumentError):
            raise
        raise _error(str(path), f"It cannot be read: {_reason(error)}.", "Check the path and your rights to it.") from error


def part_of(data: bytes, name: str) -> bytes | None:
    """Return another part of the bytes of a *.nnviz file; None if it has none. Raises DocumentError."""
    file = BytesIO(data)
    return _member(file, "document", name) if _is_zip(file) else None


def replace_file(path: Path, data: bytes) -> None:
    """Make `data` the content of the file in one step: whoever looks sees all of the old or all of the new. Raises OSError.

    A device or a pipe, which holds nothing, is written to.
    """
    path = resolved(path)
    if path.is_char_device() or path.is_fifo():
        path.write_bytes(data)
        return
    sweep(path.parent)
    handle, name = tempfile.mkstemp(prefix=f"{_TEMPORARY[0]}{_HOST}-{os.getpid()}-", suffix=_TEMPORARY[1], dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, _mode(path))
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
    _sync_folder(path.parent)


def resolved(path: Path) -> Path:
    """Return the path without links. Raises OSError where they lead round in a circle, or the system can have no such name."""
    try:
        return path.resolve()
    except RuntimeError:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path)) from None
    except UnicodeError:
        coding = sys.getfilesystemencoding()
        raise OSError(errno.EILSEQ, f"its name has letters that this system, set to {coding}, cannot write", str(path)) from None
    except ValueError:
        raise OSError(errno.EINVAL, "no file can have such a name", str(path)) from None


def sweep(folder: Path) -> None:
    """Remove the temporary files of processes that were killed while saving: at once what is known to be theirs, else after an hour."""
    with suppress(OSError):
        for left in folder.glob("*".join(_TEMPORARY)):
            with suppress(OSError):
                if _is_left(left.name) or time.time() - left.stat().st_mtime > _STALE:
                    left.unlink()


def _is_left(temporary: str) -> bool:
    """Whether a process of this machine that is gone made it."""
    _, host, process, *_ = (*temporary.split("-"), "", "")
    return host == _HOST and process.isdecimal() and not is_running(int(process))


def is_running(process: int) -> bool:
    """Return whether a process of this machine has this id."""
    if sys.platform == "win32":
        handle = ctypes.windll.kernel32.OpenProcess(0x1000, False, process)
        return bool(handle) and bool(ctypes.windll.kernel32.CloseHandle(handle))
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def is_read_only(path: Path) -> bool:
    """Return whether the file is there and nobody may write to it, or this user may not."""
    try:
        return not path.stat().st_mode & 0o222 or not os.access(path, os.W_OK)
    except (OSError, ValueError):  # a name that no file can have
        return False


def stamp(path: Path) -> tuple[int, ...] | None:
    """Return what tells one state of a file from a later one without reading it; None if there is no such file."""
    try:
        status = path.stat()
    except (OSError, ValueError):  # a name that no file can have
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


# --- reading ---


def _error(file: str, message: str, cure: str, place: str = "the whole file") -> DocumentError:
    return DocumentError(file, (Problem(place, message, cure),))


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _read(file: BinaryIO, name: str, size: int) -> Experiment:
    data = _member(file, name, EXPERIMENT) if _is_zip(file) else _bare(file, name, size)
    if data is None:
        raise _error(name, f"It is a zip without {EXPERIMENT}.", "Open a document saved by nnviz.")
    experiment, problems = json_text.decode(data)
    if experiment is None:
        raise DocumentError(name, problems)
    return experiment


def _bare(file: BinaryIO, name: str, size: int) -> bytes:
    _check_part(name, EXPERIMENT, size)
    data = file.read(LARGEST[EXPERIMENT] + 1)
    _check_part(name, EXPERIMENT, len(data))
    if data[:1] == b"\x80" and data[1:2] in b"\x02\x03\x04\x05":
        raise _error(
            name, "It is a Python pickle, which could run anything when opened.", "Open a document of nnviz; pickles are never read."
        )
    if not data.strip():
        raise _error(name, "It is empty.", "Open another file; if this was your document, look for a copy of it.")
    return data


def _check_part(file: str, part: str, size: int) -> None:
    if part not in LARGEST:
        raise _error(file, f'"{part[:80]}" is no part of a document.', f"A document holds {', '.join(LARGEST)}.", part[:80])
    if size > LARGEST[part]:
        message = f"It has {size / (1 << 20):,.0f} MB; {LARGEST[part] >> 20:,} MB are the most."
        raise _error(file, message, "Keep large data in a CSV file, and large weights out of the document.", part)


def _is_zip(file: BinaryIO) -> bool:
    start = file.read(4)
    file.seek(0)
    return start in (b"PK\x03\x04", b"PK\x05\x06")


def _member(file: BinaryIO, name: str, wanted: str) -> bytes | None:
    """Return one part of a zip, or None if it is not there. Never reads more than the part may have."""
    _check_directory(file, name)
    try:
        with zipfile.ZipFile(file) as archive:
            entries = {entry.filename: entry for entry in _checked(archive, name)}
            if wanted not in entries:
                return None
            with archive.open(entries[wanted]) as member:
                data = member.read(LARGEST[wanted] + 1)
    except DocumentError:
        raise
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError, OSError) as error:
        raise _error(name, f"The zip is damaged: {_reason(error)}.", "Open another copy of it.") from None
    _check_part(name, wanted, len(data))
    return data


def _check_directory(file: BinaryIO, name: str) -> None:
    """Refuse a zip whose table of contents is huge, before it is read into memory."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 65_557))
    tail = file.read()
    file.seek(0)
    end = tail.rfind(b"PK\x05\x06")
    if end < 0:
        raise _error(name, "The zip is cut off.", "Open another copy of it.")
    directory = int.from_bytes(tail[end + 12 : end + 16], "little")
    if directory > _MOST_DIRECTORY or tail[max(0, end - 20) : end].startswith(b"PK\x06\x07"):
        raise _error(name, "The zip holds far more parts than a document has.", "Open a document saved by nnviz.")


def _checked(archive: zipfile.ZipFile, name: str) -> list[zipfile.ZipInfo]:
    """Return the entries, once each is a part of a document, there once, no larger than it may be, and plainly packed."""
    entries = archive.infolist()
    for entry in entries:
        _check_part(name, entry.filename, entry.file_size)
        if [other.filename for other in entries].count(entry.filename) > 1:
            raise _error(name, "The zip holds it twice.", "Open a document saved by nnviz.", entry.filename)
        if entry.flag_bits & 1 or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _error(name, "It is encrypted or packed in an unusual way.", "Save it again as a plain zip.", entry.filename)
    return entries


# --- writing ---


def _zipped(parts: dict[str, bytes]) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED if name == EXPERIMENT else zipfile.ZIP_STORED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return buffer.getvalue()


def _mode(path: Path) -> int:
    """Return the rights the file has, or those a new one gets."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def _sync_folder(folder: Path) -> None:
    """Make sure that the new name itself is on the disk, where the system can."""
    if os.name == "posix":
        with suppress(OSError):
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

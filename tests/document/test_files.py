"""Documents on disk: opened, saved, and everything that can go wrong with either."""

from __future__ import annotations

import io
import os
import pickle
import signal
import stat
import subprocess
import sys
import time
import zipfile
from itertools import product
from pathlib import Path

import pytest

from nnviz.document import edits
from nnviz.document.store import files
from nnviz.document.store.files import DocumentError, dumps, load, loads, part, save
from tests.document.documents import experiment

NAMES = ["plain.nnviz", "plain.json", "doc é 网.nnviz", "with two spaces.json", "UPPER.NNVIZ", "no_suffix"]


def refusal(call, *arguments):
    """Return the text of the DocumentError."""
    with pytest.raises(DocumentError) as caught:
        call(*arguments)
    assert all(problem.message.endswith(".") and problem.cure.endswith(".") for problem in caught.value.problems)
    return str(caught.value)


def zipped(*members, **settings):
    """Return a zip of these (name, bytes)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", settings.get("compression", zipfile.ZIP_DEFLATED)) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


# --- round trip ---


@pytest.mark.parametrize("name", NAMES)
def test_a_document_comes_back_equal(tmp_path, name):
    save(tmp_path / name, experiment())
    assert load(tmp_path / name) == load(str(tmp_path / name)) == experiment()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_what_is_saved_depends_on_the_experiment_only(tmp_path):
    save(tmp_path / "a.nnviz", experiment())
    time.sleep(0.01)
    save(tmp_path / "b.nnviz", experiment())
    assert (tmp_path / "a.nnviz").read_bytes() == (tmp_path / "b.nnviz").read_bytes()


def test_a_zip_holds_json_and_what_else_is_kept(tmp_path):
    path = tmp_path / "a.nnviz"
    save(path, experiment(), thumbnail=b"png", extras={"checkpoint.safetensors": b"tensors"})
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["experiment.json", "thumbnail.png", "checkpoint.safetensors"]
        assert archive.read("experiment.json") == dumps(experiment())
    assert part(path, "thumbnail.png") == b"png" and part(path, "checkpoint.safetensors") == b"tensors"
    assert part(path, "history.safetensors") is None and load(path) == experiment()


def test_bare_json_is_read_whatever_the_name(tmp_path):
    (tmp_path / "a.nnviz").write_bytes(dumps(experiment()))
    (tmp_path / "b.json").write_bytes(zipped(("experiment.json", dumps(experiment()))))
    assert load(tmp_path / "a.nnviz") == load(tmp_path / "b.json") == experiment()
    assert part(tmp_path / "a.nnviz", "thumbnail.png") is None


def test_bare_json_holds_nothing_else(tmp_path):
    assert "ends in .nnviz" in refusal(save, tmp_path / "a.json", experiment(), b"png")
    assert "is no part of a document" in refusal(save, tmp_path / "a.nnviz", experiment(), None, {"../evil": b""})
    assert list(tmp_path.iterdir()) == []


# --- saving ---


def test_the_rights_of_a_file_stay(tmp_path):
    path = tmp_path / "a.nnviz"
    save(path, experiment())
    assert stat.S_IMODE(path.stat().st_mode) & 0o600 == 0o600
    path.chmod(0o640)
    save(path, edits.set_seed(experiment(), 3))
    assert stat.S_IMODE(path.stat().st_mode) == 0o640 and load(path).seed == 3


def test_a_link_goes_on_leading_to_the_document(tmp_path):
    save(tmp_path / "real.nnviz", experiment())
    (tmp_path / "link.nnviz").symlink_to(tmp_path / "real.nnviz")
    save(tmp_path / "link.nnviz", edits.set_seed(experiment(), 3))
    assert (tmp_path / "link.nnviz").is_symlink() and load(tmp_path / "real.nnviz").seed == 3


@pytest.mark.parametrize("call", ["fsync", "replace", "chmod"])
def test_a_failure_leaves_the_old_document_and_nothing_else(tmp_path, monkeypatch, call):
    path = tmp_path / "a.nnviz"
    save(path, experiment())

    def fail(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, fail)
    text = refusal(save, path, edits.set_seed(experiment(), 3))
    assert "No space left on device" in text and str(path) in text
    monkeypatch.undo()
    assert load(path) == experiment() and [entry.name for entry in tmp_path.iterdir()] == ["a.nnviz"]


def test_a_folder_that_is_not_there(tmp_path):
    assert "could not be saved" in refusal(save, tmp_path / "none" / "a.nnviz", experiment())


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no full device")
def test_a_full_disk(tmp_path, monkeypatch):
    path = tmp_path / "a.nnviz"
    save(path, experiment())
    opened = os.open("/dev/full", os.O_WRONLY)
    monkeypatch.setattr(files.tempfile, "mkstemp", lambda **arguments: (opened, str(tmp_path / "gone")))
    assert "No space left" in refusal(save, path, edits.set_seed(experiment(), 3))
    assert load(path) == experiment()


def test_what_a_killed_process_of_this_machine_left_is_swept_at_once(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    here, mine = (tmp_path / f".nnviz-{files._HOST}-{process}-x.tmp" for process in (gone.pid, os.getpid()))
    elsewhere = tmp_path / f".nnviz-0badcafe-{gone.pid}-x.tmp"
    for path in (here, mine, elsewhere):
        path.write_bytes(b"half a doc")
    files.sweep(tmp_path)
    assert not here.exists() and mine.exists() and elsewhere.exists()
    files.sweep(tmp_path / "nowhere")


def test_a_circle_of_links_is_a_sentence(tmp_path):
    (tmp_path / "a.json").symlink_to(tmp_path / "b.json")
    (tmp_path / "b.json").symlink_to(tmp_path / "a.json")
    assert "symbolic links" in refusal(save, tmp_path / "a.json", experiment())
    assert "symbolic links" in refusal(load, tmp_path / "a.json")


UNWRITABLE = """
from pathlib import Path
from nnviz.document.store import files
from nnviz.document.store.examples import open_document
document = open_document("example:moons")
for call in (lambda: files.save(Path("\\u7f51.nnviz"), document), lambda: files.load(Path("\\u7f51.nnviz"))):
    try:
        call()
    except files.DocumentError as error:
        print(ascii(str(error)))
print(files.stamp(Path("\\u7f51")), files.is_read_only(Path("\\u7f51")))
"""


def test_a_name_that_the_system_cannot_write_is_a_sentence(tmp_path):
    plain = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONPATH": str(Path(files.__file__).parents[3])}
    done = subprocess.run([sys.executable, "-c", UNWRITABLE], cwd=tmp_path, env=os.environ | plain, capture_output=True, text=True)
    saved, loaded, rest = done.stdout.splitlines()
    assert "letters that this system, set to ascii, cannot write" in saved and "cannot be read" in loaded and rest == "None False"


@pytest.mark.parametrize("name", ["a\0b.nnviz", "\0"])
def test_a_name_that_no_file_can_have(tmp_path, name):
    assert "no file can have such a name" in refusal(save, tmp_path / name, experiment())
    assert files.stamp(tmp_path / name) is None and "cannot be read" in refusal(load, tmp_path / name)


def test_a_device_is_written_to_and_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    files.replace_file(tmp_path / "pipe", b"picture")
    assert os.read(reader, 100) == b"picture" and (tmp_path / "pipe").is_fifo()
    os.close(reader)


def test_what_killed_processes_left_is_swept_after_an_hour(tmp_path):
    old, new = tmp_path / ".nnviz-old.tmp", tmp_path / ".nnviz-new.tmp"
    for path in (old, new):
        path.write_bytes(b"half a doc")
    os.utime(old, (1, 1))
    save(tmp_path / "a.nnviz", experiment())
    assert not old.exists() and new.exists()


KILLED = """
import sys
from nnviz.document import edits
from nnviz.document.store import files
document = files.load(sys.argv[1])
print("ready", flush=True)
for seed in range(1, 10**6):
    files.save(sys.argv[1], edits.set_seed(document, seed))
"""


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is a matter of POSIX systems")
def test_killed_while_saving_there_is_always_a_whole_document(tmp_path):
    path = tmp_path / "a.nnviz"
    save(path, experiment())
    for attempt in range(8):
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, cwd=Path(files.__file__).parents[3])
        assert process.stdout.readline() == b"ready\n"
        time.sleep(0.003 * attempt)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        assert edits.set_seed(load(path), 0) == experiment()
    files.sweep(tmp_path)
    assert list(tmp_path.iterdir()) == [path]


# --- opening ---


def test_a_file_that_is_not_there(tmp_path):
    text = refusal(load, tmp_path / "none.nnviz")
    assert "none.nnviz" in text and "no such file" in text


def test_a_folder_or_a_device_is_no_document(tmp_path):
    assert "not a file" in refusal(load, tmp_path)
    assert "not a file" in refusal(load, os.devnull)


def test_a_name_no_system_takes():
    assert "cannot be read" in refusal(load, "a\0b")
    assert "cannot be read" in refusal(load, "a" * 5_000)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser reads everything")
def test_a_file_one_may_not_read(tmp_path):
    save(tmp_path / "a.nnviz", experiment())
    (tmp_path / "a.nnviz").chmod(0)
    assert "your rights" in refusal(load, tmp_path / "a.nnviz")


@pytest.mark.parametrize("start", [b"", b"{", b"PK\x03\x04"])
def test_two_gigabytes_are_refused_at_once(tmp_path, start):
    path = tmp_path / "huge.nnviz"
    with path.open("wb") as file:
        file.write(start)
        file.truncate(2 << 30)
    started = time.process_time()
    assert "2,048 MB" in (text := refusal(load, path)) or "cut off" in text
    assert time.process_time() - started < 0.5


def test_a_document_too_large_to_open_is_not_saved(tmp_path, monkeypatch):
    monkeypatch.setitem(files.LARGEST, "experiment.json", 100)
    assert "are the most" in refusal(save, tmp_path / "a.nnviz", experiment())
    assert list(tmp_path.iterdir()) == []


def test_pickles_are_never_opened(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "boom"),))

    assert "pickle" in refusal(loads, pickle.dumps(Bomb()))
    assert "no part of a document" in refusal(loads, zipped(("archive/data.pkl", pickle.dumps(Bomb()))))
    assert not (tmp_path / "boom").exists()


@pytest.mark.parametrize("name", ["../experiment.json", "/etc/passwd", "a/experiment.json", "x.pkl", "experiment.json/", "C:\\x"])
def test_a_zip_with_other_parts_is_refused(name):
    assert "is no part of a document" in refusal(loads, zipped(("experiment.json", dumps(experiment())), (name, b"x")))


def test_a_zip_without_the_experiment():
    assert "a zip without experiment.json" in refusal(loads, zipped(("thumbnail.png", b"x")))
    assert "a zip without experiment.json" in refusal(loads, zipped())


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_zip_with_a_part_twice():
    data = dumps(experiment())
    assert "holds it twice" in refusal(loads, zipped(("experiment.json", data), ("experiment.json", data)))


def test_a_zip_bomb_is_refused_by_what_it_says_and_by_what_it_holds():
    bomb = zipped(("experiment.json", b" " * (40 << 20)))
    assert len(bomb) < 100_000
    assert "40 MB" in refusal(loads, bomb)
    place = bomb.rfind(b"PK\x01\x02")
    lying = bomb[: place + 24] + (100).to_bytes(4, "little") + bomb[place + 28 :]
    started = time.process_time()
    refusal(loads, lying)
    assert time.process_time() - started < 1


def test_a_zip_with_a_huge_table_of_contents():
    assert "far more parts" in refusal(loads, zipped(*((f"part{index}", b"") for index in range(1_000))))


def test_encrypted_or_oddly_packed_zips():
    assert "unusual way" in refusal(loads, zipped(("experiment.json", dumps(experiment())), compression=zipfile.ZIP_BZIP2))
    plain = bytearray(zipped(("experiment.json", dumps(experiment()))))
    for start, offset in ((plain.find(b"PK\x03\x04"), 6), (plain.rfind(b"PK\x01\x02"), 8)):
        plain[start + offset] |= 1
    assert "encrypted" in refusal(loads, bytes(plain))


def test_a_zip_cut_at_every_percent():
    data = zipped(("experiment.json", dumps(experiment())))
    for percent in range(100):
        refusal(loads, data[: len(data) * percent // 100])


def test_a_zip_with_any_byte_changed():
    data = zipped(("experiment.json", dumps(experiment())))
    for place, mask in product(range(len(data)), (0xFF, 0x01, 0x80)):
        changed = data[:place] + bytes([data[place] ^ mask]) + data[place + 1 :]
        try:
            assert loads(changed) == experiment()
        except DocumentError as error:
            assert error.problems


def test_errors_name_the_file(tmp_path):
    (tmp_path / "doc é.json").write_bytes(dumps(experiment()).replace(b'"units": 4', b'"units": "4"'))
    assert refusal(load, tmp_path / "doc é.json") == (
        'doc é.json: network.layers[1].units: "4" is not allowed. Give a whole number from 1 to 4,096.'
    )

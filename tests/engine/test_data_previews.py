"""What is said of data that no run uses yet."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from nnviz import messages
from nnviz.document.catalog import DATASETS, new_choice
from nnviz.engine.data.datasets import load
from nnviz.engine.observe import data_records
from nnviz.engine.observe.data_previews import MOST_ROWS, previewed, table_read
from nnviz.records.tensors import to_numpy
from tests.engine.experiments import HERE, experiment


def look(folder, **settings) -> messages.TableRead:
    return table_read(messages.ReadTable(1, experiment(data=new_choice(DATASETS, "csv", path="rows.csv", **settings)), str(folder)))


@pytest.mark.parametrize("kind", [kind for kind in DATASETS if kind not in ("csv", "table")])
def test_a_preview_is_rows_of_the_very_data(kind):
    document = experiment(data=new_choice(DATASETS, kind))
    data, record = load(document, HERE), previewed(messages.Preview(3, document)).data
    x = to_numpy(record.x)
    assert len(x) == min(MOST_ROWS, len(data.x)) and np.array_equal(x[0], data.x[0].astype("float32"))
    assert np.array_equal(x[-1], data.x[len(x) - 1 if data.is_ordered else -1].astype("float32"))
    assert messages.decode_reply(next(messages.FrameReader().feed(messages.frame(messages.Previewed(3, record))))).data == record
    assert (record.classes, record.shape, record.class_names) == (data.classes, data.shape, data.class_names)


def test_a_preview_says_why_there_is_none():
    reply = previewed(messages.Preview(4, experiment(data=new_choice(DATASETS, "csv", path="nothing.csv"))))
    assert reply.data is None and "no file" in reply.message and reply.cure and reply.number == 4


def test_columns_before_and_after_the_scaling():
    data = load(experiment(data=new_choice(DATASETS, "wine")), HERE)
    first = data_records.column_records(data)[0]
    seen = data.raw[data.training][:, 0]
    assert (first.before.min, first.before.max) == (seen.min(), seen.max())
    assert first.before.mean == pytest.approx(seen.mean()) and first.before.std == pytest.approx(seen.std())
    assert first.after.mean == pytest.approx(0, abs=1e-9) and first.after.std == pytest.approx(1)
    assert sum(first.before.counts) == sum(first.after.counts) == len(seen)
    assert first.before.counts == tuple(np.histogram(seen, bins=data_records.BINS)[0])
    raw = data_records.column_records(load(experiment(data=new_choice(DATASETS, "wine", scaling="none")), HERE))[0]
    assert raw.before == raw.after == first.before


def test_a_series_has_the_columns_it_had_before_it_was_cut():
    columns = data_records.column_records(load(experiment(data=new_choice(DATASETS, "sine_wave", window=30)), HERE))
    assert [column.name for column in columns] == ["x"]


def test_equal_numbers_have_a_spread_too():
    spread = data_records.spread(np.full(5, 3.0))
    assert (spread.min, spread.max, spread.std, sum(spread.counts)) == (3.0, 3.0, 0.0, 5)


def test_what_is_in_a_file(tmp_path):
    (tmp_path / "rows.csv").write_text(
        "id;größe;kind\n" + "".join(f"a{i};{i},5;{'up' if i > 5 else 'down'}\n" for i in range(12)) + "b;;up\n"
    )
    reply = look(tmp_path)
    table = reply.table
    assert (table.encoding, table.separator, table.decimal, table.has_header, table.rows) == ("UTF-8", "semicolon", "comma", True, 13)
    assert [(column.name, column.kind, column.missing) for column in table.columns] == [
        ("id", "words", 0),
        ("größe", "numbers", 1),
        ("kind", "words", 0),
    ]
    assert table.cells[0] == ("a0", "0,5", "down") and table.lines[:2] == (2, 3)
    assert (table.missing, table.missing_rows, table.missing_lines) == (1, 1, (14,))
    assert (table.target, table.task) == ("kind", "classes")
    assert reply.data is None and "line 14: column 'größe' is empty" in reply.message


def test_columns_that_are_no_longer_there_are_told_beside_those_that_are(tmp_path):
    (tmp_path / "rows.csv").write_text("a,b,y\n1,2,3\n4,5,6\n")
    for settings, told in (({"target": "z"}, "no column 'z'"), ({"without": ["z"]}, "no column 'z' to leave out")):
        reply = look(tmp_path, **settings)
        assert told in reply.message and [column.name for column in reply.table.columns] == ["a", "b", "y"]


def test_what_becomes_of_a_file(tmp_path):
    (tmp_path / "rows.csv").write_text("a,b,y\n" + "".join(f"{i},{-i},{i / 2}\n" for i in range(40)))
    table = look(tmp_path).table
    assert (table.task, table.used_rows, table.features, table.classes, table.targets) == ("numbers", 40, 2, 0, 1)
    table = look(tmp_path, window=5, without=["b"]).table
    assert (table.used_rows, table.features) == (35, 10)
    reply = look(tmp_path, window=50)
    assert reply.table is not None and reply.data is None and reply.table.features == 0 and "need 52 steps" in reply.message


@pytest.mark.parametrize(
    "content", [b"", b"\x00", b"a,b\n", b"1," * 100_000, b"a,b\n1,2\n3\n", b"a,a\n1,2\n3,4\n", b"1e400,1\n2,3\n", b'"']
)
def test_a_file_that_cannot_be_used_is_told_so(tmp_path, content):
    (tmp_path / "rows.csv").write_bytes(content)
    reply = look(tmp_path)
    assert reply.message and reply.cure and reply.data is None


def test_a_file_is_looked_at_whatever_the_loss(tmp_path):
    (tmp_path / "rows.csv").write_text("a,y\n" + "".join(f"{i},{i % 3}\n" for i in range(12)))
    request = messages.ReadTable(1, experiment(data=new_choice(DATASETS, "csv", path="rows.csv")), str(tmp_path))
    other = replace(request, experiment=replace(request.experiment, training=replace(request.experiment.training, loss="mse")))
    assert table_read(request) == table_read(other)

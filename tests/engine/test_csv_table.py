"""CSV files: what is worked out, what the person chooses, and every file that cannot be used: a sentence with its line, no traceback."""

from __future__ import annotations

import csv
import io
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnviz.document.catalog import DATASETS, new_choice
from nnviz.document.store.files import load as document
from nnviz.engine.data import csv_sheet
from nnviz.engine.data.csv_table import read_csv
from nnviz.engine.data.datasets import load
from nnviz.engine.errors import BuildError
from tests.engine.experiments import experiment


@pytest.fixture
def read(tmp_path):
    def read_bytes(content: str | bytes, target: str = "", classification: bool = False, **options):
        path = tmp_path / "data.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_csv(path, target, classification, options)

    return read_bytes


@pytest.mark.parametrize(
    "content",
    [
        "a,b,y\n1.5,2,10\n-3e1,.5,20\n",
        "a;b;y\n1,5;2;10\n-3e1;0,5;20\n",
        "a\tb\ty\r\n1.5\t2\t10\r\n-30\t0.5\t20\r\n",
        "\ufeffa,b,y\n1.5,2,10\n-30,0.5,20\n",
        "a;b;y\n1.5;2;10\n-30;0.5;20",
        '"a","b","y"\n"1.5","2","10"\n\n\n"-30","0.5","20"\n',
        "a|b|y\n1.5|2|10\n-30|0.5|20\n",
        "a,b,y\r1.5,2,10\r-30,0.5,20\r",
    ],
)
def test_separators_commas_and_line_ends_are_worked_out(read, content):
    found = read(content)
    assert found.x.tolist() == [[1.5, 2.0], [-30.0, 0.5]] and found.y.tolist() == [[10.0], [20.0]]
    assert found.feature_names == ("a", "b")


def test_encodings(read):
    assert read("größe;y\n1;2\n3;4\n".encode("latin-1")).feature_names == ("größe",)
    assert read("größe;y\n1;2\n3;4\n".encode("utf-16")).feature_names == ("größe",)
    assert read("1,2\n3,4\n").feature_names == ("column 1",)


def test_targets(read):
    words = read("a,kind\n1,cat\n2,dog\n3,cat\n")
    assert words.y.tolist() == [0, 1, 0] and words.class_names == ("cat", "dog")
    numbers = read("a,kind\n1,10\n2,9\n3,10\n", classification=True)
    assert numbers.y.tolist() == [1, 0, 1] and numbers.class_names == ("9", "10")
    named = read("y,a\n5,1\n6,2\n", "y")
    assert named.y.tolist() == [[5.0], [6.0]] and named.x.tolist() == [[1.0], [2.0]]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("a,b\n1,2\n1,2,3\n", "line 3"),
        ("a,b\n1,2\n\n1\n", "line 4"),
        ("a,b\n1,2\n,4\n", "line 3: column 'a' is empty"),
        ("a,b\n1,2\nnan,4\n", "line 3"),
        ("a,b\n1,2\n1e999,4\n", "line 3"),
        ("a,b\n1,2\n1_000,4\n", "line 3"),
        ("a,b\n1,2\n3,\n", "line 3"),
        (b"a,b\n1,2\n\x00\x00\n", "line 3: a NUL byte"),
        ('a,b\n1,"2\n3,4\n', "line 2"),
        ("a,b\n" + "1," * 10_000 + "1\n", "line 2: 10,001 columns"),
        ("", "is empty"),
        ("a,b\n", "0 rows"),
        ("a\n1\n2\n3\n", "one column"),
        ("a,a\n1,2\n3,4\n", "line 1: columns 1 and 2 are both called 'a'"),
        ("a,b\n,2\n3,NA\n,4\n", "first of 3 missing values in 3 rows"),
        ("a,b\n,2\n,4\n", "Column 'a' of data.csv has no value in any row"),
        ("a,b\n" + "".join(f"word {n},{n}\n" for n in range(60)), "has 60 different words"),
        ("a,b\n" + "".join(f"word {n % 50},{n}\n" for n in range(60)).replace("word", '"word', 1), "line 2"),
        (b"\xff\xfea\x00,", "line 1: it is not UTF-16"),
    ],
)
def test_hostile_files_are_refused_with_their_line(read, content, told):
    with pytest.raises(BuildError) as caught:
        read(content)
    assert told in caught.value.message and caught.value.cure and caught.value.place == "data.path"


def test_a_million_columns_are_refused_at_once(read):
    with pytest.raises(BuildError, match="columns are more than"):
        read("1," * 1_000_000 + "1\n")


def test_missing_files_and_columns(tmp_path, read):
    with pytest.raises(BuildError, match="There is no file"):
        read_csv(tmp_path / "nothing.csv", "", False)
    with pytest.raises(BuildError, match="There is no file"):
        read_csv(tmp_path, "", False)
    with pytest.raises(BuildError, match="There is: a, b"):
        read("a,b\n1,2\n3,4\n", "c")


def test_a_csv_trains_from_the_documents_folder(tmp_path):
    (tmp_path / "rows.csv").write_text("a,b,kind\n" + "".join(f"{i},{-i},{'up' if i > 5 else 'down'}\n" for i in range(12)))
    data = load(experiment(data=new_choice(DATASETS, "csv", path="rows.csv")), tmp_path)
    assert data.classes == 2 and data.class_names == ("down", "up") and data.feature_names == ("a", "b") and data.x.shape == (12, 2)


@pytest.mark.parametrize("scaling", ["none", "standardise"])
def test_numbers_too_large_to_compute_with_are_told(tmp_path, scaling):
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n1e307,3\n-1e308,4\n5,5\n")
    data = new_choice(DATASETS, "csv", path="rows.csv", task="numbers", validation=0.0, scaling=scaling)
    with pytest.raises(BuildError, match="column 'a' is too large to compute with in float32"):
        load(experiment(data=data), tmp_path)
    data = load(experiment(data=new_choice(DATASETS, "csv", path="rows.csv", validation=0.0, task="numbers", scaling="min-max")), tmp_path)
    assert data.x[:, 0].tolist() == pytest.approx([0.9090909, 1.0, 0.0, 0.9090909])


@given(content=st.one_of(st.binary(max_size=120), st.text(alphabet='0123456789,;\t\n".-+eE abNA?|\x00é', max_size=120).map(str.encode)))
def test_whatever_stands_in_a_file_is_read_or_refused_with_a_sentence(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(content)
    for missing in ("refuse", "leave out", "column mean"):
        try:
            table = read_csv(path, "", False, {"missing": missing})
        except BuildError as error:
            assert error.message.endswith(".") and error.cure
        else:
            bad = ~np.isfinite(table.x) if missing != "column mean" else np.isinf(table.x)
            assert len(table.x) == len(table.y) >= 2 and not bad.any() and np.isfinite(table.y).all()


# --- what the person chooses ---


def test_words_become_one_column_each(read):
    found = read("colour,size,y\nred,1,5\nblue,2,6\nred,3,7\n")
    assert found.feature_names == ("colour = blue", "colour = red", "size")
    assert found.x.tolist() == [[0, 1, 1], [1, 0, 2], [0, 1, 3]]


def test_missing_values_are_refused_left_out_or_the_mean(read):
    content = "a,colour,y\n1,red,5\n,blue,6\n3,NA,7\n8,blue,?\n"
    with pytest.raises(BuildError, match=r"line 3: column 'a' is empty\. It is the first of 3 missing values in 3 rows"):
        read(content)
    with pytest.raises(BuildError, match="Only one row of data"):
        read(content, missing="leave out")
    mean = read(content, missing="column mean")
    assert mean.y.tolist() == [[5], [6], [7]], "without its target a row is of no use"
    assert np.array_equal(mean.x, [[1, 0, 1], [np.nan, 1, 0], [3, np.nan, np.nan]], equal_nan=True), "the mean waits for the split"
    assert read("a,y\n1,1\n,2\n3,3\n", missing="leave out").x.tolist() == [[1], [3]]


def test_columns_are_left_out_by_name(read):
    found = read("id,a,y\nx1,1,5\nx2,2,6\n", without=["id"])
    assert found.feature_names == ("a",)
    with pytest.raises(BuildError, match="no column 'ID' to leave out"):
        read("id,a,y\nx1,1,5\nx2,2,6\n", without=["ID"])
    with pytest.raises(BuildError, match="No column of"):
        read("a,y\n1,5\n2,6\n", without=["a"])


def test_separator_decimal_header_and_task_are_taken_as_said(read):
    assert read("1 2 3\n4 5 6\n", separator="space").x.tolist() == [[1, 2], [4, 5]]
    assert read("1,5\n2,5\n", decimal="point").x.tolist() == [[1], [2]]
    assert read("1,5;2\n2,5;3\n", separator="semicolon", decimal="comma").x.tolist() == [[1.5], [2.5]]
    assert read("1,2\n3,4\n5,6\n", header="yes").x.tolist() == [[3], [5]]
    assert read("a,b\nc,d\ne,d\n", header="no", task="classes").class_names == ("b", "d")
    assert read("a,y\n1,0\n2,1\n", classification=True, task="numbers").class_names == ()
    with pytest.raises(BuildError, match="line 2: column 'y' holds 'cat', which is not a finite number"):
        read("a,y\n1,cat\n2,dog\n", task="numbers")


def test_a_file_is_a_series_of_windows(tmp_path):
    (tmp_path / "rows.csv").write_text("t,v\n" + "".join(f"{i},{i * i}\n" for i in range(20)))
    choice = new_choice(DATASETS, "csv", path="rows.csv", task="numbers", window=3, horizon=2, scaling="none", validation=0.25)
    data = load(experiment(data=choice), tmp_path)
    assert data.shape == (3, 2) and data.x.shape == (16, 6) and data.feature_names == ("t t−2", "v t−2", "t t−1", "v t−1", "t t", "v t")
    assert data.x[1].tolist() == [1, 1, 2, 4, 3, 9] and data.y[1].tolist() == [25]
    assert data.training.tolist() == [True] * 12 + [False] * 4
    alone = load(
        experiment(data=new_choice(DATASETS, "csv", path="rows.csv", target="v", without=["t"], window=3, scaling="none")), tmp_path
    )
    assert alone.shape == (3, 1), "a series of one column foretells itself"
    with pytest.raises(BuildError, match="need 31 steps, and there are 20"):
        load(experiment(data=new_choice(DATASETS, "csv", path="rows.csv", window=29)), tmp_path)


def test_a_target_of_numbers_is_scaled_on_the_training_rows(tmp_path):
    (tmp_path / "rows.csv").write_text("a,price\n" + "".join(f"{i},{1e6 + 1e5 * i}\n" for i in range(20)))
    data = load(experiment(data=new_choice(DATASETS, "csv", path="rows.csv", target_scaling="standardise"), loss="mse"), tmp_path)
    seen = data.y[data.training]
    assert seen.mean() == pytest.approx(0, abs=1e-9) and seen.std() == pytest.approx(1) and data.y.shape == (20, 1)
    classes = new_choice(DATASETS, "csv", path="rows.csv", task="classes", target_scaling="standardise")
    assert load(experiment(data=classes), tmp_path).y.dtype == np.int64


def test_the_task_of_the_document_does_not_hang_on_the_loss(tmp_path):
    (tmp_path / "rows.csv").write_text("a,y\n" + "".join(f"{i},{i % 3}\n" for i in range(12)))
    for loss in ("mse", "cross_entropy"):
        assert load(experiment(data=new_choice(DATASETS, "csv", path="rows.csv", task="classes"), loss=loss), tmp_path).classes == 3


# --- files as they are posted ---

CASES = Path(__file__).resolve().parents[1] / "cases"
NAN = float("nan")


@pytest.mark.parametrize(
    ("content", "x", "y", "names"),
    [
        ("Name;Preis\nApfel;1,20\nBirne;2,35\nKirsche;7,10\n", [[1, 0, 0], [0, 1, 0], [0, 0, 1]], [[1.2], [2.35], [7.1]], None),
        ("Ort\tT\nUlm\t1,5\nBonn\t2,5\nUlm\t3,5\n", [[0, 1], [1, 0], [0, 1]], [[1.5], [2.5], [3.5]], None),
        ("1.5,,0\n2.5,3.5,1\n4.5,6.5,0\n", [[1.5, NAN], [2.5, 3.5], [4.5, 6.5]], [[0], [1], [0]], ("column 1", "column 2")),
        (",2,3\n5,7,4\n1,3,9\n", [[NAN, 2], [5, 7], [1, 3]], [[3], [4], [9]], ("column 1", "column 2")),
        ("1.5 2.5 0.1 \n2.5 3.5 0.2 \n", [[1.5, 2.5], [2.5, 3.5]], [[0.1], [0.2]], ("column 1", "column 2")),
        (" 1.5   2.5  0.1\n 2.5  13.5  0.2\n14.5   6.5  0.3\n", [[1.5, 2.5], [2.5, 13.5], [14.5, 6.5]], [[0.1], [0.2], [0.3]], None),
        (
            "15.2\t14.8\t0.87\t1\n14.8\t\t14.5\t0.88\t\t1\n14.2\t14.0\t0.90\t2\n",
            [[15.2, 14.8, 0.87], [14.8, 14.5, 0.88], [14.2, 14, 0.9]],
            [[1], [1], [2]],
            None,
        ),
        ("sep=;\na;b;y\n1,5;2,5;0\n2,5;3,5;1\n", [[1.5, 2.5], [2.5, 3.5]], [[0], [1]], ("a", "b")),
        ("SEP=\t\r\na\tb\ty\r\n1\t2\t0\r\n2\t3\t1\r\n", [[1, 2], [2, 3]], [[0], [1]], ("a", "b")),
        ('"a" "b"\n"1" 1.5 0\n"2" 2.5 1\n', [[1, 1.5], [2, 2.5]], [[0], [1]], ("row names", "a")),
        ('"a","b"\n"1",1.5,0\n"2",2.5,1\n', [[1, 1.5], [2, 2.5]], [[0], [1]], ("row names", "a")),
        ("country,1990,2000\nA,1.5,2.5\nB,2.5,3.5\n", [[1, 0, 1.5], [0, 1, 2.5]], [[2.5], [3.5]], ("country = A", "country = B", "1990")),
        ("0,1,2\n0.5,7.5,0.2\n1.5,2.5,0.7\n", [[0.5, 7.5], [1.5, 2.5]], [[0.2], [0.7]], ("0", "1")),
        ("A,1,2\nB,7,4\nC,3,9\n", [[1, 0, 0, 1], [0, 1, 0, 7], [0, 0, 1, 3]], [[2], [4], [9]], None),
        ("'a','b','y'\n'1.5','2.5','0'\n'2.5','3.5','1'\n", [[1.5, 2.5], [2.5, 3.5]], [[0], [1]], ("a", "b")),
        ('a,b,y\n"1,5","2,25",0\n"2,5","3,75",1\n', [[1.5, 2.25], [2.5, 3.75]], [[0], [1]], ("a", "b")),
        ("a;b;y\n1.234,5;2;0\n2.345;3;1\n", [[1234.5, 2], [2345, 3]], [[0], [1]], ("a", "b")),
        ('a,b,y\n"1,234.50",2,0\n"2,345",3,1\n', [[1234.5, 2], [2345, 3]], [[0], [1]], ("a", "b")),
        ("a;y\n1\u202f234,5;0\n2\u00a0345,25;1\n", [[1234.5], [2345.25]], [[0], [1]], ("a",)),
        ("a,y\n1'000.5,0\n2’000’000,1\n", [[1000.5], [2000000]], [[0], [1]], ("a",)),
        ("a;y\n0.5%;0\n7 %;1\n", [[0.005], [0.07]], [[0], [1]], ("a",)),
        ("a,y\n$5.50,0\n$1,1\n", [[5.5], [1]], [[0], [1]], ("a",)),
        ("a,y\n−1.5,0\n−2,1\n", [[-1.5], [-2]], [[0], [1]], ("a",)),
        ("a;b;y;\n1;2;3;\n4;5;6;\n", [[1, 2], [4, 5]], [[3], [6]], ("a", "b")),
        ("a;b;y\n1;2;3;\n4;5;6;\n", [[1, 2], [4, 5]], [[3], [6]], ("a", "b")),
        ("a;b;y;\n1;2;3\n4;5;6\n", [[1, 2], [4, 5]], [[3], [6]], ("a", "b")),
        ("1,2,3,,\n4,5,6,,\n", [[1, 2], [4, 5]], [[3], [6]], ("column 1", "column 2")),
        ("a, b, y\n1, 2, 3\n4, 5, 6\n", [[1, 2], [4, 5]], [[3], [6]], ("a", "b")),
        ("New York,5\nLos Angeles,6\n", [[0, 1], [1, 0]], [[5], [6]], None),
    ],
)
def test_files_as_they_are_posted(read, content, x, y, names):
    found = read(content, missing="column mean")
    assert np.array_equal(found.x, x, equal_nan=True) and found.y.tolist() == y
    assert names is None or found.feature_names == names


def test_white_space_may_stand_in_quotes_and_tabs(read):
    content = '18.0   8   307.0\t"maker model"\n15.0   8   350.0\t"other model"\n16.0   6   250.0\t"third model"\n'
    for options in ({}, {"separator": "space"}):
        found = read(content, **options)
        assert found.x.tolist() == [[18, 8, 307], [15, 8, 350], [16, 6, 250]]
        assert found.class_names == ("maker model", "other model", "third model")


def test_windows_letters_are_those_of_windows(read):
    assert read("Preis €;y\n1,5;0\n2,5;1\n".encode("cp1252")).feature_names == ("Preis €",)


@pytest.mark.parametrize(
    ("content", "told", "cure"),
    [
        ('a,b,y\n"1,234",2,0\n"2,345",3,1\n', "line 2: column 'a' holds '1,234', which is two numbers", "data.decimal"),
        ("a;b;y\n1.234;2,5;0\n2.345;3,5;1\n", "line 2: column 'a' holds '1.234', which is two numbers", "data.decimal"),
        ("a;y\n1.5;0\n1,5;1\n2.5;1\n", "line 3: column 'a' holds '1,5', with a decimal comma", "data.decimal"),
        ("a;y\n5%;0\n7;1\n", "line 3: column 'a' has a number without a sign, and the ones before are with %", "alike"),
        ("a,y\n1,cat\n2,cat\n", "the same class in every row", "another target"),
        ('a,b\n"1"2,3\n4,5\n', "line 2: something stands between a closing quotation mark", "Double"),
        ("a,b\n1,2\n\n1,2,3\n4,5\n", "line 4: 3 cells", "same number of cells"),
    ],
)
def test_what_could_be_two_things_is_refused_with_its_cell(read, content, told, cure):
    with pytest.raises(BuildError) as caught:
        read(content)
    assert told in caught.value.message and cure in caught.value.cure


def test_the_decimal_mark_says_what_thousands_are(read):
    content = 'a,b,y\n"1,234",2,0\n"2,345",3,1\n'
    assert read(content, decimal="point").x[:, 0].tolist() == [1234, 2345]
    assert read(content, decimal="comma").x[:, 0].tolist() == [1.234, 2.345]


def test_the_mean_is_that_of_the_training_rows():
    experiment = document(CASES / "csv-mean-leak.json")
    data = load(experiment, CASES)
    assert not data.training[5], "the row with 1000 is validated on"
    assert data.x[:, 0].tolist() == [1, 1, 1, 1, 1, 1000, 1, 1, 1, 1]


def test_a_column_without_a_value_to_train_on_is_told(tmp_path):
    (tmp_path / "rows.csv").write_text("a,b,y\n" + ",1,0\n" * 8 + "1,1,0\n2,1,0\n")
    settings = {"path": "rows.csv", "missing": "column mean", "window": 1, "validation": 0.2, "task": "numbers"}
    with pytest.raises(BuildError, match="none in the rows that are trained on"):
        load(experiment(data=new_choice(DATASETS, "csv", **settings)), tmp_path)


@pytest.mark.parametrize("name", ["csv_gap_in_first_row", "csv_decimal_comma_document"])
def test_documents_with_posted_files_load(name):
    data = load(document(CASES / f"{name}.json"), CASES)
    if name == "csv_gap_in_first_row":
        assert data.x.tolist() == [[1.5, 6.166666666666667], [2.5, 3.5], [4.5, 6.5], [7.5, 8.5]]
    else:
        assert data.x.shape == (3, 3) and data.y.tolist() == [[1.2], [2.35], [7.1]]


# --- whatever table, however written ---

CELLS = st.text(alphabet="abcé xyz-_'\"\n", min_size=1, max_size=6).filter(
    lambda text: text.strip() == text and any(map(str.isalpha, text))
)
NUMBERS = st.one_of(st.integers(-99_999, 99_999), st.integers(-(10**6), 10**6).map(lambda number: number / 1000))


@st.composite
def tables(draw):
    """Columns of numbers or words, and a way of writing them."""
    rows = draw(st.integers(2, 8))
    kinds = [*draw(st.lists(st.sampled_from(("numbers", "words")), min_size=1, max_size=4)), "numbers"]
    columns = [draw(st.lists(NUMBERS if kind == "numbers" else CELLS, min_size=rows, max_size=rows)) for kind in kinds]
    way = draw(st.fixed_dictionaries({
        "separator": st.sampled_from(";\t|,"), "comma": st.booleans(), "quoting": st.sampled_from((csv.QUOTE_MINIMAL, csv.QUOTE_ALL)),
        "encoding": st.sampled_from(("utf-8", "utf-8-sig", "utf-16", "cp1252")), "header": st.booleans(), "trailing": st.integers(0, 2),
        "end": st.sampled_from(("\n", "\r\n")), "excel": st.booleans(),
    }))  # fmt: skip
    return kinds, columns, way


def written(columns, way) -> bytes:
    def cell(value):
        return value if isinstance(value, str) else str(value).replace(".", ",") if way["comma"] else str(value)

    out = io.StringIO()
    writer = csv.writer(out, delimiter=way["separator"], quoting=way["quoting"], lineterminator=way["end"])
    head = [[f"name {place}" for place in range(len(columns))]] if way["header"] else []
    for row in (*head, *zip(*columns, strict=True)):
        writer.writerow([*map(cell, row), *[""] * way["trailing"]])
    mark = f"sep={way['separator']}{way['end']}" if way["excel"] else ""
    return (mark + out.getvalue()).encode(way["encoding"])


def features_of(kinds, columns) -> np.ndarray:
    parts = []
    for kind, column in zip(kinds[:-1], columns[:-1], strict=True):
        words = sorted(set(column))
        parts += [[float(cell) for cell in column]] if kind == "numbers" else [[float(cell == word) for cell in column] for word in words]
    return np.array(parts).T


@given(tables())
def test_a_table_is_read_back_as_it_was_written_or_refused_with_its_place(tmp_path_factory, table):
    kinds, columns, way = table
    path = tmp_path_factory.getbasetemp() / "written.csv"
    path.write_bytes(written(columns, way))
    for options in ({}, {"header": "yes" if way["header"] else "no", "decimal": "comma" if way["comma"] else "point"}):
        try:
            found = read_csv(path, "", False, {"task": "numbers"} | options)
        except BuildError as error:
            is_placed = "line " in error.message or "Column " in error.message or "rows of data" in error.message
            assert is_placed and error.message.endswith(".") and error.cure
            continue
        expected = features_of(kinds, columns)
        if way["header"] or options or len(found.x) == len(expected):
            assert found.y.tolist() == [[float(cell)] for cell in columns[-1]]
            assert found.x.shape == expected.shape and np.array_equal(found.x, expected)
        else:
            assert len(found.x) == len(expected) - 1, "a first line of words is taken for the names"


# --- how long it takes ---


@pytest.mark.parametrize(
    "content",
    [
        "a,b,y\n" + "9" * 99_000 + ",1,0\n2,3,1\n",
        "a,b,y\n" + "9" * 99_000 + "x,1,0\n2,3,1\n",
        "\n" * 5_000_000,
        "a,b\n1,2\n" + "\n" * 4_000_000 + "3,4\n5,6,7\n",
        "1," * 3_000_000,
        "'" * 5_000_000,
        " " * 5_000_000 + "a",
        "a,b\n" + '"1,2\n' * 1_000_000,
        "1,2\n" * 6_000_000,
    ],
)
def test_no_content_takes_long_to_refuse(read, content):
    began = time.process_time()
    with pytest.raises(BuildError):
        read(content)
    assert time.process_time() - began < 4


def test_a_large_file_takes_time_in_proportion_and_can_be_left(tmp_path):
    path = tmp_path / "large.csv"
    path.write_text("a,b,y\n" + "1.5,2.25,3\n" * 300_000)
    shares, began = [], time.process_time()
    sheet = csv_sheet.read_sheet(path, report=shares.append)
    assert time.process_time() - began < 3 and sheet.count == 300_000
    assert len(shares) > 10 and shares == sorted(shares) and shares[-1] == 1.0
    assert csv_sheet.read_sheet(path, report=shares.append) is sheet, "it is not read a second time"

    class Left(Exception):
        pass

    def leave(share: float) -> None:
        raise Left

    path.write_text("a,b,y\n" + "1.5,2.25,4\n" * 300_000)
    with pytest.raises(Left):
        csv_sheet.read_sheet(path, report=leave)

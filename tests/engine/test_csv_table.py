"""CSV files: what is worked out, what the person chooses, and every file that cannot be used: a sentence with its line, no traceback."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnviz.document.catalog import DATASETS, new_choice
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

from __future__ import annotations

import numpy as np
import pytest

from nnviz.document.catalog import DATA_SIZES, DATASETS, new_choice
from nnviz.engine.csv_table import read_csv
from nnviz.engine.datasets import SOURCES, load
from nnviz.engine.errors import BuildError
from tests.engine.experiments import HERE, experiment, table


def data_of(kind: str, seed: int = 7, **settings):
    return load(experiment(data=new_choice(DATASETS, kind, **settings), seed=seed), HERE)


def test_every_kind_has_a_source():
    assert set(SOURCES) == set(DATASETS)


@pytest.mark.parametrize("kind", DATA_SIZES)
def test_sizes_classes_split_and_scaling(kind):
    data = data_of(kind)
    assert (data.x.shape[1], data.classes) == DATA_SIZES[kind]
    assert data.training.mean() == pytest.approx(0.7, abs=0.01)
    spread = data.x[data.training].std(0)
    assert np.allclose(data.x[data.training].mean(0), 0, atol=1e-9) and np.allclose(spread[spread > 1e-9], 1)
    if data.classes:
        for label in range(data.classes):
            share = (data.y[data.training] == label).mean()
            assert share == pytest.approx((data.y == label).mean(), abs=0.02)


@pytest.mark.parametrize("kind", DATA_SIZES)
def test_the_seed_decides_everything(kind):
    one, same, other = data_of(kind), data_of(kind), data_of(kind, seed=8)
    assert np.array_equal(one.x, same.x) and np.array_equal(one.training, same.training)
    assert not np.array_equal(one.training, other.training)


def test_scalers_are_fitted_on_training_rows_only():
    data = load(experiment(data=table([[0.0], [1.0], [2.0], [100.0]] * 5, [[0.0]] * 20, validation=0.3, scaling="min-max")), HERE)
    seen = data.x[data.training]
    assert seen.min() == 0 and seen.max() == 1
    assert np.array_equal(
        data_of("xor", scaling="none").x, SOURCES["xor"](experiment(data=new_choice(DATASETS, "xor", scaling="none")), HERE).x
    )


def test_xor_and_spiral_are_what_they_say():
    xor = data_of("xor", noise=0.0, scaling="none")
    assert np.array_equal(xor.y, (xor.x.prod(1) < 0).astype(int))
    spiral = data_of("spiral", noise=0.0, scaling="none")
    assert np.hypot(*spiral.x.T).max() <= 3.0 + 1e-9 and np.bincount(spiral.y).tolist() == [250, 250]


def test_typed_in_rows():
    data = load(experiment(data=table([[1.3, 0.7]], [[1.0]])), HERE)
    assert data.classes == 0 and data.x.tolist() == [[1.3, 0.7]] and data.training.all()
    assert load(experiment(data=table([[1.0], [2.0]], [0, 1])), HERE).classes == 2
    for x, y in (([], []), ([[1.0]], [[1.0], [2.0]]), ([[1.0]], [123_456])):
        with pytest.raises(BuildError):
            load(experiment(data=table(x, y)), HERE)


# --- CSV ---


@pytest.fixture
def read(tmp_path):
    def read_bytes(content: str | bytes, target: str = "", classification: bool = False):
        path = tmp_path / "data.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_csv(path, target, classification)

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

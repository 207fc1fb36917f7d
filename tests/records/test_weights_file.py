import numpy as np
import pytest
from safetensors.numpy import save_file

from nnviz.records.weights_file import WeightsError, read_weights

WANTED = {"h1.weight": (2, 3), "h1.bias": (2,), "out.weight": (1, 2)}


def test_what_fits_is_taken_and_every_other_is_named(tmp_path):
    save_file(
        {
            "h1.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
            "h1.bias": np.ones(3, dtype=np.float32),
            "other": np.ones(1, dtype=np.float32),
        },
        tmp_path / "w.safetensors",
    )
    found = read_weights(tmp_path / "w.safetensors", WANTED)
    assert found.values == {"h1.weight": [[0, 1, 2], [3, 4, 5]]}
    assert set(found.misfits) == {
        "h1.bias is 3 in the file, and 2 here.",
        "other is no parameter of this network.",
        "out.weight is not in the file.",
    }


@pytest.mark.parametrize(
    ("tensor", "said"),
    [
        (np.full((2, 3), np.nan, dtype=np.float32), "not finite"),
        (np.ones((2, 3), dtype=np.int64), "no floats"),
        (np.ones((3, 2), dtype=np.float32), "3×2 in the file, and 2×3 here"),
    ],
)
def test_a_file_of_which_nothing_fits_is_refused(tensor, said, tmp_path):
    save_file({"h1.weight": tensor}, tmp_path / "w.safetensors")
    with pytest.raises(WeightsError, match=said):
        read_weights(tmp_path / "w.safetensors", WANTED)


def test_floats_of_both_sizes_come_to_the_bit(tmp_path):
    values = np.random.default_rng(1).normal(size=(2, 3))
    for kind in (np.float32, np.float64, np.float16):
        save_file({"h1.weight": values.astype(kind)}, tmp_path / "w.safetensors")
        taken = np.array(read_weights(tmp_path / "w.safetensors", WANTED).values["h1.weight"])
        assert (taken.astype(kind) == values.astype(kind)).all()


def test_files_that_cannot_be_read_are_named(tmp_path):
    (tmp_path / "w.safetensors").write_bytes(b"no such thing")
    with pytest.raises(WeightsError, match=r"w\.safetensors cannot be read as safetensors"):
        read_weights(tmp_path / "w.safetensors", WANTED)
    with pytest.raises(WeightsError, match="No such file"):
        read_weights(tmp_path / "none.safetensors", WANTED)

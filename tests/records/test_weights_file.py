import pickle

import numpy as np
import pytest
import safetensors.torch
import torch
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_torch_file

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
        (np.ones((2, 3), dtype=np.int64), "holds I64 in the file; taken are float64"),
        (np.ones((3, 2), dtype=np.float32), "3×2 in the file, and 2×3 here: transpose it"),
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


def test_bfloat16_comes_to_the_bit_and_smaller_floats_are_named(tmp_path):
    every = torch.arange(2**16).to(torch.uint16).view(torch.bfloat16)
    finite = every[every.isfinite()]
    tensors = {"h1.weight": finite, "h1.bias": torch.zeros(2).to(torch.float8_e5m2)}
    save_torch_file(tensors, tmp_path / "w.safetensors")
    found = read_weights(tmp_path / "w.safetensors", {"h1.weight": (len(finite),), "h1.bias": (2,)})
    taken = torch.tensor(found.values["h1.weight"], dtype=torch.bfloat16)
    assert torch.equal(taken.view(torch.int16), finite.view(torch.int16))
    assert found.misfits == ("h1.bias holds F8_E5M2 in the file; taken are float64, float32, float16, bfloat16.",)
    assert found.told == "1 tensors fit, 1 do not; the file holds bfloat16."


def test_a_file_of_other_names_says_which_both_have(tmp_path):
    save_file({f"layers.{n}.weight": np.ones((2, 3), dtype=np.float32) for n in range(5)}, tmp_path / "w.safetensors")
    with pytest.raises(WeightsError, match=r"it has layers\.\d\.weight \(2×3\), .* and 2 more, and the network h1\.weight \(2×3\).*Rename"):
        read_weights(tmp_path / "w.safetensors", WANTED)


@pytest.mark.parametrize("name", ["w.pt", "w.safetensors", "w.pkl"])
def test_a_pickle_is_not_opened_and_the_cure_is_named(tmp_path, name):
    tensors = {"h1.bias": torch.tensor([1.0, 2.0])}
    path = tmp_path / name
    path.write_bytes(pickle.dumps(tensors)) if name == "w.pkl" else torch.save(tensors, path)
    with pytest.raises(WeightsError, match="may run code when it is read") as refused:
        read_weights(path, WANTED)
    if name == "w.pt":  # the cure is one
        cure = str(refused.value).rpartition("Python: ")[2].replace('"w.', f'"{tmp_path}/w.')
        exec(cure, {"torch": torch, "safetensors": safetensors})
        assert read_weights(tmp_path / "w.safetensors", WANTED).values == {"h1.bias": [1.0, 2.0]}


@pytest.mark.parametrize("damage", [lambda data: data[:-4], lambda data: data[:10] + b"\xff" + data[11:], lambda data: b""])
def test_a_damaged_file_is_said_to_be(tmp_path, damage):
    save_file({"h1.bias": np.ones(2, dtype=np.float32)}, tmp_path / "w.safetensors")
    (tmp_path / "w.safetensors").write_bytes(damage((tmp_path / "w.safetensors").read_bytes()))
    with pytest.raises(WeightsError, match="It is damaged or another kind of file"):
        read_weights(tmp_path / "w.safetensors", WANTED)


def test_files_that_cannot_be_read_are_named(tmp_path):
    (tmp_path / "w.safetensors").write_bytes(b"no such thing")
    with pytest.raises(WeightsError, match=r"w\.safetensors cannot be read as safetensors"):
        read_weights(tmp_path / "w.safetensors", WANTED)
    with pytest.raises(WeightsError, match="No such file"):
        read_weights(tmp_path / "none.safetensors", WANTED)

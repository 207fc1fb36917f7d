"""What is copied is read back by Python: the same numbers, to the last digit."""

import numpy as np
import pytest
import torch

from nnviz.text import copies, numbers

VALUES = np.array([[-0.72, 1.3e-9], [0.1, -3.0624]], dtype=np.float32)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_code_brings_the_numbers_back(dtype):
    values = VALUES.astype(dtype)
    for form, back in (("numpy", np.asarray), ("torch", lambda tensor: tensor.numpy())):
        read = back(eval(copies.copied(values, form), {"np": np, "torch": torch}))
        assert read.dtype == dtype and (read == values).all()


def test_what_is_not_finite_is_code_too():
    values = np.array([np.nan, np.inf, -np.inf], dtype=np.float32)
    read = eval(copies.copied(values, "torch"), {"torch": torch}).numpy()
    assert np.array_equal(read, values, equal_nan=True)


@pytest.mark.parametrize("values", [VALUES, VALUES[0], np.float32(-0.72), np.arange(24.0).reshape(2, 3, 4)])
def test_text_is_a_block_of_numbers(values):
    read = [[float(cell) for cell in line.split("\t")] for line in copies.copied(np.asarray(values), "text").split("\n")]
    assert (np.array(read, dtype=np.asarray(values).dtype).reshape(np.shape(values)) == values).all()


def test_a_text_of_the_screen_is_copied_with_the_minus_of_the_keyboard():
    assert float(copies.plain(numbers.number(-1.3e-9))) == -1.3e-9
    assert copies.plain("0.8·1.3 −\u00a00.21") == "0.8·1.3 - 0.21"


def test_complex_numbers_keep_their_imaginary_part():
    values = np.array([1 + 2j, -0.5j, complex("nan+1j")], dtype=np.complex64)
    read = eval(copies.copied(values, "numpy"), {"np": np})
    assert np.array_equal(read[:2], values[:2]) and np.isnan(read[2]) and read[2].imag == 1


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64", "int64", "bool"])
@pytest.mark.parametrize("form", ["numpy", "torch"])
def test_code_brings_every_bit_back(dtype, form):
    """Whatever the bits are: of a NaN only that it is one."""
    drawn = np.random.default_rng(0).bytes(16_000)
    values = np.frombuffer(drawn, np.uint8).reshape(4, -1) > 127 if dtype == "bool" else np.frombuffer(drawn, dtype).reshape(4, -1).copy()
    values.flat[0] = -0.0 if dtype != "complex64" else complex(-0.0, 1)
    if dtype == "complex64":  # the sign of a NaN beside a number is no part of it
        values = values[:, np.isfinite(values).all(0)]
    read = np.asarray(eval(copies.copied(values, form), {"np": np, "torch": torch}))
    assert (read.dtype, read.shape) == (values.dtype, values.shape)
    known = ~np.isnan(values)
    assert np.isnan(read[~known]).all() and read[known].tobytes() == values[known].tobytes()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2])
def test_code_makes_numbers_that_numpy_has_no_type_for(dtype):
    """All there are: of a NaN only that it is one."""
    count = 8 * dtype.itemsize
    every = torch.arange(2**count).to(torch.uint8 if count == 8 else torch.uint16).view(dtype).view(16, -1)
    name = str(dtype).removeprefix("torch.")
    read = eval(copies.copied(every.float().numpy(), "torch", name), {"torch": torch})
    assert (read.dtype, read.shape) == (dtype, every.shape)
    known = ~every.float().isnan()
    bits = torch.uint8 if count == 8 else torch.int16
    assert torch.equal(read.view(bits)[known], every.view(bits)[known]) and read.float()[~known].isnan().all()
    assert eval(copies.copied(every.float().numpy(), "numpy", name), {"np": np}).dtype == np.float32


@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0)])
def test_what_has_no_element_keeps_its_shape(shape):
    for form in ("numpy", "torch"):
        assert tuple(eval(copies.copied(np.zeros(shape, np.float32), form), {"np": np, "torch": torch}).shape) == shape

"""What the bridges have in common refuses a bias and a batch axis in words, and reads tensors of torch."""

import re
from typing import Any

import numpy as np
import pytest

from convops.interop._layers import array_of_tensor, refuse_bias, refuse_kind, sizes_of_item


def test_a_bias_is_dropped_by_true_alone() -> None:
    refuse_bias("layer", "L", True)
    for value in (False, None, 1, "yes"):
        with pytest.raises(ValueError, match=r"^layer='L': it adds a bias.*drop_bias=True"):
            refuse_bias("layer", "L", value)


def test_another_kind_is_named_with_the_way_on() -> None:
    with pytest.raises(TypeError, match=r"^layer=3: it must be a Conv1d; got int\..*convops\.probe_matrix"):
        refuse_kind("layer", 3, "a Conv1d")


def test_an_item_has_as_many_axes_as_the_kernel_wants() -> None:
    assert sizes_of_item([2, 5], 2, "it takes (C_in, *spatial)") == (2, 5)
    with pytest.raises(ValueError, match=re.escape("input_shape=(1, 2, 5): it takes x of 2 axes, without")):
        sizes_of_item((1, 2, 5), 2, "it takes x")


@pytest.mark.torch
def test_a_tensor_may_be_a_leaf_or_a_lazy_conjugate() -> None:
    torch: Any = pytest.importorskip("torch")
    x = torch.tensor([1 + 2j, 3.0], requires_grad=True)
    np.testing.assert_array_equal(array_of_tensor(x), [1 + 2j, 3])
    np.testing.assert_array_equal(array_of_tensor(x.conj()), [1 - 2j, 3])
    np.testing.assert_array_equal(array_of_tensor(x.conj().imag), [-2, 0])

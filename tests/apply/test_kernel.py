"""The engine of a kernel operator is the one that its model expects to be faster."""

import numpy as np
import pytest

from convops import ConvGeometry
from convops.apply import kernel
from convops.apply.cost import Cost
from convops.apply.kernel import KERNEL_ENGINES, choose_kernel_engine


@pytest.mark.parametrize("fastest", ["gemm", "fft"])
def test_both_products_count(fastest: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def seconds(*both: float) -> object:
        return lambda *_: tuple([Cost(0.0, 0.0, each) for each in both])

    dear, cheap = seconds(1.0, 9.0), seconds(4.0, 4.0)
    monkeypatch.setattr(kernel.kernel_gemm, "estimates", cheap if fastest == "gemm" else dear)
    monkeypatch.setattr(kernel.kernel_fft, "estimates", cheap if fastest == "fft" else dear)
    assert choose_kernel_engine(ConvGeometry(3, 9), np.dtype("f8"), 1) == fastest
    assert fastest in KERNEL_ENGINES


def test_small_problems_are_left_to_tiles_which_round_less() -> None:
    for sizes in ((2, 5), (5, 40), ((3, 3), (16, 16))):
        assert choose_kernel_engine(ConvGeometry(*sizes), np.dtype("f8"), 1) == "gemm"

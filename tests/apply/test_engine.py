"""What "auto" stands for."""

import numpy as np
import pytest

from convops import ConvGeometry
from convops.apply import METHODS, choose_method, engine

FLOAT64 = np.dtype(np.float64)


def test_a_matrix_of_moderate_size_is_worth_having() -> None:
    assert choose_method(ConvGeometry((3, 3), (64, 64), padding="same"), FLOAT64) == "sparse"


def test_a_large_matrix_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    geometry = ConvGeometry((15, 15), (4096, 4096), padding="same")
    assert choose_method(geometry, FLOAT64) == "gemm"
    middling = ConvGeometry((15, 15), (256, 256), padding="same")
    assert choose_method(middling, FLOAT64) == "sparse"
    monkeypatch.setattr(engine, "available_bytes", lambda: 2**24)
    assert choose_method(middling, FLOAT64) == "gemm"


def test_many_channels_are_better_multiplied_tap_by_tap() -> None:
    assert choose_method(ConvGeometry((16, 16, 3, 3), (16, 64, 64), padding="same"), FLOAT64) == "gemm"
    assert (
        choose_method(ConvGeometry((16, 1, 3, 3), (16, 64, 64), padding="same", groups=16), FLOAT64)
        == "sparse"
    )
    assert choose_method(ConvGeometry((3, 16, 3, 3), (16, 64, 64), padding="same"), FLOAT64) == "sparse"


def test_auto_always_names_a_method() -> None:
    for size in (1, 100, 10_000, 10**9):
        assert choose_method(ConvGeometry(1, size), FLOAT64) in METHODS[1:]

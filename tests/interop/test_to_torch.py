"""An operator as a function of torch: its derivatives, of any order and direction, are its products."""

import pickle
import subprocess
import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from scipy.sparse.linalg import aslinearoperator

from convops import Conv, vstack
from convops.interop import to_torch

pytestmark = pytest.mark.torch
rng = np.random.default_rng(0)
REAL = Conv(rng.standard_normal((2, 2, 3)), (2, 7), stride=2, padding=1)
COMPLEX = Conv(rng.standard_normal((2, 2, 3)) + 1j * rng.standard_normal((2, 2, 3)), (2, 7))
OPERATORS = {"Conv": REAL, "transpose": REAL.T, "complex": COMPLEX, "composite": vstack([REAL, 2 * REAL])}


@pytest.fixture(scope="module")
def torch() -> ModuleType:
    return pytest.importorskip("torch")


def argument(torch: ModuleType, op: Any, batch: int = 2) -> Any:
    dtype = torch.complex128 if op.dtype.kind == "c" else torch.float64
    return torch.randn(batch, *op.input_shape, dtype=dtype, requires_grad=True)


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is")
@pytest.mark.parametrize("op", OPERATORS.values(), ids=OPERATORS)
def test_torchs_own_checks_of_gradients_pass(torch: ModuleType, op: Any) -> None:
    torch.manual_seed(0)
    x = argument(torch, op)
    f = to_torch(op)
    assert torch.autograd.gradcheck(f, (x,), check_forward_ad=True)
    assert torch.autograd.gradgradcheck(f, (x,))
    np.testing.assert_array_equal(f(x).detach().numpy(), op(x.detach().numpy()))


def test_the_gradient_of_a_real_tensor_through_a_complex_operator_is_real(torch: ModuleType) -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 7, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(to_torch(COMPLEX), (x,))


def test_gradients_keep_the_dtype_of_the_tensor(torch: ModuleType) -> None:
    x = torch.randn(2, 7, dtype=torch.float32, requires_grad=True)
    to_torch(REAL)(x).sum().backward()
    assert x.grad.dtype == torch.float32
    np.testing.assert_allclose(x.grad, REAL.T(np.ones(REAL.output_shape)), rtol=1e-6)


def test_batches_of_torch_func_are_batches(torch: ModuleType) -> None:
    x = argument(torch, REAL, 3).detach()
    f = to_torch(REAL)
    np.testing.assert_array_equal(torch.func.vmap(f)(x), f(x))
    np.testing.assert_array_equal(torch.func.vmap(f, in_dims=1)(x.movedim(0, 1)), f(x))
    np.testing.assert_allclose(torch.func.jacrev(f)(x[0]).reshape(REAL.shape), REAL.toarray())


def test_any_operator_will_do_and_vectors_lie_on_its_last_axis(torch: ModuleType) -> None:
    M = rng.standard_normal((2, 3))
    f = to_torch(aslinearoperator(M))
    x = torch.randn(4, 5, 3, dtype=torch.float64, requires_grad=True)
    np.testing.assert_allclose(f(x).detach(), x.detach().numpy() @ M.T)
    assert torch.autograd.gradcheck(f, (x,))
    assert f(x[:0]).shape == (0, 5, 2)


def test_the_function_can_be_pickled(torch: ModuleType) -> None:
    f = pickle.loads(pickle.dumps(to_torch(REAL)))
    x = argument(torch, REAL).detach()
    np.testing.assert_array_equal(f(x), to_torch(REAL)(x))


def test_what_is_no_operator_is_refused_in_words() -> None:
    with pytest.raises(TypeError, match=r"op=3: it must be a linear operator.*aslinearoperator"):
        to_torch(3)


def test_a_missing_torch_is_named() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from convops import Conv\nfrom convops.interop import to_torch\n"
        "f = to_torch(Conv([1.0], 3))\n"
        "try:\n    f([1.0, 2.0, 3.0])\nexcept ImportError as error:\n    print(error)\n"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "to_torch needs torch" in printed
    assert "pip install torch" in printed

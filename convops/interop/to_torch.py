"""From an operator to a function of torch that can be differentiated."""

from functools import lru_cache
from typing import Any

import numpy as np

from convops._arguments import shown
from convops._arrays import Array
from convops.interop._layers import array_of_tensor


class TorchFunction:
    """An operator as a function of tensors; see `to_torch`."""

    def __init__(self, op: Any) -> None:
        self.op = op

    def __repr__(self) -> str:
        return f"to_torch({self.op!r})"

    def __call__(self, x: Any) -> Any:
        """Return ``op(x)`` as a tensor on the device of x.

        Parameters
        ----------
        x : torch.Tensor, shape ``(*batch, *input_shape)``
            What the operator is applied to; ``(*batch, N)`` for an operator that knows no arrays.

        Returns
        -------
        torch.Tensor, shape ``(*batch, *output_shape)``
            In the dtype that numpy gives operator and x.
        """
        return _function()(x, self.op)


def to_torch(op: Any) -> TorchFunction:
    """Return an operator as a function of torch tensors whose backward pass is its adjoint.

    The product runs on the CPU, through numpy; the result returns to the device of its argument. Gradients
    of gradients, forward-mode derivatives (`torch.func.jvp`) and `torch.func.vmap` work: all of them are
    products with the operator or its adjoint.

    Parameters
    ----------
    op : LinearOperator
        A `Conv`, a composite, or any operator with `matvec` and an adjoint ``.H``, from any package.

    Returns
    -------
    callable
        From a tensor ``(*batch, *input_shape)`` to ``(*batch, *output_shape)``, or vectors on the last axis
        where the operator knows no arrays. It can be pickled if the operator can.

    Raises
    ------
    TypeError
        If `op` is no operator with an adjoint.
    ImportError
        On the first call, if torch is missing.

    Examples
    --------
    >>> from convops import Conv
    >>> from convops.interop import to_torch
    >>> to_torch(Conv([1.0, -1.0], 5))  # a tensor x gives a tensor, and x.grad after backward()
    to_torch(<4x5 Conv: input_shape (5,) -> output_shape (4,), float64>)
    """
    if not all(hasattr(op, name) for name in ("shape", "matvec", "H")):
        raise TypeError(
            f"{shown('op', op)}: it must be a linear operator with shape, matvec and an adjoint .H; got "
            f"{type(op).__name__}. Wrap a matrix with scipy.sparse.linalg.aslinearoperator."
        )
    return TorchFunction(op)


@lru_cache(1)
def _function() -> Any:
    """Return the product as torch knows it; its class can only be made where torch is."""
    try:
        import torch
    except ImportError as error:
        raise ImportError(f"to_torch needs torch, which is not here ({error}): pip install torch") from error

    apply: Any

    class Product(torch.autograd.Function):  # type: ignore[misc, unused-ignore]
        @staticmethod
        def forward(x: Any, op: Any) -> Any:
            return torch.from_numpy(_applied(op, array_of_tensor(x))).to(x.device)

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Any, Any], output: Any) -> None:
            x, ctx.op = inputs
            ctx.dtype = x.dtype

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> tuple[Any, None]:
            found = apply(gradient, ctx.op.H)
            if found.is_complex() and not ctx.dtype.is_complex:
                found = found.real
            return found.to(ctx.dtype), None

        @staticmethod
        def jvp(ctx: Any, tangent: Any, _: Any) -> Any:
            return apply(tangent, ctx.op)

        @staticmethod
        def vmap(info: Any, in_dims: tuple[int | None, None], x: Any, op: Any) -> tuple[Any, int]:
            return apply(x.movedim(in_dims[0], 0), op), 0

    apply = Product.apply
    return apply


def _applied(op: Any, x: Array) -> Array:
    """Return the product for arrays, or for vectors on the last axis."""
    if hasattr(op, "input_shape"):
        y: Array = op(x)
        return y
    vectors = x.reshape(-1, x.shape[-1])
    y = np.stack([op.matvec(vector) for vector in vectors]) if len(vectors) else np.zeros((0, op.shape[0]))
    return y.reshape(*x.shape[:-1], op.shape[0])

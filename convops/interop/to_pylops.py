"""From an operator to one of PyLops."""

from typing import Any

from convops._arguments import shown


def to_pylops(op: Any) -> Any:
    """Return an operator as a `pylops.LinearOperator`, for PyLops' solvers, stacks and tests.

    Parameters
    ----------
    op : LinearOperator of convops
        A `Conv`, a composite, a `KernelOperator`.

    Returns
    -------
    pylops.LinearOperator
        With ``dims`` the input_shape and ``dimsd`` the output_shape; its products are those of `op`.

    Raises
    ------
    TypeError
        If `op` does not know the shapes of its arrays.
    ImportError
        If PyLops is missing.

    Examples
    --------
    >>> from convops import Conv
    >>> from convops.interop import to_pylops
    >>> A = Conv([[1.0, -1.0]], (4, 5))
    >>> to_pylops(A).dims, to_pylops(A).dimsd  # doctest: +SKIP
    ((4, 5), (4, 4))
    """
    if not hasattr(op, "input_shape") or not hasattr(op, "output_shape"):
        raise TypeError(
            f"{shown('op', op)}: it must be an operator of convops, which has input_shape and output_shape; "
            f"got {type(op).__name__}. Others: pylops.aslinearoperator(op)."
        )
    try:
        from pylops import LinearOperator
    except ImportError as error:
        raise ImportError(
            f"to_pylops needs PyLops, which is not here ({error}): pip install pylops"
        ) from error
    return LinearOperator(Op=op, dtype=op.dtype, dims=op.input_shape, dimsd=op.output_shape)

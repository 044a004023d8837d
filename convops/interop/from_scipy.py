"""From SciPy's names of modes and boundaries to the arguments of an operator."""

from typing import Any

from convops._arguments import shown
from convops.assembly import checked_flip

_SIGNAL = {"full": "full", "same": "same_lower", "valid": "valid"}
_SIGNAL_BOUNDARIES = {"fill": "zeros", "wrap": "wrap", "symm": "symmetric"}
_NDIMAGE = {
    "reflect": "symmetric",
    "grid-mirror": "symmetric",
    "constant": "zeros",
    "grid-constant": "zeros",
    "nearest": "edge",
    "mirror": "reflect",
    "wrap": "wrap",
    "grid-wrap": "wrap",
}


def from_scipy(mode: str, boundary: str | None = None, *, flip: bool = False) -> dict[str, Any]:
    """Return the arguments that make an operator do what a function of SciPy does.

    Parameters
    ----------
    mode : str
        That of `scipy.signal` ("full", "same", "valid"), or that of `scipy.ndimage` ("reflect",
        "grid-mirror", "constant", "grid-constant", "nearest", "mirror", "wrap", "grid-wrap").
    boundary : {"fill", "wrap", "symm"}, optional
        That of `scipy.signal.convolve2d` and `correlate2d`. Left out for the functions of `scipy.signal` that
        have none, which take zeros, and for those of `scipy.ndimage`, which say it by their mode.
    flip : bool, default False
        False: a function named correlate; True: one named convolve.

    Returns
    -------
    dict
        The arguments `padding`, `boundary` and `flip`.

    Raises
    ------
    TypeError, ValueError
        If a name is not SciPy's.

    Notes
    -----
    Of an even kernel, `correlate2d` keeps other places for "same" than `correlate` does: give the boundary
    "fill" for the former, none for the latter.

    The functions named correlate of `scipy.signal` conjugate a complex kernel: give its conjugate. A
    `fillvalue` or `cval` other than zero is affine, not linear.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.signal import convolve2d
    >>> from convops import conv
    >>> from convops.interop import from_scipy
    >>> from_scipy("same", "symm", flip=True)
    {'padding': 'same_lower', 'boundary': 'symmetric', 'flip': True}
    >>> x, w = np.arange(12.0).reshape(3, 4), np.array([[1.0, 2.0]])
    >>> bool((conv(x, w, **from_scipy("same", "symm", flip=True)) == convolve2d(x, w, "same", "symm")).all())
    True
    """
    flip = checked_flip(flip)
    if not isinstance(mode, str):
        raise TypeError(f"{shown('mode', mode)}: it must be a str; got {type(mode).__name__}.")
    if mode in _SIGNAL:
        named = "fill" if boundary is None else boundary
        if named not in _SIGNAL_BOUNDARIES:
            raise ValueError(
                f"{shown('boundary', boundary)}: scipy.signal has {', '.join(map(repr, _SIGNAL_BOUNDARIES))}."
            )
        padding = "same" if mode == "same" and boundary is not None and not flip else _SIGNAL[mode]
        return {"padding": padding, "boundary": _SIGNAL_BOUNDARIES[named], "flip": flip}
    if mode not in _NDIMAGE:
        known = ", ".join(map(repr, [*_SIGNAL, *_NDIMAGE]))
        raise ValueError(f"{shown('mode', mode)}: scipy.signal and scipy.ndimage have {known}.")
    if boundary is not None:
        raise ValueError(
            f"{shown('boundary', boundary)}: {mode!r} is a mode of scipy.ndimage, and says the boundary. "
            "Leave boundary out."
        )
    # The middle of an even kernel is its second tap for correlate, and turned round its first for convolve.
    return {"padding": "same" if flip else "same_lower", "boundary": _NDIMAGE[mode], "flip": flip}

"""Singular values on a logarithmic scale, and the rank among them: `plot_spectrum`."""

from typing import Any

import numpy as np

from convops._arguments import integer, is_sequence, shown
from convops._arrays import Array
from convops.plot._axes import axes_for, ink
from convops.plot._colours import ramp
from convops.spectra import singular_values

_MARKERS = "osD^vP*X"


def plot_spectrum(A: Any, ax: Any = None, *, k: int | None = None, labels: Any = None) -> Any:
    """Draw the singular values of one operator or of several, the largest first, on a logarithmic scale.

    The numerical rank is the number of values above ``max(M, N)`` roundings of the largest. Values below are
    drawn hollow, at that bound: how far below is rounding.

    Parameters
    ----------
    A : Conv, ConvTranspose or sequence of them
        Whose singular values `singular_values` finds.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: in a new figure.
    k : int, optional
        How many, from the largest on. Default: all of them.
    labels : str or sequence of str, optional
        One name for each operator. Default: the class and the shape.

    Returns
    -------
    matplotlib.axes.Axes
        Its legend has the rank of each operator.

    Raises
    ------
    TypeError, ValueError
        As `singular_values` does; if `labels` are not one str for each operator.
    ImportError
        If matplotlib is missing.

    Examples
    --------
    >>> from convops import Conv
    >>> from convops.plot import plot_spectrum
    >>> A = Conv([1.0, -1.0], 8, padding="same", boundary="wrap")
    >>> ax = plot_spectrum(A, labels="difference")
    >>> ax.get_legend().get_texts()[0].get_text()
    'difference: rank 7 of 8'
    """
    operators = list(A) if isinstance(A, list | tuple) else [A]
    if not operators:
        raise ValueError(f"{shown('A', A)}: it must have one operator at least; got none.")
    names = _names(labels, operators)
    k = None if k is None else integer("k", k, 1)
    values = [singular_values(operator, k) for operator in operators]
    ax = axes_for("plot_spectrum", ax, (5.6, 3.8))
    for number, (operator, found, name) in enumerate(zip(operators, values, names, strict=True)):
        colour = ramp(len(operators))[number]
        _draw(ax, operator, np.asarray(found, float), name, colour, _MARKERS[number % len(_MARKERS)])
    ax.set_yscale("log")
    _set_ticks(ax)
    ax.set_xlabel("number")
    ax.set_ylabel("singular value")
    ax.legend(loc="best", fontsize="small")
    return ax


def _draw(ax: Any, operator: Any, values: Array, name: str, colour: Array, marker: str) -> None:
    count = min(operator.shape)
    largest = float(values[0])
    bound = (largest or 1.0) * max(operator.shape) * np.finfo(float).eps
    rank = int(np.count_nonzero(values > bound))
    if rank < values.size or values.size == count:
        text = f"{name}: rank {rank} of {count}"
    else:
        text = f"{name}: the largest {rank} of {count}"
    number = np.arange(1, values.size + 1)
    every = max(values.size // 24, 1)
    style = {"color": colour, "marker": marker, "markersize": 4.5, "markevery": every}
    ax.plot(number[:rank], values[:rank], label=text, **style)
    if rank < values.size:
        below = np.full(values.size - rank, bound)
        ax.plot(number[rank:], below, linestyle="none", markerfacecolor="none", **style)
        ax.axvline(rank + 0.5, color=colour, linewidth=0.9, linestyle=(0, (4, 3)), alpha=0.8)
        ax.axhline(bound, color=ink(), linewidth=0.6, alpha=0.35)


def _set_ticks(ax: Any) -> None:
    from matplotlib.ticker import MaxNLocator, NullFormatter, StrMethodFormatter

    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    low, high = ax.get_ylim()
    if high < 10 * low:
        # Powers of ten alone would name none of these.
        ax.yaxis.set_major_locator(MaxNLocator(nbins=6))
        ax.yaxis.set_major_formatter(StrMethodFormatter("{x:.4g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())


def _names(labels: Any, operators: list[Any]) -> list[str]:
    if labels is None:
        names = [
            f"{type(operator).__name__} " + " × ".join(map(str, getattr(operator, "shape", ())))
            for operator in operators
        ]
        return [
            f"{name} ({number + 1})" if names.count(name) > 1 else name for number, name in enumerate(names)
        ]
    given = list(labels) if is_sequence(labels) else [labels]
    if not all(isinstance(label, str) for label in given):
        raise TypeError(f"{shown('labels', labels)}: labels are str, one for each operator.")
    if len(given) != len(operators):
        raise ValueError(
            f"{shown('labels', labels)}: there must be one for each operator, {len(operators)} of them; got "
            f"{len(given)}."
        )
    return given

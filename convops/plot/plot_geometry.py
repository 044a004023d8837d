"""Which inputs feed which output, cell by cell: `plot_geometry`."""

from typing import Any

from convops.plot._axes import axes_for
from convops.plot._colours import ramp
from convops.plot._scene import Place, Scene, direction_of, places_of

_MOST_BY_DEFAULT = 12


def plot_geometry(geometry: Any, ax: Any = None, *, outputs: Any = None, transposed: Any = None) -> Any:
    """Draw which inputs feed which output of a convolution, or of its transpose, of one or two axes.

    The cells are those of the input, with what is added to it drawn dashed: the padding, and for a transpose
    the places between its entries (spread by the stride) and around them. An output, and the cells that it
    reads, have one colour; dilation leaves cells out between these. Where the boundary is not "zeros", cells
    beyond the border name the sample that they repeat, or ± for a combination; a sample of a transpose reads
    what comes back to it from there in further windows. Channels are not drawn: all of them read alike.

    Parameters
    ----------
    geometry : ConvGeometry, Conv or ConvTranspose
        With one or two spatial axes, and at most 2500 cells.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: in a new figure.
    outputs : int, index or sequence of them, optional
        Which outputs to show, by their indices without the channel. Default: the first of two axes, all of
        one axis up to 12.
    transposed : bool, optional
        Whether to draw the transpose. Default: True for a `ConvTranspose`.

    Returns
    -------
    matplotlib.axes.Axes
        In units of cells, rows downwards.

    Raises
    ------
    TypeError
        If an argument is of the wrong type.
    ValueError
        If there are three spatial axes or more, too many cells, or no such output.
    ImportError
        If matplotlib is missing.

    References
    ----------
    Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", arXiv:1603.07285, whose
    pictures these are.

    Examples
    --------
    >>> from convops import ConvGeometry
    >>> from convops.plot import plot_geometry
    >>> ax = plot_geometry(ConvGeometry((3, 3), (5, 5), stride=2, padding=1), outputs=[(0, 0), (1, 2)])
    >>> [text.get_text() for text in ax.texts]
    ['input 5 × 5, padding 1', 'output 3 × 3']
    """
    found, backwards = direction_of(geometry, transposed)
    sizes = found.spatial_shape if backwards else found.output_shape[found.has_channels :]
    default: list[Place] = (
        [(p,) for p in range(min(sizes[0], _MOST_BY_DEFAULT))] if len(sizes) == 1 else [(0, 0)]
    )
    shown_outputs = places_of(outputs, sizes, default)
    ax = axes_for("plot_geometry", ax, (6.4, 2.6) if len(sizes) == 1 else (6.4, 3.6))
    scene = Scene(ax, found, backwards)
    for output, colour in zip(shown_outputs, ramp(len(shown_outputs)), strict=True):
        scene.highlight(output, colour, fill=len(sizes) == 2 or len(shown_outputs) == 1)
    return ax

"""The same picture, stepping from output to output: `animate_geometry`."""

from typing import Any

from convops._arguments import integer
from convops.plot._axes import axes_for
from convops.plot._colours import ramp
from convops.plot._scene import Scene, direction_of


def animate_geometry(geometry: Any, ax: Any = None, *, transposed: Any = None, interval: int = 400) -> Any:
    """Return an animation of `plot_geometry` that steps over all outputs, in C order.

    Parameters
    ----------
    geometry : ConvGeometry, Conv or ConvTranspose
        As for `plot_geometry`.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: in a new figure.
    transposed : bool, optional
        Whether to draw the transpose. Default: True for a `ConvTranspose`.
    interval : int, default 400
        Milliseconds from one output to the next.

    Returns
    -------
    matplotlib.animation.FuncAnimation
        Keep it as long as it shall run. Its ``save("steps.gif")`` writes it to a file, ``to_jshtml()`` shows
        it in a notebook.

    Raises
    ------
    TypeError, ValueError, ImportError
        As `plot_geometry` does.

    Examples
    --------
    >>> from convops import ConvGeometry
    >>> from convops.plot import animate_geometry
    >>> steps = animate_geometry(ConvGeometry(3, 5, padding=1))
    >>> steps.save("steps.gif", writer="pillow")
    """
    found, backwards = direction_of(geometry, transposed)
    interval = integer("interval", interval, 1)
    flat = len(found.axes) == 1
    ax = axes_for("animate_geometry", ax, (6.4, 2.6) if flat else (6.4, 3.6))
    from matplotlib.animation import FuncAnimation

    scene = Scene(ax, found, backwards)
    colour = ramp(1)[0]
    drawn: list[Any] = []

    def step(output: tuple[int, ...]) -> list[Any]:
        while drawn:
            drawn.pop().remove()
        drawn.extend(scene.highlight(output, colour))
        return drawn

    outputs = scene.all_outputs()
    return FuncAnimation(ax.figure, step, frames=outputs, interval=interval, init_func=lambda: drawn)

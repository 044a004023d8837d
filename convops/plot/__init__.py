"""Pictures of convolutions, drawn with matplotlib, which is imported by the first of them."""

from convops.plot.animate_geometry import animate_geometry
from convops.plot.plot_adjoint_report import plot_adjoint_report
from convops.plot.plot_geometry import plot_geometry
from convops.plot.plot_spectrum import plot_spectrum
from convops.plot.plot_transpose import plot_transpose
from convops.plot.spy import spy

__all__ = [
    "animate_geometry",
    "plot_adjoint_report",
    "plot_geometry",
    "plot_spectrum",
    "plot_transpose",
    "spy",
]

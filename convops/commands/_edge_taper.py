"""A blurred image made periodic, so that transforms take any blur of it apart."""

import numpy as np

from convops._arrays import Array
from convops.operators import Conv


def periodic(image: Array, psf: Array) -> tuple[Conv, Array]:
    """Return a blur that wraps round, and the image with its rim blended into what that blur makes of it.

    The rim of a photograph comes from a scene that goes on, which no boundary knows. Taken for data, the
    few pixels there make cross-validation choose too small a damp where there is little noise. The
    weights of the blend are those of MATLAB's ``edgetaper``: the autocorrelation of the PSF, summed up
    along the other axis.

    Parameters
    ----------
    image : ndarray, shape ``(H, W)``
        The blurred image.
    psf : ndarray, shape ``(kh, kw)``
        The kernel of the convolution; no larger than the image.

    Returns
    -------
    Conv
        The blur of periodic images.
    ndarray, shape ``(H, W)``
        The image, periodic.
    """
    A = Conv(psf, image.shape, padding="same", boundary="wrap", flip=True)
    inside = np.outer(*[_inside(psf.sum(1 - axis), size) for axis, size in enumerate(image.shape)])
    return A, inside * image + (1 - inside) * A(image)


def _inside(line: Array, size: int) -> Array:
    """Return how much of an image is kept along an axis: nothing at the ends, all that lies deep inside."""
    lags = np.correlate(line, line, "full")[line.size - 1 :]
    at_start = np.append(lags / lags[0], np.zeros(size - line.size)) if lags[0] else np.zeros(size)
    kept: Array = np.clip(1 - np.maximum(at_start, at_start[::-1]), 0, 1)
    return kept

"""How much to damp for an image from a file: cross-validation, kept in bounds by what such files are like."""

from math import sqrt

import numpy as np

from convops._arrays import Array
from convops.commands._edge_taper import periodic
from convops.inverse import choose_damp, gradient, laplacian
from convops.operators import Conv

REGULARISERS = {"none": None, "gradient": gradient, "laplacian": laplacian}


def damp_for_image(A: Conv, psf: Array, image: Array, reg: str, peak: int) -> tuple[float, str]:
    """Return a damp, and what it was chosen by.

    Cross-validation takes noise to be white. Compression and resizing leave noise without its high
    frequencies, and then any damp looks too large to it. But data are no better than their rounding, so
    the damp is no less than the rms of that over the rms of L b: the ratio of noise to signal that
    damp stands for.

    Parameters
    ----------
    A : Conv
        The blur.
    psf : ndarray, shape ``(kh, kw)``
        Its kernel.
    image : ndarray, shape ``(H, W)``
        The blurred image, from 0 to 1.
    reg : {"none", "gradient", "laplacian"}
        What L is.
    peak : int
        The number that stands for 1 in the file.

    Returns
    -------
    damp : float
        For `tikhonov`.
    words : str
        What it was chosen by.
    """
    boundary = A.geometry.boundary
    make = REGULARISERS[reg]
    L = None if make is None else make(image.shape, boundary=boundary)
    signal = image if L is None else L(image)
    size = float(np.linalg.norm(signal)) / sqrt(image.size)
    model, data = (A, image) if set(boundary) == {"wrap"} else periodic(image, psf)
    damp = choose_damp(model, data, reg=None if L is None else reg)
    least = 1 / (sqrt(12) * peak * size) if size else 0.0
    if damp >= least:
        return damp, "by generalised cross-validation"
    return least, f"by the rounding of the image (cross-validation: {damp:.2g}, too little)"

"""A proof that no eigenvalue of a Hermitian matrix is larger than a number: a factorisation that succeeds.

Where Cholesky's factorisation of ``A = s I - G`` runs to its end, the factor that it finds is the exact one
of ``A + E`` with ``|E| <= g |Rᴴ| |R|``, where g is the rounding of as many products as an entry of the factor
adds up, one more than the band is wide (Higham, "Accuracy and Stability of Numerical Algorithms", theorem
10.3). The columns of R have the diagonal of ``A + E`` for squares, which is no more than ``s / (1 - g)``, and
E has entries in the band only: 2 b + 1 of them in a row, where b diagonals stand below the main one. As
``A + E`` has no negative eigenvalue, G has none above ``s + ‖E‖ <= s + (2 b + 1) s g / (1 - g)``. Rump,
"Verification of positive definiteness", doi:10.1007/s10543-006-0056-1, proves it so, underflow included.

It takes N b² operations, a small part of what the eigenvalues themselves would.
"""

import numpy as np
from scipy.linalg import get_lapack_funcs

from convops._arrays import Array
from convops.spectra._rounding import UNIT


def proven(bands: Array, square: float) -> float | None:
    """Return a bound of the eigenvalues of G that is hardly above `square`, or None where that is none.

    Parameters
    ----------
    bands : ndarray, shape (b + 1, N), float64 or complex128
        G, Hermitian and without negative eigenvalues, in LAPACK's lower bands: ``bands[i - j, j]`` is
        ``G[i, j]``.
    square : float
        Positive, and not so small that products underflow.

    Examples
    --------
    The second difference has eigenvalues up to, but not including, 4:

    >>> import numpy as np
    >>> bands = np.array([[2.0, 2, 2, 2], [-1, -1, -1, 0]])
    >>> proven(bands, 4.0) < 4.000001
    True
    >>> proven(bands, 3.6) is None
    True
    """
    rest = np.negative(bands, order="F")
    rest[0] += square
    (pbtrf,) = get_lapack_funcs(("pbtrf",), (rest,))
    factor, failed = pbtrf(rest, lower=1, overwrite_ab=1)
    if failed or not np.isfinite(factor[0]).all():
        return None
    # A complex product rounds no more than four times what a real one does; twice that leaves room.
    rounding = 8 * (len(bands) + 1) * UNIT
    return float(square * (1 + 2 * len(bands) * rounding / (1 - rounding)))

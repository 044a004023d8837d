"""What every damp makes of the data, at once, where a transform takes the problem apart.

At each frequency the block B, divided by the roots of the penalty p, has singular values s and left
singular vectors u. A damp keeps s²/(s² + damp²) of uᴴb. What the penalty does not see is kept whole, as for
s = ∞: B is taken apart in the complement of what such unknowns explain.

Hansen, "Rank-Deficient and Discrete Ill-Posed Problems", 1998, doi:10.1137/1.9780898719697, sections 2.1
and 4.2.
"""

from dataclasses import dataclass

import numpy as np

from convops._arrays import Array
from convops.inverse._measures import Measures
from convops.inverse._spectral import Spectrum, columns

_NONE = np.finfo(np.float64).eps * 64
"""Of the largest singular value: what is rounding."""
_LEAST = 1e-8
"""Of the largest singular value: a damp that changes nothing that double precision can show."""


@dataclass(frozen=True)
class Filters:
    """The problem as many problems of one number each."""

    squares: Array
    """s², ∞ where the penalty sees nothing."""
    energy: Array
    """|uᴴb|², of all right-hand sides together, times how many frequencies it stands for."""
    times: Array
    """How many frequencies each stands for."""
    beyond: float
    """‖b‖² of what no x explains."""
    rows: int
    """How many data one right-hand side has."""
    route: str

    @property
    def spent(self) -> bool:
        """No damp costs much."""
        return False

    def ends(self) -> tuple[float, float]:
        """Return the smallest and the largest s that matter."""
        seen = np.sqrt(self.squares[np.isfinite(self.squares) & (self.squares > 0)])
        if not seen.size:
            raise ValueError("A is 0, or reg sees nothing of what A does: there is nothing to choose.")
        largest = float(seen.max())
        return max(float(seen.min()), _LEAST * largest), largest

    def measures(self, damp: float) -> Measures:
        """Return what a damp above 0 leaves, costs and keeps."""
        lost = 1 / (1 + self.squares / damp**2)
        seen = np.sqrt(np.where(np.isfinite(self.squares), self.squares, 0.0))
        root = seen / (self.squares + damp**2)
        return Measures(
            residual=float(np.sqrt(self.beyond + self.energy @ lost**2)),
            seminorm=float(np.sqrt(self.energy @ root**2)),
            freedom=float(self.times @ (1 - lost)),
        )


def filters_of(spectrum: Spectrum, arrays: Array | None = None) -> Filters:
    """Return the filters of a problem in its frequencies; without data, those that count alone."""
    if arrays is None:
        groups, rows = spectrum.frequencies.weight.shape[0], spectrum.block_shape[0]
        arrays = np.zeros((1, groups * rows, *spectrum.data.sizes))
    given = spectrum.data.analyse(arrays)
    pieces = []
    beyond = heard = 0.0
    for part in spectrum.parts():
        rhs = columns(given, part.where)
        squares, energy, left = _filters(part.blocks, rhs, part.penalty)
        times = np.broadcast_to(part.times[:, None], squares.shape)
        pieces.append((squares.ravel(), (energy * times).ravel(), times.ravel()))
        beyond += float((left * part.times).sum())
        heard += float(((rhs.real**2 + rhs.imag**2).sum(axis=(2, 3)) * part.times).sum())
    if any(line.copies > 1 for line in spectrum.frequencies.axes):
        beyond += max(float(np.linalg.norm(arrays) ** 2) - heard, 0.0)
    squares, energy, times = (np.concatenate(found) for found in zip(*pieces, strict=True))
    return Filters(squares, energy, times.astype(np.float64), beyond, arrays[0].size, spectrum.route)


def _filters(B: Array, rhs: Array, p: Array | None) -> tuple[Array, Array, Array]:
    """Return s² and |uᴴb|², ``(groups, points, min(m, k))``, and ‖b‖² of the rest, ``(groups, points)``."""
    m, k = B.shape[-2:]
    scaled = B if p is None else B / np.sqrt(np.where(p > 0, p, 1.0))[..., None, :]
    if min(m, k) == 1:
        s2 = (B.real**2 + B.imag**2 if p is None else scaled.real**2 + scaled.imag**2).sum(axis=(-2, -1))[
            ..., None
        ]
        along = rhs if m == 1 else _normalised(scaled).conj().swapaxes(-1, -2) @ rhs
        left = _size(rhs if m == 1 else rhs - _normalised(scaled) @ along)
        energy = _size(along)[..., None]
    else:
        u, s, _ = np.linalg.svd(scaled, full_matrices=False)
        along = u.conj().swapaxes(-1, -2) @ rhs
        s2, energy = s**2, (along.real**2 + along.imag**2).sum(axis=-1)
        left = _size(rhs - u @ along)
    if m <= k:
        left = np.zeros(left.shape)
    if p is not None:
        for place in zip(*np.nonzero((p <= 0).any(axis=-1)), strict=True):
            s2[place], energy[place], left[place] = _with_unseen(scaled[place], rhs[place], p[place] > 0)
    return s2, energy, left


def _with_unseen(B: Array, b: Array, seen: Array) -> tuple[Array, Array, float]:
    """Return what `_filters` does, of one block of which the penalty does not see some unknowns."""
    count = min(B.shape)
    u, s, _ = np.linalg.svd(B[:, ~seen], full_matrices=False)
    least = _NONE * max(float(np.linalg.norm(B)), np.finfo(np.float64).tiny)
    free = u[:, s > least]
    rest = b - free @ (free.conj().T @ b)
    v, t, _ = np.linalg.svd(B[:, seen] - free @ (free.conj().T @ B[:, seen]), full_matrices=False)
    v, t = v[:, t > least], t[t > least]
    energy = (np.abs(np.concatenate([free, v], axis=1).conj().T @ b) ** 2).sum(axis=-1)
    values = np.concatenate([np.full(free.shape[1], np.inf), t**2])
    rest = rest - v @ (v.conj().T @ rest)
    more = (0, count - values.size)
    return np.pad(values, more), np.pad(energy, more), float(np.linalg.norm(rest) ** 2)


def _normalised(columns: Array) -> Array:
    size = np.linalg.norm(columns, axis=-2, keepdims=True)
    return np.asarray(np.divide(columns, size, out=np.zeros_like(columns), where=size > 0))


def _size(rows: Array) -> Array:
    """Return ‖b‖² of blocks ``(groups, points, m, batch)``."""
    found: Array = (rows.real**2 + rows.imag**2).sum(axis=(-2, -1))
    return found

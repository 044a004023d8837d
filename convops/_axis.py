"""One spatial axis in plain integers: its sizes, the one relation, and the samples that it reads.

The relation between an output position p, a kernel tap k and a position q on the input axis
extended by its boundary condition is ``q = stride * p + dilation * k - before``.
"""

from functools import lru_cache
from itertools import chain
from math import gcd
from typing import Any, NamedTuple

from convops._arguments import choice, is_sequence, shown

BOUNDARIES = ("zeros", "wrap", "reflect", "symmetric", "edge", "antireflect")


OTHER_NAMES = {
    "zero": "zeros",
    "dirichlet": "zeros",
    "constant": "zeros",
    "fill": "zeros",
    "grid-constant": "zeros",
    "circ": "wrap",
    "circular": "wrap",
    "periodic": "wrap",
    "grid-wrap": "wrap",
    "mirror": "reflect",
    "reflection": "reflect",
    "reflect_101": "reflect",
    "symm": "symmetric",
    "reflective": "symmetric",
    "neumann": "symmetric",
    "grid-mirror": "symmetric",
    "half-sample": "symmetric",
    "replicate": "edge",
    "replication": "edge",
    "clamp": "edge",
    "nearest": "edge",
    "odd": "antireflect",
    "antireflective": "antireflect",
}


def boundary_names(boundary: object, count: int) -> tuple[str, ...]:
    """Return one name per axis from a name for all of them or a sequence."""
    if isinstance(boundary, str) or not is_sequence(boundary):
        return (choice("boundary", boundary, BOUNDARIES, OTHER_NAMES, "zeros"),) * count
    names = tuple(boundary)
    if len(names) != count:
        raise ValueError(
            f"{shown('boundary', boundary)}: one name per spatial axis is needed, {count} of them; got "
            f"{len(names)}. A name alone stands for every axis."
        )
    return tuple(choice("boundary", name, BOUNDARIES, OTHER_NAMES) for name in names)


def period(size: int, boundary: str) -> int:
    """Return the number of positions after which a boundary repeats itself (or its slope)."""
    if boundary == "symmetric":
        return 2 * size
    if boundary in ("reflect", "antireflect"):
        return max(2 * (size - 1), 1)
    return size


def folded(q: Any, size: int, boundary: str) -> Any:
    """Return the sample in ``range(size)`` that position q repeats or mirrors; not for "zeros".

    Written in ``%``, ``//`` and ``abs`` alone, so q is an int or an integer array.
    """
    last = size - 1
    if boundary == "edge" or last == 0:
        return (abs(q) - abs(q - last) + last) // 2
    turn = q % period(size, boundary)
    if boundary == "wrap":
        return turn
    if boundary == "symmetric":
        return (2 * size - 1 - abs(2 * turn - (2 * size - 1))) // 2
    return last - abs(turn - last)


def end_coefficients(q: Any, size: int) -> tuple[Any, Any, Any]:
    """Return what "antireflect" takes at q: (of the folded sample, of the first, of the last).

    Reflection through the end points repeats as ``f(q + period) = f(q) + 2 * (last - first)``, so
    each whole period adds that rise, and the second half of one is ``2 * last - mirrored``.
    """
    if size == 1:
        return 1 + 0 * q, 0 * q, 0 * q
    rises = q // period(size, "antireflect")
    beyond = 1 * (q % period(size, "antireflect") >= size)
    return 1 - 2 * beyond, -2 * rises, 2 * rises + 2 * beyond


def sizes_by_output_padding(sizes: range, limit: int = 8) -> str:
    """List the sizes of a transpose, each with the `output_padding` that gives it."""
    first = max(1 - sizes.start, 0)
    listed = [f"{sizes[r]} (output_padding={r})" for r in range(first, min(len(sizes), first + limit))]
    if len(sizes) > first + limit:
        listed.append(f"so on to {sizes[-1]} (output_padding={len(sizes) - 1})")
    return " or ".join(listed) or "never positive"


def floor_sum(count: int, modulus: int, step: int, offset: int) -> int:
    """Return the sum of ``(step * i + offset) // modulus`` for i in ``range(count)``, in O(log) steps.

    Each step takes the whole multiples of the modulus out and exchanges the roles of the two axes of the
    lattice: Graham, Knuth and Patashnik, "Concrete Mathematics", section 3.5.
    """
    total = 0
    while count > 0:
        total += count * (count - 1) // 2 * (step // modulus) + count * (offset // modulus)
        step, offset = step % modulus, offset % modulus
        highest = step * count + offset
        count, offset = highest // modulus, highest % modulus
        modulus, step = step, modulus
    return total


class Axis(NamedTuple):
    """Sizes of one spatial axis, all validated before."""

    size: int
    kernel: int
    stride: int
    dilation: int
    before: int
    after: int
    boundary: str

    @property
    def effective(self) -> int:
        """Input positions that the kernel spans."""
        return self.dilation * (self.kernel - 1) + 1

    @property
    def out_size(self) -> int:
        """Number of outputs; below 1 where the kernel does not fit."""
        return (self.size + self.before + self.after - self.effective) // self.stride + 1

    def first_position(self, p: int) -> int:
        """Return the position q of tap 0 at output p."""
        return self.stride * p - self.before

    @property
    def interior(self) -> tuple[int, int]:
        """Outputs ``start <= p < stop`` all of whose taps lie on samples; ``start == stop`` if none do."""
        out_size = self.out_size
        start = min(-(-self.before // self.stride), out_size)
        stop = (self.size - self.effective + self.before) // self.stride + 1
        return start, min(max(stop, start), out_size)

    @property
    def reads(self) -> int:
        """Number of (output, sample) pairs such that the output reads the sample."""
        return _reads(self)

    def _count_reads(self) -> int:
        if self.boundary == "zeros":
            return self._taps_below(self.size + self.before) - self._taps_below(self.before)
        if self.boundary == "wrap":
            return self.out_size * min(self.kernel, self.size // gcd(self.dilation, self.size))
        start, stop = self.interior
        far_left, far_right = self._near
        near = chain(range(far_left, start), range(stop, far_right))
        return (
            (stop - start) * self.kernel
            + sum(map(self._reads_of_row, near))
            + self._reads_of_far_rows(0, far_left)
            + self._reads_of_far_rows(far_right, self.out_size)
        )

    @property
    def outputs_counted(self) -> int:
        """Number of outputs that `reads` looks at one by one."""
        if self.boundary in ("zeros", "wrap"):
            return 0
        start, stop = self.interior
        far_left, far_right = self._near
        return (
            (start - far_left)
            + (far_right - stop)
            + min(far_left, self._classes)
            + min(self.out_size - far_right, self._classes)
        )

    @property
    def _near(self) -> tuple[int, int]:
        """Outputs ``left <= p < right`` that read something less than a whole axis beyond its ends.

        All others depend on their position modulo the period alone.
        """
        start, stop = self.interior
        cycle, last = period(self.size, self.boundary), self.size - 1
        left = (self.before - last - self.effective + 1) // self.stride + 1
        right = -(-(cycle + self.before) // self.stride)
        return min(max(left, 0), start), min(max(right, stop), self.out_size)

    @property
    def _classes(self) -> int:
        """Number of outputs after which their positions repeat modulo the period."""
        cycle = period(self.size, self.boundary)
        return cycle // gcd(self.stride, cycle)

    def _reads_of_far_rows(self, start: int, stop: int) -> int:
        """Count the reads of outputs far from the axis, one period of them and the rest."""
        times, rest = divmod(stop - start, self._classes)
        counts = [self._reads_of_row(start + number) for number in range(self._classes if times else rest)]
        return times * sum(counts) + sum(counts[:rest])

    def _taps_below(self, limit: int) -> int:
        """Count the pairs of an output p and a tap k with ``stride * p + dilation * k < limit``."""
        room = limit - 1
        if room < 0:
            return 0
        outputs = min(room // self.stride + 1, self.out_size)
        full = min(max((room - self.dilation * (self.kernel - 1)) // self.stride + 1, 0), outputs)
        # The rest have (room - stride * p) // dilation + 1 taps, from the last output upwards.
        partial = outputs - full
        least = room - self.stride * (outputs - 1)
        return full * self.kernel + partial + floor_sum(partial, self.dilation, self.stride, least)

    def explain(self, number: int) -> list[str]:
        """Return the arithmetic of this axis in words, line by line; `number` is its place."""
        n, k, s, d, before, after, boundary = self
        smallest = (self.out_size - 1) * s + self.effective - before - after
        sizes = sizes_by_output_padding(range(smallest, smallest + s))
        return [
            f"axis {number}: size {n}, kernel {k}, stride {s}, padding ({before}, {after}), dilation {d}, "
            f'boundary "{boundary}"',
            f"  effective = dilation * (kernel - 1) + 1 = {d} * ({k} - 1) + 1 = {self.effective}",
            f"  out_size = (size + before + after - effective) // stride + 1 = "
            f"({n} + {before} + {after} - {self.effective}) // {s} + 1 = {self.out_size}",
            f"  q = stride * p + dilation * k - before = {s} * p + {d} * k - {before}",
            f"  a transpose with these pads that reads {self.out_size} returns {sizes}",
        ]

    def _reads_of_row(self, p: int) -> int:
        """Count the samples that output p reads, each once."""
        a = self.first_position(p)
        b = a + self.effective - 1
        if self.dilation == 1:
            return self._reads_of_interval(a, b)
        samples = {folded(q, self.size, self.boundary) for q in range(a, b + 1, self.dilation)}
        if self.boundary == "antireflect":
            for q in range(a, b + 1, self.dilation):
                _, first, last = end_coefficients(q, self.size)
                if first:
                    samples.add(0)
                if last:
                    samples.add(self.size - 1)
        return len(samples)

    def _reads_of_interval(self, a: int, b: int) -> int:
        """Count the samples that positions a..b read: a fold of an interval is an interval."""
        size, boundary = self.size, self.boundary
        last = size - 1
        if last == 0:
            return 1
        low, high = sorted((folded(a, size, boundary), folded(b, size, boundary)))
        if boundary == "edge":
            return int(high - low + 1)
        cycle, twice = period(size, boundary), boundary == "symmetric"
        if (b + twice) // cycle > (a - 1) // cycle:
            low = 0
        if (b - last) // cycle > (a - last - twice - 1) // cycle:
            high = last
        count = int(high - low + 1)
        if boundary == "antireflect":
            count += low > 0 and (a < 0 or b >= cycle)
            count += high < last and (b > last or a <= -last)
        return count


@lru_cache(1024)
def _reads(axis: Axis) -> int:
    """Count the reads of an axis once: those of an image are alike, and so are those of the next operator."""
    return axis._count_reads()

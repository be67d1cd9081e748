# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Which pixels of a CCD frame saw light, which amplifier read them, and where its level was left on record."""

from dataclasses import dataclass

__all__ = ["ChipGeometry", "Part", "UnknownGeometryError", "length", "whole"]


class UnknownGeometryError(Exception):
    """Where the overscan of a frame lies is not known; the message says why."""


@dataclass(frozen=True)
class Part:
    """
    What one amplifier read of a chip.

    Parameters
    ----------
    amplifier : str
        Its name; empty if not known.
    rows, columns : slice
        The pixels of the image that saw light.
    level : tuple of slice, or None
        Rows and columns of the image that hold the level of an unexposed pixel; None if there are none.
    """

    amplifier: str
    rows: slice
    columns: slice
    level: tuple[slice, slice] | None = None


@dataclass(frozen=True)
class ChipGeometry:
    """
    A chip of a CCD camera with its overscan.

    Parameters
    ----------
    shape : tuple of int
        Pixels that see light, (ny, nx).
    prescan : int
        Columns of physical overscan on either side.
    virtual_rows : int
        Rows of virtual overscan of a full frame, on the side away from the amplifiers.
    virtual_columns : int
        Columns of virtual overscan of a full frame, in the middle of a row, between two amplifiers.
    """

    shape: tuple[int, int]
    prescan: int
    virtual_rows: int
    virtual_columns: int = 0

    @property
    def raw_shape(self):
        """Shape (ny, nx) of a full raw frame."""
        ny, nx = self.shape
        return ny + self.virtual_rows, nx + 2 * self.prescan + self.virtual_columns

    def parts(self, shape, header, amplifiers):
        """
        Divide an image among the amplifiers that read it.

        A full raw frame is known by its size. Of all others LTV1 and LTV2 say how many columns and rows come
        before the first pixel of the chip that sees light (hstcal ``getcorner.c``, ``findover.c``): fewer than
        none in a subarray that begins further in.

        Parameters
        ----------
        shape : tuple of int
            Shape (ny, nx) of the image.
        header : `~astropy.io.fits.Header`
            That of the image.
        amplifiers : str
            Names of those that read the chip: A and C its left side, B and D its right; A and B stand above.

        Returns
        -------
        parts : tuple of Part
            From left to right.

        Raises
        ------
        UnknownGeometryError
            If the pixels are binned, or the size is none that is documented.
        """
        binning = [header.get(f"BINAXIS{axis}", 1) for axis in (1, 2)]
        if binning != [1, 1]:
            msg = f"its pixels are binned {binning[0]} x {binning[1]}"
            raise UnknownGeometryError(msg)
        self._check_readers(amplifiers)
        full = shape == self.raw_shape
        if full and self.virtual_columns and len(amplifiers) == 1:
            msg = f"no source says where it lies when amplifier {amplifiers} reads all of a row"
            raise UnknownGeometryError(msg)
        left, below = (self.prescan, self.virtual_rows * (amplifiers[0] in "AB")) if full else _offset(shape, header)
        middle = self.virtual_columns if full else 0
        right = shape[1] - middle - left - self.shape[1]
        above = shape[0] - below - self.shape[0]
        self._check(shape, (left, right), (below, above), amplifiers)
        return self._divide(shape, (left, right), (below, above), amplifiers, middle)

    @staticmethod
    def _check_readers(amplifiers):
        """Refuse chips that are read upward and downward at once."""
        if len({amplifier in "AB" for amplifier in amplifiers}) != 1:
            msg = f"no source says where it lies when amplifiers {' and '.join(amplifiers)} read one chip"
            raise UnknownGeometryError(msg)

    def _check(self, shape, sides, ends, amplifiers):
        """Refuse overscan wider than there is, or rows of it where there are none."""
        below, above = (max(n, 0) for n in ends)
        away, near = (below, above) if amplifiers[0] in "AB" else (above, below)
        if max(sides) > self.prescan or away not in (0, self.virtual_rows) or near:
            borders = f"{max(sides[0], 0)} + {max(sides[1], 0)} columns and {below} + {above} rows"
            msg = f"{shape[1]} x {shape[0]} pixels with a border of {borders} are no readout that is known"
            raise UnknownGeometryError(msg)

    def _divide(self, shape, sides, ends, amplifiers, middle):
        ny, nx = shape
        left, right, below, above = (max(n, 0) for n in (*sides, *ends))
        rows, last = slice(below, ny - above), nx - right
        borders = {"left": (rows, slice(0, left)), "right": (rows, slice(last, nx))}
        half = sides[0] + self.shape[1] // 2
        columns = [slice(left, last)] if len(amplifiers) == 1 else [slice(left, half), slice(half + middle, last)]
        if any(length(cut) <= 0 for cut in columns):
            msg = f"amplifiers {' and '.join(amplifiers)} cannot both have read {nx} x {ny} pixels that begin there"
            raise UnknownGeometryError(msg)
        parts = []
        for amplifier, inside in zip(amplifiers, columns, strict=True):
            near, far = ("left", "right") if amplifier in "AC" else ("right", "left")
            virtual = (slice(0, below) if below else slice(ny - above, ny)), inside
            found = [area for area in (borders[near], borders[far], virtual) if all(s.stop > s.start for s in area)]
            parts.append(Part(amplifier, rows, inside, found[0] if found else None))
        return tuple(parts)


def _offset(shape, header):
    """Return how many columns and rows of the image come before the first pixel of the chip."""
    try:
        offset = tuple(round(float(header[keyword])) for keyword in ("LTV1", "LTV2"))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        msg = "LTV1 and LTV2 do not say where on the chip its pixels are"
        raise UnknownGeometryError(msg) from error
    read_out = header.get("SIZAXIS2", shape[0]), header.get("SIZAXIS1", shape[1])
    if read_out != shape:
        msg = f"{read_out[1]} x {read_out[0]} pixels were read (SIZAXIS1, SIZAXIS2), {shape[1]} x {shape[0]} are here"
        raise UnknownGeometryError(msg)
    return offset


def whole(shape):
    """Return an image as one part, without overscan."""
    ny, nx = shape
    return (Part("", slice(0, ny), slice(0, nx)),)


def length(cut):
    """Return the number of elements a slice with both ends takes."""
    return cut.stop - cut.start

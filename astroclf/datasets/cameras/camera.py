# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""What a camera is to the simulation: geometry, electronics, filters and switches."""

from dataclasses import dataclass

import numpy as np

__all__ = ["CCD_OFFSETS", "Amplifier", "Camera", "Chip", "Filter"]

CCD_OFFSETS = tuple((f"CCDOFST{name}", 3, f"commanded CCD bias offset for amplifier {name}") for name in "ABCD")
"""Cards of the commanded bias offsets, alike in ACS and WFC3."""


@dataclass(frozen=True)
class Amplifier:
    """
    A readout amplifier.

    Parameters
    ----------
    name : str
        ``A``, ``B``, ``C`` or ``D``.
    gain : float
        Electrons per count (DN).
    readnoise : float
        Standard deviation of the read noise in electrons.
    bias : float
        Counts (DN) of an empty pixel.
    """

    name: str
    gain: float
    readnoise: float
    bias: float = 0.0


@dataclass(frozen=True)
class Chip:
    """
    One detector of a camera.

    Parameters
    ----------
    number : int
        Value of CCDCHIP.
    row : int
        Row of the detector plane on which the chip begins; the plane includes the gap.
    amplifiers : tuple of Amplifier
        From left to right; each reads its equal share of the columns.
    read_upward : bool
        Whether charge moves to the last row; if so, virtual overscan rows come first.
    """

    number: int
    row: int
    amplifiers: tuple[Amplifier, ...]
    read_upward: bool = False


@dataclass(frozen=True)
class Filter:
    """
    A filter and the photometry of its images.

    Parameters
    ----------
    name : str
        As in the headers, for example ``F606W``.
    photflam : float
        Flux density, in erg/s/cm2/A, of one electron per second.
    photplam : float
        Pivot wavelength in angstroms.
    photbw : float
        RMS bandwidth in angstroms.
    sky : float
        Typical sky in electrons per second and pixel.
    """

    name: str
    photflam: float
    photplam: float
    photbw: float
    sky: float


@dataclass(frozen=True)
class Camera:
    """
    A camera of Hubble, or a subarray of one.

    Parameters
    ----------
    instrument, detector, aperture : str
        Values of INSTRUME, DETECTOR and APERTURE.
    letter : str
        First letter of its rootnames.
    shape : tuple of int
        Illuminated pixels of one chip, (ny, nx).
    chips : tuple of Chip
        In the order of EXTVER: the lower chip first.
    filters : tuple of Filter
        The first one is the default.
    linear : tuple of tuple of float
        Offsets in arcsec of the image axes along the aperture's axes, ((dX/dx, dX/dy), (dY/dx, dY/dy)).
    epoch : float
        Modified Julian Date from which exposures start.
    exptime : float
        Usual exposure time in seconds.
    full_well : float
        Electrons a pixel can hold.
    dark : float
        Dark current in electrons per second.
    hot_fraction, hot_threshold, hot_limit : float
        Fraction of the pixels with a dark current, in electrons per second, above ``hot_threshold``: warm, and
        hot above ``hot_limit``.
    pixel_size : float
        In cm.
    fwhm : float
        Full width at half maximum of the point-spread function, in pixels.
    column_flag : int
        Data-quality bit of bad columns.
    prescan : tuple of int
        Physical overscan columns left and right in a raw frame.
    virtual_columns : int
        Virtual overscan columns in the middle of each row of a raw frame.
    virtual_rows : int
        Virtual overscan rows of each chip of a raw frame, at its inner edge.
    corner : tuple of int
        Illuminated column and row, from 0, on which a subarray begins.
    border : int
        Width of the frame of reference pixels around the reads of an infrared array.
    subarray : bool
        Whether it is one.
    sequence : str
        Sequence of non-destructive reads, the value of SAMP_SEQ; empty for CCDs.
    cards : tuple of tuple
        Further cards of the primary header: keyword, value and comment.
    """

    instrument: str
    detector: str
    aperture: str
    letter: str
    shape: tuple[int, int]
    chips: tuple[Chip, ...]
    filters: tuple[Filter, ...]
    linear: tuple[tuple[float, float], tuple[float, float]]
    epoch: float
    exptime: float
    full_well: float
    dark: float
    hot_fraction: float
    hot_threshold: float
    hot_limit: float
    pixel_size: float
    fwhm: float
    column_flag: int
    prescan: tuple[int, int] = (0, 0)
    virtual_columns: int = 0
    virtual_rows: int = 0
    corner: tuple[int, int] = (0, 0)
    border: int = 0
    subarray: bool = False
    sequence: str = ""
    cards: tuple[tuple[str, object, str], ...] = ()

    @property
    def plane(self):
        """Shape (ny, nx) of the detector plane in pixels: all chips and the gaps between them."""
        return self.chips[-1].row + self.shape[0], self.shape[1]

    @property
    def raw_shape(self):
        """Shape (ny, nx) of one chip in a raw frame: with all overscan."""
        ny, nx = self.shape
        return ny + self.virtual_rows, nx + sum(self.prescan) + self.virtual_columns

    @property
    def area(self):
        """Illuminated area of one chip in square centimetres."""
        return self.shape[0] * self.shape[1] * self.pixel_size**2

    @property
    def amplifiers(self):
        """All amplifiers, in the order of their names."""
        return tuple(sorted({amp for chip in self.chips for amp in chip.amplifiers}, key=lambda amp: amp.name))

    def sections(self, chip):
        """
        Return where the illuminated columns of a chip lie in its raw frame.

        Parameters
        ----------
        chip : Chip
            One of ``chips``.

        Returns
        -------
        rows : slice
            Rows of the raw frame.
        columns : list of tuple of slice
            For every amplifier from left to right, columns of the chip and the same in the raw frame.
        """
        ny, nx = self.shape
        first = self.virtual_rows if chip.read_upward else 0
        width = nx // len(chip.amplifiers)
        columns = []
        for i in range(len(chip.amplifiers)):
            start = self.prescan[0] + i * (width + self.virtual_columns)
            columns.append((slice(i * width, (i + 1) * width), slice(start, start + width)))
        return slice(first, first + ny), columns

    def electronics(self, chip):
        """
        Return gain, read noise and bias along a row of a chip's raw frame.

        Parameters
        ----------
        chip : Chip
            One of ``chips``.

        Returns
        -------
        gain, readnoise, bias : `~numpy.ndarray` of float32, shape (nx,)
            Electrons per DN, electrons and DN.
        """
        width = self.raw_shape[1] // len(chip.amplifiers)
        values = np.array([(amp.gain, amp.readnoise, amp.bias) for amp in chip.amplifiers], dtype=np.float32)
        return tuple(np.repeat(values, width, axis=0).T)

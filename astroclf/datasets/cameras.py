# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The cameras of Hubble that are simulated: their geometry, electronics, filters and switches."""

from dataclasses import dataclass, replace

import numpy as np

__all__ = [
    "ACS_WFC",
    "WFC3_IR",
    "WFC3_IR_SUB256",
    "WFC3_UVIS",
    "WFC3_UVIS_C512C",
    "Amplifier",
    "Camera",
    "Chip",
    "Filter",
]


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


# Gain, read noise and bias level are those in the header of j94f05bgq (March 2005, GAIN=1). Sizes: ACS ISR 99-05;
# gap and full well: ACS Instrument Handbook 7.7 and 4.3; hot and warm pixels: ACS data-quality flag definitions.
_WFC_A = Amplifier("A", 0.99989998, 4.97, 2428.176)
_WFC_B = Amplifier("B", 0.97210002, 4.85, 2518.9324)
_WFC_C = Amplifier("C", 1.0107, 5.24, 2441.7756)
_WFC_D = Amplifier("D", 1.018, 4.85, 2469.9448)
_OFFSETS = tuple((f"CCDOFST{name}", 3, f"commanded CCD bias offset for amplifier {name}") for name in "ABCD")

ACS_WFC = Camera(
    instrument="ACS",
    detector="WFC",
    aperture="WFCENTER",
    letter="j",
    shape=(2048, 4096),
    chips=(Chip(2, 0, (_WFC_C, _WFC_D)), Chip(1, 2098, (_WFC_A, _WFC_B), read_upward=True)),
    filters=(
        Filter("F606W", 7.9064521e-20, 5917.6797, 672.31146, 0.13),
        Filter("F435W", 3.1412e-19, 4328.0, 293.0, 0.033),
        Filter("F814W", 7.0723e-20, 8060.0, 654.0, 0.11),
    ),
    linear=((0.04953, 0.00211), (0.00181, 0.04943)),
    epoch=53436.0,
    exptime=500.0,
    full_well=84700.0,
    dark=0.004,
    hot_fraction=0.015,
    hot_threshold=0.06,
    hot_limit=0.14,
    pixel_size=15e-4,
    fwhm=2.0,
    column_flag=128,
    prescan=(24, 24),
    virtual_rows=20,
    cards=(
        ("LRFWAVE", 0.0, "proposed linear ramp filter wavelength"),
        ("CCDGAIN", 1, "commanded gain of CCD"),
        *_OFFSETS,
        ("FLASHDUR", 0.0, "Exposure time in seconds: 0.1 to 409.5"),
        ("FLASHCUR", "OFF", "Post flash current: OFF, LOW, MED, HIGH"),
        ("FLASHSTA", "NOT PERFORMED", "Status: SUCCESSFUL, ABORTED, NOT PERFORMED"),
        ("SHUTRPOS", "B", "Shutter position: A or B"),
    ),
)
"""ACS Wide Field Channel as it was in March 2005."""

# Gain, read noise, bias level and photometry are those in the header of ib4606c5q (February 2011). Geometry: WFC3 Data
# Handbook 2.2; gap: WFC3 Instrument Handbook 6.4; full well 5.1; hot pixels above 54 e-/h: WFC3 Data Handbook 5.3.
_UVIS_A = Amplifier("A", 1.56, 3.03, 2555.1023)
_UVIS_B = Amplifier("B", 1.56, 3.13, 2542.79)
_UVIS_C = Amplifier("C", 1.56, 3.08, 2503.291)
_UVIS_D = Amplifier("D", 1.56, 3.18, 2604.8857)

WFC3_UVIS = Camera(
    instrument="WFC3",
    detector="UVIS",
    aperture="UVIS-CENTER",
    letter="i",
    shape=(2051, 4096),
    chips=(Chip(2, 0, (_UVIS_C, _UVIS_D)), Chip(1, 2082, (_UVIS_A, _UVIS_B), read_upward=True)),
    filters=(
        Filter("F555W", 1.8379346e-19, 5307.9121, 517.13422, 0.04),
        Filter("F438W", 6.8e-19, 4326.0, 197.0, 0.011),
        Filter("F814W", 1.5e-19, 8030.0, 663.0, 0.04),
    ),
    linear=((0.03966, 0.00015), (0.00246, 0.03961)),
    epoch=55611.0,
    exptime=500.0,
    full_well=67500.0,
    dark=0.0008,
    hot_fraction=0.01,
    hot_threshold=0.015,
    hot_limit=0.015,
    pixel_size=15e-4,
    fwhm=1.8,
    column_flag=4,
    prescan=(25, 25),
    virtual_columns=60,
    virtual_rows=19,
    cards=(
        ("CCDGAIN", 1.5, "commanded gain of CCD"),
        *_OFFSETS,
        ("FLASHDUR", 0.0, "Exposure time in seconds: 0.1 to 409.5"),
        ("FLASHCUR", "ZERO", "Post flash current (zero, low, medium, high)"),
        ("FLASHLVL", 0, "Post flash requested flash level"),
        ("FLASHSTA", "NOT PERFORMED", "Status: SUCCESSFUL, ABORTED, NOT PERFORMED"),
        ("SHUTRPOS", "A", "Shutter position: A or B"),
        ("CHINJECT", "NONE", "Charge Injection Mode"),
        ("CSMID", "UVIS", "Channel Select Mechanism ID"),
    ),
)
"""WFC3 ultraviolet and visible channel as it was in February 2011."""

WFC3_UVIS_C512C = replace(
    WFC3_UVIS,
    aperture="UVIS2-C512C-SUB",
    shape=(512, 513),
    chips=(Chip(2, 0, (_UVIS_C,)),),
    prescan=(25, 0),
    virtual_columns=0,
    virtual_rows=0,
    subarray=True,
)
"""The corner subarray of WFC3/UVIS at amplifier C."""

# Gain, read noise and photometry of F110W are those in the header of ib4606cpq (February 2011). Sizes and subarrays:
# WFC3 Instrument Handbook 5.6; full well and dark current: 5.1 and 5.7; hot pixels: WFC3 Data Handbook 7.9.
_IR_CARDS = (
    ("CCDGAIN", 2.5, "commanded gain of CCD"),
    ("CCDOFSAB", 190, "commanded CCD bias offset for amps A&B"),
    ("CCDOFSCD", 190, "commanded CCD bias offset for amps C&D"),
    ("CSMID", "IR", "Channel Select Mechanism ID"),
)

WFC3_IR = Camera(
    instrument="WFC3",
    detector="IR",
    aperture="IR-FIX",
    letter="i",
    shape=(1014, 1014),
    chips=(
        Chip(
            1,
            0,
            (
                Amplifier("A", 2.34, 20.2),
                Amplifier("B", 2.37, 19.8),
                Amplifier("C", 2.31, 19.9),
                Amplifier("D", 2.38, 20.1),
            ),
        ),
    ),
    filters=(
        Filter("F110W", 1.5318e-20, 11534.459, 1428.4883, 1.6),
        Filter("F105W", 3.0386574e-20, 10551.047, 845.61804, 0.9),
        Filter("F160W", 1.92756e-20, 15369.18, 826.25, 0.8),
    ),
    linear=((0.13541, 0.00078), (-0.00042, 0.12095)),
    epoch=55611.0,
    exptime=699.232,
    full_well=77900.0,
    dark=0.048,
    hot_fraction=0.005,
    hot_threshold=0.4,
    hot_limit=0.4,
    pixel_size=18e-4,
    fwhm=1.15,
    column_flag=4,
    sequence="STEP100",
    cards=(
        ("SUBTYPE", "FULLIMAG", "Size/type of IR subarray"),
        *_IR_CARDS,
    ),
)
"""WFC3 infrared channel as it was in February 2011."""

WFC3_IR_SUB256 = replace(
    WFC3_IR,
    aperture="IRSUB256-FIX",
    shape=(256, 256),
    corner=(379, 379),
    exptime=275.0,
    subarray=True,
    sequence="SPARS25",
    cards=(("SUBTYPE", "SQ256SUB", "Size/type of IR subarray"), *_IR_CARDS),
)
"""The central 256 x 256 subarray of WFC3/IR."""

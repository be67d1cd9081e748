# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Headers of simulated frames, modelled on those of the Hubble archive."""

from dataclasses import dataclass

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

from astroclf.datasets.cameras import Camera, Filter
from astroclf.datasets.cards import exposure_cards, file_cards, image_cards, target_cards

__all__ = [
    "Shot",
    "drizzled_headers",
    "extension_header",
    "north_up_wcs",
    "null_array",
    "plane_wcs",
    "primary_header",
    "recentred",
]

SERIOUS_FLAGS = 31743
"""SDQFLAGS: the data-quality bits the pipelines of ACS and WFC3 count as serious."""

_DRIZZLED_PIXEL = {"WFC": 0.05, "HRC": 0.025, "SBC": 0.025, "UVIS": 0.0396, "IR": 0.1283}
"""Arcsec: the pixels of drizzled images in the archive."""
_STEP = 500.0
_SWITCHES = {
    "DQICORR": "data quality initialization",
    "BLEVCORR": "subtract bias level computed from overscan",
    "BIASCORR": "Subtract bias image",
    "ZSIGCORR": "Zero read signal correction",
    "ZOFFCORR": "subtract MULTIACCUM zero read",
    "NLINCORR": "correct for detector nonlinearities",
    "DARKCORR": "Subtract dark image",
    "FLATCORR": "flat field data",
    "CRCORR": "identify or reject cosmic ray hits",
    "UNITCORR": "convert to count rates",
    "PHOTCORR": "populate photometric header keywords",
    "EXPSCORR": "process individual observations after cr-reject",
    "FLUXCORR": "Scale UVIS2 to match UVIS1 using PHTRATIO",
    "ATODCORR": "correct for A to D conversion errors",
    "FLSHCORR": "post flash correction",
    "SHADCORR": "apply shutter shading correction",
    "RPTCORR": "combine individual repeat observations",
}
_DONE = {
    "WFC": "DQICORR BLEVCORR BIASCORR DARKCORR FLATCORR PHOTCORR EXPSCORR",
    "UVIS": "DQICORR BLEVCORR BIASCORR DARKCORR FLATCORR PHOTCORR EXPSCORR FLUXCORR",
    "HRC": "DQICORR BLEVCORR BIASCORR DARKCORR FLATCORR PHOTCORR EXPSCORR",
    "SBC": "DQICORR DARKCORR FLATCORR PHOTCORR",
    "IR": "DQICORR ZSIGCORR ZOFFCORR DARKCORR BLEVCORR NLINCORR FLATCORR CRCORR UNITCORR PHOTCORR",
}
_OMITTED = {
    "WFC": "ATODCORR FLSHCORR CRCORR SHADCORR RPTCORR",
    "UVIS": "ATODCORR FLSHCORR CRCORR SHADCORR",
    "HRC": "ATODCORR FLSHCORR CRCORR SHADCORR RPTCORR",
    "SBC": "CRCORR SHADCORR RPTCORR",
    "IR": "RPTCORR",
}


@dataclass(frozen=True)
class Shot:
    """
    One simulated exposure, as its headers describe it.

    Parameters
    ----------
    camera : Camera
        The camera.
    product : str
        ``raw``, ``ima``, ``flt``, ``flc``, ``crj``, ``crc``, ``drz`` or ``drc``.
    rootname : str
        Nine characters, as in the Hubble archive.
    target : str
        Value of TARGNAME.
    ra, dec : float
        Position of the centre of the detector plane in degrees (ICRS).
    angle : float
        Position angle, in degrees east of north, of the aperture's Y axis.
    start : float
        Modified Julian Date of the beginning.
    exptime : float
        Exposure time in seconds.
    filter : Filter
        The filter.
    history : tuple of str
        How to make the frame again.
    exposures : int
        How many exposures a product was made of.
    """

    camera: Camera
    product: str
    rootname: str
    target: str
    ra: float
    dec: float
    angle: float
    start: float
    exptime: float
    filter: Filter
    history: tuple[str, ...]
    exposures: int = 1

    @property
    def calibrated(self):
        """Whether the product went through the pipeline."""
        return self.product != "raw"


def primary_header(shot, extensions):
    """
    Return the primary header of a frame.

    Parameters
    ----------
    shot : Shot
        The exposure.
    extensions : int
        Number of extensions, for NEXTEND.

    Returns
    -------
    header : `~astropy.io.fits.Header`
        With SIMULATD = T; dates are those of the exposure, so that equal seeds give equal files.
    """
    header = fits.Header()
    _section(header, None, file_cards(shot, extensions))
    _section(header, "DATA DESCRIPTION KEYWORDS", _description_cards(shot))
    _section(header, "TARGET AND PROPOSAL INFORMATION", target_cards(shot))
    _section(header, "EXPOSURE INFORMATION", _exposure_cards(shot))
    _section(header, "SCIENCE INSTRUMENT CONFIGURATION", _configuration_cards(shot))
    _section(header, "CALIBRATION SWITCHES: PERFORM, OMIT, COMPLETE", _switch_cards(shot))
    if shot.camera.detector == "IR":
        _section(header, "PHOTOMETRY KEYWORDS", _photometry_cards(shot, shot.camera.chips[0]))
    _section(header, "CALIBRATED ENGINEERING PARAMETERS", _amplifier_cards(shot))
    for line in shot.history:
        header.add_history(line)
    return header


def extension_header(shot, name, extver, unit, chip, wcs):
    """
    Return the header of one extension.

    Parameters
    ----------
    shot : Shot
        The exposure.
    name : str
        ``SCI``, ``ERR``, ``DQ``, ``SAMP`` or ``TIME``.
    extver : int
        Number of its image set.
    unit : str
        Value of BUNIT.
    chip : Chip
        The chip it belongs to.
    wcs : `~astropy.wcs.WCS`
        World coordinates of the detector plane, from `plane_wcs`.

    Returns
    -------
    header : `~astropy.io.fits.Header`
        Without the keywords that describe the array.
    """
    header = fits.Header()
    cards = image_cards(shot, name, extver, unit)
    if name == "SCI" and shot.camera.detector not in ("IR", "SBC"):
        cards.append(("CCDCHIP", chip.number, "CCD chip (1 or 2)"))
    _section(header, None, cards)
    _section(header, "World Coordinate System and Related Parameters", _wcs_cards(shot, chip, wcs))
    if name == "SCI":
        _section(header, None, _aperture_cards(shot, header))
        if shot.camera.detector != "IR" and shot.calibrated:
            _section(header, "PHOTOMETRY KEYWORDS", _photometry_cards(shot, chip))
        _section(header, "READOUT DEFINITION PARAMETERS", _readout_cards(shot))
    return header


def null_array(header, shape, bitpix, value=0):
    """
    Return an extension whose array is one number, as raw frames store empty ERR and DQ arrays.

    Parameters
    ----------
    header : `~astropy.io.fits.Header`
        Header of the extension, from `extension_header`.
    shape : tuple of int
        Shape (ny, nx) of the array it stands for, stored as NPIX2 and NPIX1.
    bitpix : int
        Type of its pixels: -32 or 16.
    value : float, optional
        The number.

    Returns
    -------
    hdu : `~astropy.io.fits.ImageHDU`
        With NAXIS = 0 and the number in PIXVALUE.
    """
    value = float(value) if bitpix < 0 else int(value)
    cards = [
        ("XTENSION", "IMAGE", "IMAGE extension"),
        ("BITPIX", bitpix, "number of bits per data pixel"),
        ("NAXIS", 0, "number of data axes"),
        ("PCOUNT", 0, "required keyword; must = 0"),
        ("GCOUNT", 1, "required keyword; must = 1"),
        ("NPIX1", shape[1], "length of constant array axis 1"),
        ("NPIX2", shape[0], "length of constant array axis 2"),
        ("PIXVALUE", value, "values of pixels in constant array"),
        *header.cards,
    ]
    # From bytes, because a new HDU without data gets BITPIX = 8 whatever its header says.
    return fits.ImageHDU.fromstring(fits.Header(cards).tostring().encode("ascii"))


def plane_wcs(shot):
    """
    Return the world coordinates of the detector plane: one tangent projection for all chips.

    Parameters
    ----------
    shot : Shot
        The exposure.

    Returns
    -------
    wcs : `~astropy.wcs.WCS`
        Gnomonic and linear: the skew of the detector on the sky is kept, higher distortion is not.
    """
    ny, nx = shot.camera.plane
    sine, cosine = np.sin(np.radians(shot.angle)), np.cos(np.radians(shot.angle))
    rotation = np.array([[-cosine, sine], [sine, cosine]])
    cd = rotation @ np.array(shot.camera.linear) / 3600
    return _tangent((shot.ra, shot.dec), cd, ((nx + 1) / 2, (ny + 1) / 2))


def north_up_wcs(shot):
    """
    Return the grid onto which a camera's images are drizzled: north up, square pixels, no distortion.

    Parameters
    ----------
    shot : Shot
        The exposure.

    Returns
    -------
    wcs : `~astropy.wcs.WCS`
        Tangent at the middle of the detector plane.
    shape : tuple of int
        Shape (ny, nx) of the smallest grid that holds the plane.
    """
    plane, (ny, nx) = plane_wcs(shot), shot.camera.plane
    scale = _DRIZZLED_PIXEL[shot.camera.detector] / 3600
    wcs = _tangent((shot.ra, shot.dec), np.diag([-scale, scale]), (0.0, 0.0))
    corners = plane.wcs_pix2world([[0.5, 0.5], [nx + 0.5, 0.5], [0.5, ny + 0.5], [nx + 0.5, ny + 0.5]], 1)
    half = np.ceil(np.abs(wcs.wcs_world2pix(corners, 1)).max(axis=0)).astype(int) + 1
    wcs.wcs.crpix = half + 0.5
    return wcs, (2 * int(half[1]), 2 * int(half[0]))


def drizzled_headers(shot, wcs, inputs):
    """
    Return the headers of a drizzled image.

    Parameters
    ----------
    shot : Shot
        The product.
    wcs : `~astropy.wcs.WCS`
        World coordinates of the image.
    inputs : int
        Number of images drizzled onto it: chips times exposures.

    Returns
    -------
    primary : `~astropy.io.fits.Header`
        With a few keywords of AstroDrizzle for every input.
    extensions : list of `~astropy.io.fits.Header`
        Those of SCI, WHT and CTX.
    """
    primary = primary_header(shot, 4)
    _section(primary, "DRIZZLE", _drizzle_cards(shot, wcs, inputs))
    extensions = []
    for name, unit in (("SCI", "ELECTRONS/S"), ("WHT", "UNITLESS"), ("CTX", "UNITLESS")):
        header = fits.Header([("EXTNAME", name, "extension name"), ("EXTVER", 1, "extension version number")])
        header.extend([("BUNIT", unit, "brightness units"), *_tangent_cards(wcs, wcs.wcs.crpix)], end=True)
        header["RADESYS"] = ("ICRS", "equatorial coordinate system")
        header["WCSNAME"] = "DRZWCS"
        extensions.append(header)
    science = extensions[0]
    science["NCOMBINE"] = (shot.exposures, "image sets combined during CR rejection")
    if shot.camera.detector != "IR":
        science["CCDCHIP"] = "-999"
        _section(science, "PHOTOMETRY KEYWORDS", _photometry_cards(shot, shot.camera.chips[0]))
    return primary, extensions


def recentred(plane, pixel):
    """
    Return the same sky projected on the tangent plane at another pixel.

    Parameters
    ----------
    plane : `~astropy.wcs.WCS`
        World coordinates of the detector plane, from `plane_wcs`.
    pixel : sequence of float
        Column and row, counted from 1.

    Returns
    -------
    wcs : `~astropy.wcs.WCS`
        With ``pixel`` as its reference.
    """
    x, y = pixel
    sky = plane.all_pix2world([[x, y], [x + _STEP, y], [x - _STEP, y], [x, y + _STEP], [x, y - _STEP]], 1)
    tangent = _tangent(sky[0], np.eye(2), (0.0, 0.0))
    _, right, left, up, down = tangent.all_world2pix(sky, 1)
    return _tangent(sky[0], np.array([right - left, up - down]).T / (2 * _STEP), (x, y))


def _drizzle_cards(shot, wcs, inputs):
    cards = [
        ("TEXPTIME", shot.exptime, "total exposure time"),
        ("NDRIZIM", inputs, "Drizzle, No. images drizzled onto output"),
    ]
    for number in range(inputs):
        exposure, chip = divmod(number, len(shot.camera.chips))
        prefix = f"D{number + 1:03d}"
        cards += [
            (f"{prefix}VER", "astroclf", "Drizzle, task version"),
            (f"{prefix}DATA", f"{shot.rootname[:-1]}{exposure}_flt.fits[sci,{chip + 1}]", "Drizzle, input data image"),
            (f"{prefix}DEXP", shot.exptime / shot.exposures, "Drizzle, input image exposure time (s)"),
            (f"{prefix}OUUN", "cps", "Drizzle, units of output image - counts or cps"),
            (f"{prefix}SCAL", 3600 * float(wcs.wcs.cd[1, 1]), "Drizzle, pixel size (arcsec) of output image"),
        ]
    return cards


def _section(header, title, cards):
    """Append cards under a title."""
    if title:
        for text in ("", f"      / {title}", ""):
            header.append(("", text), end=True)
    header.extend(cards, end=True)


def _description_cards(shot):
    return [
        ("ROOTNAME", shot.rootname, "rootname of the observation set"),
        ("IMAGETYP", "EXT", "type of exposure identifier"),
        ("PRIMESI", shot.camera.instrument, "instrument designated as prime"),
    ]


def _exposure_cards(shot):
    return [
        ("FGSLOCK", "FINE", "commanded FGS lock (FINE,COARSE,GYROS,UNKNOWN)"),
        ("REFFRAME", "ICRS", "guide star catalog version"),
        *exposure_cards(shot, shot.exptime),
        ("POSTARG1", 0.0, "POSTARG in axis 1 direction"),
        ("POSTARG2", 0.0, "POSTARG in axis 2 direction"),
    ]


def _configuration_cards(shot):
    camera = shot.camera
    infrared = camera.detector == "IR"
    cards = [
        ("OBSTYPE", "IMAGING", "observation type - imaging or spectroscopic"),
        ("OBSMODE", "MULTIACCUM" if infrared else "ACCUM", "operating mode"),
        ("SCLAMP", "NONE", "lamp status, NONE or name of lamp which is on"),
        ("NRPTEXP", 1, "number of repeat exposures in set: default 1"),
        ("SUBARRAY", camera.subarray, "data from a subarray (T) or full frame (F)"),
        ("DETECTOR", camera.detector, "detector in use"),
        *_filter_cards(shot),
        ("APERTURE", camera.aperture, "aperture name"),
        ("DIRIMAGE", "NONE", "direct image for grism or prism exposure"),
        ("CCDAMP", "".join(amp.name for amp in camera.amplifiers) or "N/A", "CCD Amplifier Readout Configuration"),
    ]
    if not infrared:
        cards.append(("CRSPLIT", shot.exposures, "number of cosmic ray split exposures"))
    return [*cards, *camera.cards]


def _filter_cards(shot):
    if shot.camera.instrument == "WFC3":
        return [("FILTER", shot.filter.name, "element selected from filter wheel")]
    if shot.camera.detector == "SBC":
        names = shot.filter.name, "N/A"
    else:
        size = "L" if shot.camera.detector == "WFC" else "S"
        second = shot.filter.name in ("F435W", "F660N", "F814W")
        names = (f"CLEAR1{size}", shot.filter.name) if second else (shot.filter.name, f"CLEAR2{size}")
    return [(f"FILTER{i}", name, f"element selected from filter wheel {i}") for i, name in enumerate(names, 1)]


def _switch_cards(shot):
    detector = shot.camera.detector
    done = "COMPLETE" if shot.calibrated else "PERFORM"
    cards = [(key, done, _SWITCHES[key]) for key in _DONE[detector].split()]
    rejected = ("CRCORR",) if shot.product in ("crj", "crc") else ()
    omitted = _OMITTED[detector].split()
    cards += [(key, "COMPLETE" if key in rejected else "OMIT", _SWITCHES[key]) for key in omitted]
    if detector in ("WFC", "UVIS"):
        trailed = "PERFORM" if not shot.calibrated else "COMPLETE" if shot.product.endswith("c") else "OMIT"
        cards.append(("PCTECORR", trailed, "cte correction"))
    return [
        *cards,
        ("DRIZCORR", "COMPLETE" if shot.product in ("drz", "drc") else "PERFORM", "drizzle processing"),
        ("IDCTAB", "N/A", "image distortion correction table"),
    ]


def _amplifier_cards(shot):
    """Return the cards of the calibrated electronics; the pipeline fills them in, so a raw frame has zeros."""
    amplifiers = {amp.name: amp for amp in shot.camera.amplifiers} if shot.calibrated else {}
    cards = []
    for prefix, attribute, words in (
        ("ATODGN", "gain", "calibrated gain for amplifier"),
        ("READNSE", "readnoise", "calibrated read noise for amplifier"),
        ("BIASLEV", "bias", "bias level for amplifier"),
    ):
        for name in "ABCD":
            cards.append((prefix + name, getattr(amplifiers.get(name), attribute, 0.0), f"{words} {name}"))
    return cards


def _photometry_cards(shot, chip):
    element = shot.filter
    detector = {"WFC": "WFC1", "UVIS": f"UVIS{chip.number}"}.get(shot.camera.detector, shot.camera.detector)
    return [
        ("PHOTMODE", f"{shot.camera.instrument} {detector} {element.name}", "observation configuration"),
        ("PHOTFLAM", element.photflam, "inverse sensitivity, ergs/cm2/A/e-"),
        ("PHOTZPT", -21.1, "ST magnitude zero point"),
        ("PHOTPLAM", element.photplam, "Pivot wavelength (Angstroms)"),
        ("PHOTBW", element.photbw, "RMS bandwidth of filter plus detector"),
    ]


def _readout_cards(shot):
    camera = shot.camera
    border = 2 * camera.border
    full = (camera.raw_shape[0] + border, camera.raw_shape[1] + border)
    size = full if border or not shot.calibrated else camera.shape
    return [
        ("CENTERA1", camera.corner[0] + full[1] // 2 + 1, "subarray axis1 center pt in unbinned dect. pix"),
        ("CENTERA2", camera.corner[1] + full[0] // 2 + 1, "subarray axis2 center pt in unbinned dect. pix"),
        ("SIZAXIS1", size[1], "subarray axis1 size in unbinned detector pixels"),
        ("SIZAXIS2", size[0], "subarray axis2 size in unbinned detector pixels"),
        ("BINAXIS1", 1, "axis1 data bin size in unbinned detector pixels"),
        ("BINAXIS2", 1, "axis2 data bin size in unbinned detector pixels"),
        ("NCOMBINE", shot.exposures, "image sets combined during CR rejection"),
    ]


def _wcs_cards(shot, chip, plane):
    """Return the world coordinates of one chip: its own reference pixel, the sky of the plane."""
    camera = shot.camera
    reference = np.array([camera.shape[1] // 2, (camera.shape[0] + 1) // 2], dtype=float)
    local = recentred(plane, reference + np.array([0, chip.row]))
    offset = _offset(shot, chip)
    return [
        *_tangent_cards(local, reference + offset),
        ("RADESYS", "ICRS", "equatorial coordinate system"),
        ("LTV1", offset[0] - camera.corner[0], "offset in X to subsection start"),
        ("LTV2", offset[1] - camera.corner[1], "offset in Y to subsection start"),
        ("LTM1_1", 1.0, "reciprocal of sampling rate in X"),
        ("LTM2_2", 1.0, "reciprocal of sampling rate in Y"),
        ("PA_APER", shot.angle, "position angle of the aperture's y axis (deg)"),
        ("VAFACTOR", 1.0, "velocity aberration plate scale factor"),
    ]


def _tangent_cards(wcs, crpix):
    """Return the cards of a tangent projection with another reference pixel."""
    cd = wcs.wcs.cd
    cards = [("WCSAXES", 2, "number of World Coordinate System axes")]
    cards += [(f"CRPIX{i + 1}", crpix[i], "pixel coordinate of reference point") for i in range(2)]
    cards += [(f"CRVAL{i + 1}", wcs.wcs.crval[i], "[deg] value at reference pixel") for i in range(2)]
    cards += [(f"CTYPE{i + 1}", wcs.wcs.ctype[i], "the coordinate type") for i in range(2)]
    cards += [(f"CUNIT{i + 1}", "deg", "unit of coordinate value") for i in range(2)]
    return cards + [(f"CD{i + 1}_{j + 1}", cd[i, j], "partial derivative") for i in range(2) for j in range(2)]


def _aperture_cards(shot, header):
    angle = np.degrees(np.arctan2(header["CD1_2"], header["CD2_2"]))
    return [
        ("ORIENTAT", angle, "position angle of image y axis (deg. e of n)"),
        ("RA_APER", shot.ra, "RA of aperture reference position"),
        ("DEC_APER", shot.dec, "Declination of aperture reference position"),
    ]


def _offset(shot, chip):
    """Return the columns and rows before the first illuminated pixel; once calibrated, CCDs have none."""
    if shot.camera.border:
        return np.full(2, 0.0 if shot.product == "flt" else shot.camera.border)
    if shot.calibrated or not chip.amplifiers:
        return np.zeros(2)
    rows, columns = shot.camera.sections(chip)
    return np.array([columns[0][1].start, rows.start], dtype=float)


def _tangent(crval, cd, crpix):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix, wcs.wcs.cd = crval, crpix, cd
    wcs.wcs.radesys = "ICRS"
    wcs.wcs.set()
    return wcs

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Headers of simulated frames of JWST, by the keywords of its data models."""

import numpy as np
from astropy.io import fits
from astropy.time import Time

__all__ = ["asdf_table", "extension_header", "primary_header"]

_SECONDS_PER_DAY = 86400.0
_ATTRIBUTES = {"SCI": "data"}
_UNITS = {"rate": "DN/s", "cal": "MJy/sr", "i2d": "MJy/sr"}
_STEPS = {
    "rate": "S_DARK S_DQINIT S_GANSCL S_JUMP S_LINEAR S_RAMP S_REFPIX S_SATURA S_SUPERB",
    "cal": "S_FLAT S_PHOTOM S_WCS",
    "i2d": "S_OUTLIR S_RESAMP S_SKYMAT",
}
"""Steps that lead to each product, after those of the product before it (stdatamodels, ``core.schema``)."""


def primary_header(shot):
    """
    Return the primary header of a frame.

    Parameters
    ----------
    shot : `~astroclf.datasets.headers.Shot`
        The exposure.

    Returns
    -------
    header : `~astropy.io.fits.Header`
        With SIMULATD = T; dates are those of the exposure, so that equal seeds give equal files.
    """
    start = Time(shot.start, format="mjd")
    end = Time(shot.start + shot.exptime / _SECONDS_PER_DAY, format="mjd")
    cards = *_observation_cards(shot, start, end), *_instrument_cards(shot, start, end)
    header = fits.Header([card for card in cards if card[1] != ""])
    for line in shot.history:
        header.add_history(line)
    return header


def _observation_cards(shot, start, end):
    """Return the cards of the file, the time and the target."""
    return [
        ("DATE", start.isot, "UTC date file created"),
        ("ORIGIN", "astroclf", "Organization responsible for creating file"),
        ("FILENAME", f"jw00000_{shot.rootname}_{shot.camera.detector.lower()}_{shot.product}.fits", "Name of the file"),
        ("DATAMODL", "ImageModel", "Type of data model"),
        ("TELESCOP", "JWST", "Telescope used to acquire the data"),
        ("SIMULATD", True, "simulated, not an observation"),
        ("DATE-OBS", start.strftime("%Y-%m-%d"), "[yyyy-mm-dd] UTC date at start of exposure"),
        ("TIME-OBS", start.isot.partition("T")[2], "[hh:mm:ss.sss] UTC time at start of exposure"),
        ("DATE-BEG", start.isot, "Date-time start of exposure"),
        ("DATE-END", end.isot, "Date-time end of exposure"),
        ("PROGRAM", "00000", "Program number"),
        ("TARGPROP", shot.target, "Proposer's name for the target"),
        ("TARGNAME", shot.target, "Standard astronomical catalog name for target"),
        ("TARGTYPE", "FIXED", "Type of target (fixed, moving, generic)"),
        ("TARG_RA", shot.ra, "Target RA at mid time of exposure"),
        ("TARG_DEC", shot.dec, "Target Dec at mid time of exposure"),
    ]


def _instrument_cards(shot, start, end):
    """Return the cards of the instrument and the exposure."""
    camera = shot.camera
    return [
        ("INSTRUME", camera.instrument, "Instrument used to acquire the data"),
        ("DETECTOR", camera.detector, "Name of detector used to acquire the data"),
        ("MODULE", camera.module, "NIRCam module: A, B, or MULTIPLE"),
        ("CHANNEL", camera.channel, "Instrument channel"),
        ("FILTER", shot.filter.name, "Name of the filter element used"),
        ("PUPIL", camera.pupil, "Name of the pupil element used"),
        ("EXPOSURE", "1", "Exposure request number"),
        ("EXP_TYPE", camera.exp_type, "Type of data in the exposure"),
        ("EXPSTART", start.mjd, "[d] exposure start time in MJD"),
        ("EXPEND", end.mjd, "[d] exposure end time in MJD"),
        ("NINTS", 1, "Number of integrations in exposure"),
        ("NGROUPS", 10, "Number of groups in integration"),
        ("EFFEXPTM", shot.exptime, "[s] Effective exposure time"),
        ("DURATION", shot.exptime, "[s] Total duration of exposure"),
        ("SUBARRAY", camera.name, "Subarray used"),
        ("SUBSIZE1", camera.shape[1], "Number of pixels in axis 1 direction"),
        ("SUBSIZE2", camera.shape[0], "Number of pixels in axis 2 direction"),
        ("APERNAME", camera.aperture, "PRD science aperture used"),
        *((step, "COMPLETE", "step of the pipeline") for step in _steps(shot.product)),
    ]


def extension_header(shot, name, wcs):
    """
    Return the header of one extension.

    Parameters
    ----------
    shot : `~astroclf.datasets.headers.Shot`
        The exposure.
    name : str
        ``SCI``, ``ERR``, ``DQ``, ``AREA``, ``CON``, ``WHT`` or that of a variance.
    wcs : `~astropy.wcs.WCS`
        World coordinates of the plane, from `~astroclf.datasets.headers.plane_wcs`.

    Returns
    -------
    header : `~astropy.io.fits.Header`
        Without the keywords that describe the array.
    """
    header = fits.Header([("EXTNAME", name, "extension name"), ("EXTVER", 1, "extension value")])
    if name in ("SCI", "ERR"):
        header["BUNIT"] = (_UNITS[shot.product], "physical units of the array values")
    if name == "SCI":
        header.extend(_exposure_cards(shot))
        header.extend(_wcs_cards(shot.camera, wcs))
    return header


def asdf_table(primary, images):
    """
    Return the extension in which a data model keeps its metadata as text.

    Parameters
    ----------
    primary : `~astropy.io.fits.Header`
        Primary header.
    images : list of `~astropy.io.fits.ImageHDU`
        The images of the file, which the text refers to.

    Returns
    -------
    table : `~astropy.io.fits.BinTableHDU`
        One row with one column of bytes, ASDF_METADATA.
    """
    lines = [
        "#ASDF 1.0.0", "#ASDF_STANDARD 1.5.0", "%YAML 1.1", "%TAG ! tag:stsci.edu:asdf/", "--- !core/asdf-1.1.0",
        "meta:",
        f"  date: '{primary['DATE']}'",
        f"  exposure: {{type: {primary['EXP_TYPE']}, exposure_time: {primary['EFFEXPTM']}}}",
        f"  filename: {primary['FILENAME']}",
        f"  instrument: {{name: {primary['INSTRUME']}, detector: {primary['DETECTOR']}, filter: {primary['FILTER']}}}",
        f"  model_type: {primary['DATAMODL']}",
        "  telescope: JWST",
    ]  # fmt: skip
    for hdu in images:
        array = f"source: 'fits:{hdu.name},{hdu.ver}', datatype: {hdu.data.dtype.name}, byteorder: big"
        lines.append(f"{_ATTRIBUTES.get(hdu.name, hdu.name.lower())}: !core/ndarray-1.0.0 {{{array}}}")
    text = np.frombuffer("\n".join([*lines, "...", ""]).encode("ascii"), np.uint8)
    column = fits.Column("ASDF_METADATA", f"{text.size}B", array=text[None])
    return fits.BinTableHDU.from_columns([column], name="ASDF")


def _steps(product):
    """Return the keywords of the steps that are complete."""
    products = list(_STEPS)
    return " ".join(_STEPS[name] for name in products[: products.index(product) + 1]).split()


def _exposure_cards(shot):
    days = shot.exptime / _SECONDS_PER_DAY
    cards = [
        ("MJD-BEG", shot.start, "[d] exposure start time in MJD"),
        ("MJD-AVG", shot.start + days / 2, "[d] exposure mid-point in MJD"),
        ("MJD-END", shot.start + days, "[d] exposure end time in MJD"),
        ("XPOSURE", shot.exptime, "[s] Effective exposure time"),
        ("TELAPSE", shot.exptime, "[s] Total elapsed exposure time"),
    ]
    if shot.product != "rate":
        camera = shot.camera
        cards += [
            ("PHOTMJSR", camera.conversion(shot.filter), "Flux density (MJy/steradian) producing 1 cps"),
            ("PIXAR_SR", camera.area_of_pixel, "Nominal pixel area in steradians"),
            ("PIXAR_A2", camera.scale**2, "Nominal pixel area in arcsec^2"),
        ]
    return cards


def _wcs_cards(camera, wcs):
    step = camera.scale / 3600
    matrix = wcs.wcs.cd / step
    cards = [
        ("RADESYS", "ICRS", "Name of the coordinate reference frame"),
        ("WCSAXES", 2, "number of World Coordinate System axes"),
    ]
    cards += [(f"CRPIX{i + 1}", wcs.wcs.crpix[i], f"axis {i + 1} coordinate of the reference pixel") for i in (0, 1)]
    cards += [(f"CRVAL{i + 1}", wcs.wcs.crval[i], "axis value at the reference pixel") for i in (0, 1)]
    cards += [(f"CTYPE{i + 1}", wcs.wcs.ctype[i], f"Axis {i + 1} type") for i in (0, 1)]
    cards += [(f"CUNIT{i + 1}", "deg", f"Axis {i + 1} units") for i in (0, 1)]
    cards += [(f"CDELT{i + 1}", step, "Axis coordinate increment at reference point") for i in (0, 1)]
    cards += [
        (f"PC{i + 1}_{j + 1}", matrix[i, j], "linear transformation matrix element") for i in (0, 1) for j in (0, 1)
    ]
    corners = wcs.all_pix2world(np.array([(0, 0), (0, 1), (1, 1), (1, 0)]) * camera.plane[::-1] - 0.5, 0)
    region = " ".join(f"{value:.9f}" for value in corners.ravel())
    return [*cards, ("S_REGION", f"POLYGON ICRS  {region}", "spatial extent of the observation")]

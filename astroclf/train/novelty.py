# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""The fit of the novelty score, and the measure of it on kinds of things that it was not fitted on."""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from astropy.nddata import CCDData
from astropy.table import Table, vstack

from astroclf.datasets import make_frame
from astroclf.datasets.scenes.drawing import log_uniform
from astroclf.exceptions import AstroclfError
from astroclf.frames import read_frame
from astroclf.model.novelty import DISTANCES, NOVEL, NoveltyScore
from astroclf.model.record import BUNDLED, load_record
from astroclf.taxonomy import labels
from astroclf.train.calibrate import view_outputs
from astroclf.train.evaluate import read_cases
from astroclf.train.examples import render
from astroclf.train.forward import simulate_frame
from astroclf.train.head import deal_folds, fit_head
from astroclf.train.metrics import wilson_interval
from astroclf.train.oddities import FITTED, KINDS, make_oddity, make_photograph
from astroclf.train.recipe import load_examples, write_section

__all__ = [
    "fit_novelty",
    "fit_score",
    "flag_table",
    "measure_novelty",
    "render_exposures",
    "render_oddities",
    "render_photographs",
    "render_pictures",
    "usual_frames",
]

_AXES = 128
_RIDGE = 0.01
_PENALTY = 10.0
_FALSE_ALARMS = 0.02
_EXAMPLES, _ODDITIES = 2100, 80
_MEASURED, _MEASURED_ODDITIES = 1008, 40
_PHOTOGRAPHS = (".jpg", ".jpeg", ".png")
_SEEDS = {"calibration": 4, "test": 5}
_PARTS = 1
_FURTHER = {"no_source": 800, "solar_system": 400}
_EXPOSURES, _MEASURED_EXPOSURES = 560, 280
_LAYOUTS = (
    "acs_wfc_512a_flc", "acs_hrc_flt", "acs_sbc_flt", "wfc3_uvis_c512c_raw", "wfc3_uvis_c512c_flc",
    "wfc3_uvis_c512c_drc", "wfc3_ir_flt", "wfc3_ir_sub256_flt", "wfc3_ir_sub256_drz", "nicmos_cal", "stis_ccd_flt",
    "stis_ccd_crj", "stis_mama_flt", "foc_c0f", "jwst_nircam_sub160_cal", "jwst_nircam_sub160_i2d",
    "jwst_miri_sub256_cal", "ground_ccd_raw", "ground_ccd_reduced", "acs_hrc_drz",
)  # fmt: skip
_METHOD = (
    "logistic regression on whitened square roots of the means of the maps before the last stage and four distances, "
    "oddities as outliers"
)


def render_oddities(kind, count, preprocessor, *, seed, workers=1):
    """
    Make rendered frames of one kind of oddities.

    Parameters
    ----------
    kind : str
        One of `astroclf.train.oddities.KINDS`.
    count : int
        Number of frames.
    preprocessor : `~astroclf.Preprocessor`
        Renders them.
    seed : int
        Frame ``i`` depends on ``(seed, kind, i)`` only.
    workers : int, optional
        Number of processes.

    Returns
    -------
    images : `~numpy.ndarray` of uint8, shape (count, size, size, 3)
        The pictures.
    """
    return _render_all(partial(_render_oddity, kind=kind, preprocessor=preprocessor, seed=seed), count, workers)


def _render_all(work, count, workers):
    if workers == 1:
        return np.stack([work(i) for i in range(count)])
    with ProcessPoolExecutor(workers) as pool:
        return np.stack(list(pool.map(work, range(count), chunksize=4)))


def _render_oddity(index, *, kind, preprocessor, seed):
    frame = make_oddity(kind, np.random.default_rng((seed, list(KINDS).index(kind), index)))
    return render(frame, preprocessor)


def render_photographs(folder, first, preprocessor, *, seed, workers=1):
    """
    Make a rendered frame of every fourth photograph in a folder.

    Parameters
    ----------
    folder : path-like
        The photographs are its files in JPEG or PNG, by their names; others are left out.
    first : int
        The first one to take, counted from 0.
    preprocessor : `~astroclf.Preprocessor`
        Renders them.
    seed : int
        Frame ``i`` depends on its file and ``(seed, i)`` only.
    workers : int, optional
        Number of processes.

    Returns
    -------
    images : `~numpy.ndarray` of uint8, shape (n, size, size, 3)
        The pictures, in the order of the names.

    Raises
    ------
    AstroclfError
        If there are no more than ``first``.
    """
    paths = sorted(path for path in Path(folder).iterdir() if path.suffix.lower() in _PHOTOGRAPHS)
    if len(paths) <= first:
        msg = f"{folder}: {len(paths)} photographs ({', '.join(_PHOTOGRAPHS)}); at least {first + 1} are needed"
        raise AstroclfError(msg)
    paths = paths[first::4]
    work = partial(_render_photograph, paths=paths, preprocessor=preprocessor, seed=seed)
    return _render_all(work, len(paths), workers)


def _render_photograph(index, *, paths, preprocessor, seed):
    rng = np.random.default_rng((seed, list(KINDS).index("photograph"), index))
    return render(make_photograph(paths[index], rng), preprocessor)


def render_exposures(count, preprocessor, *, seed, workers=1):
    """
    Make rendered exposures with the instruments of `astroclf.datasets`, all classes with each of them in turn.

    Their detectors saturate, bleed and leave gaps in ways of their own, and their signal is that of `make_frame` or
    anything from 100 to 100,000 electrons.

    Parameters
    ----------
    count : int
        Number of frames; 280 for each class once with each instrument.
    preprocessor : `~astroclf.Preprocessor`
        Renders them.
    seed : int
        Frame ``i`` depends on ``(seed, i)`` only.
    workers : int, optional
        Number of processes.

    Returns
    -------
    images : `~numpy.ndarray` of uint8, shape (count, size, size, 3)
        The pictures.
    truth : `~numpy.ndarray` of int, shape (count,)
        Their classes.
    """
    images = _render_all(partial(_render_exposure, preprocessor=preprocessor, seed=seed), count, workers)
    return images, np.arange(count) // len(_LAYOUTS) % len(labels())


def _render_exposure(index, *, preprocessor, seed):
    rng = np.random.default_rng((seed, len(KINDS) + 1, index))
    label = labels()[index // len(_LAYOUTS) % len(labels())]
    signal = log_uniform(rng, 100, 100_000) if rng.random() < 0.5 else None
    frame = make_frame(_LAYOUTS[index % len(_LAYOUTS)], label, seed=int(rng.integers(2**31)), signal=signal)
    return render(read_frame(frame), preprocessor)


def render_pictures(manifest, split, preprocessor, *, parts=0, seed=0):
    """
    Render labelled pictures as users' pictures are rendered, without a detector in between.

    Parameters
    ----------
    manifest : path-like
        Manifest of the labelled pictures; see `astroclf.train.examples.read_manifest`.
    split : {'train', 'calibration', 'test'}
        The pictures of the objects of this split.
    preprocessor : `~astroclf.Preprocessor`
        Renders them.
    parts : int, optional
        Number of random parts of each picture to render besides the whole.
    seed : int, optional
        Chooses the parts.

    Returns
    -------
    images : `~numpy.ndarray` of uint8, shape (n, size, size, 3)
        Each picture, followed by its parts.
    truth : `~numpy.ndarray` of int, shape (n,)
        Their classes.
    objects : list of str
        Keys of their objects.
    """
    rng, images, cases = np.random.default_rng(seed), [], read_cases(manifest, split)
    for case in cases:
        frame = read_frame(case.path)
        for shown in (frame, *(_part_of(frame, rng) for _ in range(parts))):
            images.append(render(shown, preprocessor))
    truth = np.repeat([labels().index(case.label) for case in cases], parts + 1)
    return np.stack(images), truth, [case.object_key for case in cases for _ in range(parts + 1)]


def _part_of(frame, rng):
    """Cut out at least three fifths of either side, and turn it by a right angle."""
    size = [int(n * rng.uniform(0.6, 1)) for n in frame.shape]
    start = [int(rng.integers(0, n - m + 1)) for n, m in zip(frame.shape, size)]
    part = tuple(slice(first, first + length) for first, length in zip(start, size))
    turns = rng.integers(4)
    data, bad = (np.rot90(array[part], turns).copy() for array in (frame.ccd.data, ~frame.good))
    return replace(frame, ccd=CCDData(data, unit=frame.ccd.unit, mask=bad))


def fit_score(usual, truth, odd, objects=None):
    """
    Fit the novelty score.

    Parameters
    ----------
    usual : tuple of 2 `~numpy.ndarray`
        Logits of frames in the taxonomy, and the means of their maps before the last stage of the network.
    truth : `~numpy.ndarray` of int, shape (n,)
        Their classes; each is there, twice or more.
    odd : tuple of 2 `~numpy.ndarray`
        The same of frames outside it.
    objects : sequence of str, optional
        What each of the usual frames shows: those of one object are in one fold. Without it, each shows its own.

    Returns
    -------
    score : NoveltyScore
        One in fifty of the usual frames, of folds that the weights were not fitted on, is above its threshold, each
        class counting alike.
    """
    folds = deal_folds(truth, range(len(truth)) if objects is None else objects, labels())
    margins = np.empty(len(truth))
    for fold in np.unique(folds):
        kept, left = ([part[which] for part in (*usual, truth)] for which in (folds != fold, folds == fold))
        score, bias = _fit_margin(kept[:2], kept[2], odd)
        margins[folds == fold] = score.inputs(*left[:2]) @ score.weights + bias
    score, bias = _fit_margin(usual, truth, odd)
    shares = 1 / np.bincount(truth)[truth]
    level = np.quantile(margins, 1 - _FALSE_ALARMS, weights=shares, method="inverted_cdf")
    return replace(score, threshold=round(float(level - bias), 4))


def _fit_margin(usual, truth, odd):
    """Return a score without its threshold, and the bias of its margin."""
    space = _fit_space(usual[1], truth)
    weights, bias = _fit_logistic(space.inputs(*usual), space.inputs(*odd))
    return replace(space, weights=weights), bias


def _fit_space(middle, truth):
    """Return a score without weights: axes, whitening and class centres of the square roots."""
    roots = np.sqrt(middle.astype(float))
    mean = roots.mean(axis=0)
    k = min(_AXES, len(roots) // 2)
    axes = np.linalg.svd(roots - mean, full_matrices=False)[2][:k].T.astype(np.float16)
    along = (roots - mean) @ axes.astype(float)
    centres = np.stack([along[truth == label].mean(axis=0) for label in range(len(labels()))])
    scatter = np.cov((along - centres[truth]).T) + _RIDGE * along.var(axis=0).mean() * np.eye(k)
    whitening = np.linalg.cholesky(np.linalg.inv(scatter))
    arrays = (mean, axes, whitening, centres @ whitening, np.zeros(k + DISTANCES))
    return NoveltyScore(*(array.astype(array.dtype if array is axes else np.float32) for array in arrays))


def _fit_logistic(inside, outside):
    """Return weights and bias of a logistic regression in which either side counts as much as the other."""
    inputs, sides = np.concatenate([inside, outside]), np.repeat([0, 1], [len(inside), len(outside)])
    head = fit_head(inputs, sides, 2, 2 * _PENALTY / inputs.size)
    return head.kernel[:, 1] - head.kernel[:, 0], head.bias[1] - head.bias[0]


def fit_novelty(folder, output, pictures=None, photographs=None, *, examples=_EXAMPLES, oddities=_ODDITIES, workers=1):
    """
    Fit the novelty score of a model, write its file beside the record, and name it in the record.

    Parameters
    ----------
    folder : path-like
        Folder of the calibration examples; see `astroclf.train.recipe.write_examples`.
    output : path-like
        Folder of the model file and its record: the section ``novelty`` of the record is replaced.
    pictures : path-like, optional
        Manifest of the labelled pictures. Those of the training and the calibration split are usual frames too, as
        pictures: without them, that a frame is a picture counts as odd.
    photographs : path-like, optional
        Folder of photographs of anything but the sky: every fourth is an oddity too, of the kind ``photograph``.
        Without them, that kind is not fitted on.
    examples : int, optional
        Number of calibration examples to use.
    oddities : int, optional
        Number of frames of each kind in `astroclf.train.oddities.FITTED`.
    workers : int, optional
        Number of processes that make these.

    Returns
    -------
    described : dict
        The section ``novelty`` of the record, as written.
    """
    path = Path(output) / f"{BUNDLED}.json"
    load_record.cache_clear()
    record = load_record(path)
    images, truth, objects = usual_frames(folder, pictures, record.preprocessor, examples=examples, workers=workers)
    seed = _SEEDS["calibration"]
    drawn = partial(render_oddities, count=oddities, preprocessor=record.preprocessor, seed=seed, workers=workers)
    odd = {kind: drawn(kind) for kind in FITTED}
    if photographs is not None:
        odd["photograph"] = render_photographs(photographs, 0, record.preprocessor, seed=seed, workers=workers)
    look = partial(_look, _backend(record), record.views)
    score = fit_score(look(images), truth, look(np.concatenate(list(odd.values()))), objects)
    fitted_on = {"usual": len(truth), **{kind: len(frames) for kind, frames in odd.items()}}
    content, threshold = score.to_bytes(), score.threshold
    record = write_section(path, "novelty", content, threshold=threshold, method=_METHOD, fitted_on=fitted_on)
    return record["novelty"]


def usual_frames(folder, pictures, preprocessor, *, examples=_EXAMPLES, workers=1):
    """
    Render what a novelty score is to let pass.

    Parameters
    ----------
    folder : path-like
        Folder of the calibration examples; see `astroclf.train.recipe.write_examples`.
    pictures : path-like or None
        Manifest of the labelled pictures; those of the training and the calibration split are among the frames, whole
        and in part.
    preprocessor : `~astroclf.Preprocessor`
        Renders all but the examples.
    examples : int, optional
        Number of calibration examples to use, and the most of exposures with particular instruments, and of further
        frames without a source, in which detectors show most of their oddities, and of bodies of the solar system,
        which are most like things on Earth.
    workers : int, optional
        Number of processes that make these.

    Returns
    -------
    images : `~numpy.ndarray` of uint8, shape (n, size, size, 3)
        The frames.
    truth : `~numpy.ndarray` of int, shape (n,)
        Their classes.
    objects : list of str
        What they show; each example counts as an object.
    """
    images, truth, _ = load_examples(folder, "calibration")
    seed, count = _SEEDS["calibration"], min(_EXPOSURES, examples)
    found = [(images[:examples], truth[:examples]), render_exposures(count, preprocessor, seed=seed, workers=workers)]
    for label, count in _FURTHER.items():
        work = partial(_render_further, label=label, preprocessor=preprocessor)
        frames = _render_all(work, min(count, examples), workers)
        found.append((frames, np.full(len(frames), labels().index(label))))
    objects = [f"example {i}" for i in range(sum(len(truth) for _, truth in found))]
    for split in ("train", "calibration") if pictures is not None else ():
        *shown, keys = render_pictures(pictures, split, preprocessor, parts=_PARTS, seed=seed)
        found.append(shown)
        objects += keys
    images, truth = (np.concatenate(arrays) for arrays in zip(*found))
    return images, truth, objects


def _render_further(index, *, label, preprocessor):
    rng = np.random.default_rng((_SEEDS["calibration"], len(KINDS), labels().index(label), index))
    return render(simulate_frame(label, rng), preprocessor)


def _look(backend, views, images):
    return view_outputs(backend, images, views, "logits", "middle")


def _backend(record):
    from astroclf.model.onnx_backend import OnnxBackend

    return OnnxBackend(record.read_bytes())


def measure_novelty(
    folder, record, pictures=None, photographs=None, *, examples=_MEASURED, oddities=_MEASURED_ODDITIES, workers=1
):
    """
    Measure the novelty score of a model: how often it flags what it should, and what it should not.

    Parameters
    ----------
    folder : path-like
        Folder of the test examples; see `astroclf.train.recipe.write_examples`.
    record : `~astroclf.model.ModelRecord`
        The model, with its novelty score.
    pictures : path-like, optional
        Manifest of the labelled pictures: those of the test split are measured too, as pictures.
    photographs : path-like, optional
        Folder of photographs of anything but the sky: every fourth, but those of the fit, is measured too.
    examples : int, optional
        Number of test examples to use.
    oddities : int, optional
        Number of frames of each kind of oddities.
    workers : int, optional
        Number of processes that make these.

    Returns
    -------
    oddities, false_alarms : `~astropy.table.Table`
        As `flag_table` makes them, a row a kind and one for the photographs, a row a class and one each for exposures
        with particular instruments and for the pictures. Of the oddities, ``fitted`` tells which kinds the score was
        fitted on.
    """
    seed, preprocessor = _SEEDS["test"], record.preprocessor
    drawn = {kind: render_oddities(kind, oddities, preprocessor, seed=seed, workers=workers) for kind in KINDS}
    backend, score = _backend(record), NoveltyScore.from_file(record.novelty, len(record.labels))

    def flagged(images):
        return score(*_look(backend, record.views, images)) >= NOVEL

    def row(name, images):
        return flag_table({name: flagged(images)})[:1]

    caught = flag_table({kind: flagged(images) for kind, images in drawn.items()})
    if photographs is not None:
        shown = render_photographs(photographs, 1, preprocessor, seed=seed, workers=workers)
        caught = vstack([caught, row("photographs", shown)])
    caught.add_column(np.isin(caught["of"], record.novelty.fitted_on), name="fitted", index=1)
    images, truth, _ = (array[:examples] for array in load_examples(folder, "test"))
    alarms = flagged(images)
    by_class = flag_table({label: alarms[truth == i] for i, label in enumerate(record.labels)})
    count = min(_MEASURED_EXPOSURES, examples)
    shown, _ = render_exposures(count, preprocessor, seed=seed, workers=workers)
    by_class = vstack([by_class, row("exposures", shown)])
    if pictures is not None:
        by_class = vstack([by_class, row("pictures", render_pictures(pictures, "test", preprocessor)[0])])
    return caught, by_class


def flag_table(flags):
    """
    Tabulate how often frames were flagged.

    Parameters
    ----------
    flags : dict
        ``{name: array of bool}``, one element a frame.

    Returns
    -------
    table : `~astropy.table.Table`
        Columns ``of`` (the name, and ``all`` in the last row), ``count``, ``flagged`` and its Wilson 95 per cent
        interval, ``low`` and ``high``.
    """
    rows = []
    for name, flagged in (flags | {"all": np.concatenate(list(flags.values()))}).items():
        rate = float(np.mean(flagged)) if len(flagged) else 0.0
        low, high = wilson_interval(rate, len(flagged))
        rows.append({
            "of": name, "count": len(flagged), "flagged": round(rate, 3), "low": round(low, 3), "high": round(high, 3),
        })  # fmt: skip
    return Table(rows=rows)

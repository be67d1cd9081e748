# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Noise reductions and channels: what they change in the verdict of frozen ImageNet features with a linear head.

Needs ``pip install scikit-image scikit-learn``, for this benchmark only, and ``astroclf[tensorflow]``. Run
``python benchmarks/renderings.py LABELS.CSV RESNET50.npz [TRAIN TEST]`` with the manifest of labelled pictures and the
ImageNet weights that `astroclf.train` takes. TRAIN and TEST are numbers of frames, equally many of each class, made by
the forward model from objects of the splits of these names; everything is seeded.

Each frame is rendered in every way, so that the ways are compared on the same frames. A noise reduction works on the
reduced image less its sky; black, white and softening are then those of the image without it. For each way a head is
fitted to the training frames rendered that way. Printed are the shares of the test frames whose label and group are
right; of labels among the frames made of pictures, and among the drawn; by depth, the height of the 99.8th percentile
of the pixels above the sky in units of its noise; and the differences to the default, with 95 % intervals of a
bootstrap over objects, where a drawn frame is an object of its own. The intervals do not know that other training
frames would have made other heads.
"""

import sys
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy.ndimage import convolve1d, median_filter

from astroclf import Preprocessor
from astroclf.render import Stretch, fit_inside, reduce_image, to_rgb
from astroclf.taxonomy import group_of, labels
from astroclf.train.examples import choose_example, group_by_object, open_picture, read_manifest, split_of
from astroclf.train.forward import simulate_frame

SETTINGS, SIZE = Preprocessor(), 224
COUNTS, SEEDS, CHUNK, PROCESSES = (1288, 966), {"train": 41, "test": 43}, 14, 2
STRENGTH = 0.003
"""Inverse strength of the regularisation of the head, of standardised features."""

DEPTHS = {"< 30": (-np.inf, 30), "30-200": (30, 200), "> 200": (200, np.inf)}
RESAMPLES = 4000


# ------------------------------------------------------------------------------------- ways to render


def none(image, sigma):
    """Return the image as it is."""
    return image


def median(image, sigma):
    """Return the median of 3 x 3 pixels."""
    return median_filter(image, 3)


def wavelet(image, sigma, scales=4):
    """Return the image without the starlet coefficients below 3 sigma (Starck & Murtagh 2006); the rest is kept."""
    kept = np.zeros_like(image)
    for scale in range(scales):
        smooth = smoother(image, scale)
        detail = image - smooth
        kept += np.where(np.abs(detail) > 3 * sigma * noise_of_scale(scale), detail, 0)
        image = smooth
    return kept + image


def smoother(image, scale):
    """Return the image convolved with the cubic B-spline of a scale."""
    kernel = np.zeros(4 * 2**scale + 1, np.float32)
    kernel[:: 2**scale] = np.float32([1, 4, 6, 4, 1]) / 16
    return convolve1d(convolve1d(image, kernel, 0), kernel, 1)


@cache
def noise_of_scale(scale):
    """Return the noise of the coefficients of a scale, of white noise of sigma 1."""
    image = np.random.default_rng(0).standard_normal((512, 512)).astype(np.float32)
    for finer in range(scale):
        image = smoother(image, finer)
    return float(np.std(image - smoother(image, scale)))


def non_local_means(image, sigma):
    """Return non-local means (Buades, Coll & Morel 2005) of patches of 5 x 5 pixels, 13 x 13 around each."""
    from skimage.restoration import denoise_nl_means

    if not sigma > 0:
        return image
    return denoise_nl_means(image / sigma, 5, 6, h=0.8, sigma=1.0, fast_mode=True).astype(np.float32) * sigma


def binning(image, sigma):
    """Return the means of 2 x 2 pixels, enlarged again."""
    shape = fit_inside(image.shape, SIZE // 2)
    small, _ = reduce_image(image, np.zeros(image.shape, bool), shape)
    return reduce_image(small, np.zeros(shape, bool), image.shape)[0]


WAYS = {
    "default": (none, SETTINGS.stretch),
    "grey": (none, Stretch.grey()),
    "median 3 x 3": (median, SETTINGS.stretch),
    "wavelet": (wavelet, SETTINGS.stretch),
    "non-local means": (non_local_means, SETTINGS.stretch),
    "binning 2 x 2": (binning, SETTINGS.stretch),
}


def render(frame):
    """Return a frame rendered in every way, shape (ways, size, size, 3), and its depth."""
    stages = SETTINGS.stages(frame)
    flat, sigma = stages.picture, stages.sky.sigma
    margins = [((SIZE - n) // 2, SIZE - n - (SIZE - n) // 2) for n in flat.shape]
    pictures = [
        to_rgb(np.pad(reduction(flat, sigma), margins), stretch.scales(flat, sigma))
        for reduction, stretch in WAYS.values()
    ]
    return np.stack(pictures), np.percentile(flat, 99.8) / max(sigma, 1e-12)


# ------------------------------------------------------------------------------------------- features


def export_network(weights):
    """Return ImageNet's ResNet50 as the bytes of an ONNX file."""
    from astroclf.train.export import export_onnx
    from astroclf.train.network import build_classifier, fill_from_npz

    model = build_classifier(len(labels()))
    fill_from_npz(model, weights)
    with TemporaryDirectory() as folder:
        path = Path(folder, "imagenet.onnx")
        export_onnx(model, path)
        return path.read_bytes()


def open_network(content):
    """Open the network for this process, on one thread: there are as many processes as cores."""
    import onnxruntime

    global network
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    network = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def describe(start, split, by_object):
    """Return the features of some frames in every way, (frames, ways, 2048), classes, objects and depths."""
    rows = []
    for index in range(start, start + CHUNK):
        rng, truth = np.random.default_rng((SEEDS[split], index)), index % len(labels())
        source = choose_example(labels()[truth], by_object, rng)
        picture, key = (open_picture(source.path), source.object_key) if source else (None, f"drawn {index}")
        pictures, depth = render(simulate_frame(labels()[truth], rng, picture))
        rows.append((network.run(["features"], {"rgb": pictures})[0], truth, key, depth))
    return tuple(np.array(column) for column in zip(*rows))


def describe_split(pool, split, count, pictures):
    """Return what `describe` does, of all frames of a split."""
    by_object = group_by_object([picture for picture in pictures if split_of(picture.object_key) == split])
    parts = pool.map(partial(describe, split=split, by_object=by_object), range(0, count, CHUNK))
    return tuple(np.concatenate(column) for column in zip(*parts))


# --------------------------------------------------------------------------------------------- verdict


def name_classes(features, truth, others):
    """Fit a linear head to features and classes; return the classes of other features."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    head = LogisticRegression(C=STRENGTH, max_iter=500, class_weight="balanced")
    return make_pipeline(StandardScaler(), head).fit(features, truth).predict(others)


def interval(gain, keys):
    """Return the mean of the gains of frames, and its 95 % interval over objects, as text."""
    names, which = np.unique(keys, return_inverse=True)
    total, size = np.bincount(which, gain), np.bincount(which)
    draws = np.random.default_rng(0).integers(0, len(names), (RESAMPLES, len(names)))
    low, high = np.percentile(total[draws].sum(axis=1) / size[draws].sum(axis=1), [2.5, 97.5])
    return f"{gain.mean():+.3f} ({low:+.3f}, {high:+.3f})"


def compare(train, test):
    """Print one line a way."""
    (features, classes, *_), (others, truth, keys, depths) = train, test
    groups, drawn = np.array([group_of(label) for label in labels()]), np.char.startswith(keys, "drawn ")
    parts = {"pictures": ~drawn, "drawn": drawn}
    parts |= {name: (depths >= low) & (depths < high) for name, (low, high) in DEPTHS.items()}
    print(f"{len(classes)} frames to train on; {len(truth)} to test, of {len(set(keys[~drawn]))} objects in pictures:")
    print("frames", *(f"{name} {part.sum()}" for name, part in parts.items()), sep="  ")
    heads = [f"{name:>9}" for name in ("label", "group", *parts)]
    print(f"{'':16}", *heads, f"  {'label, less default':24}  group, less default")
    base = None
    for way, name in enumerate(WAYS):
        named = name_classes(features[:, way], classes, others[:, way])
        rights = [(named == truth).astype(float), (groups[named] == groups[truth]).astype(float)]
        base = base or rights
        shares = [right.mean() for right in rights] + [rights[0][part].mean() for part in parts.values()]
        gains = [interval(right - default, keys) for right, default in zip(rights, base)]
        print(f"{name:16}", *(f"{share:9.3f}" for share in shares), " ", "  ".join(gains), flush=True)


def main(manifest, weights, *counts):
    """Make the frames of both splits, and compare the ways."""
    pictures, content = read_manifest(manifest), export_network(weights)
    pool = ProcessPoolExecutor(PROCESSES, get_context("spawn"), open_network, (content,))
    with pool:
        sizes = [int(count) for count in counts] or COUNTS
        compare(*(describe_split(pool, split, count, pictures) for split, count in zip(SEEDS, sizes)))


if __name__ == "__main__":
    main(*sys.argv[1:])

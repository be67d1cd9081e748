# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""ResNet50 with a head for the taxonomy: building it, and fitting its last stages, to pictures or cached features."""

import hashlib
import sys
from pathlib import Path

import keras
import numpy as np

from astroclf.render import ORIENTATIONS, turn

__all__ = [
    "STEM_OUTPUT",
    "TRUNK_OUTPUT",
    "build_classifier",
    "cache_trunk",
    "fill_from_npz",
    "fit_stages",
    "fit_tail",
    "load_imagenet",
]

STEM_OUTPUT = "conv3_block4_out"
"""The layer that ends the part of the network left as ImageNet taught it."""

TRUNK_OUTPUT = "conv4_block6_out"
"""The layer before the last stage, which alone is fitted to classes of a user's own."""

_SEED, _SMOOTHING = 0, 0.1
_BATCH, _WATCHED = 32, 64
_WARMUP, _KEPT = 200, 200


def build_classifier(classes, *, fast=False):
    """
    Build ResNet50 (He et al. 2016) with a linear head.

    Parameters
    ----------
    classes : int
        Number of classes.
    fast : bool, optional
        Whether to compute in bfloat16, which some processors fit nearly twice as fast in; weights, batch
        normalisation and logits are of float32.

    Returns
    -------
    model : `keras.Model`
        From RGB in [0, 255] through ``keras.applications.resnet50.preprocess_input`` (n, 224, 224, 3)
        to logits (n, classes).
    """
    usual = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if fast else usual)
    try:
        base = keras.applications.ResNet50(weights=None, include_top=False, pooling="avg", input_shape=(224, 224, 3))
    finally:
        keras.config.set_dtype_policy(usual)
    logits = keras.layers.Dense(classes, name="head")(base.output)
    return keras.Model(base.input, logits, name="resnet50")


def load_imagenet(model, path):
    """
    Fill a model with ImageNet weights, all but its head.

    Parameters
    ----------
    model : `keras.Model`
        What `build_classifier` returns; changed in place.
    path : path-like or None
        A ``.npz`` file with one array a variable, named ``layer/variable``; None for the weights
        that Keras downloads.
    """
    if path is not None:
        fill_from_npz(model, path)
        return
    stock = keras.applications.ResNet50(weights="imagenet", include_top=False, pooling="avg")
    for layer in stock.layers:
        model.get_layer(layer.name).set_weights(layer.get_weights())


def fill_from_npz(model, path):
    """
    Fill the layers of a ResNet50, all but a ``head``, from an archive of arrays.

    Parameters
    ----------
    model : `keras.Model`
        Changed in place.
    path : path-like
        A ``.npz`` file with one array a variable, named ``layer/variable``.

    Raises
    ------
    KeyError
        If a variable is not in the file.
    """
    with np.load(Path(path)) as weights:
        for layer in model.layers:
            if layer.weights and layer.name != "head":
                layer.set_weights([weights[f"{layer.name}/{v.name}"].astype(np.float32) for v in layer.weights])


def cache_trunk(model, images, path, batch=64, tell=None):
    """
    Run pictures through the part of the network that is not trained, once.

    Parameters
    ----------
    model : `keras.Model`
        The classifier.
    images : `~numpy.ndarray` of uint8, shape (n, 224, 224, 3)
        Rendered frames.
    path : path-like
        Where the features go: a ``.npy`` file of float16, shape (n, 14, 14, 1024). If it is there, beside a file
        with the same pictures' and weights' checksum, it is used as it is.
    batch : int, optional
        Pictures at a time.
    tell : callable, optional
        Called with the number of pictures after each batch; by default there is a bar on stdout.

    Returns
    -------
    features : `~numpy.ndarray`
        The file, mapped into memory.
    """
    import tensorflow as tf

    path, trunk = Path(path), keras.Model(model.input, model.get_layer(TRUNK_OUTPUT).output)
    digest, told = _digest(images, *trunk.get_weights()), path.with_suffix(".sha256")
    if told.exists() and told.read_text() == digest:
        return np.load(path, mmap_mode="r")
    told.unlink(missing_ok=True)
    run = tf.function(lambda x: trunk(keras.applications.resnet50.preprocess_input(tf.cast(x, "float32"))))
    features = np.lib.format.open_memmap(path, "w+", np.float16, (len(images), *trunk.output.shape[1:]))
    tell = tell or keras.utils.Progbar(len(images)).add
    for start in range(0, len(images), batch):
        part = images[start : start + batch]
        features[start : start + batch] = run(part)
        tell(len(part))
    features.flush()
    told.write_text(digest)
    return features


def _digest(*arrays):
    """Return the SHA-256 of arrays, one after the other."""
    found = hashlib.sha256()
    for array in arrays:
        for row in array if array.ndim == 4 else [array]:
            found.update(np.ascontiguousarray(row))
    return found.hexdigest()


class _Batches(keras.utils.PyDataset):
    """
    Batches of cached features in a new order every epoch, always the same ones.

    With ``mixup`` each example is mixed with another of its batch, features and classes alike.
    """

    def __init__(self, inputs, wanted, rows, batch=_BATCH, mixup=0.0):
        super().__init__()
        self.inputs, self.wanted, self.rows, self.batch, self.mixup = inputs, wanted, rows, batch, mixup
        self.seed = _SEED
        self.on_epoch_end()

    def on_epoch_end(self):
        self.order = np.random.default_rng(self.seed).permutation(self.rows)
        self.seed += 1

    def __len__(self):
        return -(-len(self.rows) // self.batch)

    def __getitem__(self, index):
        rng = np.random.default_rng((self.seed, index))
        rows = np.sort(self.order[index * self.batch : (index + 1) * self.batch])
        inputs, wanted = self._take(rows, rng), self.wanted[rows]
        if not self.mixup:
            return inputs, wanted
        share = rng.beta(self.mixup, self.mixup, len(rows)).astype(np.float32)
        other = rng.permutation(len(rows))
        return _mix(inputs, share, other), _mix(wanted, share, other)

    def _take(self, rows, rng):
        return self.inputs[rows].astype(np.float32)


class _Pictures(_Batches):
    """Batches of pictures, each turned, and mirrored or not, at random."""

    def _take(self, rows, rng):
        ways = rng.integers(max(ORIENTATIONS), size=len(rows))
        turned = np.stack([turn(picture, way) for picture, way in zip(self.inputs[rows], ways)])
        return keras.applications.resnet50.preprocess_input(turned.astype(np.float32))


def _mix(values, share, other):
    share = share.reshape(-1, *[1] * (values.ndim - 1))
    return share * values + (1 - share) * values[other]


def fit_stages(model, pictures, truth, *, rows, epochs, rate, mixup, validation, checkpoint):
    """
    Fit the last two stages and the head to pictures, batch normalisation frozen.

    Parameters
    ----------
    model : `keras.Model`
        The classifier; changed in place.
    pictures : `~numpy.ndarray` of uint8, shape (n, 224, 224, 3)
        Rendered frames. Each is turned, and mirrored or not, at random whenever it is seen.
    truth : `~numpy.ndarray` of int, shape (n,)
        Classes.
    rows : `~numpy.ndarray` of int
        Which pictures to learn from.
    epochs, rate : number
        As in `fit_tail`.
    mixup : float
        Pictures are mixed, two and two, in shares of a beta distribution with this parameter (mixup, Zhang et al.
        2018): against what few objects teach by heart. If it is 0 they stay as they are.
    validation : tuple of `~numpy.ndarray`
        Pictures and classes on which to report each epoch; nothing is chosen by them.
    checkpoint : path-like
        ``.weights.h5`` file, written every 200 batches.
    """
    watched, watched_truth = validation
    _fit(
        model, _Pictures(pictures, _wanted(model, truth), rows, mixup=mixup), epochs, rate,
        frozen=keras.Model(model.input, model.get_layer(STEM_OUTPUT).output).layers,
        validation_data=_Pictures(watched, _wanted(model, watched_truth), np.arange(len(watched)), _WATCHED),
        callbacks=[_keep(model, checkpoint)],
        verbose=1 if sys.stdout.isatty() else 2,
    )  # fmt: skip


def _wanted(model, truth):
    return np.eye(model.output.shape[-1], dtype=np.float32)[truth]


def _keep(model, path):
    """Return what Keras calls to keep a network's weights now and then."""

    def keep(step, logs):
        if (step + 1) % _KEPT == 0:
            model.save_weights(path)

    return keras.callbacks.LambdaCallback(on_train_batch_end=keep)


def fit_tail(model, features, truth, *, rows, epochs, rate, tell):
    """
    Fit the last stage and the head, batch normalisation frozen.

    Parameters
    ----------
    model : `keras.Model`
        The classifier; changed in place.
    features : `~numpy.ndarray`, shape (n, 14, 14, 1024)
        What `cache_trunk` returns.
    truth : `~numpy.ndarray` of int, shape (n,)
        Classes.
    rows : `~numpy.ndarray` of int
        Which examples to learn from, those named twice twice an epoch.
    epochs : int
        Number of epochs.
    rate : float
        Peak learning rate of AdamW, reached in 200 steps, or sooner in short fits; it falls as a cosine.
    tell : callable
        Called with 1 after each batch.
    """
    tail = keras.Model(model.get_layer(TRUNK_OUTPUT).output, model.output)
    telling = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: tell(1))
    _fit(tail, _Batches(features, _wanted(model, truth), rows), epochs, rate, callbacks=[telling], verbose=0)


def _fit(model, batches, epochs, rate, *, frozen=(), **settings):
    """Fit a network with label smoothing, all batch normalisation and some other layers frozen."""
    keras.utils.set_random_seed(_SEED)
    kept = {layer.name for layer in frozen}
    for layer in model.layers:
        layer.trainable = layer.name not in kept and not isinstance(layer, keras.layers.BatchNormalization)
    steps = epochs * len(batches)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, steps, warmup_target=rate, warmup_steps=min(_WARMUP, 1 + steps // 4)
    )
    model.compile(
        keras.optimizers.AdamW(schedule, weight_decay=1e-4),
        keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=_SMOOTHING),
        metrics=["accuracy"],
    )
    model.fit(batches, epochs=epochs, **settings)

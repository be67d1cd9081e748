# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""ResNet50 with a head for the taxonomy: building it, and fitting its last stage on cached features."""

import hashlib
from pathlib import Path

import keras
import numpy as np

__all__ = ["TRUNK_OUTPUT", "build_classifier", "cache_trunk", "fill_from_npz", "fit_tail", "load_imagenet", "tail_of"]

TRUNK_OUTPUT = "conv4_block6_out"
"""The layer that ends the part of the network left as ImageNet taught it."""

_WARMUP = 200


def build_classifier(classes):
    """
    Build ResNet50 (He et al. 2016) with a linear head.

    Parameters
    ----------
    classes : int
        Number of classes.

    Returns
    -------
    model : `keras.Model`
        From RGB in [0, 255] through ``keras.applications.resnet50.preprocess_input`` (n, 224, 224, 3)
        to logits (n, classes).
    """
    base = keras.applications.ResNet50(weights=None, include_top=False, pooling="avg", input_shape=(224, 224, 3))
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


def tail_of(model):
    """Return the part of the network that `fit_tail` fits, from the features of the trunk to the logits."""
    return keras.Model(model.get_layer(TRUNK_OUTPUT).output, model.output)


class _Features(keras.utils.PyDataset):
    """
    Batches of cached features in a new order every epoch, reproducible by seed.

    With ``mixup`` each example is mixed with another of its batch, features and classes alike.
    """

    def __init__(self, features, wanted, rows, batch, seed, mixup=0.0):
        super().__init__()
        self.features, self.wanted, self.rows, self.batch = features, wanted, rows, batch
        self.seed, self.mixup = seed, mixup
        self.on_epoch_end()

    def on_epoch_end(self):
        self.order = np.random.default_rng(self.seed).permutation(self.rows)
        self.seed += 1

    def __len__(self):
        return -(-len(self.rows) // self.batch)

    def __getitem__(self, index):
        rows = np.sort(self.order[index * self.batch : (index + 1) * self.batch])
        features, wanted = self.features[rows].astype(np.float32), self.wanted[rows]
        if not self.mixup:
            return features, wanted
        rng = np.random.default_rng((self.seed, index))
        share = rng.beta(self.mixup, self.mixup, len(rows)).astype(np.float32)
        other = rng.permutation(len(rows))
        return _mix(features, share, other), _mix(wanted, share, other)


def _mix(values, share, other):
    share = share.reshape(-1, *[1] * (values.ndim - 1))
    return share * values + (1 - share) * values[other]


def fit_tail(
    model, features, truth, *, validation=None, rows=None, epochs=5, rate=1e-4, smoothing=0.1, mixup=0.0, seed=0,
    checkpoint=None, tell=None,
):  # fmt: skip
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
    validation : tuple of `~numpy.ndarray`, optional
        Features and classes on which to report each epoch; nothing is chosen by them.
    rows : `~numpy.ndarray` of int, optional
        Which examples to learn from, those named twice twice an epoch; by default all.
    epochs, rate, smoothing : optional
        Number of epochs, peak learning rate of AdamW (reached in 200 steps, or sooner in short fits; cosine
        decay), and label smoothing.
    mixup : float, optional
        Examples are mixed, two and two, in shares of a beta distribution with this parameter (manifold mixup, Verma
        et al. 2019): against what few objects teach by heart. By default they stay as they are.
    seed : int, optional
        Order of the examples, and which are mixed.
    checkpoint : path-like, optional
        ``.weights.h5`` file, written after every epoch.
    tell : callable, optional
        Called with 1 after each batch; by default a line on stdout tells of each epoch.

    Returns
    -------
    history : dict
        What Keras recorded.
    """
    keras.utils.set_random_seed(seed)
    tail, rows = tail_of(model), np.arange(len(truth)) if rows is None else rows
    for layer in tail.layers:
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    classes = np.eye(model.output.shape[-1], dtype=np.float32)
    batches = _Features(features, classes[truth], rows, 32, seed, mixup)
    steps = epochs * len(batches)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, steps, warmup_target=rate, warmup_steps=min(_WARMUP, 1 + steps // 4)
    )
    tail.compile(
        keras.optimizers.AdamW(schedule, weight_decay=1e-4),
        keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing),
        metrics=["accuracy"],
    )
    callbacks = []
    if checkpoint:
        callbacks.append(keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: model.save_weights(checkpoint)))
    if tell:
        callbacks.append(keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: tell(1)))
    watched = validation and _Features(validation[0], classes[validation[1]], np.arange(len(validation[1])), 64, seed)
    return tail.fit(
        batches,
        epochs=epochs,
        validation_data=watched,
        callbacks=callbacks,
        verbose=0 if tell else 2,
    ).history

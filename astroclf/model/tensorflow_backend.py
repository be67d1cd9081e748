# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""TensorFlow, the runtime in which the network is defined and trained."""

import numpy as np

from astroclf.exceptions import MissingDependencyError

__all__ = ["TensorFlowBackend", "fill_from_onnx", "import_keras", "import_onnx"]

_LAYERS = {"logits": "head", "features": "avg_pool", "maps": "conv5_block3_out"}


def import_keras():
    """
    Import Keras.

    Raises
    ------
    MissingDependencyError
        If TensorFlow or Keras is not installed.
    """
    try:
        import keras
        import tensorflow  # noqa: F401  what Keras runs on
    except ImportError as error:
        msg = f"TensorFlow is needed and cannot be imported ({error}); run: pip install 'astroclf[tensorflow]'"
        raise MissingDependencyError(msg) from error
    return keras


def import_onnx():
    """
    Import onnx.

    Raises
    ------
    MissingDependencyError
        If it is not installed.
    """
    try:
        import onnx
    except ImportError as error:
        msg = f"onnx is needed and cannot be imported ({error}); run: pip install 'astroclf[tensorflow]'"
        raise MissingDependencyError(msg) from error
    return onnx


def fill_from_onnx(model, content):
    """
    Fill a Keras classifier with the weights of its exported twin.

    Parameters
    ----------
    model : `keras.Model`
        ``keras.applications.ResNet50`` with a dense layer named ``head``; changed in place. The exported
        convolutions contain the batch normalisation that follows them, which becomes the identity.
    content : bytes
        The ONNX file.
    """
    onnx = import_onnx()
    stored = {item.name: onnx.numpy_helper.to_array(item) for item in onnx.load_from_string(content).graph.initializer}
    for layer in model.layers:
        if f"{layer.name}/kernel" in stored:
            kernel = stored[f"{layer.name}/kernel"] * stored[f"{layer.name}/kernel:scale"]
            kernel = kernel.transpose(2, 3, 1, 0) if kernel.ndim == 4 else kernel
            layer.set_weights([kernel, stored[f"{layer.name}/bias"]])
        elif layer.__class__.__name__ == "BatchNormalization":
            one, zero = np.ones(layer.gamma.shape, np.float32), np.zeros(layer.gamma.shape, np.float32)
            layer.set_weights([one, zero, zero, one - layer.epsilon])


class TensorFlowBackend:
    """
    The network in Keras, with the weights of the same file.

    Parameters
    ----------
    content : bytes
        The ONNX file, as `astroclf.model.ModelRecord.read_bytes` returns it.
    classes : int
        Number of its classes.
    """

    name = "tensorflow"

    def __init__(self, content, classes):
        keras = import_keras()
        from astroclf.train.network import TRUNK_OUTPUT, build_classifier

        model = build_classifier(classes)
        fill_from_onnx(model, content)
        outputs = {name: model.get_layer(layer).output for name, layer in _LAYERS.items()}
        outputs["middle"] = keras.layers.GlobalAveragePooling2D()(model.get_layer(TRUNK_OUTPUT).output)
        self._model = keras.Model(model.input, outputs)

    def logits(self, images):
        """Return the first of `outputs`: logits of float32, shape (n, classes), not calibrated."""
        return self.outputs(images, "logits")[0]

    def outputs(self, images, *names):
        """
        Run pictures through the network, once, for several of its outputs.

        Parameters
        ----------
        images : `~numpy.ndarray` of float32, shape (n, 224, 224, 3), range [0, 1]
            RGB pictures, row 0 at the bottom.
        *names : {'logits', 'features', 'maps', 'middle'}
            Which outputs.

        Returns
        -------
        outputs : list of `~numpy.ndarray` of float32
            In the order of the names: logits (n, classes), not calibrated; features (n, 2048), not negative, which
            the head weighs; maps (n, 2048, 7, 7), whose means over rows and columns the features are; middle (n, 1024),
            such means of the maps before the last stage.
        """
        from keras.applications.resnet50 import preprocess_input

        found = self._model(preprocess_input(255 * np.array(images, np.float32)), training=False)
        return [_channels_first(np.asarray(found[name])) for name in names]


def _channels_first(output):
    return output.transpose(0, 3, 1, 2) if output.ndim == 4 else output

# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""ONNX Runtime, the default runtime."""

import numpy as np

from astroclf.threads import network_threads

__all__ = ["OnnxBackend"]


class OnnxBackend:
    """
    A network in ONNX Runtime.

    Parameters
    ----------
    content : bytes
        An ONNX file, as `astroclf.model.ModelRecord.read_bytes` returns it.
    threads : int, optional
        Threads of a run; by default as many as there are cores that may be used.
    """

    name = "onnx"

    def __init__(self, content, threads=0):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or network_threads()
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

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
        return self._session.run(list(names), {"rgb": np.ascontiguousarray(images, np.float32)})

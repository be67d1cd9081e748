# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""ONNX Runtime, the default runtime."""

import numpy as np

__all__ = ["OnnxBackend"]


class OnnxBackend:
    """
    A network in ONNX Runtime.

    Parameters
    ----------
    content : bytes
        An ONNX file, as `astroclf.model.ModelRecord.read_bytes` returns it.
    threads : int, optional
        Threads of a run; by default as many as the processor has cores.
    """

    name = "onnx"

    def __init__(self, content, threads=0):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def logits(self, images):
        """
        Run pictures through the network.

        Parameters
        ----------
        images : `~numpy.ndarray` of float32, shape (n, 224, 224, 3), range [0, 1]
            RGB pictures, row 0 at the bottom.

        Returns
        -------
        logits : `~numpy.ndarray` of float32, shape (n, classes)
            Not calibrated.
        """
        return self.activations(images)[0]

    def activations(self, images):
        """
        Run pictures through the network, and return what its last layer saw as well.

        Parameters
        ----------
        images : `~numpy.ndarray`
            As for `logits`.

        Returns
        -------
        logits : `~numpy.ndarray` of float32, shape (n, classes)
            Not calibrated.
        features : `~numpy.ndarray` of float32, shape (n, 2048)
            Means of the last maps, never negative.
        """
        return self._session.run(["logits", "features"], {"rgb": np.ascontiguousarray(images, np.float32)})

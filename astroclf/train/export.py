# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Export of the trained Keras network to one ONNX file, which both runtimes read.

The graph is written layer by layer, with weights under the names of their Keras layers and each batch
normalisation folded into the convolution before it, so that the TensorFlow runtime can be filled from the same
file; tf2onnx, the usual converter, renames and transposes the weights. Kernels are stored as int8 with a scale for
each output channel, and unpacked when the file is loaded; arithmetic is in float32.
"""

import numpy as np

from astroclf.train.network import TRUNK_OUTPUT

__all__ = ["export_onnx"]

_OPSET, _IR_VERSION = 17, 9
_MEAN_BGR = (103.939, 116.779, 123.68)
"""Channel means that ``keras.applications.resnet50.preprocess_input`` subtracts."""


def export_onnx(model, path):
    """
    Write a Keras classifier as ONNX.

    Parameters
    ----------
    model : `keras.Model`
        What `astroclf.train.network.build_classifier` returns, trained.
    path : path-like
        File to write. Its input ``rgb`` is float32 (n, 224, 224, 3) in [0, 1]; its outputs are ``logits``
        (n, classes), ``features`` (n, 2048) after global pooling, ``maps`` (n, 2048, 7, 7) before it, and ``middle``
        (n, 1024), the means of the maps before the last stage.
    """
    import onnx

    writer = _Writer()
    writer.add_input(model.layers[0].name)
    for layer in model.layers[1:]:
        getattr(writer, f"add_{layer.__class__.__name__}")(layer, _inputs(layer))
    onnx.save(writer.finish(model), str(path))


def _inputs(layer):
    """Return the names of the layers whose outputs a layer takes."""
    tensors = layer.input if isinstance(layer.input, list) else [layer.input]
    return [tensor._keras_history.operation.name for tensor in tensors]


class _Writer:
    """An ONNX graph that grows by one Keras layer at a time; each tensor has the name of its layer."""

    def __init__(self):
        self.nodes, self.weights, self.waiting = [], [], {}

    def node(self, kind, inputs, output, **attributes):
        import onnx

        self.nodes.append(onnx.helper.make_node(kind, inputs, [output], name=f"{output}:{kind}", **attributes))

    def constant(self, name, array):
        import onnx

        self.weights.append(onnx.numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def packed(self, name, kernel, axis):
        """Store a kernel as int8 with one scale an output channel, ``axis``; return the name of the unpacked one."""
        import onnx

        others = tuple(i for i in range(kernel.ndim) if i != axis)
        scale = np.maximum(np.abs(kernel).max(axis=others, keepdims=True), 1e-12) / 127
        self.constant(name, np.round(kernel / scale).astype(np.int8))
        self.constant(f"{name}:scale", scale.astype(np.float32))
        self.node("Cast", [name], f"{name}:float", to=onnx.TensorProto.FLOAT)
        self.node("Mul", [f"{name}:float", f"{name}:scale"], f"{name}:unpacked")
        return f"{name}:unpacked"

    def add_input(self, name):
        """Do what ``preprocess_input`` does, and put the channels first."""
        self.node("Mul", ["rgb", self.constant("scale", np.float32(255))], "scaled")
        self.node("Gather", ["scaled", self.constant("bgr", np.array([2, 1, 0]))], "bgr_last", axis=3)
        self.node("Sub", ["bgr_last", self.constant("mean", np.float32(_MEAN_BGR))], "centred")
        self.node("Transpose", ["centred"], name, perm=[0, 3, 1, 2])

    def add_ZeroPadding2D(self, layer, inputs):
        (top, bottom), (left, right) = layer.padding
        pads = self.constant(f"{layer.name}/pads", np.array([0, 0, top, left, 0, 0, bottom, right]))
        self.node("Pad", [inputs[0], pads], layer.name)

    def add_Conv2D(self, layer, inputs):
        """Hold a convolution back until the batch normalisation after it is known."""
        self.waiting[layer.name] = layer, inputs[0]

    def add_BatchNormalization(self, layer, inputs):
        convolution, source = self.waiting.pop(inputs[0])
        kernel, bias = (variable.numpy().astype(np.float64) for variable in convolution.weights)
        gamma, beta, mean, variance = (variable.numpy().astype(np.float64) for variable in layer.weights)
        gain = gamma / np.sqrt(variance + layer.epsilon)
        kernel = (kernel * gain).transpose(3, 2, 0, 1)
        name = convolution.name
        bias = self.constant(f"{name}/bias", ((bias - mean) * gain + beta).astype(np.float32))
        weights = self.packed(f"{name}/kernel", kernel, axis=0), bias
        same = convolution.padding == "same"
        self.node(
            "Conv", [source, *weights], layer.name, strides=convolution.strides,
            auto_pad="SAME_UPPER" if same else "VALID",
        )  # fmt: skip

    def add_Activation(self, layer, inputs):
        self.node("Relu", inputs, layer.name)
        if layer.name == TRUNK_OUTPUT:
            self._pool([layer.name], "middle")

    def add_Add(self, layer, inputs):
        self.node("Add", inputs, layer.name)

    def add_MaxPooling2D(self, layer, inputs):
        self.node("MaxPool", inputs, layer.name, kernel_shape=layer.pool_size, strides=layer.strides)

    def add_GlobalAveragePooling2D(self, layer, inputs):
        self.node("Identity", inputs, "maps")
        self._pool(inputs, "features")
        self.node("Identity", ["features"], layer.name)

    def _pool(self, inputs, output):
        self.node("GlobalAveragePool", inputs, f"{output}:4d")
        self.node("Flatten", [f"{output}:4d"], output)

    def add_Dense(self, layer, inputs):
        kernel, bias = (variable.numpy() for variable in layer.weights)
        weights = self.packed(f"{layer.name}/kernel", kernel, axis=1), self.constant(f"{layer.name}/bias", bias)
        self.node("Gemm", [*inputs, *weights], "logits")

    def finish(self, model):
        import onnx

        make = onnx.helper.make_tensor_value_info
        shapes = {
            "logits": ["n", model.output.shape[-1]], "features": ["n", 2048], "maps": ["n", 2048, 7, 7],
            "middle": ["n", 1024],
        }  # fmt: skip
        graph = onnx.helper.make_graph(
            self.nodes, "resnet50",
            [make("rgb", onnx.TensorProto.FLOAT, ["n", 224, 224, 3])],
            [make(name, onnx.TensorProto.FLOAT, shape) for name, shape in shapes.items()],
            self.weights,
        )  # fmt: skip
        exported = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", _OPSET)])
        exported.ir_version = _IR_VERSION
        onnx.checker.check_model(exported)
        return exported

"""onnxruntime on the inference works of the comparison; it does not train."""

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import work as w


def model(widths):
    """A network with random weights as the bytes of an ONNX file."""
    rng, nodes, weights, last = np.random.default_rng(4), [], [], "x"
    for index, shape in enumerate(zip(widths, widths[1:])):
        weight, bias = rng.normal(0, 0.05, shape).astype(np.float32), np.zeros(shape[1], np.float32)
        weights += [numpy_helper.from_array(weight, f"w{index}"), numpy_helper.from_array(bias, f"b{index}")]
        nodes.append(helper.make_node("Gemm", [last, f"w{index}", f"b{index}"], [f"z{index}"]))
        kind = "Relu" if index + 2 < len(widths) else "Softmax"
        nodes.append(helper.make_node(kind, [f"z{index}"], [f"a{index}"]))
        last = f"a{index}"
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", widths[0]])
    y = helper.make_tensor_value_info(last, TensorProto.FLOAT, ["n", widths[-1]])
    graph = helper.make_graph(nodes, "mlp", [x], [y], weights)
    opset = helper.make_opsetid("", 17)
    return helper.make_model(graph, opset_imports=[opset], ir_version=9).SerializeToString()


def predictor(work, x):
    options = onnxruntime.SessionOptions()
    if w.THREADS:
        options.intra_op_num_threads = options.inter_op_num_threads = w.THREADS
    session = onnxruntime.InferenceSession(model(work.widths), options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"x": x})


w.run("onnxruntime", None, predictor)

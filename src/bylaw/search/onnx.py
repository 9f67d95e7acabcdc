"""The layers of all-MiniLM-L6-v2, run by ONNX Runtime. Needs the extra `bylaw[onnx]`.

The graph is written here. Of its tensors it holds only the places in the file of weights, whose digest was
checked; the runtime maps that file. What it computes is what `arithmetic` computes: `EXACT` within the
accuracy of float32, `SMALL` with products of small integers, so that its vectors go by another name.
"""

from collections.abc import Sequence
from math import prod, sqrt
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper
from onnxruntime import InferenceSession, SessionOptions
from typing_extensions import override

from bylaw.search.floats import Floats
from bylaw.search.weights import DIMENSIONS, HEADS, LAYERS, NAME, Run, Runtime, Weights

_OPERATORS: Final = 20  # of ONNX: the first that have GELU
_OWN: Final = "com.microsoft"  # operators that only this runtime has
_FORMAT: Final = 9
_MOST: Final = 63  # of a small number: with more, processors without the newest instructions cut sums off
_EPSILON: Final = 1e-12
_NEVER: Final = 1e9  # how much less is looked at what only fills
_FOLDER: Final = "session.model_external_initializers_file_folder_path"
_ERRORS: Final = 3


def load(weights: Weights) -> Run:
    """Return what runs the model with these weights, on the thread that asks.

    Texts are filled up to the longest: what fills is neither looked at nor counted.
    """
    return _run(_Graph(weights))


def load_small(weights: Weights) -> Run:
    """Return what runs the model with its matrices in 7 bits, on the thread that asks.

    Rows are rounded to 8 bits all by one measure, so each text is run by itself.
    """
    run = _run(_SmallGraph(weights))
    return lambda texts: np.concatenate([run([each]) for each in texts])


EXACT: Final = Runtime(name=NAME, load=load)
SMALL: Final = Runtime(name=f"{NAME}-int8", load=load_small)


def _run(graph: "_Graph") -> Run:
    options = SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # one would be kept for each shape of texts
    options.log_severity_level = _ERRORS
    options.add_session_config_entry(_FOLDER, str(graph.weights.path.parent))
    session = InferenceSession(_written(graph), options, providers=["CPUExecutionProvider"])

    def run(texts: Sequence[Sequence[int]]) -> Floats:
        pieces, counted = _filled(texts)
        means: list[Floats] = session.run(None, {"pieces": pieces, "counted": counted})
        return means[0]

    return run


def _filled(texts: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], Floats]:
    """Return the pieces of texts, filled up to the longest, and 1 for each that counts.

    Shape: [texts, longest], both.
    """
    lengths = np.array([len(each) for each in texts])
    counts = np.arange(lengths.max()) < lengths[:, None]
    pieces = np.zeros(counts.shape, dtype=np.int64)
    pieces[counts] = [each for text in texts for each in text]
    return pieces, counts.astype(np.float32)


class _Graph:
    """A graph as it is written: each operation returns the name of what it gives."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.nodes: list[NodeProto] = []
        self.tensors: list[TensorProto] = []

    def node(self, kind: str, *inputs: str, domain: str = "", **attributes: float | Sequence[int]) -> str:
        """Return what an operation gives."""
        name = f"{kind}-{len(self.nodes)}"
        node = helper.make_node(kind, inputs, [name], domain=domain)
        node.attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items())
        self.nodes.append(node)
        return name

    def fixed(self, values: ArrayLike) -> str:
        """Return numbers that the graph holds itself."""
        name = f"fixed-{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def read(self, name: str) -> str:
        """Return a tensor of the weights, which stays in its file."""
        found = self.weights.tensors[name]
        tensor = TensorProto(
            name=name,
            data_type=TensorProto.FLOAT,
            dims=found.shape,
            data_location=TensorProto.EXTERNAL,
        )
        lies = {"location": self.weights.path.name, "offset": found.begin, "length": 4 * prod(found.shape)}
        for key, value in lies.items():
            tensor.external_data.add(key=key, value=str(value))
        self.tensors.append(tensor)
        return name

    def dense(self, state: str, name: str) -> str:
        """Return a product and a sum. Shape: `state` [pieces, in]."""
        return self.node("Gemm", state, self.read(f"{name}.weight"), self.read(f"{name}.bias"), transB=1)

    def norm(self, state: str, name: str) -> str:
        """Return rows with a midst of 0 and a spread of 1, weighted."""
        weight, bias = self.read(f"{name}.weight"), self.read(f"{name}.bias")
        return self.node("LayerNormalization", state, weight, bias, epsilon=_EPSILON)


class _SmallGraph(_Graph):
    """A graph whose matrices are rounded, each column by a measure of its own."""

    @override
    def dense(self, state: str, name: str) -> str:
        matrix = self.weights.read(f"{name}.weight").T
        measure = np.abs(matrix).max(axis=0) / _MOST
        small = np.rint(matrix / measure).astype(np.int8)
        bias = self.read(f"{name}.bias")
        return self.node(
            "DynamicQuantizeMatMul", state, self.fixed(small), self.fixed(measure), "", bias, domain=_OWN
        )


def _written(graph: _Graph) -> bytes:
    """Return the model as bytes: of `pieces` and `counted`, which are [texts, longest], it makes `means`."""
    state = _begun(graph)
    hidden = graph.node("Sub", "counted", graph.fixed(np.float32(1)))
    hidden = graph.node("Mul", hidden, graph.fixed(np.float32(_NEVER)))
    hidden = graph.node("Unsqueeze", hidden, graph.fixed([1, 2]))
    for number in range(LAYERS):
        begin = f"encoder.layer.{number}."
        seen = _seen(graph, state, hidden, f"{begin}attention.self.")
        seen = graph.node("Add", state, graph.dense(seen, f"{begin}attention.output.dense"))
        state = graph.norm(seen, f"{begin}attention.output.LayerNorm")
        wide = graph.node("Gelu", graph.dense(state, f"{begin}intermediate.dense"))
        thought = graph.node("Add", state, graph.dense(wide, f"{begin}output.dense"))
        state = graph.norm(thought, f"{begin}output.LayerNorm")
    means = graph.node("LpNormalization", _sums(graph, state), axis=1, p=2)
    inputs = [
        helper.make_tensor_value_info("pieces", TensorProto.INT64, ["texts", "longest"]),
        helper.make_tensor_value_info("counted", TensorProto.FLOAT, ["texts", "longest"]),
    ]
    output = helper.make_tensor_value_info(means, TensorProto.FLOAT, ["texts", DIMENSIONS])
    made = helper.make_graph(graph.nodes, NAME, inputs, [output], graph.tensors)
    operators = [helper.make_opsetid("", _OPERATORS), helper.make_opsetid(_OWN, 1)]
    model = helper.make_model(made, opset_imports=operators, ir_version=_FORMAT)
    written: bytes = model.SerializeToString()
    return written


def _begun(graph: _Graph) -> str:
    """Return what the pieces are before they look at one another. Shape: [texts * longest, dimensions]."""
    words = graph.node("Gather", graph.read("embeddings.word_embeddings.weight"), "pieces")
    longest = graph.node("Gather", graph.node("Shape", "pieces"), graph.fixed(1))
    places = graph.node("Range", graph.fixed(0), longest, graph.fixed(1))
    places = graph.node("Gather", graph.read("embeddings.position_embeddings.weight"), places)
    kind = graph.node("Gather", graph.read("embeddings.token_type_embeddings.weight"), graph.fixed(0))
    begun = graph.node("Add", words, graph.node("Add", places, kind))
    return graph.norm(graph.node("Reshape", begun, graph.fixed([-1, DIMENSIONS])), "embeddings.LayerNorm")


def _seen(graph: _Graph, state: str, hidden: str, name: str) -> str:
    """Return what each piece sees of the others of its text."""
    size = DIMENSIONS // HEADS
    parts = graph.node("Concat", graph.node("Shape", "pieces"), graph.fixed([HEADS, size]), axis=0)

    def part(which: str, *order: int) -> str:
        split = graph.node("Reshape", graph.dense(state, name + which), parts)
        return graph.node("Transpose", split, perm=order)

    shares = graph.node("MatMul", part("query", 0, 2, 1, 3), part("key", 0, 2, 3, 1))
    shares = graph.node("Mul", shares, graph.fixed(np.float32(1 / sqrt(size))))
    shares = graph.node("Softmax", graph.node("Add", shares, hidden))
    seen = graph.node("MatMul", shares, part("value", 0, 2, 1, 3))
    return graph.node(
        "Reshape", graph.node("Transpose", seen, perm=[0, 2, 1, 3]), graph.fixed([-1, DIMENSIONS])
    )


def _sums(graph: _Graph, state: str) -> str:
    """Return the sums of the rows that count, which lie in the direction of their means."""
    table = graph.node("Concat", graph.node("Shape", "pieces"), graph.fixed([DIMENSIONS]), axis=0)
    counted = graph.node("Unsqueeze", "counted", graph.fixed([2]))
    rows = graph.node("Mul", graph.node("Reshape", state, table), counted)
    return graph.node("ReduceSum", rows, graph.fixed([1]), keepdims=0)

"""An ONNX file without what certain outputs do not need.

ONNX Runtime computes every node of a graph, whichever outputs it is asked for: its option
``only_execute_path_to_fetches`` does nothing in the builds that people install (seen in its
profiler with 1.32). Labels need no map of evidence, so they get a session without it.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from emotool.model.onnx_scan import Field, fields

__all__ = ["only_outputs", "tag_of"]

# Field numbers of onnx.proto.
_MODEL_GRAPH: Final = 7
_GRAPH_NODE, _GRAPH_OUTPUT = 1, 12
_NODE_INPUT, _NODE_OUTPUT, _NODE_ATTRIBUTE = 1, 2, 5
_ATTRIBUTE_GRAPHS: Final = (6, 11)
_VALUE_NAME: Final = 1


def only_outputs(content: bytes, outputs: Sequence[str]) -> bytes:
    """Leave out the other outputs of a model, and the nodes that only they need.

    Parameters
    ----------
    content : bytes
        An ONNX file that `emotool.model.onnx_scan.read_onnx` has accepted.
    outputs : sequence of str
        Names of outputs that it has.

    Returns
    -------
    bytes
        An ONNX file; ``content`` itself if its nodes hold graphs of their own, which can use
        what is outside without saying so.
    """
    model = list(fields(memoryview(content)))
    parts = [part.raw for part in model if part.number != _MODEL_GRAPH]
    for part in model:
        if part.number == _MODEL_GRAPH:
            kept = _pruned(list(fields(part.content)), outputs)
            if kept is None:
                return content
            body = b"".join(kept)
            parts.append(memoryview(tag_of(_MODEL_GRAPH, len(body)) + body))
    return b"".join(parts)


def _pruned(graph: Sequence[Field], outputs: Sequence[str]) -> list[memoryview] | None:
    """Return the parts of a graph that are needed; None if that is unknown."""
    nodes = {place: part for place, part in enumerate(graph) if part.number == _GRAPH_NODE}
    if any(_has_graphs(node) for node in nodes.values()):
        return None
    needed = _needed(nodes, outputs)
    wanted = {name.encode() for name in outputs}
    return [
        part.raw
        for place, part in enumerate(graph)
        if (place not in nodes or place in needed)
        and (part.number != _GRAPH_OUTPUT or wanted.issuperset(_texts(part, _VALUE_NAME)))
    ]


def _needed(nodes: Mapping[int, Field], outputs: Sequence[str]) -> set[int]:
    """Return the places of nodes that outputs are computed from, directly or not."""
    makers = {name: place for place, node in nodes.items() for name in _texts(node, _NODE_OUTPUT)}
    found: set[int] = set()
    waiting = [name.encode() for name in outputs]
    while waiting:
        place = makers.get(waiting.pop())
        if place is not None and place not in found:
            found.add(place)
            waiting += _texts(nodes[place], _NODE_INPUT)
    return found


def _has_graphs(node: Field) -> bool:
    return any(
        inner.number in _ATTRIBUTE_GRAPHS
        for attribute in fields(node.content)
        if attribute.number == _NODE_ATTRIBUTE
        for inner in fields(attribute.content)
    )


def _texts(part: Field, number: int) -> list[bytes]:
    return [bytes(one.content) for one in fields(part.content) if one.number == number]


def tag_of(number: int, length: int) -> bytes:
    r"""Return the beginning of a field of so many bytes.

    Examples
    --------
    >>> tag_of(7, 300)
    b':\xac\x02'
    """
    return _varint(number << 3 | 2) + _varint(length)


def _varint(value: int) -> bytes:
    """Write a number in sevens of bits, the lowest first."""
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])

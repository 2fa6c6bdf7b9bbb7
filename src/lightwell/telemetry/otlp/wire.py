"""Protocol Buffers as they are on the wire, as far as it takes to find the spans in a request one by one.

The library builds all of a message at once: 175 bytes for a span that is two bytes on the wire, so that a body of 16 MB
can take 1.4 GB. Found one by one, spans can be counted and measured before they are built.
"""

from collections.abc import Iterator
from typing import Final

from lightwell.telemetry.otlp.shaping import MOST_PARTS, Undecodable

_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5
_LONGEST_VARINT: Final = 10


class Wire:
    """A message, and how many members are still read before it is given up."""

    def __init__(self, body: bytes) -> None:
        self.whole = memoryview(body)
        self._left = MOST_PARTS

    def members(self, message: memoryview) -> Iterator[tuple[int, memoryview]]:
        """The number and content of each member of a message that is a message or text itself; others are passed over.

        Raises Undecodable for what is no message, and for a request of too many members.
        """
        position, end = 0, len(message)
        while position < end:
            self._left -= 1
            if self._left < 0:
                raise Undecodable(f"the request has more than {MOST_PARTS} parts")
            key, position = _varint(message, position)
            number, kind = key >> 3, key & 7
            if number == 0:
                raise Undecodable("a member has no number")
            if kind == _LENGTH:
                length, position = _varint(message, position)
                if length > end - position:
                    raise Undecodable("the request ends in the middle")
                yield number, message[position : position + length]
                position += length
            else:
                position = _past(kind, message, position)
        if position > end:
            raise Undecodable("the request ends in the middle")


def written(number: int) -> bytes:
    """A number that is not negative, as it is on the wire."""
    octets = bytearray()
    while number > 127:  # noqa: PLR2004 -- seven bits in each byte
        octets.append(number & 127 | 128)
        number >>= 7
    return bytes((*octets, number))


def _past(kind: int, message: memoryview, position: int) -> int:
    if kind == _VARINT:
        return _varint(message, position)[1]
    if kind == _EIGHT_BYTES:
        return position + 8
    if kind == _FOUR_BYTES:
        return position + 4
    raise Undecodable("a member is of no known kind")


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    value = 0
    for index, byte in enumerate(message[position : position + _LONGEST_VARINT]):
        value |= (byte & 127) << (7 * index)
        if byte < 128:  # noqa: PLR2004 -- the highest bit says that more follows
            return value, position + index + 1
    raise Undecodable("a number does not end")

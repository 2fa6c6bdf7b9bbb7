"""What others send in OTLP: which form it has, and its body as it was before it was packed."""

import zlib
from typing import Final

from lightwell.kit.late import load
from lightwell.telemetry.otlp import json_form
from lightwell.telemetry.otlp.shaping import Form, Undecodable

BINARY: Final = "application/x-protobuf"
TEXTUAL: Final = "application/json"
ENCODINGS: Final = ("gzip", "identity")

_WRAPPED_IN_GZIP: Final = 16 + zlib.MAX_WBITS


class TooLarge(Exception):
    """The body is larger than it may be, once it is unpacked."""


def form_of(content_type: str) -> tuple[str, Form] | None:
    """The form that a `Content-Type` names, and its plain name; None for another one."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == TEXTUAL:
        return kind, json_form.FORM
    if kind == BINARY:
        binary: Form = load("lightwell.telemetry.otlp.protobuf:FORM")
        return kind, binary
    return None


def unpacked(body: bytes, most: int) -> bytes:
    """What gzip has packed, at most `most` bytes of it; raises TooLarge, and Undecodable for what is not whole."""
    parts: list[bytes] = []
    while body:
        unpacker = zlib.decompressobj(_WRAPPED_IN_GZIP)
        try:
            part = unpacker.decompress(body, most + 1)
        except zlib.error as error:
            raise Undecodable("the body is not packed by gzip as its Content-Encoding says") from error
        most -= len(part)
        if most < 0:
            raise TooLarge
        if not unpacker.eof:
            raise Undecodable("the body ends in the middle")
        parts.append(part)
        body = unpacker.unused_data
    return b"".join(parts)

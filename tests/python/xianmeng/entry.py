"""Entries and fork proofs (SPEC 4 and 9)."""

from dataclasses import dataclass

from .layout import Broken
from .signature import ZERO, digest, verify

HEADER = 124
BARE = HEADER + 64


@dataclass(frozen=True)
class Entry:
    key: bytes
    sequence: int
    previous: bytes
    charter: int
    time_ms: int
    kind: int
    body_len: int
    body_hash: bytes
    signature: bytes
    body: bytes | None
    id: bytes

    def header(self):
        return (
            b"\x01\x01" + self.key + self.sequence.to_bytes(8, "little") + self.previous
            + self.charter.to_bytes(4, "little") + self.time_ms.to_bytes(8, "little")
            + self.kind.to_bytes(2, "little") + self.body_len.to_bytes(4, "little") + self.body_hash
        )  # fmt: skip

    def encode(self):
        return self.header() + self.signature + (self.body or b"")

    def place(self):
        return self.key, self.sequence, self.previous


def decode(data):
    """Layout and body; the signature is for `verified`."""
    if len(data) < BARE:
        raise Broken("entry/short", f"{len(data)} bytes")
    number = lambda start, end: int.from_bytes(data[start:end], "little")
    if data[0] != 1:
        raise Broken("entry/header-version", str(data[0]))
    if data[1] != 1:
        raise Broken("entry/suite", str(data[1]))
    sequence, previous = number(34, 42), data[42:74]
    if (sequence == 0) != (previous == ZERO):
        raise Broken("entry/predecessor")
    if number(86, 88) == 0:
        raise Broken("entry/kind-zero")
    body_len, body_hash = number(88, 92), data[92:124]
    if not 16 <= body_len <= 65536:
        raise Broken("entry/body-length-bound", str(body_len))
    body = data[BARE:] or None
    if body is not None and len(body) != body_len:
        raise Broken("entry/body-length", f"{len(body)} bytes, the header says {body_len}")
    if body is not None and digest(body) != body_hash:
        raise Broken("entry/body-hash")
    return Entry(
        data[2:34], sequence, previous, number(74, 78), number(78, 86), number(86, 88), body_len, body_hash,
        data[HEADER:BARE], body, digest(data[:HEADER]),
    )  # fmt: skip


def verified(entry, federation):
    if not verify(entry.key, "entry", federation, entry.id, entry.signature):
        raise Broken("entry/signature", "it does not verify")
    return entry


def decode_proof(data, federation):
    """The key and the sequence that a fork proof is about."""
    if len(data) != 2 * BARE:
        raise Broken("fork/length", f"{len(data)} bytes")
    lower = verified(decode(data[:BARE]), federation)
    higher = verified(decode(data[BARE:]), federation)
    if lower.id >= higher.id:
        raise Broken("fork/order")
    if lower.place() != higher.place():
        raise Broken("fork/unrelated")
    return lower.key, lower.sequence

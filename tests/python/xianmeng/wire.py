"""What travels unsigned or is not kept: beacons, messages, heads in compact form, chunks (SPEC 12 and 14)."""

from blake3 import blake3

from . import entry
from .layout import Broken, Reader
from .signature import digest, verify


def disk(reader):
    free_mib, permille = reader.u32("free-disk"), reader.u16("free-thousandths")
    if (free_mib, permille) == (0xFFFFFFFF, 0xFFFF):
        return None
    if free_mib == 0xFFFFFFFF or permille > 1000:
        raise Broken("layout/rule/free-disk", "known in both measures or in none")
    return [free_mib, permille]


def clock_offset(reader):
    offset = int.from_bytes(reader.bytes(4, "clock-offset"), "little", signed=True)
    return None if offset == -(1 << 31) else offset


def relay(data):
    reader = Reader(data)
    kind = reader.u8("relay-message")
    if kind == 0:
        found = {"greet": reader.boolean("alone")}
    elif kind in (1, 2):
        ids = [reader.bytes(8, "id").hex() for _ in range(reader.count(2048, "ids"))]
        found = {"offer" if kind == 1 else "want": ids}
    elif kind == 3:
        count = reader.count(2048, "beacons")
        found = {"beacons": [reader.bytes(reader.count(6345, "beacon"), "beacon").hex() for _ in range(count)]}
    elif kind == 4:
        found = {"ask": reader.u64("nonce")}
    elif kind == 5:
        found = {"tell": [reader.u64("nonce"), reader.u64("clock")]}
    else:
        raise Broken("layout/rule/relay-message", str(kind))
    reader.finish()
    return found


def beacon(data, federation):
    reader = Reader(data)
    reader.choice(reader.u8("beacon-layout"), (2,), "beacon-layout")
    found = {
        "transport": reader.bytes(32, "transport-key").hex(),
        "boot_ms": reader.u64("boot-time"),
        "counter": reader.u64("counter"),
        "expires_ms": reader.u64("expiry"),
        "interval_seconds": reader.u32("interval"),
        "version": ".".join(str(reader.u16("software")) for _ in range(3)),
        "charter_version": reader.u32("charter-version"),
        "digest": reader.bytes(32, "digest").hex(),
        "entries": reader.u64("entries"),
        "missing_entries": reader.u32("missing-entries"),
        "missing_bodies": reader.u32("missing-bodies"),
        "peers": reader.u16("peers"),
        "disk": disk(reader),
        "clock_offset_ms": clock_offset(reader),
        "rejected": reader.u32("rejected"),
        "id": blake3(data).digest()[:8].hex(),
        "heads": [],
    }
    for _ in range(reader.count(512, "heads")):
        log = reader.u32("log")
        if found["heads"] and found["heads"][-1][0] >= log:
            raise Broken("layout/rule/log", "not strictly ascending")
        found["heads"].append([log, reader.u64("length")])
    signature = reader.bytes(64, "signature")
    reader.finish()
    if not verify(data[1:33], "beacon", federation, data[:-64], signature):
        raise Broken("beacon/signature")
    return found


class Bincode(Reader):
    """Fixed-size integers, little-endian; lengths of sequences are `u64`. Every fault has one name."""

    def items(self, read):
        # Every element has a byte at least, so an honest count never exceeds what is left.
        count = self.u64("count")
        if count > self.remaining():
            raise Broken("message/decode")
        return [read() for _ in range(count)]

    def blob(self):
        return self.bytes(self.u64("length"), "bytes").hex()

    def id(self):
        if self.u64("length") != 32:
            raise Broken("message/decode")
        return self.bytes(32, "id").hex()


def hello(reader):
    return {
        "federation": reader.id(), "charter_version": reader.u32("version"), "charter_tip": reader.id(),
        "digest": reader.id(), "proofs": reader.id(), "complete": reader.boolean("complete"),
        "nonce": reader.bytes(16, "nonce").hex(),
    }  # fmt: skip


def span(reader):
    return [reader.u32("log"), reader.u64("from"), reader.u64("count")]


MESSAGES = (
    ("hello", hello),
    ("blocks-request", lambda r: {"after": r.u32("after")}),
    ("blocks", lambda r: {"blocks": r.items(r.blob)}),
    ("heads", lambda r: {"heads": r.blob(), "proofs": r.items(r.blob), "rival": r.blob()}),
    ("branch", lambda r: {"prefixes": r.blob()}),
    ("rival", lambda r: {"block": r.blob()}),
    ("full-heads-request", lambda r: {}),
    ("full-heads", lambda r: {"heads": r.items(lambda: [r.u32("log"), r.u64("length"), r.id()])}),
    ("range-request", lambda r: {"id": r.u32("id"), "spans": r.items(lambda: span(r))}),
    ("chunk", lambda r: {"id": r.u32("id"), "bytes": r.u32("bytes"), "payload": r.blob()}),
    ("range-end", lambda r: {"id": r.u32("id")}),
    ("ids-request", lambda r: {"log": r.u32("log"), "sequences": r.items(lambda: r.u64("sequence"))}),
    ("ids", lambda r: {"log": r.u32("log"), "ids": r.items(lambda: [r.u64("sequence"), r.id()])}),
    ("proofs", lambda r: {"proofs": r.items(r.blob)}),
    ("done", lambda r: {}),
)


def message(data):
    if len(data) > 4 * 1024 * 1024:
        raise Broken("message/length")
    reader = Bincode(data)
    try:
        number = reader.u32("number")
        if number >= len(MESSAGES):
            raise Broken("message/decode")
        name, read = MESSAGES[number]
        found = {"message": name, **read(reader)}
    except Broken:
        raise Broken("message/decode") from None
    if reader.remaining():
        raise Broken("message/trailing")
    return found


def short_id_key(one, other):
    return digest(b"xianmeng/short-id/1", min(one, other), max(one, other))


def short_id(key, id):
    return blake3(id, key=key).digest()[:8]


def heads(data, logs):
    reader = Reader(data)
    found, log = [], 0
    for index in range(reader.varint("heads")):
        difference = reader.varint("log")
        if index and difference == 0:
            raise Broken("layout/rule/log", "not strictly ascending")
        log += difference
        length = reader.varint("length")
        if length == 0:
            raise Broken("layout/rule/length", "it is 0")
        short = reader.bytes(8, "short-id")
        if log < logs:
            found.append([log, length, short.hex()])
    reader.finish()
    return found


def decompress(payload):
    """One Zstandard frame (RFC 8878) of raw and repeated-byte blocks; compressed blocks need a real library."""
    if payload[:4] != b"\x28\xb5\x2f\xfd" or len(payload) < 6:
        raise Broken("chunk/compression", "not Zstandard")
    descriptor = payload[4]
    single, size_flag = descriptor >> 5 & 1, descriptor >> 6
    size_bytes = (single, 2, 4, 8)[size_flag]
    at = 5 + (not single) + (0, 1, 2, 4)[descriptor & 3] + size_bytes
    out = b""
    while True:
        header = int.from_bytes(payload[at : at + 3], "little")
        kind, size = header >> 1 & 3, header >> 3
        at += 3
        if kind == 0:
            out += payload[at : at + size]
            at += size
        elif kind == 1:
            out += payload[at : at + 1] * size
            at += 1
        else:
            raise NotImplementedError("a compressed block")
        if header & 1:
            return out


def chunk(claimed, payload, key_of):
    """The log and the rebuilt entry of everything in a chunk, in order. Signatures are not verified here."""
    if claimed > 331776:
        raise Broken("chunk/compression", "it claims more than a chunk may")
    plain = decompress(payload)
    if len(plain) != claimed:
        raise Broken("chunk/compression", f"{len(plain)} bytes, not {claimed}")
    reader = Reader(plain)
    while reader.remaining():
        log = reader.varint("log", 32)
        key = key_of(log)
        if key is None:
            raise Broken("chunk/unknown-log", str(log))
        start, count = reader.varint("from"), reader.varint("count")
        if count > 4096:
            raise Broken("layout/bound/count", str(count))
        previous = reader.bytes(32, "previous")
        for sequence in range(start, start + count):
            found = rebuilt(reader, key, min(sequence, 2**64 - 1), previous)
            previous = found.id
            yield log, found


def rebuilt(reader, key, sequence, previous):
    flags = reader.u8("entry-flags")
    if flags > 1:
        raise Broken("layout/rule/entry-flags", "undefined bits")
    signature = reader.bytes(64, "signature")
    charter, time_ms = reader.varint("charter", 32), reader.varint("time-ms")
    kind, body_len = reader.varint("kind", 16), reader.varint("body-length", 32)
    if not 16 <= body_len <= 65536:
        raise Broken("entry/body-length-bound", str(body_len))
    body = reader.bytes(body_len, "body") if flags else b""
    body_hash = digest(body) if flags else reader.bytes(32, "body-hash")
    parts = (key, sequence, previous, charter, time_ms, kind, body_len, body_hash, signature, body, b"")
    return entry.decode(entry.Entry(*parts).encode())

"""Layouts of the charter: applications, operations and signed blocks (SPEC 8)."""

from dataclasses import dataclass

from .layout import Broken, Reader
from .signature import ZERO, digest, verify

SIGNING, TRANSPORT, GOVERNANCE = 1, 2, 4


def purpose(reader):
    return reader.choice(reader.u8("key-purpose"), (SIGNING, TRANSPORT, GOVERNANCE), "key-purpose")


def application(reader):
    start = reader.at
    class_ = reader.choice(reader.u8("class"), (1, 2, 3, 4, 5), "class")
    name = reader.line(256, "member-name")
    region = reader.text(6, "region", empty_allowed=True)
    keys = []
    for _ in range(reader.count(256, "keys")):
        kind = purpose(reader)
        keys.append((kind, reader.bytes(32, "key")))
    content = reader.data[start : reader.at]
    if region and not (len(region) == 6 and region.isascii() and region.isdigit()):
        raise Broken("layout/rule/region", region)
    held = [kind for kind, _ in keys]
    if held.count(SIGNING) != 1 or held.count(TRANSPORT) == 0 or held.count(GOVERNANCE) > 1:
        raise Broken("layout/rule/keys")
    proofs = [reader.bytes(64, "proof-of-possession") for _ in keys]
    return {"class": class_, "name": name, "region": region, "keys": keys, "proofs": proofs, "content": content}


def proven(application, federation):
    pairs = zip(application["keys"], application["proofs"])
    return all(verify(key, "possession", federation, application["content"], proof) for (_, key), proof in pairs)


def fingerprint(application):
    hashed = digest(application["content"])
    groups = (int.from_bytes(hashed[at : at + 4], "big") % 10000 for at in range(0, 24, 4))
    return " ".join(f"{group:04}" for group in groups)


def seal(reader):
    key = reader.bytes(32, "sealed-key")
    accepts = reader.boolean("seal-accepts")
    sequence, id = reader.u64("seal-sequence"), reader.bytes(32, "seal-id")
    if not accepts and (sequence or id != ZERO):
        raise Broken("layout/rule/seal", "not zero")
    return {"key": key, "last": (sequence, id) if accepts else None}


def seals(reader):
    found = [seal(reader) for _ in range(reader.count(256, "seals"))]
    keys = [one["key"] for one in found]
    if any(first >= second for first, second in zip(keys, keys[1:])):
        raise Broken("layout/rule/seals", "not strictly ascending")
    return found


def add_key(reader):
    start = reader.at
    member, kind, key = reader.u32("member"), purpose(reader), reader.bytes(32, "key")
    content = reader.data[start : reader.at]
    proof = reader.bytes(64, "proof-of-possession")
    return {"member": member, "purpose": kind, "key": key, "proof": proof, "content": content}


OPERATIONS = {
    1: ("rules", lambda reader: {"name": reader.line(256, "federation-name"), "threshold": reader.u16("threshold")}),
    2: ("kind-set", lambda reader: {
        "version": reader.u16("kind-set-version"), "hash": reader.bytes(32, "kind-set-hash")}),
    3: ("admit", lambda reader: {"member": reader.u32("member"), "application": application(reader)}),
    4: ("expel", lambda reader: {
        "member": reader.u32("member"), "reason": reader.text(1024, "reason", True), "seals": seals(reader)}),
    5: ("add-key", add_key),
    6: ("seal-key", lambda reader: {"seal": seal(reader)}),
    7: ("add-registrar", lambda reader: {"member": reader.u32("member"), "key": reader.bytes(32, "key")}),
    8: ("remove-registrar", lambda reader: {"key": reader.bytes(32, "key")}),
}  # fmt: skip


def operation(reader):
    number = reader.u16("operation-type")
    body = Reader(reader.bytes(reader.u32("operation-length"), "operation"))
    if number not in OPERATIONS:
        raise Broken("layout/rule/operation-type", f"{number} is not known: update needed")
    name, read = OPERATIONS[number]
    found = {"operation": name, **read(body)}
    body.finish()
    return found


@dataclass(frozen=True)
class Block:
    version: int
    previous: bytes
    time_ms: int
    expires_ms: int
    operations: list
    hash: bytes
    signatures: dict

    def signers(self, federation):
        domain = ZERO if self.version == 1 else federation
        return [key for key, proof in self.signatures.items() if verify(key, "block", domain, self.hash, proof)]


def decode(data):
    outer = Reader(data)
    length = outer.u32("block-length")
    if length > 262144:
        raise Broken("layout/bound/block-length", str(length))
    content = outer.bytes(length, "block")
    reader = Reader(content)
    reader.choice(reader.u8("block-layout"), (1,), "block-layout")
    reader.choice(reader.u8("block-suite"), (1,), "block-suite")
    version, previous = reader.u32("block-version"), reader.bytes(32, "previous-block")
    time_ms, expires_ms = reader.u64("block-time"), reader.u64("block-expiry")
    operations = [operation(reader) for _ in range(reader.count(1024, "operations"))]
    reader.finish()
    signatures = {}
    for _ in range(outer.count(256, "block-signatures")):
        key = outer.bytes(32, "signer")
        if signatures and list(signatures)[-1] >= key:
            raise Broken("layout/rule/signer", "not strictly ascending")
        signatures[key] = outer.bytes(64, "block-signature")
    outer.finish()
    return Block(version, previous, time_ms, expires_ms, operations, digest(content), signatures)

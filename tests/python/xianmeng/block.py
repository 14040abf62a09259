"""Layouts of the charter: applications, operations and signed blocks (SPEC 8)."""

from dataclasses import dataclass

from . import erasure
from .layout import Broken, Reader
from .signature import ZERO, digest, verify

SIGNING, TRANSPORT, ENCRYPTION, GOVERNANCE = 1, 2, 3, 4
REGISTRAR = 1
CLASSES = (1, 2, 3, 4, 5)
ROLES = (1, 2, 3, 4, 5, 6)
MEMBERS_MAX = 20000
CLASS_KEY_WRAPS_MAX = 512
LEAD_EVALUATIONS_PER_DAY_MAX = 10000


def purpose(reader):
    return reader.choice(reader.u8("key-purpose"), (SIGNING, TRANSPORT, ENCRYPTION, GOVERNANCE), "key-purpose")


def application(reader):
    start = reader.at
    class_ = reader.choice(reader.u8("class"), CLASSES, "class")
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
    single = held.count(SIGNING) == 1 and held.count(ENCRYPTION) == 1 and held.count(GOVERNANCE) <= 1
    if not single or held.count(TRANSPORT) == 0:
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


def reason(reader):
    return reader.text(1024, "reason", empty_allowed=True)


def grant(reader):
    start = reader.at
    member, kind, key = reader.u32("member"), purpose(reader), reader.bytes(32, "key")
    content = reader.data[start : reader.at]
    proof = reader.bytes(64, "proof-of-possession")
    return {"member": member, "purpose": kind, "key": key, "proof": proof, "content": content}


def rules(reader):
    name, threshold = reader.line(256, "federation-name"), reader.u16("threshold")
    return {"name": name, "threshold": threshold, "ballots": reader.choice(reader.u8("ballot-rule"), (1, 2), "ballot-rule")}


def departure(reader):
    return {"member": reader.u32("member"), "reason": reason(reader), "seals": seals(reader)}


def role(reader):
    return reader.choice(reader.u8("role"), ROLES, "role")


def seat(reader):
    found = {
        "role": role(reader), "member": reader.u32("member"), "key": reader.bytes(32, "registrar-key"),
        "person": reader.line(256, "person", empty_allowed=True), "from_ms": reader.u64("begin-of-term"),
        "until_ms": reader.u64("end-of-term"),
    }  # fmt: skip
    if (found["role"] == REGISTRAR) == (found["key"] == ZERO):
        raise Broken("layout/rule/registrar-key")
    if found["until_ms"] and found["until_ms"] <= found["from_ms"]:
        raise Broken("layout/rule/end-of-term")
    return found


def numbered_hash(name):
    return lambda reader: {"version": reader.u16(f"{name}-version"), "hash": reader.bytes(32, f"{name}-hash")}


def class_key(reader):
    class_ = reader.choice(reader.u8("class"), CLASSES, "class")
    version, key = reader.u32("class-key-version"), reader.bytes(32, "class-key")
    count = reader.count(CLASS_KEY_WRAPS_MAX, "class-key-wraps")
    if count == 0:
        raise Broken("layout/rule/class-key-wraps", "none")
    holders = []
    for _ in range(count):
        holder = [reader.u32("class-key-holder"), reader.bytes(32, "class-key-holder")]
        if holders and holders[-1] >= holder:
            raise Broken("layout/rule/class-key-holder", "not strictly ascending")
        holders.append(holder)
        reader.bytes(32, "wrap-encapsulated")
        reader.bytes(48, "wrapped-key")
    return {"of_class": class_, "version": version, "key": key, "holders": holders}


def lead_holder(reader):
    found = {
        "slot": reader.choice(reader.u8("holder-slot"), (1, 2), "holder-slot"), "member": reader.u32("member"),
        "key": reader.bytes(32, "holder-key"),
        "possession": reader.bytes(32, "possession-element") + reader.bytes(64, "possession-proof"),
        "per_day": reader.u32("evaluations-per-day"),
    }  # fmt: skip
    if found["per_day"] > LEAD_EVALUATIONS_PER_DAY_MAX:
        raise Broken("layout/bound/evaluations-per-day", str(found["per_day"]))
    return found


OPERATIONS = {
    1: ("rules", rules),
    2: ("kind-set", numbered_hash("kind-set")),
    3: ("admit", lambda reader: {"member": reader.u32("member"), "application": application(reader)}),
    4: ("warn", lambda reader: {"member": reader.u32("member"), "reason": reason(reader)}),
    5: ("suspend", departure),
    6: ("reinstate", lambda reader: {"reason": reason(reader), "grant": grant(reader)}),
    7: ("leave", departure),
    8: ("expel", departure),
    9: ("add-key", lambda reader: {"grant": grant(reader)}),
    10: ("seal-key", lambda reader: {"seal": seal(reader)}),
    11: ("replace-key", lambda reader: {"seal": seal(reader), "grant": grant(reader)}),
    12: ("grant-role", seat),
    13: ("take-role", lambda reader: {"seat": reader.u32("seat"), "reason": reason(reader)}),
    14: ("role-rule", lambda reader: {
        "role": role(reader), "seats_max": reader.u16("seats"), "term_ms": reader.u64("term")}),
    15: ("limits", lambda reader: {"gossip_entries_per_minute": reader.u32("gossip-entries-per-minute")}),
    16: ("duty-rules", numbered_hash("duty-rules")),
    17: ("reassign", lambda reader: {
        "from": reader.u32("member"), "to": reader.u32("member"), "reason": reason(reader)}),
    18: ("erase", lambda reader: {"reason": reason(reader), "targets": erasure.targets(reader)}),
    19: ("class-key", class_key),
    20: ("lead-holder", lead_holder),
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


def content(data):
    """A block without its signatures."""
    if len(data) > 262144:
        raise Broken("layout/bound/block-length", str(len(data)))
    reader = Reader(data)
    reader.choice(reader.u8("block-layout"), (1,), "block-layout")
    reader.choice(reader.u8("block-suite"), (1,), "block-suite")
    version, previous = reader.u32("block-version"), reader.bytes(32, "previous-block")
    time_ms, expires_ms = reader.u64("block-time"), reader.u64("block-expiry")
    operations = [operation(reader) for _ in range(reader.count(1024, "operations"))]
    reader.finish()
    return Block(version, previous, time_ms, expires_ms, operations, digest(data), {})


def decode(data):
    outer = Reader(data)
    length = outer.u32("block-length")
    if length > 262144:
        raise Broken("layout/bound/block-length", str(length))
    block = content(outer.bytes(length, "block"))
    last = None
    for _ in range(outer.count(MEMBERS_MAX, "block-signatures")):
        key = outer.bytes(32, "signer")
        if last is not None and last >= key:
            raise Broken("layout/rule/signer", "not strictly ascending")
        last = key
        block.signatures[key] = outer.bytes(64, "block-signature")
    outer.finish()
    return block

"""Bodies of system kinds 2 to 5: proposals, endorsements, erasures and acknowledgements (SPEC 7)."""

from .layout import Broken, Reader

ERASURE = 4


def targets(reader):
    """What an erasure names, in an entry or in an operation of the charter."""
    found = []
    for _ in range(reader.count(512, "erased-entries")):
        key, sequence = reader.bytes(32, "erased-key"), reader.u64("erased-sequence")
        id, creates = reader.bytes(32, "erased-id"), reader.boolean("erased-create")
        if found and found[-1][:2] >= (key, sequence):
            raise Broken("layout/rule/erased-entries", "not strictly ascending")
        found.append((key, sequence, id, creates))
    if not found:
        raise Broken("layout/rule/erased-entries", "none")
    return found


def opened(body, name):
    reader = Reader(body)
    reader.bytes(16, "nonce")
    reader.choice(reader.u8(f"{name}-layout"), (1,), f"{name}-layout")
    return reader


def erasure(body):
    reader = opened(body, "erasure")
    found = {"reason": reader.text(1024, "reason", empty_allowed=True), "targets": targets(reader)}
    reader.finish()
    return found


def acknowledgement(body):
    reader, found = opened(body, "acknowledgement"), []
    for _ in range(reader.count(1024, "acknowledged-erasures")):
        id = reader.bytes(32, "acknowledged-erasure")
        if found and found[-1] >= id:
            raise Broken("layout/rule/acknowledged-erasures", "not strictly ascending")
        found.append(id)
    reader.finish()
    return {"erasures": [id.hex() for id in found]}


def proposal(body):
    """The bytes of the proposed block; what they hold is for the charter's layouts."""
    reader = opened(body, "proposal")
    found = reader.bytes(reader.u32("proposed-block-length"), "proposed-block")
    return reader, found


def endorsement(body):
    reader = opened(body, "endorsement")
    block, key = reader.bytes(32, "block-hash"), reader.bytes(32, "governance-key")
    withdrawn, signature = reader.boolean("withdrawn"), reader.bytes(64, "block-signature")
    reader.finish()
    if withdrawn != (signature == bytes(64)):
        raise Broken("layout/rule/block-signature", "zero in a withdrawal, and only there")
    return {"block": block.hex(), "key": key.hex(), "signature": None if withdrawn else signature.hex()}

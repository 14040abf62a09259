"""Runs the test vectors of the protocol against this second implementation, then damages the sample bundle.

Exit code 0 when every verdict and every decoded field agrees, 10 when one does not.
"""

import io
import json
import pathlib
import sys

from xianmeng import block, entry, erasure, leads, replica, sealed, signature, statement, wire
from xianmeng.bundle import Failure, Verifier
from xianmeng.charter import Charter
from xianmeng.layout import Broken, Reader

VECTORS = pathlib.Path(__file__).resolve().parents[2] / "protocol" / "vectors"


def data(vector, member="input"):
    return bytes.fromhex(vector[member])


def judge_signature(vector):
    parts = (data(vector, "key"), vector["domain"], data(vector, "federation"), data(vector))
    if not signature.verify(*parts, data(vector, "signature")):
        raise Broken("signature")


def judge_entry(vector):
    found = entry.verified(entry.decode(data(vector)), data(vector, "federation"))
    shown = {name: getattr(found, name) for name in found.__dataclass_fields__}
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in shown.items()}


def judge_proof(vector):
    key, sequence = entry.decode_proof(data(vector), data(vector, "federation"))
    return {"key": key.hex(), "sequence": sequence}


def judge_frontier(vector):
    proofs = {data(proof, "key"): proof["sequence"] for proof in vector["proofs"]}
    heads = [(head["log"], head["length"], data(head, "id")) for head in vector["heads"]]
    hashed = replica.proofs_hash(proofs, vector["rival"] or 0)
    federation, tip = data(vector, "federation"), data(vector, "charter_tip")
    digest = replica.frontier_digest(federation, vector["charter_version"], tip, heads, hashed)
    return {"proofs": hashed.hex(), "digest": digest.hex()}


def shown_application(application):
    return {
        "class": application["class"], "name": application["name"], "region": application["region"],
        "keys": [{"purpose": purpose, "key": key.hex()} for purpose, key in application["keys"]],
        "fingerprint": block.fingerprint(application),
        "proofs": [proof.hex() for proof in application["proofs"]],
    }  # fmt: skip


def judge_application(vector):
    reader = Reader(data(vector))
    application = block.application(reader)
    reader.finish()
    if not block.proven(application, data(vector, "federation")):
        raise Broken("application/possession")
    return shown_application(application)


def shown(value):
    """Bytes as hexadecimal text, whatever they are in."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict) and "proofs" in value:
        return shown_application(value)
    if isinstance(value, dict):
        return {name: shown(part) for name, part in value.items() if name != "content"}
    if isinstance(value, tuple) and len(value) > 2:
        return shown(list(value))
    if isinstance(value, tuple):
        return {"sequence": value[0], "id": value[1].hex()}
    return [shown(part) for part in value] if isinstance(value, list) else value


def judge_block(vector):
    found = block.decode(data(vector))
    return {
        "version": found.version, "previous": found.previous.hex(), "time_ms": found.time_ms,
        "expires_ms": found.expires_ms, "hash": found.hash.hex(), "operations": shown(found.operations),
        "signers": [key.hex() for key in found.signers(data(vector, "federation"))],
    }  # fmt: skip


def build_charter(blocks, pins=()):
    first, *rest = (block.decode(bytes.fromhex(text)) for text in blocks)
    charter = Charter(first)
    charter.pins = {version: bytes.fromhex(hash) for version, hash in pins}
    for later in rest:
        charter.append(later)
    return charter


def judge_charter(vector):
    charter = build_charter(vector["input"], vector.get("pins", ()))
    roster = charter.roster
    seal = lambda log: "nothing" if log.seal == ("nothing",) else shown(log.seal)
    logs = [
        {
            "number": log.number, "key": log.key.hex(), "member": log.member, "granted": log.granted,
            "seal": seal(log), "heirs": [list(heir) for heir in log.heirs],
        }
        for log in roster.logs
    ]  # fmt: skip
    sets = lambda numbered: [[version, numbered[version].hex()] for version in sorted(numbered)]
    class_keys = [
        {"class": class_, **shown(key)} for class_ in sorted(roster.class_keys) for key in roster.class_keys[class_]
    ]
    return {
        "federation": charter.federation.hex(), "version": charter.version(), "tip": charter.blocks[-1].hash.hex(),
        "name": roster.name, "threshold": roster.threshold, "ballot_rule": roster.ballots,
        "ballots_needed": roster.ballots_needed(), "voters": roster.voters(), "trial": roster.is_trial(),
        "members": shown(list(roster.members.values())), "logs": logs, "seats": shown(roster.seats),
        "role_rules": [[role, *roster.role_rules[role]] for role in sorted(roster.role_rules)],
        "lead_holders": [[slot, *shown(roster.lead_holders[slot])] for slot in sorted(roster.lead_holders)],
        "lead_epoch": roster.lead_epoch(),
        "class_keys": class_keys, "kind_sets": sets(roster.kind_sets), "duty_rules": sets(roster.duty_sets),
        "gossip_entries_per_minute": roster.gossip_entries_per_minute or None, "erased": shown(roster.erased),
        "registrars": [[key.hex(), roster.registrars[key]] for key in sorted(roster.registrars)],
        "transport_keys": shown(roster.live_keys(block.TRANSPORT)),
        "encryption_keys": shown(roster.live_keys(block.ENCRYPTION)),
        "governance_keys": shown(roster.live_keys(block.GOVERNANCE)),
    }  # fmt: skip


def shown_frontier(found):
    absent = [
        [number, held.sequence] for number, log in enumerate(found.logs) for held in log.entries if held.body is None
    ]
    return {
        "heads": [[log, length, id.hex()] for log, length, id in found.heads()],
        "held": [len(log.entries) for log in found.logs], "absent": absent,
        "displaced": sum(len(log.displaced) for log in found.logs), "complete": found.complete(),
        "proofs": found.proof_set().hex(), "digest": found.digest().hex(),
    }  # fmt: skip


def step(found, what, content):
    if what == "block":
        return "rival" if found.append_block(block.decode(content)) else "block"
    if what == "proof":
        found.add_proof(*entry.decode_proof(content, found.charter.federation))
        return "proof"
    return found.insert(entry.verified(entry.decode(content), found.charter.federation))


def judge_erasure(vector):
    found = erasure.erasure(data(vector))
    return {"reason": found["reason"], "targets": shown(found["targets"])}


def judge_proposal(vector):
    reader, proposed = erasure.proposal(data(vector))
    found = block.content(proposed)
    reader.finish()
    return {"version": found.version, "operations": len(found.operations), "hash": found.hash.hex()}


def judge_log(vector):
    found = replica.Replica(build_charter(vector["charter"]))
    outcomes = [step(found, what, bytes.fromhex(text)) for what, text in vector["input"]]
    staged = sum(len(log.staged) for log in found.logs)
    decoded = {"outcomes": outcomes, "staged": staged, "frontier": shown_frontier(found)}
    if outcomes[-1] not in ("appended", "duplicate", "body-arrived", "staged", "block", "rival", "proof"):
        vector["decoded_here"] = decoded
        raise Broken(outcomes[-1])
    return decoded


def judge_heads(vector):
    key = wire.short_id_key(data(vector, "nonce_one"), data(vector, "nonce_other"))
    shorts = [wire.short_id(key, bytes.fromhex(id)).hex() for id in vector["ids"]]
    return {"heads": wire.heads(data(vector), vector["logs"]), "short_ids": shorts}


def judge_chunk(vector):
    keys = [bytes.fromhex(key) for key in vector["logs"]]
    key_of = lambda log: keys[log] if log < len(keys) else None
    entries = list(wire.chunk(vector["bytes"], data(vector), key_of))
    for _, found in entries:
        entry.verified(found, data(vector, "federation"))
    return {"entries": [[log, found.encode().hex()] for log, found in entries]}


def judge_bundle(vector):
    content = (VECTORS / vector["file"]).read_bytes() if "file" in vector else data(vector)
    try:
        found = Verifier().run(io.BytesIO(content))
    except Failure as failure:
        raise Broken(failure.rule.split(":")[0]) from None
    held = found.replica
    logs = [
        [log.number, log.member, len(held.logs[log.number].entries), held.effective_length(log)]
        for log in found.charter.roster.logs
    ]
    return {"federation": found.federation.hex(), "logs": logs, "frontier": shown_frontier(held)}


JUDGES = {
    "acknowledgements": lambda vector: erasure.acknowledgement(data(vector)),
    "addresses": lambda vector: statement.addresses(data(vector)),
    "applications": judge_application,
    "beacons": lambda vector: wire.beacon(data(vector), data(vector, "federation")),
    "blocks": judge_block,
    "bundles": judge_bundle,
    "charters": judge_charter,
    "chunks": judge_chunk,
    "endorsements": lambda vector: erasure.endorsement(data(vector)),
    "entries": judge_entry,
    "erasures": judge_erasure,
    "fork_proofs": judge_proof,
    "frontiers": judge_frontier,
    "heads": judge_heads,
    "lead_messages": leads.judge_message,
    "lead_secrets": leads.judge_secret,
    "lead_tokens": leads.judge_token,
    "logs": judge_log,
    "proposals": judge_proposal,
    "messages": lambda vector: wire.message(data(vector)),
    "sealed": sealed.judge,
    "signatures": judge_signature,
    "relay": lambda vector: wire.relay(data(vector)),
    "statements": lambda vector: statement.statement(data(vector)),
    "values": lambda vector: statement.value(vector["type"], data(vector)),
}


def check(file):
    """The names of the vectors of a file that do not agree, and how many vectors it has."""
    vectors = json.loads(file.read_text("utf-8"))["vectors"]
    wrong = []
    for vector in vectors:
        try:
            verdict, decoded = "ok", JUDGES[file.stem](vector)
        except Broken as broken:
            verdict, decoded = broken.rule, vector.pop("decoded_here", None)
        if verdict != vector["verdict"] or decoded != vector.get("decoded"):
            wrong.append(f"{file.name}: {vector['name']}: {verdict}, expected {vector['verdict']}")
    return wrong, len(vectors)


def damage_sample():
    """Flips a bit of each byte of the sample: all must be noticed, and those in entries named."""
    sample = (VECTORS / "sample.bundle").read_bytes()
    frames, at = [], 44
    while at < len(sample):
        length = int.from_bytes(sample[at + 1 : at + 5], "little")
        frames.append((at, sample[at], length))
        at += 5 + length
    unnoticed = []
    for start, frame_type, length in frames:
        for place in range(start, start + 5 + length):
            damaged = sample[:place] + bytes([sample[place] ^ 1]) + sample[place + 1 :]
            try:
                Verifier().run(io.BytesIO(damaged))
                unnoticed.append(f"sample.bundle: byte {place} was not noticed")
            except Failure as failure:
                in_entry = frame_type == 2 and place >= start + 5
                if in_entry and not (str(failure).startswith("entry of ") and f"at byte {start})" in str(failure)):
                    unnoticed.append(f"sample.bundle: byte {place} is in an entry that was not named: {failure}")
    return unnoticed, len(sample) - 44


def main():
    wrong, total = [], 0
    files = sorted(VECTORS.glob("*.json"))
    missing = set(JUDGES) - {file.stem for file in files}
    wrong += [f"{name}.json is missing" for name in sorted(missing)]
    for found, count in [*map(check, files), damage_sample()]:
        wrong += found
        total += count
    print("\n".join([*wrong, f"{total} checks, {len(wrong)} wrong"]))
    return 10 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

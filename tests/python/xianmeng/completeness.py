"""Audit bundles: whether a file holds all that a member published up to a frontier (SPEC 11.1)."""

from . import wire
from .block import TRANSPORT
from .bundle import CLAIM, Verifier, frames_of
from .layout import Broken, Reader
from .replica import frontier_digest
from .signature import ZERO

HEADS_MAX = 65536


def claim(data):
    reader = Reader(data)
    reader.choice(reader.u8("claim-layout"), (1,), "claim-layout")
    found = {
        "member": reader.u32("member"), "version": reader.u32("charter-version"), "tip": reader.bytes(32, "tip-hash"),
        "proofs": reader.bytes(32, "proof-set"), "heads": {},
    }  # fmt: skip
    count = reader.u32("claimed-heads")
    if count > HEADS_MAX:
        raise Broken("layout/bound/claimed-heads", f"{count} is above {HEADS_MAX}")
    for _ in range(count):
        log = reader.u32("log")
        if found["heads"] and max(found["heads"]) >= log:
            raise Broken("layout/rule/log", "not strictly ascending")
        length = reader.u64("length")
        if length == 0:
            raise Broken("layout/rule/length", "it is 0")
        found["heads"][log] = (length, reader.bytes(32, "head-id"))
    reader.finish()
    return found


def is_audit(file):
    """Whether a file makes a claim; the file is read from its beginning afterwards."""
    try:
        return any(frame_type == CLAIM for frame_type, _ in frames_of(file))
    finally:
        file.seek(0)


class AuditVerifier(Verifier):
    """Goes on where something is missing, so that everything that is missing can be named."""

    def __init__(self, expected=None):
        super().__init__()
        self.expected = expected
        self.claim = None
        self.met = {}
        """For each log: the sequences that were met, as [next, gaps]."""
        self.attested = {}
        """Member by transport key, for every attestation that holds."""
        self.ahead = []
        """Entries that name a later charter version than the file holds."""
        self.differences = []

    def differs(self, name, words=""):
        self.differences.append(f"{name}: {words}" if words else name)

    def take_block(self, content):
        try:
            super().take_block(content)
        except Broken as broken:
            if broken.rule == "charter/gap":
                raise Broken("charter-blocks-missing", str(broken)) from None
            # The charter keeps the proof that two valid blocks of one version exist.
            if broken.rule != "charter/equivocation":
                raise

    def take_outcome(self, found, outcome):
        log = self.charter.log_numbers.get(found.key)
        if log is not None:
            met = self.met.setdefault(log.number, [0, []])
            if found.sequence > met[0]:
                met[1].append((met[0], found.sequence - 1))
            met[0] = max(met[0], found.sequence + 1)
        if outcome in ("appended", "staged"):
            return
        if outcome == "ignored/above-seal":
            self.above_seal += 1
        elif outcome == "ignored/charter-ahead":
            self.ahead.append(self.where)
        else:
            self.differs(outcome, self.where)

    def take_claim(self, content):
        if self.claim is not None:
            return self.differs("claim-repeated")
        self.ready()
        self.claim = claim(content)

    def take_attestation(self, content):
        if self.claim is None:
            return self.differs("order", "an attestation before the claim")
        try:
            beacon = wire.beacon(content, self.federation)
        except Broken as broken:
            return self.differs("attestation-forged", str(broken))
        key = bytes.fromhex(beacon["transport"])
        member = self.charter.roster.holder(key, TRANSPORT)
        if beacon["digest"] != self.digest().hex():
            self.differs("attestation-frontier", f"it names {beacon['digest']}")
        elif beacon["charter_version"] != self.claim["version"]:
            self.differs("attestation-charter", f"it names version {beacon['charter_version']}")
        elif member is None:
            self.differs("attestation-key", "no member's")
        elif key in self.attested:
            self.differs("attestation-repeated", f"member {member}")
        else:
            self.attested[key] = member

    def digest(self):
        """The frontier that the file claims, or else the one that it adds up to."""
        if self.claim is None:
            return self.replica.digest()
        heads = [(log, length, id) for log, (length, id) in self.claim["heads"].items()]
        return frontier_digest(self.federation, self.claim["version"], self.claim["tip"], heads, self.claim["proofs"])

    def finish(self):
        """Compares what the file holds with what it claims; the verdict."""
        roster = self.charter.roster
        if self.claim["member"] not in roster.members:
            self.differs("member-unknown", str(self.claim["member"]))
        self.compare_charter()
        if self.replica.proof_set() != self.claim["proofs"]:
            self.differs("proofs-differ")
        for log in roster.logs:
            owned = log.member == self.claim["member"]
            if owned or log.number in self.met:
                self.compare_log(log)
            if owned:
                self.compare_bodies(log)
        if self.expected is not None and self.expected != self.digest():
            self.differs("frontier-unexpected", f"it is {self.digest().hex()}")
        return not self.differences

    def compare_charter(self):
        version, held = self.claim["version"], self.charter.version()
        if version <= held:
            for where in self.ahead:
                self.differs("ignored/charter-ahead", where)
        if version != held:
            return self.differs("charter-blocks-missing", f"the claim names version {version}, the file has {held}")
        if self.charter.blocks[-1].hash != self.claim["tip"]:
            self.differs("charter-tip", f"version {version}")
        for log in self.claim["heads"]:
            if log >= len(self.charter.roster.logs):
                self.differs("log-unknown", f"log {log}")

    def compare_log(self, log):
        number = log.number
        length, id = self.claim["heads"].get(number, (0, None))
        counted = self.replica.effective_length(log)
        if length and number not in self.met:
            return self.differs("log-missing", f"log {number}, {length} entries")
        after, gaps = self.met.get(number, (0, []))
        missing = [(first, min(last, length - 1)) for first, last in gaps if first < length]
        missing += [(after, length - 1)] if after < length else []
        for first, last in missing:
            self.differs("entries-missing", f"log {number}, entries {first} to {last}")
        if missing:
            return
        if counted > length:
            self.differs("head-lowered", f"log {number}: {length} named, {counted} count")
        elif counted < length:
            self.differs("head-unproven", f"log {number}: {length} named, {counted} count")
        elif length and self.replica.logs[number].id(length - 1) != id:
            self.differs("head-differs", f"log {number}, entry {length - 1}")
        if self.replica.names_entry(log) and self.replica.logs[number].id(log.seal[0]) != log.seal[1]:
            self.differs("sealed-branch-missing", f"log {number}, entry {log.seal[0]}")

    def compare_bodies(self, log):
        runs = []
        for entry in self.replica.missing(log):
            if runs and runs[-1][1] + 1 == entry.sequence:
                runs[-1][1] = entry.sequence
            else:
                runs.append([entry.sequence, entry.sequence])
        for first, last in runs:
            self.differs("bodies-missing", f"log {log.number}, entries {first} to {last}")

    def summary(self):
        roster, member = self.charter.roster, self.claim["member"]
        name = roster.members.get(member, {"name": "?"})["name"]
        yield f"member      {member} {name}"
        for log in roster.logs:
            if log.member == member:
                yield f"log {log.number}: {self.claim['heads'].get(log.number, (0, ZERO))[0]} entries named"
        yield f"frontier    {self.digest().hex()}"
        others = sorted(found for found in self.attested.values() if found != member)
        yield f"attested by members {', '.join(map(str, others))}" if others else "attested by nobody else"
        yield from (f"  {difference}" for difference in self.differences)
        yield "INCOMPLETE" if self.differences else "COMPLETE"

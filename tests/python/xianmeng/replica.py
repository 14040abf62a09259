"""How logs grow, what counts of them, and the frontier (SPEC 9 and 10)."""

from .layout import Broken
from .signature import ZERO, digest


class Log:
    def __init__(self):
        self.entries = []
        self.staged = {}

    def id(self, sequence):
        return self.entries[sequence].id if sequence < len(self.entries) else None

    def previous(self, sequence):
        return ZERO if sequence == 0 else self.id(sequence - 1)


class Replica:
    def __init__(self, charter):
        self.charter = charter
        self.logs = []
        self.proofs = {}
        self.grow()

    def grow(self):
        self.logs += [Log() for _ in self.charter.roster.logs[len(self.logs) :]]

    def append_block(self, block):
        self.charter.append(block)
        self.grow()

    def insert(self, entry):
        """The stable name of what becomes of a verified entry."""
        try:
            grant = self.charter.check(entry)
        except Broken as broken:
            return broken.rule
        log, sequence = self.logs[grant.number], entry.sequence
        if sequence > len(log.entries):
            log.staged.setdefault(sequence, entry)
            return "staged"
        if log.id(sequence) == entry.id:
            return self.meet_again(log, entry)
        if log.previous(sequence) != entry.previous:
            return "diverged"
        if sequence and entry.charter < log.entries[sequence - 1].charter:
            return "refused/charter-decreases"
        if sequence < len(log.entries):
            return self.contradict(grant, log, entry)
        if not self.may_grow(grant, sequence):
            return "ignored/forked-log"
        log.entries.append(entry)
        self.unstage(grant, log)
        return "appended"

    def meet_again(self, log, entry):
        if entry.body is not None and log.entries[entry.sequence].body is None:
            log.entries[entry.sequence] = entry
            return "body-arrived"
        return "duplicate"

    def contradict(self, grant, log, entry):
        self.add_proof(entry.key, entry.sequence)
        if self.names_entry(grant) and entry.sequence <= grant.seal[0] and log.id(grant.seal[0]) != grant.seal[1]:
            del log.entries[entry.sequence :]
            log.entries.append(entry)
            self.unstage(grant, log)
        return "forked"

    def unstage(self, grant, log):
        while True:
            after = len(log.entries)
            log.staged = {sequence: held for sequence, held in log.staged.items() if sequence >= after}
            entry = log.staged.pop(after, None)
            if entry is None:
                return
            attaches = log.previous(after) == entry.previous and log.entries[-1].charter <= entry.charter
            if not attaches or grant.ends_before(after) or not self.may_grow(grant, after):
                return
            log.entries.append(entry)

    @staticmethod
    def names_entry(grant):
        return grant.seal is not None and grant.seal != ("nothing",)

    def may_grow(self, grant, sequence):
        fork = self.proofs.get(grant.key)
        below = fork is None or sequence < fork
        return below or (self.names_entry(grant) and sequence <= grant.seal[0])

    def add_proof(self, key, sequence):
        if key in self.charter.log_numbers:
            self.proofs[key] = min(sequence, self.proofs.get(key, sequence))

    def effective_length(self, grant):
        log = self.logs[grant.number]
        below_fork = min(self.proofs.get(grant.key, len(log.entries)), len(log.entries))
        if grant.seal is None:
            return below_fork
        if grant.seal == ("nothing",):
            return 0
        sequence, id = grant.seal
        return sequence + 1 if log.id(sequence) == id else min(below_fork, sequence)

    def heads(self):
        lengths = ((grant.number, self.effective_length(grant)) for grant in self.charter.roster.logs)
        return [(number, length, self.logs[number].id(length - 1)) for number, length in lengths if length]

    def complete(self):
        counted = ((log.number, self.effective_length(log)) for log in self.charter.roster.logs)
        return all(entry.body is not None for number, length in counted for entry in self.logs[number].entries[:length])

    def digest(self):
        charter = self.charter
        return frontier_digest(
            charter.federation, charter.version(), charter.blocks[-1].hash, self.heads(), proofs_hash(self.proofs)
        )


def proofs_hash(proofs):
    parts = [key + proofs[key].to_bytes(8, "little") for key in sorted(proofs)]
    return digest(b"xianmeng/proofs/1", len(parts).to_bytes(4, "little"), *parts)


def frontier_digest(federation, version, tip, heads, proofs):
    parts = [log.to_bytes(4, "little") + length.to_bytes(8, "little") + id for log, length, id in heads]
    start = b"xianmeng/frontier/1" + federation + version.to_bytes(4, "little") + tip
    return digest(start, len(parts).to_bytes(4, "little"), *parts, proofs)

"""How logs grow, what counts of them, which bodies go, and the frontier (SPEC 9 and 10)."""

from dataclasses import replace

from .erasure import ERASURE, erasure
from .layout import Broken
from .signature import ZERO, digest


class Log:
    def __init__(self):
        self.entries = []
        self.staged = {}
        self.displaced = {}
        """Entries that another branch displaced, by id."""

    def id(self, sequence):
        return self.entries[sequence].id if sequence < len(self.entries) else None

    def previous(self, sequence):
        return ZERO if sequence == 0 else self.id(sequence - 1)

    def way_to(self, sequence, id):
        """The displaced entries that lead from the held chain up to one of them, or None when there is a gap."""
        way = []
        while self.id(sequence) != id:
            entry = self.displaced.get(id)
            if entry is None or entry.sequence != sequence:
                return None
            way.insert(0, entry)
            if sequence == 0:
                break
            sequence, id = sequence - 1, entry.previous
        return way


class Replica:
    def __init__(self, charter):
        self.charter = charter
        self.logs = []
        self.proofs = {}
        self.erasing = set()
        """Log and sequence of every place at which an erasure was ever attached."""
        self.grow()

    def grow(self):
        self.logs += [Log() for _ in self.charter.roster.logs[len(self.logs) :]]

    def append_block(self, block):
        """Whether the block is new proof that two valid blocks of one version exist."""
        before = self.charter.rival
        try:
            self.charter.append(block)
        except Broken:
            return self.charter.rival != before
        self.grow()
        for grant in self.charter.roster.logs:
            self.bring_back(grant)
        self.erase()
        return False

    def bring_back(self, grant):
        log = self.logs[grant.number]
        if not self.names_entry(grant) or log.id(grant.seal[0]) == grant.seal[1]:
            return
        way = log.way_to(*grant.seal)
        if way:
            self.displace(log, way[0].sequence)
            for entry in way:
                self.attach(log, entry)

    def displace(self, log, start):
        log.displaced.update((entry.id, entry) for entry in log.entries[start:])
        del log.entries[start:]

    def attach(self, log, entry):
        kept = log.displaced.pop(entry.id, entry)
        log.entries.append(kept if entry.body is None else entry)
        if entry.kind == ERASURE:
            self.erasing.add((self.logs.index(log), entry.sequence))

    def insert(self, entry):
        """The stable name of what becomes of a verified entry."""
        try:
            grant = self.charter.check(entry)
        except Broken as broken:
            return broken.rule
        outcome = self.place(grant, self.logs[grant.number], entry)
        self.erase()
        return outcome

    def place(self, grant, log, entry):
        sequence = entry.sequence
        if sequence > len(log.entries):
            log.staged.setdefault(sequence, entry)
            return "staged"
        if log.id(sequence) == entry.id:
            return self.meet_again(grant, log, entry)
        if log.previous(sequence) != entry.previous:
            return "diverged"
        if sequence and entry.charter < log.entries[sequence - 1].charter:
            return "refused/charter-decreases"
        if sequence < len(log.entries):
            return self.contradict(grant, log, entry)
        if not self.may_grow(grant, sequence):
            return "ignored/forked-log"
        self.attach(log, entry)
        self.unstage(grant, log)
        return "appended"

    def meet_again(self, grant, log, entry):
        held = log.entries[entry.sequence]
        if entry.body is not None and held.body is None and self.erased(grant, held) is None:
            log.entries[entry.sequence] = entry
            return "body-arrived"
        return "duplicate"

    def contradict(self, grant, log, entry):
        self.add_proof(entry.key, entry.sequence)
        if self.names_entry(grant) and entry.sequence <= grant.seal[0] and log.id(grant.seal[0]) != grant.seal[1]:
            self.displace(log, entry.sequence)
            self.attach(log, entry)
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
            self.attach(log, entry)

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

    def marks(self):
        """What every erasure that counts for it takes: (key, sequence, id) to whether it is said to be a create."""
        found = {}
        stated = [(target[1:], None) for target in self.charter.roster.erased]
        for number, sequence in sorted(self.erasing):
            grant = self.charter.roster.logs[number]
            entry = self.logs[number].entries[sequence] if sequence < self.effective_length(grant) else None
            if entry is not None and entry.kind == ERASURE and entry.body is not None:
                stated += [(target, (grant.member, entry.charter)) for target in named_by(entry)]
        for (key, sequence, id, creates), author in stated:
            grant = self.charter.log_numbers.get(key)
            if grant is None:
                continue
            if author is None or author[0] == grant.member or grant.tenure(*author) is not None:
                found[key, sequence, id] = found.get((key, sequence, id), False) or creates
        return found

    def erased(self, grant, entry):
        """Whether the body of an entry must not be here; if so, whether the entry is said to be a create."""
        return None if entry.kind == ERASURE else self.marks().get((grant.key, entry.sequence, entry.id))

    def erase(self):
        """Lets go of every body that an erasure takes; it can bring no other erasure into force."""
        marks = self.marks()
        for key, sequence, id in marks:
            log = self.logs[self.charter.log_numbers[key].number]
            held = log.entries[sequence] if log.id(sequence) == id else log.displaced.get(id)
            if held is None or held.kind == ERASURE:
                continue
            if log.id(sequence) == id:
                log.entries[sequence] = replace(held, body=None)
            else:
                log.displaced[id] = replace(held, body=None)

    def heads(self):
        lengths = ((grant.number, self.effective_length(grant)) for grant in self.charter.roster.logs)
        return [(number, length, self.logs[number].id(length - 1)) for number, length in lengths if length]

    def missing(self, grant):
        """Entries of a log that count, whose bodies are absent and not erased."""
        marks = self.marks()
        counting = self.logs[grant.number].entries[: self.effective_length(grant)]
        erased = lambda entry: entry.kind != ERASURE and (grant.key, entry.sequence, entry.id) in marks
        return [entry for entry in counting if entry.body is None and not erased(entry)]

    def complete(self):
        return not any(self.missing(grant) for grant in self.charter.roster.logs)

    def proof_set(self):
        return proofs_hash(self.proofs, self.charter.rival)

    def digest(self):
        charter = self.charter
        tip = charter.blocks[-1].hash
        return frontier_digest(charter.federation, charter.version(), tip, self.heads(), self.proof_set())


def named_by(entry):
    try:
        return erasure(entry.body)["targets"]
    except Broken:
        return []


def proofs_hash(proofs, rival):
    parts = [key + proofs[key].to_bytes(8, "little") for key in sorted(proofs)]
    start = b"xianmeng/proofs/1" + rival.to_bytes(4, "little")
    return digest(start, len(parts).to_bytes(4, "little"), *parts)


def frontier_digest(federation, version, tip, heads, proofs):
    parts = [log.to_bytes(4, "little") + length.to_bytes(8, "little") + id for log, length, id in heads]
    start = b"xianmeng/frontier/1" + federation + version.to_bytes(4, "little") + tip
    return digest(start, len(parts).to_bytes(4, "little"), *parts, proofs)

"""The charter: a chain of blocks and what it adds up to (SPEC 8)."""

import copy
from collections import Counter
from dataclasses import dataclass, field

from . import block as layout
from .layout import Broken
from .signature import ZERO, verify


@dataclass
class Log:
    number: int
    key: bytes
    member: int
    granted: int
    seal: object = None
    """None while the right lasts; then ("nothing",) or (sequence, id)."""

    def ends_before(self, sequence):
        return self.seal is not None and (self.seal == ("nothing",) or sequence > self.seal[0])


@dataclass
class Roster:
    name: str = ""
    threshold: int = 0
    members: dict = field(default_factory=dict)
    logs: list = field(default_factory=list)
    registrars: dict = field(default_factory=dict)
    kind_sets: dict = field(default_factory=dict)
    keys: dict = field(default_factory=dict)
    """Key to [member, purpose, ended]."""

    def apply(self, version, operation, federation):
        getattr(self, operation["operation"].replace("-", "_"))(version, operation, federation)

    def rules(self, version, operation, federation):
        self.name, self.threshold = operation["name"], operation["threshold"]

    def kind_set(self, version, operation, federation):
        held = self.kind_sets.setdefault(operation["version"], operation["hash"])
        require(held == operation["hash"], "number-used")

    def admit(self, version, operation, federation):
        number, application = operation["member"], operation["application"]
        require(number == len(self.members) + 1, "number-order")
        require(len(self.members) < 20000, "too-many-members")
        require(layout.proven(application, federation), "possession")
        self.members[number] = {
            "number": number, "class": application["class"], "name": application["name"],
            "region": application["region"], "admitted": version, "expelled": None, "keys": [],
        }  # fmt: skip
        for purpose, key in application["keys"]:
            self.grant(version, number, purpose, key)

    def grant(self, version, number, purpose, key):
        require(key not in self.keys, "key-used")
        open_log = any(log.member == number and log.seal is None for log in self.logs)
        require(purpose != layout.SIGNING or not open_log, "open-log")
        keys = self.members[number]["keys"]
        require(len(keys) < 256, "too-many-keys")
        keys.append([purpose, key])
        self.keys[key] = [number, purpose, False]
        if purpose == layout.SIGNING:
            self.logs.append(Log(len(self.logs), key, number, version))

    def expel(self, version, operation, federation):
        number = operation["member"]
        self.require_active(number)
        unsealed = sorted(log.key for log in self.logs if log.member == number and log.seal is None)
        require([seal["key"] for seal in operation["seals"]] == unsealed, "seals")
        for seal in operation["seals"]:
            self.end(seal)
        for key, record in self.keys.items():
            if record[0] == number:
                record[2] = True
                self.registrars.pop(key, None)
        self.members[number]["expelled"] = {"version": version, "reason": operation["reason"]}

    def add_key(self, version, operation, federation):
        number, key = operation["member"], operation["key"]
        require(verify(key, "possession", federation, operation["content"], operation["proof"]), "possession")
        self.require_active(number)
        self.grant(version, number, operation["purpose"], key)

    def seal_key(self, version, operation, federation):
        self.end(operation["seal"])

    def end(self, seal):
        require(seal["last"] is None or seal["last"][0] < 2**64 - 1, "seal-sequence")
        require(seal["key"] in self.keys, "unknown-key")
        record = self.keys[seal["key"]]
        record[2] = True
        if record[1] == layout.SIGNING:
            self.log_of(seal["key"]).seal = seal["last"] or ("nothing",)
        else:
            require(seal["last"] is None, "seal-without-log")
            self.registrars.pop(seal["key"], None)

    def add_registrar(self, version, operation, federation):
        held = self.keys.get(operation["key"])
        require(held == [operation["member"], layout.GOVERNANCE, False], "not-governance")
        require(len(self.registrars) < 64, "too-many-registrars")
        self.registrars[operation["key"]] = operation["member"]

    def remove_registrar(self, version, operation, federation):
        require(self.registrars.pop(operation["key"], None) is not None, "not-registrar")

    def require_active(self, number):
        require(number in self.members, "no-member")
        require(self.members[number]["expelled"] is None, "expelled")

    def is_trial(self):
        """Whether the registrars of one member reach the threshold alone."""
        offices = Counter(self.registrars.values())
        return any(count >= self.threshold for count in offices.values())

    def log_of(self, key):
        return next((log for log in self.logs if log.key == key), None)

    def after(self, block, federation):
        roster = copy.deepcopy(self)
        for index, operation in enumerate(block.operations):
            try:
                roster.apply(block.version, operation, federation)
            except Broken as broken:
                words = f"operation {index} of block {block.version}"
                raise Broken(f"charter/{operation['operation']}/{broken.rule}", words) from None
        if roster.threshold == 0 or len(roster.registrars) < roster.threshold:
            raise Broken("charter/registrars", f"{len(roster.registrars)} for a threshold of {roster.threshold}")
        return roster


def require(holds, rule):
    if not holds:
        raise Broken(rule)


class Charter:
    def __init__(self, genesis):
        if genesis.version != 1 or genesis.previous != ZERO:
            raise Broken("charter/not-genesis")
        if genesis.expires_ms <= genesis.time_ms:
            raise Broken("charter/time", "block 1")
        self.federation = genesis.hash
        self.roster = Roster().after(genesis, ZERO)
        self.check_signatures(genesis, self.roster)
        self.blocks = [genesis]
        self.rosters = [self.roster]
        self.log_numbers = {}
        self.index()

    def index(self):
        self.log_numbers = {log.key: log for log in self.roster.logs}

    def check_signatures(self, block, before):
        found = sum(key in before.registrars for key in block.signers(self.federation))
        if found < before.threshold:
            raise Broken("charter/threshold", f"block {block.version} has {found} of {before.threshold} signatures")

    def version(self):
        return len(self.blocks)

    def append(self, block):
        tip = self.blocks[-1]
        if not 1 <= block.version <= self.version() + 1:
            raise Broken("charter/gap", f"block {block.version} after block {self.version()}")
        if block.version <= self.version():
            return self.meet_again(block)
        if block.previous != tip.hash:
            raise Broken("charter/predecessor", f"block {block.version}")
        if block.time_ms < tip.time_ms or block.expires_ms <= block.time_ms:
            raise Broken("charter/time", f"block {block.version}")
        self.check_signatures(block, self.roster)
        self.roster = self.roster.after(block, self.federation)
        self.blocks.append(block)
        self.rosters.append(self.roster)
        return self.index()

    def meet_again(self, block):
        held = self.blocks[block.version - 1]
        if held.hash == block.hash:
            return
        if block.version == 1:
            raise Broken("charter/not-genesis")
        if held.previous != block.previous:
            raise Broken("charter/predecessor", f"block {block.version}")
        self.check_signatures(block, self.rosters[block.version - 2])
        raise Broken("charter/equivocation", f"block {block.version}")

    def check(self, entry):
        """The log that an entry belongs to, or the claim that the charter does not carry."""
        if entry.charter > self.version():
            raise Broken("ignored/charter-ahead", f"it names version {entry.charter}")
        log = self.log_numbers.get(entry.key)
        if log is None:
            raise Broken("refused/unknown-key")
        if entry.charter < log.granted:
            raise Broken("refused/before-grant")
        if entry.time_ms < self.blocks[entry.charter - 1].time_ms:
            raise Broken("refused/before-charter-time")
        if log.ends_before(entry.sequence):
            raise Broken("ignored/above-seal")
        return log

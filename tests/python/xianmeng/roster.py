"""What the blocks of a charter add up to: members, keys, logs, seats and rules (SPEC 8.5)."""

import copy
from collections import Counter
from dataclasses import dataclass, field

from . import block as layout
from . import oprf
from .layout import Broken
from .signature import verify

ACTIVE, SUSPENDED, LEFT, EXPELLED = "active", "suspended", "left", "expelled"
VOTING_CLASSES = (1, 2, 3)
ASSEMBLY_MIN = 3
SEATS_MAX = 65536


def require(holds, rule):
    if not holds:
        raise Broken(rule)


@dataclass
class Log:
    number: int
    key: bytes
    member: int
    granted: int
    seal: object = None
    """None while the right lasts; then ("nothing",) or (sequence, id)."""
    heirs: list = field(default_factory=list)
    """Who owns its records after its author, each as (version, member)."""

    def ends_before(self, sequence):
        return self.seal is not None and (self.seal == ("nothing",) or sequence > self.seal[0])

    def owner(self):
        return self.heirs[-1][1] if self.heirs else self.member

    def tenure(self, member, version):
        """The place of a member among the owners, if it owns the records under a charter version; else None."""
        owners = [self.member] + [heir for since, heir in self.heirs if since <= version]
        return len(owners) - 1 if owners[-1] == member else None


@dataclass
class Roster:
    name: str = ""
    threshold: int = 0
    ballots: int = 1
    members: dict = field(default_factory=dict)
    logs: list = field(default_factory=list)
    registrars: dict = field(default_factory=dict)
    seats: list = field(default_factory=list)
    role_rules: dict = field(default_factory=dict)
    kind_sets: dict = field(default_factory=dict)
    duty_sets: dict = field(default_factory=dict)
    class_keys: dict = field(default_factory=dict)
    gossip_entries_per_minute: int = 0
    erased: list = field(default_factory=list)
    lead_holders: dict = field(default_factory=dict)
    """Slot to [member, key, evaluations per day, version of the block that named it]."""
    keys: dict = field(default_factory=dict)
    """Key to [member, purpose, ended]."""

    def after(self, block, federation):
        roster = copy.deepcopy(self)
        for index, operation in enumerate(block.operations):
            try:
                getattr(roster, operation["operation"].replace("-", "_"))(block, operation, federation)
            except Broken as broken:
                words = f"operation {index} of block {block.version}"
                raise Broken(f"charter/{operation['operation']}/{broken.rule}", words) from None
        if roster.threshold == 0 or len(roster.registrars) < roster.threshold:
            raise Broken("charter/registrars", f"{len(roster.registrars)} for a threshold of {roster.threshold}")
        return roster

    def rules(self, block, operation, federation):
        self.name, self.threshold, self.ballots = (operation[part] for part in ("name", "threshold", "ballots"))

    def kind_set(self, block, operation, federation):
        require(self.kind_sets.setdefault(operation["version"], operation["hash"]) == operation["hash"], "number-used")

    def duty_rules(self, block, operation, federation):
        require(self.duty_sets.setdefault(operation["version"], operation["hash"]) == operation["hash"], "number-used")

    def limits(self, block, operation, federation):
        self.gossip_entries_per_minute = operation["gossip_entries_per_minute"]

    def admit(self, block, operation, federation):
        number, application = operation["member"], operation["application"]
        require(layout.proven(application, federation), "possession")
        stated = {part: application[part] for part in ("class", "name", "region")}
        if number in self.members:
            require(self.members[number]["standing"] in (LEFT, EXPELLED), "admitted")
            self.members[number].update(stated, admitted=block.version, standing=ACTIVE)
        else:
            require(number == len(self.members) + 1, "number-order")
            require(len(self.members) < layout.MEMBERS_MAX, "too-many-members")
            self.members[number] = {
                "number": number, **stated, "admitted": block.version, "standing": ACTIVE, "decisions": [], "keys": [],
            }  # fmt: skip
        self.decide(block, number, "admit", "")
        for purpose, key in application["keys"]:
            self.add(block, number, purpose, key)

    def decide(self, block, number, operation, reason):
        self.members[number]["decisions"].append([block.version, operation, reason])

    def warn(self, block, operation, federation):
        self.require_active(operation["member"])
        self.decide(block, operation["member"], "warn", operation["reason"])

    def suspend(self, block, operation, federation):
        self.depart(block, operation, SUSPENDED)

    def leave(self, block, operation, federation):
        self.depart(block, operation, LEFT)

    def expel(self, block, operation, federation):
        self.depart(block, operation, EXPELLED)

    def depart(self, block, operation, standing):
        number = operation["member"]
        require(number in self.members, "no-member")
        held = self.members[number]["standing"]
        require(held in (ACTIVE, SUSPENDED), "gone")
        require(held == ACTIVE or standing != SUSPENDED, "suspended")
        unsealed = sorted(log.key for log in self.logs if log.member == number and log.seal is None)
        require([seal["key"] for seal in operation["seals"]] == unsealed, "seals")
        for seal in operation["seals"]:
            self.end(block, seal)
        if standing != SUSPENDED:
            for key, record in self.keys.items():
                if record[0] == number:
                    self.mark_ended(block, key)
        self.end_seats(block, operation["operation"], lambda seat: seat["member"] == number)
        self.lead_holders = {slot: held for slot, held in self.lead_holders.items() if held[0] != number}
        self.decide(block, number, operation["operation"], operation["reason"])
        self.members[number]["standing"] = standing

    def reinstate(self, block, operation, federation):
        grant = operation["grant"]
        number = grant["member"]
        require(number in self.members, "no-member")
        require(self.members[number]["standing"] == SUSPENDED, "not-suspended")
        require(grant["purpose"] == layout.SIGNING, "not-signing")
        self.members[number]["standing"] = ACTIVE
        self.decide(block, number, "reinstate", operation["reason"])
        self.grant(block, grant, federation)

    def add_key(self, block, operation, federation):
        self.grant(block, operation["grant"], federation)

    def grant(self, block, grant, federation):
        proven = verify(grant["key"], "possession", federation, grant["content"], grant["proof"])
        require(proven, "possession")
        self.require_active(grant["member"])
        self.add(block, grant["member"], grant["purpose"], grant["key"])

    def add(self, block, number, purpose, key):
        require(key not in self.keys, "key-used")
        open_log = any(log.member == number and log.seal is None for log in self.logs)
        require(purpose != layout.SIGNING or not open_log, "open-log")
        keys = self.members[number]["keys"]
        require(len(keys) < 256, "too-many-keys")
        keys.append([purpose, key, block.version, None])
        self.keys[key] = [number, purpose, False]
        if purpose == layout.SIGNING:
            self.logs.append(Log(len(self.logs), key, number, block.version))

    def seal_key(self, block, operation, federation):
        self.end(block, operation["seal"])

    def replace_key(self, block, operation, federation):
        seal, grant = operation["seal"], operation["grant"]
        require(seal["key"] in self.keys, "unknown-key")
        require(self.keys[seal["key"]][:2] == [grant["member"], grant["purpose"]], "other-key")
        self.end(block, seal)
        self.grant(block, grant, federation)

    def end(self, block, seal):
        require(seal["last"] is None or seal["last"][0] < 2**64 - 1, "seal-sequence")
        require(seal["key"] in self.keys, "unknown-key")
        self.mark_ended(block, seal["key"])
        if self.keys[seal["key"]][1] == layout.SIGNING:
            self.log_of(seal["key"]).seal = seal["last"] or ("nothing",)
        else:
            require(seal["last"] is None, "seal-without-log")
            self.end_seats(block, "seal-key", lambda seat: seat["key"] == seal["key"])

    def mark_ended(self, block, key):
        record = self.keys[key]
        record[2] = True
        held = next(held for held in self.members[record[0]]["keys"] if held[1] == key)
        held[3] = block.version if held[3] is None else held[3]

    def grant_role(self, block, operation, federation):
        grant = {part: value for part, value in operation.items() if part != "operation"}
        self.require_active(grant["member"])
        require(len(self.seats) < SEATS_MAX, "too-many-seats")
        if grant["role"] in self.role_rules:
            seats_max, term_ms = self.role_rules[grant["role"]]
            filled = sum(seat["role"] == grant["role"] and is_filled(seat, block.time_ms) for seat in self.seats)
            require(filled < seats_max, "seats-filled")
            fits = grant["until_ms"] != 0 and grant["until_ms"] - grant["from_ms"] <= term_ms
            require(term_ms == 0 or fits, "term")
        if grant["role"] == layout.REGISTRAR:
            require(self.holder(grant["key"], layout.GOVERNANCE) == grant["member"], "not-governance")
            require(grant["key"] not in self.registrars, "registrar")
            require(len(self.registrars) < 64, "too-many-registrars")
            self.registrars[grant["key"]] = grant["member"]
        self.seats.append({"number": len(self.seats) + 1, **grant, "granted": block.version, "ended": None})

    def take_role(self, block, operation, federation):
        number = operation["seat"]
        require(1 <= number <= len(self.seats), "no-seat")
        require(self.seats[number - 1]["ended"] is None, "seat-ended")
        self.end_seats(block, operation["reason"], lambda seat: seat["number"] == number)

    def end_seats(self, block, reason, ending):
        for seat in self.seats:
            if seat["ended"] is None and ending(seat):
                seat["ended"] = [block.version, reason]
                self.registrars.pop(seat["key"], None)

    def role_rule(self, block, operation, federation):
        self.role_rules[operation["role"]] = (operation["seats_max"], operation["term_ms"])

    def reassign(self, block, operation, federation):
        require(operation["from"] in self.members, "no-member")
        require(self.members[operation["from"]]["standing"] in (LEFT, EXPELLED), "not-former")
        self.require_active(operation["to"])
        for log in self.logs:
            if log.owner() == operation["from"]:
                log.heirs.append((block.version, operation["to"]))

    def erase(self, block, operation, federation):
        self.erased += [(block.version, *target) for target in operation["targets"]]

    def class_key(self, block, operation, federation):
        of_class = lambda member: self.members[member]["class"] == operation["of_class"]
        for member, key in operation["holders"]:
            require(self.holder(key, layout.ENCRYPTION) == member and of_class(member), "holder")
        versions = self.class_keys.setdefault(operation["of_class"], [])
        last = versions[-1] if versions else {"version": 0, "key": None}
        if (operation["version"], operation["key"]) == (last["version"], last["key"]):
            known = [key for _, key in last["holders"]]
            last["holders"] = sorted(last["holders"] + [one for one in operation["holders"] if one[1] not in known])
        else:
            require(operation["version"] == last["version"] + 1, "number-order")
            versions.append({part: operation[part] for part in ("version", "key", "holders")})

    def lead_holder(self, block, operation, federation):
        slot, member, key = operation["slot"], operation["member"], operation["key"]
        self.require_active(member)
        require(oprf.possesses(federation, member, key, operation["possession"]), "possession")
        other = self.lead_holders.get(3 - slot, (None, None))
        require(other[0] != member and other[1] != key, "one-holder")
        held = self.lead_holders.get(slot, (None, None, None, None))
        named = held[3] if (held[0], held[1]) == (member, key) else block.version
        self.lead_holders[slot] = [member, key, operation["per_day"], named]

    def lead_epoch(self):
        """The version of the block that named the last of the two holders, while there are both."""
        return max(held[3] for held in self.lead_holders.values()) if len(self.lead_holders) == 2 else None

    def require_active(self, number):
        require(number in self.members, "no-member")
        standing = self.members[number]["standing"]
        require(standing != SUSPENDED, "suspended")
        require(standing == ACTIVE, "gone")

    def holder(self, key, purpose):
        """The member that holds a key for a purpose while its right lasts, or None."""
        member, held_for, ended = self.keys.get(key, (None, None, True))
        rests = ended or held_for != purpose or self.members[member]["standing"] != ACTIVE
        return None if rests else member

    def live_keys(self, purpose):
        live = ((key, self.holder(key, purpose)) for key in sorted(self.keys))
        return [[key, member] for key, member in live if member is not None]

    def voters(self):
        voting = lambda member: member["standing"] == ACTIVE and member["class"] in VOTING_CLASSES
        return [number for number in sorted(self.members) if voting(self.members[number])]

    def ballots_needed(self):
        voters = len(self.voters())
        if voters < ASSEMBLY_MIN:
            return None
        return voters // 2 + 1 if self.ballots == 1 else (voters + 1) // 2

    def is_validly_signed(self, signers):
        """Whether the signers of the next block reach the registrars' threshold, or the ballots that take its place."""
        if sum(key in self.registrars for key in signers) >= max(self.threshold, 1):
            return True
        needed, voters = self.ballots_needed(), set(self.voters())
        cast = {self.holder(key, layout.GOVERNANCE) for key in signers} & voters
        return needed is not None and len(cast) >= needed

    def is_trial(self):
        """Whether the registrars of one member reach the threshold alone."""
        offices = Counter(self.registrars.values())
        return any(count >= self.threshold for count in offices.values())

    def log_of(self, key):
        return next((log for log in self.logs if log.key == key), None)


def is_filled(seat, time_ms):
    run_out = seat["until_ms"] != 0 and seat["until_ms"] <= time_ms
    return seat["ended"] is None and not run_out

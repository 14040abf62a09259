"""The charter: a chain of blocks, who may add to it, and what it says to an entry (SPEC 8.6 and 8.7)."""

from .layout import Broken
from .roster import Roster
from .signature import ZERO


class Charter:
    def __init__(self, genesis):
        if genesis.version != 1 or genesis.previous != ZERO:
            raise Broken("charter/not-genesis")
        if genesis.expires_ms <= genesis.time_ms:
            raise Broken("charter/time", "block 1")
        self.federation = genesis.hash
        self.roster = Roster().after(genesis, ZERO)
        founders = sum(key in self.roster.registrars for key in genesis.signers(self.federation))
        if founders < self.roster.threshold:
            raise Broken("charter/threshold", "block 1")
        self.blocks = [genesis]
        self.rosters = [self.roster]
        self.pins = {}
        self.rival = 0
        """The lowest version of which two valid blocks were met; 0 for none."""
        self.index()

    def index(self):
        self.log_numbers = {log.key: log for log in self.roster.logs}

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
        if self.pins.get(block.version, block.hash) != block.hash:
            raise Broken("charter/pinned", f"block {block.version}")
        check_times(block, tip)
        after = self.roster.after(block, self.federation)
        self.check_signatures(block, self.roster)
        self.roster = after
        self.blocks.append(block)
        self.rosters.append(self.roster)
        return self.index()

    def check_signatures(self, block, before):
        if not before.is_validly_signed(block.signers(self.federation)):
            raise Broken("charter/threshold", f"block {block.version}")

    def meet_again(self, block):
        held = self.blocks[block.version - 1]
        if held.hash == block.hash:
            return
        if block.version == 1:
            raise Broken("charter/not-genesis")
        if held.previous != block.previous:
            raise Broken("charter/predecessor", f"block {block.version}")
        check_times(block, self.blocks[block.version - 2])
        before = self.rosters[block.version - 2]
        self.check_signatures(block, before)
        before.after(block, self.federation)
        self.rival = min(block.version, self.rival or block.version)
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


def check_times(block, before):
    if block.time_ms < before.time_ms or block.expires_ms <= block.time_ms:
        raise Broken("charter/time", f"block {block.version}")

"""Bundles: frames, their order, their end, and what they hold (SPEC 11)."""

from blake3 import blake3

from . import block, entry
from .charter import Charter
from .layout import Broken
from .replica import Replica

MAGIC = b"XIANMENG\0\0\0\x01"
PREAMBLE = 44
BLOCK, ENTRY, PROOF, CLAIM, ATTESTATION, END = 1, 2, 3, 4, 5, 255
LENGTHS = {
    BLOCK: (0, 2182150), ENTRY: (188, 65724), PROOF: (376, 376), CLAIM: (77, 2883661), ATTESTATION: (201, 6345),
    END: (40, 40),
}  # fmt: skip


def frames_of(file):
    """Type and length of each frame, as far as the file goes; contents are passed over and nothing is checked."""
    file.seek(PREAMBLE)
    while len(head := file.read(5)) == 5:
        length = int.from_bytes(head[1:], "little")
        yield head[0], length
        file.seek(length, 1)


class Failure(Exception):
    """A broken rule and where it is broken."""

    def __init__(self, rule, where):
        super().__init__(f"{where}: {rule}")
        self.rule = rule


class Verifier:
    """Checks a file from its first byte to its last; the end frame comes last."""

    def __init__(self):
        self.federation = None
        self.charter = None
        self.replica = None
        self.above_seal = 0
        self.where = "preamble"
        self.begun = 0
        """The highest type of frame seen: blocks, then entries, then proofs."""

    def run(self, file):
        try:
            self.frames(file)
        except Broken as broken:
            raise Failure(str(broken), self.where) from None
        return self

    def frames(self, file):
        hasher, count, offset = blake3(), 0, PREAMBLE
        preamble = file.read(PREAMBLE)
        if len(preamble) < PREAMBLE or preamble[:12] != MAGIC:
            raise Broken("bundle/magic", "this is not a bundle")
        self.federation = preamble[12:]
        hasher.update(preamble)
        while True:
            self.where = f"frame {count} at byte {offset}"
            head = file.read(5)
            if len(head) < 5:
                raise Broken("bundle/cut")
            length = int.from_bytes(head[1:], "little")
            if head[0] not in LENGTHS:
                raise Broken("bundle/frame-type", str(head[0]))
            least, most = LENGTHS[head[0]]
            if not least <= length <= most:
                raise Broken("bundle/frame-length", str(length))
            content = file.read(length)
            if len(content) < length:
                raise Broken("bundle/cut")
            if head[0] == END:
                break
            self.take(head[0], content)
            hasher.update(head + content)
            count, offset = count + 1, offset + 5 + length
        if content != count.to_bytes(8, "little") + hasher.digest() or file.read(1):
            raise Broken("bundle/end", "the end does not fit the content")
        self.where = "end"
        self.ready()

    def take(self, frame_type, content):
        if frame_type == BLOCK:
            self.take_block(content)
        elif frame_type == ENTRY:
            self.take_entry(content)
        elif frame_type == PROOF:
            proof = entry.decode_proof(content, self.federation)
            self.ready().add_proof(*proof)
        elif frame_type == CLAIM:
            self.take_claim(content)
        else:
            self.take_attestation(content)
        self.begun = max(self.begun, frame_type)

    def take_block(self, content):
        found = block.decode(content)
        self.where = f"block {found.version}, {self.where}"
        if self.begun > BLOCK:
            raise Broken("bundle/order", "a block after entries or proofs")
        if self.charter is not None:
            return self.charter.append(found)
        self.charter = Charter(found)
        if self.charter.federation != self.federation:
            raise Broken("bundle/federation", "the genesis block is not the federation's")

    def take_entry(self, content):
        self.name_entry(content)
        found = entry.verified(entry.decode(content), self.federation)
        if self.begun > ENTRY:
            raise Broken("bundle/order", "an entry after proofs")
        self.take_outcome(found, self.ready().insert(found))

    def take_outcome(self, found, outcome):
        """What becomes of an entry that was taken in: in a whole replica it continues its log."""
        if outcome == "ignored/above-seal":
            self.above_seal += 1
        elif outcome != "appended":
            raise Broken(outcome, "it does not continue its log")

    def take_claim(self, content):
        raise Broken("bundle/order", "a claim in what is no audit bundle")

    def take_attestation(self, content):
        raise Broken("bundle/order", "an attestation without a claim")

    def name_entry(self, content):
        """Says which entry this claims to be, before anything about it is believed."""
        key, sequence = content[2:34], int.from_bytes(content[34:42], "little")
        log = self.charter.log_numbers.get(key) if self.charter else None
        owner = f"{self.member(log)}, log {log.number}" if log else f"key {key.hex()} of nobody"
        id = entry.digest(content[: entry.HEADER]).hex()
        self.where = f"entry of {owner}, sequence {sequence}, id {id} ({self.where})"

    def member(self, log):
        return f"member {log.member} {self.charter.roster.members[log.member]['name']}"

    def ready(self):
        if self.charter is None:
            raise Broken("bundle/order", "no charter before it")
        if self.replica is None:
            self.replica = Replica(self.charter)
        return self.replica

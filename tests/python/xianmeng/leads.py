"""Duplicate leads: secrets of credit codes, tokens, and messages to holders (SPEC 21)."""

import re

import blake3
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from . import oprf
from .layout import Broken, Reader

BATCH_MAX = 64
CODE = re.compile("[0-9A-HJ-NP-RTUWXY]{2}[0-9]{6}[0-9A-HJ-NP-RTUWXY]{10}")
REFUSALS = {1: "not-holder", 2: "other-epoch", 3: "quota", 4: "busy", 5: "malformed"}


def judge_secret(vector):
    federation, epoch = bytes.fromhex(vector["federation"]), vector["epoch"].to_bytes(4, "little")
    if not CODE.fullmatch(vector["code"]):
        raise Broken("lead/code")
    keys = [oprf.derive(bytes.fromhex(vector[name])) for name in ("seed_one", "seed_two")]
    message = lambda slot: b"xianmeng/lead/1" + federation + epoch + bytes([slot]) + vector["code"].encode()
    outputs = [oprf.output(key, message(slot)) for slot, key in enumerate(keys, 1)]
    hasher = blake3.blake3(derive_key_context="xianmeng/lead-secret/1")
    secret = hasher.update(federation + epoch + b"".join(outputs)).digest()
    return {
        "holders": [oprf.encode(oprf.times(key, oprf.BASE)).hex() for key in keys],
        "outputs": [output.hex() for output in outputs], "secret": secret.hex(),
    }  # fmt: skip


def judge_token(vector):
    data, secret = bytes.fromhex(vector["input"]), bytes.fromhex(vector["secret"])
    reader = Reader(data)
    nonce = reader.bytes(16, "nonce")
    reader.choice(reader.u8("token-layout"), (1,), "token-layout")
    epoch, check = reader.u32("epoch"), reader.bytes(32, "check")
    head = data[: reader.at]
    ciphertext = reader.bytes(368, "ciphertext")
    reader.finish()
    hashed = blake3.blake3(b"xianmeng/lead-token/1" + vector["author"].to_bytes(4, "little") + nonce, key=secret)
    derived = hashed.digest(length=64)
    if derived[:32] != check:
        raise Broken("token/other-secret")
    try:
        plaintext = ChaCha20Poly1305(derived[32:]).decrypt(bytes(12), ciphertext, head)
    except InvalidTag:
        raise Broken("token/tampered") from None
    note = Reader(plaintext)
    found = {
        "epoch": epoch, "entered_ms": note.u64("entered"), "reference": note.line(64, "lead-reference", True),
        "contact": note.line(256, "lead-contact", True),
    }  # fmt: skip
    if any(note.bytes(note.remaining(), "padding")):
        raise Broken("layout/rule/padding")
    return found


def elements(reader):
    count = reader.count(BATCH_MAX, "elements")
    if count == 0:
        raise Broken("layout/rule/elements", "none")
    return [reader.bytes(32, "element").hex() for _ in range(count)]


def judge_message(vector):
    reader = Reader(bytes.fromhex(vector["input"]))
    reader.choice(reader.u8("lead-layout"), (1,), "lead-layout")
    if vector["message"] == "request":
        found = {"epoch": reader.u32("epoch")}
        found["slot"] = reader.choice(reader.u8("holder-slot"), (1, 2), "holder-slot")
        found["elements"] = elements(reader)
    else:
        verdict, remaining = reader.u8("verdict"), reader.u32("remaining")
        reader.choice(verdict, (0, *REFUSALS), "verdict")
        if verdict == 0:
            found = {"elements": elements(reader), "proof": reader.bytes(64, "proof").hex()}
        else:
            found = {"refused": REFUSALS[verdict], "again_ms": reader.u64("again")}
        found["remaining"] = remaining
    reader.finish()
    return found

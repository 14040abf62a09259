"""Confidential documents: HPKE in base mode, wraps, padding, commitments and class keys (SPEC 17)."""

import hashlib
import hmac

import blake3
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from . import statement
from .layout import Broken, Reader

BYTES_MAX = 60 * 1024
WRAPS_MAX = PARTIES_MAX = 256
CLASS_KEY_WRAPS_MAX = 512
PLAINTEXT_BYTES_MIN = 256
SEALED_FIELD = 0xF002
HPKE_SUITE = b"HPKE" + bytes.fromhex("002000010003")
KEM_SUITE = b"KEM" + bytes.fromhex("0020")


def extract(suite, salt, label, key):
    return hmac.digest(salt, b"HPKE-v1" + suite + label + key, "sha256")


def expand(suite, secret, label, info, length):
    # Never more than one block of SHA-256.
    labeled = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return hmac.digest(secret, labeled + b"\x01", "sha256")[:length]


def hpke_open(secret, encapsulated, ciphertext, info, bound):
    """RFC 9180: SetupBaseR and one Open. None when it does not open."""
    private = X25519PrivateKey.from_private_bytes(secret)
    public = private.public_key().public_bytes_raw()
    try:
        shared = private.exchange(X25519PublicKey.from_public_bytes(encapsulated))
    except ValueError:
        return None
    pseudorandom = extract(KEM_SUITE, b"", b"eae_prk", shared)
    shared = expand(KEM_SUITE, pseudorandom, b"shared_secret", encapsulated + public, 32)
    schedule = b"\0" + extract(HPKE_SUITE, b"", b"psk_id_hash", b"") + extract(HPKE_SUITE, b"", b"info_hash", info)
    secret = extract(HPKE_SUITE, shared, b"secret", b"")
    key = expand(HPKE_SUITE, secret, b"key", schedule, 32)
    nonce = expand(HPKE_SUITE, secret, b"base_nonce", schedule, 12)
    try:
        return ChaCha20Poly1305(key).decrypt(nonce, ciphertext, bound)
    except InvalidTag:
        return None


def unwrapped(own, wrap, info, bound, public):
    secret = hpke_open(own, wrap["encapsulated"], wrap["wrapped"], info, bound)
    if secret is None or X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw() != public:
        raise Broken("sealed/tampered")
    return secret


def own_keys(seed):
    """The Edwards form of the public key, and the X25519 secret."""
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    return public, hashlib.sha512(seed).digest()[:32]


def read_readers(reader):
    kind = reader.choice(reader.u8("readers"), (1, 2, 3), "readers")
    if kind == 1:
        return {"class": reader.choice(reader.u8("class"), (1, 2, 3, 4, 5), "class")}
    if kind == 2:
        return {"organ": reader.u8("role")}
    parties = []
    count = reader.count(PARTIES_MAX, "parties")
    if count == 0:
        raise Broken("layout/rule/parties")
    for _ in range(count):
        statement.ascending(parties, party := reader.u32("party"), "party")
        parties.append(party)
    return {"parties": parties}


def read_wrap(reader):
    return {"encapsulated": reader.bytes(32, "wrap-encapsulated"), "wrapped": reader.bytes(48, "wrapped-key")}


def read_wraps(reader, readers):
    wraps = []
    count = reader.count(WRAPS_MAX, "wraps")
    if count == 0:
        raise Broken("layout/rule/wraps")
    for _ in range(count):
        start = reader.at
        kind, number, key = reader.u8("wrap-recipient"), reader.u32("wrap-number"), reader.bytes(32, "wrap-key")
        reader.choice(kind, (1, 2), "wrap-recipient")
        name = (kind, number, key)
        statement.ascending([wrap["name"] for wrap in wraps], name, "wrap-recipient")
        included = number in readers.get("parties", [number]) if kind == 1 else "class" in readers
        if not included:
            raise Broken("layout/rule/wrap-recipient", "not one of the readers")
        wraps.append({"name": name, "bytes": reader.data[start : reader.at], **read_wrap(reader)})
    return wraps


def padded_length(length):
    length = max(length, PLAINTEXT_BYTES_MIN)
    exponent = length.bit_length() - 1
    step = 1 << (exponent - exponent.bit_length())
    return -(-length // step) * step


def decode(data):
    if len(data) > BYTES_MAX:
        raise Broken("layout/bound/sealed-value")
    reader = Reader(data)
    reader.choice(reader.u8("sealed-layout"), (1,), "sealed-layout")
    reader.choice(reader.u8("sealed-suite"), (1,), "sealed-suite")
    found = {"readers": read_readers(reader)}
    found["document_key"] = reader.bytes(32, "document-key")
    found["commitment"] = reader.bytes(32, "commitment")
    found["head"] = data[: reader.at]
    found["wraps"] = read_wraps(reader, found["readers"])
    found["before_content"] = data[: reader.at]
    found["encapsulated"] = reader.bytes(32, "content-encapsulated")
    found["content"] = reader.bytes(reader.remaining(), "content")
    padded = len(found["content"]) - 16
    if padded < 0:
        raise Broken("layout/short/content")
    if padded < PLAINTEXT_BYTES_MIN or padded != padded_length(padded):
        raise Broken("layout/rule/content")
    return found


def read_fields(content):
    reader = Reader(content)
    fields = statement.fields(reader)
    reader.finish()
    if not fields or any(field["number"] == SEALED_FIELD for field in fields):
        raise Broken("layout/rule/fields")
    return fields


def opened(sealed, context, names, secret):
    """The fields, opened with the secret of a recipient whose name is one of `names`."""
    wraps = [wrap for wrap in sealed["wraps"] if wrap["name"] in names]
    if not wraps:
        raise Broken("sealed/not-a-reader")
    info, bound = b"xianmeng/document-key/1" + context, sealed["head"] + wraps[0]["bytes"]
    document = unwrapped(secret, wraps[0], info, bound, sealed["document_key"])
    info = b"xianmeng/document/1" + context
    plaintext = hpke_open(document, sealed["encapsulated"], sealed["content"], info, sealed["before_content"])
    if plaintext is None:
        raise Broken("sealed/tampered")
    reader = Reader(plaintext)
    salt, length = reader.bytes(32, "salt"), reader.u32("content-length")
    if length > BYTES_MAX:
        raise Broken("layout/bound/content-length")
    content = reader.bytes(length, "content")
    if len(plaintext) != padded_length(36 + length) or any(reader.bytes(reader.remaining(), "padding")):
        raise Broken("layout/rule/padding")
    if blake3.blake3(b"xianmeng/commitment/1" + context + salt + content).digest() != sealed["commitment"]:
        raise Broken("sealed/commitment")
    return read_fields(content)


def class_key(data, federation, member, seed):
    """Class, recipient and secret of a class key that is wrapped to a member."""
    reader = Reader(data)
    number = reader.choice(reader.u8("class"), (1, 2, 3, 4, 5), "class")
    version, public = reader.u32("class-key-version"), reader.bytes(32, "class-key")
    wraps = {}
    count = reader.count(CLASS_KEY_WRAPS_MAX, "class-key-wraps")
    if count == 0:
        raise Broken("layout/rule/class-key-wraps")
    for _ in range(count):
        holder = (reader.u32("class-key-holder"), reader.bytes(32, "class-key-holder"))
        statement.ascending(list(wraps), holder, "class-key-holder")
        wraps[holder] = read_wrap(reader)
    reader.finish()
    own, secret = own_keys(seed)
    if (member, own) not in wraps:
        raise Broken("sealed/not-a-reader")
    info = b"xianmeng/class-key/1" + federation + bytes([number]) + version.to_bytes(4, "little")
    bound = public + member.to_bytes(4, "little") + own
    return number, (2, version, public), unwrapped(secret, wraps[member, own], info, bound, public)


def judge(vector):
    data = {name: bytes.fromhex(vector[name]) for name in ("input", "federation", "record", "nonce", "key")}
    sealed = decode(data["input"])
    author, kind = vector["author"].to_bytes(4, "little"), vector["kind"].to_bytes(2, "little")
    context = data["federation"] + author + kind + data["record"] + data["nonce"]
    if "class_key" in vector:
        wrapped = bytes.fromhex(vector["class_key"])
        number, name, secret = class_key(wrapped, data["federation"], vector["member"], data["key"])
        names = [name] if sealed["readers"] == {"class": number} else []
    else:
        own, secret = own_keys(data["key"])
        names = [(1, vector["member"], own)]
    fields = opened(sealed, context, names, secret)
    names = [wrap["name"] for wrap in sealed["wraps"]]
    numbered = {1: "member", 2: "version"}
    recipients = [{numbered[kind]: number, "key": key.hex()} for kind, number, key in names]
    return {"readers": sealed["readers"], "recipients": recipients, "fields": fields}

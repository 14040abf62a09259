"""Hashes, signature domains and strict verification (SPEC 2 and 3)."""

from functools import lru_cache

from blake3 import blake3
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ZERO = bytes(32)
PRIME = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, PRIME - 2, PRIME) % PRIME
ROOT = pow(2, (PRIME - 1) // 4, PRIME)
DOMAINS = {name: f"xianmeng/{name}/1".encode() for name in ("entry", "block", "possession", "beacon")}


def digest(*parts):
    hasher = blake3()
    for part in parts:
        hasher.update(part)
    return hasher.digest()


def decompress(data):
    """The point of an encoding, y taken modulo the prime; None when there is none."""
    value = int.from_bytes(data, "little")
    sign, y = value >> 255, (value & (2**255 - 1)) % PRIME
    square = (y * y - 1) * pow(D * y * y + 1, PRIME - 2, PRIME) % PRIME
    x = pow(square, (PRIME + 3) // 8, PRIME)
    if (x * x - square) % PRIME:
        x = x * ROOT % PRIME
    if (x * x - square) % PRIME:
        return None
    return (PRIME - x if x & 1 != sign else x), y


def double(point):
    x, y = point
    product = D * x * x * y * y % PRIME
    return (
        2 * x * y * pow(1 + product, PRIME - 2, PRIME) % PRIME,
        (y * y + x * x) * pow(1 - product, PRIME - 2, PRIME) % PRIME,
    )


def sound_point(data):
    """Whether the bytes are a point that is not of small order: eight times it is not the identity."""
    point = decompress(data)
    return point is not None and double(double(double(point))) != (0, 1)


@lru_cache(maxsize=65536)
def sound_key(key):
    return sound_point(key)


@lru_cache(maxsize=4096)
def verify(key, domain, federation, content, signature):
    """Strict: S below the order, neither key nor R of small order, the equation without cofactor."""
    if int.from_bytes(signature[32:], "little") >= ORDER:
        return False
    if not sound_key(key) or not sound_point(signature[:32]):
        return False
    try:
        # The library compares the encoding of [S]B - [k]A with R, which is the equation without cofactor and refuses
        # every other encoding of R.
        Ed25519PublicKey.from_public_bytes(key).verify(signature, DOMAINS[domain] + federation + content)
    except (InvalidSignature, ValueError):
        return False
    return True

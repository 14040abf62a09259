"""The oblivious pseudorandom function of the holders: RFC 9497, mode VOPRF, on ristretto255 (RFC 9496) with SHA-512."""

import hashlib

from .signature import D, ORDER, PRIME, ROOT

CONTEXT = b"OPRFV1-\x01-ristretto255-SHA512"
KEY_INFO = b"xianmeng/lead-holder-key/1"
POSSESSION = b"xianmeng/lead-holder/1"
SQRT_AD_MINUS_ONE = 25063068953384623474111414158702152701244531502492656460079210482610430750235
INVSQRT_A_MINUS_D = 54469307008909316920995813868745141605393597292927456921205312896311721017578
IDENTITY = (0, 1, 1, 0)


def negative(value):
    return value % PRIME & 1 == 1


def absolute(value):
    return -value % PRIME if negative(value) else value % PRIME


def sqrt_ratio(u, v):
    """Whether u/v is a square, and its root or that of ROOT * u/v; the one that is not negative."""
    root = u * pow(v, 3, PRIME) * pow(u * pow(v, 7, PRIME), (PRIME - 5) // 8, PRIME) % PRIME
    check = v * root * root % PRIME
    right, flipped, flipped_root = check == u % PRIME, check == -u % PRIME, check == -u * ROOT % PRIME
    if flipped or flipped_root:
        root = root * ROOT % PRIME
    return right or flipped, absolute(root)


def add(one, other):
    (x1, y1, z1, t1), (x2, y2, z2, t2) = one, other
    a, b = (y1 - x1) * (y2 - x2) % PRIME, (y1 + x1) * (y2 + x2) % PRIME
    c, d = 2 * D * t1 * t2 % PRIME, 2 * z1 * z2 % PRIME
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % PRIME, g * h % PRIME, f * g % PRIME, e * h % PRIME


def times(scalar, point):
    found = IDENTITY
    while scalar:
        if scalar & 1:
            found = add(found, point)
        point, scalar = add(point, point), scalar >> 1
    return found


def decode(data):
    """An element of the group; None for other bytes and for the identity."""
    s = int.from_bytes(data, "little")
    if s >= PRIME or s & 1 or s == 0:
        return None
    u1, u2 = (1 - s * s) % PRIME, (1 + s * s) % PRIME
    v = (-(D * u1 * u1) - u2 * u2) % PRIME
    square, inverse = sqrt_ratio(1, v * u2 * u2 % PRIME)
    den_x = inverse * u2 % PRIME
    x, y = absolute(2 * s * den_x), u1 * inverse * den_x * v % PRIME
    if not square or negative(x * y) or y == 0:
        return None
    return x, y, 1, x * y % PRIME


def encode(point):
    x, y, z, t = point
    u1, u2 = (z + y) * (z - y) % PRIME, x * y % PRIME
    _, inverse = sqrt_ratio(1, u1 * u2 * u2 % PRIME)
    den1, den2 = inverse * u1 % PRIME, inverse * u2 % PRIME
    z_inverse = den1 * den2 * t % PRIME
    if negative(t * z_inverse):
        x, y, den2 = y * ROOT % PRIME, x * ROOT % PRIME, den1 * INVSQRT_A_MINUS_D % PRIME
    if negative(x * z_inverse):
        y = -y
    return absolute(den2 * (z - y)).to_bytes(32, "little")


def mapped(data):
    t = int.from_bytes(data, "little") % 2**255 % PRIME
    r = ROOT * t * t % PRIME
    u, v = (r + 1) * (1 - D * D) % PRIME, (-1 - r * D) * (r + D) % PRIME
    square, s = sqrt_ratio(u, v)
    c = -1
    if not square:
        s, c = -absolute(s * t) % PRIME, r
    n = (c * (r - 1) * (D - 1) ** 2 - v) % PRIME
    w0, w1, w2, w3 = 2 * s * v, n * SQRT_AD_MINUS_ONE, 1 - s * s, 1 + s * s
    return w0 * w3 % PRIME, w2 * w1 % PRIME, w1 * w3 % PRIME, w0 * w2 % PRIME


def expand(message, label):
    """expand_message_xmd of RFC 9380, for 64 bytes."""
    tag = label + CONTEXT
    tag += bytes([len(tag)])
    first = hashlib.sha512(bytes(128) + message + (64).to_bytes(2, "big") + b"\0" + tag).digest()
    return hashlib.sha512(first + b"\1" + tag).digest()


def hash_to_group(message):
    uniform = expand(message, b"HashToGroup-")
    return add(mapped(uniform[:32]), mapped(uniform[32:]))


def hash_to_scalar(message, label=b"HashToScalar-"):
    return int.from_bytes(expand(message, label), "little") % ORDER


BASE = decode(bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76"))


def sized(*parts):
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def derive(seed):
    """The secret key of a holder: DeriveKeyPair of RFC 9497."""
    start = seed + sized(KEY_INFO)
    return next(filter(None, (hash_to_scalar(start + bytes([n]), b"DeriveKeyPair") for n in range(256))))


def output(key, message):
    return hashlib.sha512(sized(message, encode(times(key, hash_to_group(message)))) + b"Finalize").digest()


def proof_holds(public, blinded, evaluated, proof):
    """Whether one key, that of `public`, evaluated every element."""
    key, c = decode(public), int.from_bytes(proof[:32], "little")
    s = int.from_bytes(proof[32:], "little")
    if key is None or not 0 < c < ORDER or not 0 < s < ORDER:
        return False
    seed = hashlib.sha512(sized(public, b"Seed-" + CONTEXT)).digest()
    m = z = IDENTITY
    for index, (one, other) in enumerate(zip(blinded, evaluated, strict=True)):
        weight = hash_to_scalar(sized(seed) + index.to_bytes(2, "big") + sized(encode(one), encode(other)) + b"Composite")
        m, z = add(m, times(weight, one)), add(z, times(weight, other))
    t2, t3 = add(times(s, BASE), times(c, key)), add(times(s, m), times(c, z))
    transcript = sized(public, encode(m), encode(z), encode(t2), encode(t3)) + b"Challenge"
    return hash_to_scalar(transcript) == c


def possesses(federation, member, public, possession):
    message = POSSESSION + federation + member.to_bytes(4, "little")
    evaluated = decode(possession[:32])
    return evaluated is not None and proof_holds(public, [hash_to_group(message)], [evaluated], possession[32:])

"""PROTOCOL.md sections 1, 3 and 4 in Python's standard library: what the files here are computed with.

Slow, not constant-time, and without a line of the product's: an answer that both give is not one
program's opinion. `make` checks it against the draft's own vectors before it writes anything.
"""

import hashlib
import hmac
import struct

P = b"wormhole-sync/1"
SUITE = b"CPACE-RISTR255-SHA512"


def sha512(data):
    return hashlib.sha512(data).digest()


def leb128(n):
    out = bytearray()
    while True:
        out.append(n & 0x7F | (0x80 if n > 0x7F else 0))
        n >>= 7
        if n == 0:
            return bytes(out)


def lv(*fields):
    return b"".join(leb128(len(f)) + f for f in fields)


def u64be(n):
    return struct.pack(">Q", n)


# --- ristretto255 (RFC 9496).

PRIME = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, PRIME) % PRIME
SQRT_M1 = pow(2, (PRIME - 1) // 4, PRIME)


def is_negative(x):
    return x % PRIME & 1


def absolute(x):
    x %= PRIME
    return PRIME - x if x & 1 else x


def sqrt_ratio(u, v):
    """Whether u/v is a square, and its non-negative root (or that of SQRT_M1 * u/v)."""
    r = u * pow(v, 3, PRIME) * pow(u * pow(v, 7, PRIME), (PRIME - 5) // 8, PRIME) % PRIME
    check = v * r * r % PRIME
    correct = check == u % PRIME
    flipped = check == -u % PRIME
    flipped_i = check == -u * SQRT_M1 % PRIME
    if flipped or flipped_i:
        r = r * SQRT_M1 % PRIME
    return correct or flipped, absolute(r)


INVSQRT_A_MINUS_D = sqrt_ratio(1, -1 - D)[1]
SQRT_AD_MINUS_ONE = -sqrt_ratio(-D - 1, 1)[1] % PRIME  # RFC 9496 has the odd root
ONE_MINUS_D_SQ = (1 - D * D) % PRIME
D_MINUS_ONE_SQ = (D - 1) ** 2 % PRIME
IDENTITY = (0, 1, 1, 0)


def decode(data):
    """The point, or None for an invalid encoding."""
    s = int.from_bytes(data, "little")
    if len(data) != 32 or s >= PRIME or is_negative(s):
        return None
    ss = s * s % PRIME
    u1, u2 = (1 - ss) % PRIME, (1 + ss) % PRIME
    v = (-(D * u1 * u1) - u2 * u2) % PRIME
    square, invsqrt = sqrt_ratio(1, v * u2 * u2)
    den_x, den_y = invsqrt * u2 % PRIME, invsqrt * invsqrt * u2 * v % PRIME
    x, y = absolute(2 * s * den_x), u1 * den_y % PRIME
    t = x * y % PRIME
    return (x, y, 1, t) if square and not is_negative(t) and y else None


def encode(point):
    x0, y0, z0, t0 = point
    u1, u2 = (z0 + y0) * (z0 - y0) % PRIME, x0 * y0 % PRIME
    _, invsqrt = sqrt_ratio(1, u1 * u2 * u2)
    den1, den2 = invsqrt * u1 % PRIME, invsqrt * u2 % PRIME
    z_inv = den1 * den2 * t0 % PRIME
    if is_negative(t0 * z_inv):
        x, y, den = y0 * SQRT_M1 % PRIME, x0 * SQRT_M1 % PRIME, den1 * INVSQRT_A_MINUS_D % PRIME
    else:
        x, y, den = x0, y0, den2
    if is_negative(x * z_inv):
        y = -y % PRIME
    return absolute(den * (z0 - y)).to_bytes(32, "little")


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % PRIME, (p[1] + p[0]) * (q[1] + q[0]) % PRIME
    c, d = 2 * p[3] * q[3] * D % PRIME, 2 * p[2] * q[2] % PRIME
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % PRIME, g * h % PRIME, f * g % PRIME, e * h % PRIME


def multiply(scalar, point):
    result = IDENTITY
    for bit in bin(scalar)[2:]:
        result = add(result, result)
        if bit == "1":
            result = add(result, point)
    return result


def elligator(data):
    r0 = int.from_bytes(data, "little") % 2**255
    r = SQRT_M1 * r0 * r0 % PRIME
    u, v = (r + 1) * ONE_MINUS_D_SQ % PRIME, (-1 - r * D) * (r + D) % PRIME
    square, s = sqrt_ratio(u, v)
    c = -1
    if not square:
        s, c = -absolute(s * r0) % PRIME, r
    n = (c * (r - 1) * D_MINUS_ONE_SQ - v) % PRIME
    w0, w1, w2, w3 = 2 * s * v, n * SQRT_AD_MINUS_ONE, 1 - s * s, 1 + s * s
    return w0 * w3 % PRIME, w2 * w1 % PRIME, w1 * w3 % PRIME, w0 * w2 % PRIME


def map_to_group(data):
    return add(elligator(data[:32]), elligator(data[32:64]))


# --- CPace and the key schedule.


def scalar_from_uniform(data):
    return int.from_bytes(data, "little") % ORDER


def generator(prs, ci, sid):
    dsi = b"CPaceRistretto255"
    zpad = bytes(max(0, 127 - len(lv(prs)) - len(lv(dsi))))
    return map_to_group(sha512(lv(dsi, prs, zpad, ci, sid)))


def share(y, g):
    return encode(multiply(y, g))


def shared(y, peer_share):
    return encode(multiply(y, decode(peer_share)))


def isk(sid, k, transcript):
    return sha512(lv(b"CPaceRistretto255_ISK", sid, k) + transcript)


def channel_info(app_id, channel_id):
    return lv(P, SUITE, app_id, str(channel_id).encode(), b"initiator", b"receiver")


def side(token):
    return sha512(lv(P, b"side", token))[:16]


def mac(key, data):
    return hmac.new(key, data, hashlib.sha512).digest()


def hkdf_expand(prk, info, length):
    out, block = b"", b""
    while len(out) < length:
        block = mac(prk, block + info + bytes([len(out) // 64 + 1]))
        out += block
    return out[:length]


class Keys:
    def __init__(self, ci, sid, k, share_i, ad_i, share_r, ad_r):
        ir = lv(share_i, ad_i, share_r, ad_r)
        self.isk = isk(sid, k, ir)
        self.th = sha512(lv(P, b"transcript", ci, sid) + ir)
        self.prk = mac(self.th, self.isk)

    def okm(self, label, context, length):
        return hkdf_expand(self.prk, lv(P, label, context), length)

    def tag(self, role):
        return mac(self.okm(b"confirm", role, 32), self.th)[:32]

    def verifier(self):
        return self.okm(b"verifier", b"", 32)

    def message_key(self, role, n):
        return self.okm(b"message", lv(role, u64be(n)), 32)

    def seal_padded(self, role, n, padded, nonce=None):
        derived = mac(self.okm(b"nonce", role, 32), u64be(n) + padded)[:24]
        nonce = nonce or derived
        ad = lv(P, b"message", role, u64be(n))
        return nonce + xchacha20_poly1305(self.message_key(role, n), nonce, padded, ad)

    def seal(self, role, n, plaintext):
        return self.seal_padded(role, n, pad(plaintext))


def pad(plaintext, bucket=256):
    while bucket <= len(plaintext):
        bucket *= 2
    return plaintext + b"\x80" + bytes(bucket - len(plaintext) - 1)


# --- XChaCha20-Poly1305.


def rotate(x, n):
    return (x << n | x >> 32 - n) & 0xFFFFFFFF


def quarter(s, a, b, c, d):
    for first, second, third, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        s[first] = (s[first] + s[second]) & 0xFFFFFFFF
        s[third] = rotate(s[third] ^ s[first], bits)


def rounds(state):
    s = list(state)
    for _ in range(10):
        for column in range(4):
            quarter(s, column, 4 + column, 8 + column, 12 + column)
        for row in ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
            quarter(s, *row)
    return s


SIGMA = struct.unpack("<4I", b"expand 32-byte k")


def hchacha20(key, nonce):
    s = rounds(SIGMA + struct.unpack("<8I", key) + struct.unpack("<4I", nonce))
    return struct.pack("<8I", *s[:4], *s[12:])


def chacha20_block(key, counter, nonce):
    state = SIGMA + struct.unpack("<8I", key) + (counter,) + struct.unpack("<3I", nonce)
    mixed = rounds(state)
    return struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(mixed, state)))


def poly1305(key, data):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for i in range(0, len(data), 16):
        block = data[i : i + 16] + b"\x01"
        total = (total + int.from_bytes(block, "little")) * r % (2**130 - 5)
    return ((total + int.from_bytes(key[16:], "little")) % 2**128).to_bytes(16, "little")


def xchacha20_poly1305(key, nonce, plaintext, ad):
    subkey, short = hchacha20(key, nonce[:16]), bytes(4) + nonce[16:]
    stream = b"".join(
        chacha20_block(subkey, 1 + i, short) for i in range((len(plaintext) + 63) // 64)
    )
    text = bytes(a ^ b for a, b in zip(plaintext, stream))
    fill = lambda data: data + bytes(-len(data) % 16)
    lengths = struct.pack("<QQ", len(ad), len(text))
    return text + poly1305(chacha20_block(subkey, 0, short), fill(ad) + fill(text) + lengths)


# --- Protobuf's encoding, as far as the two .proto files need it.


def varint_field(number, value):
    return leb128(number << 3) + leb128(value) if value else b""


def bytes_field(number, value, always=False):
    return leb128(number << 3 | 2) + leb128(len(value)) + value if value or always else b""


def message_field(number, value):
    return bytes_field(number, value, always=True)

"""App-ids, associated data, shares, verifier words (PROTOCOL.md sections 1 and 3)."""

import reference as ref

SIDE = bytes(range(16))
OWN = bytes(range(16, 32))


def app_ids():
    good = [
        ("usual", b"example.com/app1"),
        ("one byte", b"a"),
        ("blanks stay", b" a b "),
        ("case stays", b"Example.COM"),
        ("255 bytes", b"a" * 255),
        ("Latin", "\u00e9xample.org".encode()),
        ("decomposed, another app-id than composed", "e\u0301xample.org".encode()),
        ("no-break space", "a\u00a0b".encode()),
        ("zero-width space", "a\u200bb".encode()),
        ("line separator", "a\u2028b".encode()),
        ("the last code point", "\U0010ffff".encode()),
    ]
    bad = [
        ("empty", b""),
        ("256 bytes", b"a" * 256),
        ("256 bytes in 128 characters", "\u00e9".encode() * 128),
        *((f"U+{c:04X}", b"a" + chr(c).encode()) for c in (0x00, 0x09, 0x0A, 0x1F, 0x7F, 0x80, 0x85, 0x9F)),
        ("a lone continuation", b"a\x80"),
        ("a cut character", b"a\xc3"),
        ("overlong", b"a\xc0\xaf"),
        ("overlong NUL", b"a\xc0\x80"),
        ("a surrogate", b"a\xed\xa0\x80"),
        ("above U+10FFFF", b"a\xf4\x90\x80\x80"),
        ("0xff", b"a\xff"),
    ]
    cases = [{"name": n, "app_id": a.hex(), "good": True} for n, a in good]
    cases += [{"name": n, "app_id": a.hex(), "good": False} for n, a in bad]
    return {"note": "App-ids in hex, by PROTOCOL.md section 1.", "cases": cases}


def initiator_ad(versions=b"\x01", side=SIDE):
    return ref.lv(ref.P, b"initiator", versions, side)


def receiver_ad(version=b"\x01", side=SIDE):
    return ref.lv(ref.P, b"receiver", version, side)


def broken(make):
    """What is wrong in either form; `make(versions, side)`."""
    ad = make(b"\x01", SIDE)
    fields = [ref.P, ad[17 : 17 + ad[16]], b"\x01", SIDE]
    other = b"receiver" if fields[1] == b"initiator" else b"initiator"
    return [
        ("empty", b""),
        ("three fields", ref.lv(*fields[:3])),
        ("five fields", ref.lv(*fields, b"")),
        ("a byte behind", ad + b"\x00"),
        ("cut", ad[:-1]),
        ("a length that is not minimal", b"\x8f\x00" + ad[1:]),
        ("another protocol", ref.lv(b"wormhole-sync/2", *fields[1:])),
        ("no protocol", ref.lv(b"", *fields[1:])),
        ("its reader's role", ref.lv(ref.P, other, *fields[2:])),
        ("a role in capitals", ref.lv(ref.P, fields[1].upper(), *fields[2:])),
        ("a side of 15 bytes", make(b"\x01", SIDE[:15])),
        ("a side of 17 bytes", make(b"\x01", SIDE + b"\x00")),
        ("its reader's side", make(b"\x01", OWN)),
        ("no version", make(b"", SIDE)),
    ]


def associated_data():
    cases = []

    def case(name, reader, ad, versions):
        cases.append({"name": name, "reader": reader, "ad": ad.hex(), "versions": versions})

    for versions in (b"\x01", b"\x01\x02", b"\x02", b"\x01\x7f\x80\xff"):
        case("offers " + versions.hex(), "receiver", initiator_ad(versions), versions.hex())
    for versions in (b"\x02\x01", b"\x01\x01", b"\x01\x03\x02"):
        case("not ascending, " + versions.hex(), "receiver", initiator_ad(versions), None)
    for name, ad in broken(initiator_ad):
        case(name, "receiver", ad, None)
    case("chose 01", "initiator", receiver_ad(), "01")
    case("chose what was not offered", "initiator", receiver_ad(b"\x02"), None)
    case("chose two", "initiator", receiver_ad(b"\x01\x02"), None)
    for name, ad in broken(receiver_ad):
        case(name, "initiator", ad, None)
    return {
        "note": "AD_i for a receiver and AD_r for an initiator that offered 01, both of the side own_side. "
        "versions: what is offered or chosen; null: refused.",
        "own_side": OWN.hex(),
        "cases": cases,
    }


def bad_shares(own):
    """(why, share) that nobody may accept; `own` is the reader's own one."""
    negative = (ref.PRIME - 2).to_bytes(32, "little")
    return [
        ("empty", b""),
        ("31 bytes", own[:31]),
        ("33 bytes", own + b"\x00"),
        ("bit 255 set", own[:31] + bytes([own[31] | 0x80])),
        ("the identity", bytes(32)),
        ("not below the prime", ref.PRIME.to_bytes(32, "little")),
        ("not below the prime, even", (ref.PRIME + 1).to_bytes(32, "little")),
        ("negative, odd", b"\x01" + bytes(31)),
        ("negative, large", (int.from_bytes(negative, "little") | 1).to_bytes(32, "little")),
        ("on no point", no_point()),
        ("all ones", b"\xff" * 32),
        ("one's own", own),
    ]


def no_point():
    s = 2
    while ref.decode(s.to_bytes(32, "little")):
        s += 2
    return s.to_bytes(32, "little")


def shares():
    g = ref.map_to_group(ref.sha512(b"a generator") )
    own_scalar = ref.scalar_from_uniform(ref.sha512(b"own scalar"))
    own = ref.share(own_scalar, g)
    peer = ref.share(ref.scalar_from_uniform(ref.sha512(b"the peer's")), g)
    cases = [{"name": "good", "share": peer.hex(), "k": ref.shared(own_scalar, peer).hex()}]
    cases += [{"name": name, "share": share.hex(), "k": None} for name, share in bad_shares(own)]
    return {
        "note": "Shares of a peer, for a reader with own_scalar and own_share; k: the encoding of K, null: refused.",
        "own_scalar": own_scalar.to_bytes(32, "little").hex(),
        "own_share": own.hex(),
        "cases": cases,
    }


def verifier_words(words):
    verifiers = [bytes(32), b"\xff" * 32, bytes(range(32)), ref.sha512(b"a verifier")[:32]]
    # 2 to the power of what is left over: the last bit that counts, and the first that does not.
    verifiers += [bytes(10) + b"\x01" + bytes(21), bytes(11) + b"\xff" * 21]
    cases = []
    for verifier in verifiers:
        bits = bin(int.from_bytes(b"\x01" + verifier, "big"))[3:]
        chosen = [words[int(bits[11 * i : 11 * i + 11], 2)] for i in range(8)]
        cases.append({"verifier": verifier.hex(), "words": " ".join(chosen)})
    return {"note": "Verifiers and the eight words that people compare.", "cases": cases}

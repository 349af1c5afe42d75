"""Frames good and bad (PROTOCOL.md sections 3, 4 and 5), each for one reader at one number."""

import reference as ref
from reference import bytes_field, message_field

from cases import values
from cases.pair import Pair, confirm, data_message, pake_initiator, pake_receiver, sealed

GOOD, BAD, NO_VERSION = "accepted", "bad", "no common version"


def pair():
    return Pair("example.com/app1", 4, "purity-sausage", b"to the receiver", b"to the initiator")


def opening(p):
    """The initiator's frame 1, for the receiver."""
    frame = p.initiator[0]
    make = lambda sid=p.sid, share=p.share_i, ad=p.ad_i: pake_initiator(sid, share, ad)
    ad = lambda versions, side=p.side_i: values.initiator_ad(versions, side)
    yield "as it is", frame, GOOD
    yield "an unknown field in it", message_field(1, frame[2:] + bytes_field(15, b"x")), GOOD
    yield "an unknown field beside it", frame + bytes_field(15, b"x"), GOOD
    yield "another arm before it, the last counts", p.receiver[0] + frame, GOOD
    yield "another arm behind it, the last counts", frame + p.receiver[0], BAD
    yield "offers 01 and 02", make(ad=ad(b"\x01\x02")), GOOD
    yield "offers 02 alone", make(ad=ad(b"\x02")), NO_VERSION
    yield "offers 02 alone, and a bad share", make(share=bytes(32), ad=ad(b"\x02")), BAD
    yield "versions not ascending", make(ad=ad(b"\x02\x01")), BAD
    yield "a version twice", make(ad=ad(b"\x01\x01")), BAD
    yield "no versions", make(ad=ad(b"")), BAD
    yield "the receiver's own side", make(ad=ad(b"\x01", p.side_r)), BAD
    yield "the other role", make(ad=values.receiver_ad(side=p.side_i)), BAD
    yield "no AD", make(ad=b""), BAD
    for size in (0, 31, 33):
        yield f"a sid of {size} bytes", make(sid=p.sid[:size] if size < 33 else p.sid + b"\x00"), BAD
    for why, share in values.bad_shares(p.share_r):
        yield "share: " + why, make(share=share), BAD


def confirmation(p):
    """The initiator's frame 2, for the receiver."""
    tag = p.keys.tag(b"initiator")
    yield "as it is", p.initiator[1], GOOD
    yield "one bit", confirm(bytes([tag[0] ^ 1]) + tag[1:]), BAD
    yield "the last bit", confirm(tag[:-1] + bytes([tag[-1] ^ 0x80])), BAD
    yield "31 bytes", confirm(tag[:31]), BAD
    yield "33 bytes", confirm(tag + b"\x00"), BAD
    yield "the whole HMAC", confirm(ref.mac(p.keys.okm(b"confirm", b"initiator", 32), p.keys.th)), BAD
    yield "none", confirm(b""), BAD
    yield "T_r, reflected", confirm(p.keys.tag(b"receiver")), BAD
    yield "the initiator's frame 1 again", p.initiator[0], BAD
    yield "its frame 3 too early", p.initiator[2], BAD


def answer(p):
    """The receiver's frame 1, for the initiator."""

    def make(share=p.share_r, ad=p.ad_r, tag=None):
        """With the tag that goes with it, so that only what is named is wrong."""
        k = ref.shared(p.y_i, share) if ref.decode(share) else bytes(32)
        keys = ref.Keys(p.ci, p.sid, k, p.share_i, p.ad_i, share, ad)
        return pake_receiver(share, ad, keys.tag(b"receiver") if tag is None else tag)

    tag = p.keys.tag(b"receiver")
    yield "as it is", p.receiver[0], GOOD
    yield "one bit of the tag", make(tag=bytes([tag[0] ^ 1]) + tag[1:]), BAD
    yield "no tag", make(tag=b""), BAD
    yield "T_i for a tag", make(tag=p.keys.tag(b"initiator")), BAD
    yield "chose what was not offered", make(ad=values.receiver_ad(b"\x02", p.side_r)), BAD
    yield "chose two", make(ad=values.receiver_ad(b"\x01\x02", p.side_r)), BAD
    yield "chose none", make(ad=values.receiver_ad(b"", p.side_r)), BAD
    yield "the initiator's own side", make(ad=values.receiver_ad(side=p.side_i)), BAD
    yield "the other role", make(ad=values.initiator_ad(side=p.side_r)), BAD
    yield "the initiator's frame 1, reflected", p.initiator[0], BAD
    yield "Confirm", p.initiator[1], BAD
    for why, share in values.bad_shares(p.share_i):
        yield "share: " + why, make(share=share), BAD


def data(p, role):
    """`Sealed` 0 of `role`, for the other."""
    frame = p.initiator[2] if role == b"initiator" else p.receiver[1]
    other = b"receiver" if role == b"initiator" else b"initiator"
    plaintext = data_message(b"data")
    box = p.keys.seal(role, 0, plaintext)
    padded = ref.pad(plaintext)
    of = lambda text, **more: sealed(p.keys.seal_padded(role, 0, text, **more))
    yield "as it is", frame, GOOD
    yield "no data", sealed(p.keys.seal(role, 0, b"")), GOOD
    yield "a session is asked for", sealed(p.keys.seal(role, 0, data_message(b"data", session=True))), GOOD
    yield "an unknown field in Data", sealed(p.keys.seal(role, 0, plaintext + bytes_field(15, b"x"))), GOOD
    yield "a nonce that is not the derived one", of(padded, nonce=bytes(range(24))), GOOD
    for at, what in ((0, "nonce"), (24, "ciphertext"), (len(box) - 1, "tag")):
        yield f"one bit of the {what}", sealed(box[:at] + bytes([box[at] ^ 1]) + box[at + 1 :]), BAD
    yield "number 1 outside", sealed(box, 1), BAD
    yield "number 1 inside", sealed(p.keys.seal(role, 1, plaintext)), BAD
    yield "number 1 in both", sealed(p.keys.seal(role, 1, plaintext), 1), BAD
    yield "the reader's own role", sealed(p.keys.seal(other, 0, plaintext)), BAD
    yield "cut", sealed(box[:-1]), BAD
    yield "a byte behind", sealed(box + b"\x00"), BAD
    yield "39 bytes", sealed(box[:39]), BAD
    yield "no box", sealed(b""), BAD
    yield "a bucket of 128", of(ref.pad(plaintext, 128)), BAD
    yield "a bucket of 300", of(plaintext + b"\x80" + bytes(300 - len(plaintext) - 1)), BAD
    yield "a bucket of 512 where 256 do", of(ref.pad(plaintext, 512)), BAD
    yield "no 0x80", of(bytes(256)), BAD
    yield "something behind the 0x80", of(padded[:-1] + b"\x01"), BAD
    yield "0x81 for 0x80", of(plaintext + b"\x81" + bytes(256 - len(plaintext) - 1)), BAD
    yield "no protobuf inside", sealed(p.keys.seal(role, 0, b"\x0a\x7f")), BAD
    yield "Confirm", p.initiator[1], BAD


def over_the_limit(p):
    yield "65,001 bytes of data", sealed(p.keys.seal(b"initiator", 0, data_message(bytes(65_001)))), BAD


def anywhere(p):
    yield "empty", b"", BAD
    yield "no arm that is known", bytes_field(9, b"x"), BAD
    yield "no protobuf", b"\xff" * 40, BAD
    yield "a length beyond the end", b"\x0a\x7f\x00", BAD


def frames():
    p = pair()
    cases = []

    def take(reader, number, rows):
        for name, frame, expected in rows:
            cases.append({
                "name": name, "reader": reader, "number": number, "frame": frame.hex(), "expect": expected,
            })  # fmt: skip

    for reader, number, make in (
        ("receiver", 1, opening),
        ("receiver", 2, confirmation),
        ("receiver", 3, lambda p: data(p, b"initiator")),
        ("initiator", 1, answer),
        ("initiator", 2, lambda p: data(p, b"receiver")),
    ):
        take(reader, number, make(p))
        take(reader, number, anywhere(p))
    take("receiver", 3, over_the_limit(p))
    return {
        "note": "Frames of a peer, each for a reader that has accepted the honest ones before its number. bad is wrong "
        "code before the reader has verified a tag (receiver 1 and 2, initiator 1) and forged after it.",
        "inputs": p.inputs(),
        "initiator": [f.hex() for f in p.initiator],
        "receiver": [f.hex() for f in p.receiver],
        "cases": cases,
    }

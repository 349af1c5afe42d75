"""Both sides of an exchange, from fixed inputs, frame by frame (PROTOCOL.md sections 3 and 4)."""

import reference as ref
from reference import bytes_field, message_field, varint_field

from cases.values import initiator_ad, receiver_ad


def pake_initiator(sid, share, ad):
    return message_field(1, bytes_field(1, sid) + bytes_field(2, share) + bytes_field(3, ad))


def pake_receiver(share, ad, tag):
    return message_field(2, bytes_field(1, share) + bytes_field(2, ad) + bytes_field(3, tag))


def confirm(tag):
    return message_field(3, bytes_field(1, tag))


def sealed(box, number=0):
    return message_field(4, varint_field(1, number) + bytes_field(2, box))


def data_message(data, session=False):
    return bytes_field(1, data) + varint_field(2, int(session))


class Pair:
    """An honest pair. `words_r` differ in an exchange with a wrong code."""

    def __init__(self, app_id, channel_id, words, data_i, data_r, words_r=None):
        draw = lambda name: ref.sha512(b"wormhole-sync/1 test input " + name)
        self.app_id, self.channel_id, self.words, self.words_r = app_id, channel_id, words, words_r or words
        self.data_i, self.data_r = data_i, data_r
        self.token_i, self.token_r, self.sid = (draw(n)[:32] for n in (b"token_i", b"token_r", b"sid"))
        self.y_i, self.y_r = (ref.scalar_from_uniform(draw(n)) for n in (b"y_i", b"y_r"))
        self.side_i, self.side_r = ref.side(self.token_i), ref.side(self.token_r)
        self.ci = ref.channel_info(app_id.encode(), channel_id)
        self.ad_i, self.ad_r = initiator_ad(side=self.side_i), receiver_ad(side=self.side_r)
        g_i, g_r = (ref.generator(w.encode(), self.ci, self.sid) for w in (self.words, self.words_r))
        self.share_i, self.share_r = ref.share(self.y_i, g_i), ref.share(self.y_r, g_r)
        k = ref.shared(self.y_r, self.share_i)  # as the receiver has it; with one code the initiator too
        assert (ref.shared(self.y_i, self.share_r) == k) == (self.words == self.words_r)
        self.keys = ref.Keys(self.ci, self.sid, k, self.share_i, self.ad_i, self.share_r, self.ad_r)
        self.initiator = [
            pake_initiator(self.sid, self.share_i, self.ad_i),
            confirm(self.keys.tag(b"initiator")),
            sealed(self.keys.seal(b"initiator", 0, data_message(data_i))),
        ]
        self.receiver = [
            pake_receiver(self.share_r, self.ad_r, self.keys.tag(b"receiver")),
            sealed(self.keys.seal(b"receiver", 0, data_message(data_r))),
        ]

    def inputs(self):
        scalar = lambda y: y.to_bytes(32, "little").hex()
        return {
            "app_id": self.app_id,
            "channel_id": self.channel_id,
            "words": self.words,
            "words_receiver": self.words_r,
            "token_i": self.token_i.hex(),
            "token_r": self.token_r.hex(),
            "sid": self.sid.hex(),
            "y_i": scalar(self.y_i),
            "y_r": scalar(self.y_r),
            "data_i": self.data_i.hex(),
            "data_r": self.data_r.hex(),
        }

"""Whole exchanges as the bytes on both streams, and their print in appendix A of PROTOCOL.md."""

import textwrap

from reference import bytes_field, leb128, message_field, varint_field

from cases.errors import detail, envelope
from cases.pair import Pair

ATTACHED, LEFT = 3, 4
HAPPY, SCARY = 1, 3
TTL = message_field(1, varint_field(1, 180))
EXPIRES = varint_field(1, 1_800_000_000)
LIMITS = varint_field(1, 66_000) + varint_field(2, 16) + varint_field(3, 1 << 20)
INTERVAL = varint_field(1, 20)


# --- Requests.


def open_request(app_id, token, cursor, purpose):
    fields = bytes_field(1, app_id.encode()) + bytes_field(2, token) + varint_field(3, cursor) + purpose
    return message_field(1, fields)


ALLOCATE = message_field(4, TTL)


def claim(channel_id):
    return message_field(5, varint_field(1, channel_id))


def resume(channel_id):
    return message_field(6, varint_field(1, channel_id))


def post(number, frame):
    return message_field(2, varint_field(1, number) + bytes_field(2, frame))


def ack(number):
    return message_field(3, varint_field(1, number))


def close(mood):
    return message_field(5, varint_field(1, mood))


# --- Responses.


def opened(channel_id, stored=0, peer_stored=0, peer_cursor=0, peer=1):
    return message_field(
        1,
        varint_field(1, 2)
        + varint_field(2, channel_id)
        + message_field(3, EXPIRES)
        + varint_field(4, stored)
        + varint_field(5, peer_stored)
        + varint_field(7, peer_cursor)
        + varint_field(9, peer)
        + message_field(10, LIMITS)
        + message_field(11, INTERVAL),
    )


def message(number, frame):
    return message_field(2, varint_field(1, number) + bytes_field(2, frame))


def posted(number):
    return message_field(3, varint_field(1, number))


def peer_status(presence, peer_cursor=0):
    return message_field(4, varint_field(1, presence) + varint_field(2, peer_cursor))


class Script:
    """Who says what, in one order that a relay could make of it."""

    def __init__(self, name, told, pair):
        self.result = {"name": name, "told": told, "inputs": pair.inputs(), "steps": []}

    def note(self, side, way, what, **more):
        self.result["steps"].append({"side": side, "way": way, "what": what, **more})

    def says(self, side, what, data):
        self.note(side, "says", what, bytes=data.hex())

    def hears(self, side, what, data):
        self.note(side, "hears", what, bytes=data.hex())

    def ends(self, side, what, code=0, text="", data=b""):
        self.note(side, "stream ends", what, code=code, message=text, envelope=data.hex())

    def comes_to(self, side, outcome, data=None):
        self.note(side, "comes to", outcome, **({} if data is None else {"data": data.hex()}))


def begin(s, p):
    """Both are attached, the initiator's frame 1 is on its way."""
    s.says("initiator", "open{app_id, token, allocate{ttl: 180 s}}", open_request(p.app_id, p.token_i, 0, ALLOCATE))
    s.hears("initiator", f"opened{{ATTACHED, {p.channel_id}, peer: ABSENT, ...}}", opened(p.channel_id))
    s.says("initiator", "post{1, PakeInitiator}", post(1, p.initiator[0]))
    s.hears("initiator", "posted{1}", posted(1))
    claimed = open_request(p.app_id, p.token_r, 0, claim(p.channel_id))
    s.says("receiver", f"open{{app_id, token, claim{{{p.channel_id}}}}}", claimed)
    there = opened(p.channel_id, peer_stored=1, peer=ATTACHED)
    s.hears("receiver", f"opened{{ATTACHED, {p.channel_id}, peer_stored: 1, peer: ATTACHED, ...}}", there)
    s.hears("initiator", "peer_status{ATTACHED}", peer_status(ATTACHED))
    s.hears("receiver", "message{1, PakeInitiator}", message(1, p.initiator[0]))
    s.says("receiver", "post{1, PakeReceiver}", post(1, p.receiver[0]))
    s.hears("receiver", "posted{1}", posted(1))


def finish(s, side, cursor, data):
    s.comes_to(side, "data", data)
    s.says(side, f"ack{{{cursor}}}", ack(cursor))
    s.says(side, "close{HAPPY}", close(HAPPY))
    s.ends(side, "OK")


def one_exchange(p):
    s = Script("one exchange", "Nothing goes wrong.", p)
    begin(s, p)
    s.hears("initiator", "message{1, PakeReceiver}", message(1, p.receiver[0]))
    s.says("initiator", "post{2, Confirm}", post(2, p.initiator[1]))
    s.says("initiator", "post{3, Sealed 0}", post(3, p.initiator[2]))
    s.hears("receiver", "message{2, Confirm}", message(2, p.initiator[1]))
    s.says("receiver", "post{2, Sealed 0}", post(2, p.receiver[1]))
    s.hears("receiver", "message{3, Sealed 0}", message(3, p.initiator[2]))
    s.hears("receiver", "posted{2}", posted(2))
    finish(s, "receiver", 3, p.data_i)
    s.hears("initiator", "posted{3}", posted(3))
    s.hears("initiator", "message{2, Sealed 0}", message(2, p.receiver[1]))
    finish(s, "initiator", 2, p.data_r)
    return s.result


def wrong_code(p):
    s = Script("a wrong code", "The receiver typed 4-purity-sausages. T_r shows it to the initiator.", p)
    begin(s, p)
    s.hears("initiator", "message{1, PakeReceiver}", message(1, p.receiver[0]))
    s.comes_to("initiator", "wrong code")
    s.says("initiator", "close{SCARY}", close(SCARY))
    s.ends("initiator", "OK")
    closed = envelope(5, b"the channel was closed, scary", detail(3, mood=SCARY))
    s.ends("receiver", "NOT_FOUND, CLOSED scary", 5, "the channel was closed, scary", closed)
    s.comes_to("receiver", "wrong code")
    return s.result


def one_resume(p):
    s = Script(
        "a resume",
        "The initiator's connection breaks after it has sent its frames 2 and 3; 3 never came to the relay.",
        p,
    )
    begin(s, p)
    s.hears("initiator", "message{1, PakeReceiver}", message(1, p.receiver[0]))
    s.says("initiator", "post{2, Confirm}", post(2, p.initiator[1]))
    s.says("initiator", "post{3, Sealed 0}", post(3, p.initiator[2]))
    s.ends("initiator", "UNAVAILABLE, no details: the connection broke", 14, "connection reset")
    s.hears("receiver", "message{2, Confirm}", message(2, p.initiator[1]))
    s.says("receiver", "post{2, Sealed 0}", post(2, p.receiver[1]))
    s.hears("receiver", "posted{2}", posted(2))
    again = open_request(p.app_id, p.token_i, 1, resume(p.channel_id))
    s.says("initiator", f"open{{app_id, token, cursor: 1, resume{{{p.channel_id}}}}}", again)
    there = opened(p.channel_id, stored=2, peer_stored=2, peer=ATTACHED)
    s.hears("initiator", f"opened{{ATTACHED, {p.channel_id}, stored: 2, peer_stored: 2, ...}}", there)
    s.says("initiator", "post{3, Sealed 0}, the same bytes", post(3, p.initiator[2]))
    s.hears("initiator", "message{2, Sealed 0}", message(2, p.receiver[1]))
    s.hears("initiator", "posted{3}", posted(3))
    finish(s, "initiator", 2, p.data_r)
    s.hears("receiver", "message{3, Sealed 0}", message(3, p.initiator[2]))
    finish(s, "receiver", 3, p.data_i)
    return s.result


def exchanges():
    common = ("example.com/app1", 4, "purity-sausage", b"to the receiver", b"to the initiator")
    honest, wrong = Pair(*common), Pair(*common, words_r="purity-sausages")
    return {
        "note": "The messages on the two streams, serialized AttachRequest (says) and AttachResponse (hears). A client "
        "of the inputs says these very bytes at these places. appendix A of PROTOCOL.md is made from this.",
        "exchanges": [one_exchange(honest), wrong_code(wrong), one_resume(honest)],
    }


# --- Appendix A.


def wrapped(text):
    return textwrap.fill(text, 116, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)


def bytes_of(step, seen):
    """Hex; a frame that has been printed is given by its name."""
    data = step["bytes"]
    for frame, name in seen.items():
        if data.endswith(frame):
            return wrapped(f"{data.removesuffix(frame)} <{name}>")
    return "\n".join(wrapped(line) for line in textwrap.wrap(data, 112))


def note_frame(step, seen, where):
    """Remembers the frame of a post: what follows the field `frame`'s length."""
    if step["way"] != "says" or not step["what"].startswith("post{"):
        return
    data = bytes.fromhex(step["bytes"])
    frame = next(data[at:] for at in range(5, 9) if data[:at].endswith(b"\x12" + leb128(len(data) - at)))
    seen.setdefault(frame.hex(), f"the {step['side']}'s frame {step['what'][5]}{where}")


def appendix(content):
    inputs = content["exchanges"][0]["inputs"]
    lines = ["App-id, channel id, words and data as text; the rest in hex.\n", "```"]
    for name, value in inputs.items():
        if name == "words_receiver":
            continue
        if name.startswith("data"):
            value = bytes.fromhex(value).decode()
        lines.append(f"{name:10} {value}")
    lines.append("```\n")
    seen = {}
    for i, exchange in enumerate(content["exchanges"]):
        lines.append(f"**{exchange['name'].capitalize()}.** {exchange['told']}\n\n```")
        for step in exchange["steps"]:
            lines.append(f"{step['side']} {step['way']} {step['what']}")
            if "bytes" in step:
                lines.append(bytes_of(step, seen))
                note_frame(step, seen, " of the wrong code" if i == 1 else "")
            if step.get("envelope"):
                lines.append("    grpc-status-details-bin:")
                lines += [wrapped(line) for line in textwrap.wrap(step["envelope"], 112)]
            if "data" in step:
                lines.append(wrapped(f'"{bytes.fromhex(step["data"]).decode()}"'))
        lines.append("```\n")
    return "\n".join(lines)

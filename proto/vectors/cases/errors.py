"""Statuses on the wire (PROTOCOL.md section 2, errors): code, message, grpc-status-details-bin."""

from reference import bytes_field, message_field, varint_field

TYPE_URL = b"type.googleapis.com/wormhole.rendezvous.v1.ErrorDetail"

# number: (reason, code), section 10.
REASONS = {
    1: ("MALFORMED", 3), 2: ("NEVER_ALLOCATED", 5), 3: ("CLOSED", 5), 4: ("EXPIRED", 5), 5: ("TAKEN", 6),
    6: ("CROWDED", 6), 7: ("SIDE_IN_USE", 6), 8: ("NOT_MEMBER", 7), 9: ("NOT_ALLOWED", 7), 10: ("CONFLICT", 10),
    11: ("SUPERSEDED", 10), 12: ("STALE_STATE", 9), 13: ("PEER_LEFT", 9), 14: ("WINDOW", 8), 15: ("BUSY", 8),
    16: ("DRAINING", 14), 17: ("STORE_AWAY", 14),
}  # fmt: skip


def detail(reason, field=b"", delay=None, mood=0):
    """ErrorDetail; `delay` is (seconds, nanos)."""
    duration = b"" if delay is None else varint_field(1, delay[0]) + varint_field(2, delay[1])
    return (
        varint_field(1, reason)
        + bytes_field(2, field)
        + (b"" if delay is None else message_field(3, duration))
        + varint_field(4, mood)
    )


def envelope(code, message, value, type_url=TYPE_URL):
    any_value = bytes_field(1, type_url) + message_field(2, value)
    return varint_field(1, code) + bytes_field(2, message) + message_field(3, any_value)


def error_details():
    cases = []

    def case(name, code, data, reason=None, field="", delay=None, mood=0, canonical=False):
        cases.append({
            "name": name, "code": code, "message": "m", "envelope": data.hex(), "reason": reason, "field": field,
            "delay_ms": delay, "mood": mood, "canonical": canonical,
        })  # fmt: skip

    for number, (name, code) in REASONS.items():
        fields = {}
        if name == "MALFORMED":
            fields = {"field": "post.number"}
        if name in ("BUSY", "DRAINING", "STORE_AWAY"):
            fields = {"delay": 1500}
        if name == "CLOSED":
            fields = {"mood": 3}
        value = detail(
            number,
            fields.get("field", "").encode(),
            (1, 500_000_000) if "delay" in fields else None,
            fields.get("mood", 0),
        )
        case(name, code, envelope(code, b"m", value), number, canonical=True, **fields)
    for mood in (1, 2, 4):
        case(f"CLOSED, mood {mood}", 5, envelope(5, b"m", detail(3, mood=mood)), 3, mood=mood, canonical=True)
    case("no delay of its own", 14, envelope(14, b"m", detail(16, delay=(0, 0))), 16, delay=0, canonical=True)
    case("a reason of the future", 10, envelope(10, b"m", detail(99)), 99)
    case("a mood of the future", 5, envelope(5, b"m", detail(3, mood=77)), 3, mood=77)
    case("an unknown field", 5, envelope(5, b"m", detail(4) + bytes_field(99, b"x")), 4)
    case("an unknown field of the envelope", 5, bytes_field(9, b"x") + envelope(5, b"m", detail(4)), 4)
    first = message_field(3, bytes_field(1, b"type.googleapis.com/google.rpc.DebugInfo") + bytes_field(2, b"x"))
    case("a foreign detail before ours", 5, first + envelope(5, b"m", detail(4)), 4)
    case("the envelope's code is another", 5, envelope(13, b"other", detail(4)), 4)
    case("empty", 13, b"")
    case("without details", 13, varint_field(1, 13) + bytes_field(2, b"m"))
    case("another type", 5, envelope(5, b"m", detail(4), b"type.googleapis.com/google.rpc.ErrorInfo"))
    case("another host in the type's URL", 5, envelope(5, b"m", detail(4), b"example.com/" + TYPE_URL[20:]))
    case("cut", 5, envelope(5, b"m", detail(4))[:-1])
    case("a length beyond the end", 5, b"\x1a\x7f")
    case("a group", 5, b"\x1b\x1c" + envelope(5, b"m", detail(4)))
    case("a detail that does not parse", 5, envelope(5, b"m", b"\x12\xff"))
    return {
        "note": "gRPC statuses with grpc-status-details-bin. reason null: none can be read, and the code and message "
        "stand. canonical: a relay writes these very bytes. delay_ms null: none given.",
        "cases": cases,
    }

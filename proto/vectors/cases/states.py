"""Saved states of the C++ client: its own format, which nobody else has to read (PROTOCOL.md section 7)."""

import base64

import reference as ref

from cases.frames import pair


def b64(data):
    return base64.b64encode(data).decode()


def fresh(p, role):
    """A state before its first stream."""
    initiator = role == "initiator"
    state = {
        "format": "wormhole-sync-state",
        "version": 1,
        "role": role,
        "app_id": p.app_id,
        "relay": "relay.example.com:443",
        "agreed_id": 0,
        "wait": not initiator,
        "check_in": False,
        "confirm_verifier": False,
        "schedule": "0:0.5,60:5",
        "timeout_us": 180_000_000,
        "ttl_us": 180_000_000,
        "channel_id": 0 if initiator else p.channel_id,
        "joined": False,
        "token": b64(p.token_i if initiator else p.token_r),
        "confirmed": False,
        "verifier_accepted": False,
        "dropped": 0,
        "cursor": 0,
        "posted": 0,
        "exhausted": 0,
        "finished": False,
        "burnt": False,
        "closed": False,
        "mood": 0,
        "words": b64(p.words.encode()),
        "scalar": b64((p.y_i if initiator else p.y_r).to_bytes(32, "little")),
        "data": b64(p.data_i if initiator else p.data_r),
        "frames": [],
    }
    if initiator:
        state["sid"] = b64(p.sid)
    return state


def joined(p, role):
    state = fresh(p, role) | {"joined": True, "channel_id": p.channel_id, "deadline_us": 1_800_000_000_000_000}
    if role == "initiator":
        own = {"own_share": b64(p.share_i), "own_ad": b64(p.ad_i), "frames": [b64(p.initiator[0])]}
        state |= own
    return state


def heard(p, role):
    """The peer's frame 1 is accepted, and what it allows is made."""
    initiator = role == "initiator"
    state = joined(p, role) | {
        "cursor": 1,
        "posted": 1,
        "prk": b64(p.keys.prk),
        "sid": b64(p.sid),
        "own_share": b64(p.share_i if initiator else p.share_r),
        "own_ad": b64(p.ad_i if initiator else p.ad_r),
        "peer_share": b64(p.share_r if initiator else p.share_i),
        "peer_ad": b64(p.ad_r if initiator else p.ad_i),
        "frames": [b64(f) for f in (p.initiator if initiator else p.receiver[:1])],
        "confirmed": initiator,
    }
    if initiator:
        del state["words"], state["scalar"]
    return state


def finished(p, role):
    initiator = role == "initiator"
    state = heard(p, role) | {
        "cursor": 2 if initiator else 3,
        "posted": 3 if initiator else 2,
        "frames": [b64(f) for f in (p.initiator if initiator else p.receiver)],
        "confirmed": True,
        "finished": True,
        "mood": 1,
        "peer_data": b64(p.data_r if initiator else p.data_i),
    }
    state.pop("words", None)
    state.pop("scalar", None)
    return state


GOOD = {"fresh": fresh, "joined": joined, "heard": heard, "finished": finished}

# name: (of, what is set, what it is refused as)
CORRUPT, STALE = "INVALID_ARGUMENT", "FAILED_PRECONDITION"
BAD = [
    ("another format", "joined", {"format": "another"}, CORRUPT),
    ("no format", "joined", {"format": None}, CORRUPT),
    ("version 0", "joined", {"version": 0}, CORRUPT),
    ("a newer version", "joined", {"version": 2}, STALE),
    ("burnt", "joined", {"burnt": True}, STALE),
    ("burnt, of a newer version, and otherwise strange", "joined", {"version": 9, "burnt": True, "role": 7}, STALE),
    ("no role", "joined", {"role": None}, CORRUPT),
    ("a third role", "joined", {"role": "judge"}, CORRUPT),
    ("no app-id", "joined", {"app_id": ""}, CORRUPT),
    ("a line end in the relay's name", "joined", {"relay": "relay\n:443"}, CORRUPT),
    ("a token of 31 bytes", "joined", {"token": b64(bytes(31))}, CORRUPT),
    ("a token that is no base64", "joined", {"token": "?" * 44}, CORRUPT),
    ("a token with something behind it", "joined", {"token": b64(bytes(range(32))) + "A"}, CORRUPT),
    ("an id above nine digits", "joined", {"channel_id": 1_000_000_000}, CORRUPT),
    ("joined without an id", "joined", {"channel_id": 0}, CORRUPT),
    ("joined without a deadline", "joined", {"deadline_us": None}, CORRUPT),
    ("a negative number", "joined", {"deadline_us": -1}, CORRUPT),
    ("a number as text", "joined", {"cursor": "0"}, CORRUPT),
    ("a number with a fraction", "joined", {"cursor": 0.5}, CORRUPT),
    ("a flag as a number", "joined", {"joined": 1}, CORRUPT),
    ("a cursor beyond the peer's log", "heard", {"cursor": 9}, CORRUPT),
    ("a cursor without the peer's share", "joined", {"cursor": 1}, CORRUPT),
    ("confirmed before anything was heard", "joined", {"confirmed": True}, CORRUPT),
    ("finished without the peer's data", "heard", {"finished": True, "mood": 1}, CORRUPT),
    ("a mood without an end", "heard", {"mood": 1}, CORRUPT),
    ("a mood of the future", "heard", {"mood": 9}, CORRUPT),
    ("a scalar of zero", "fresh", {"scalar": b64(bytes(32))}, CORRUPT),
    ("a scalar that is not reduced", "fresh", {"scalar": b64(ref.ORDER.to_bytes(32, "little"))}, CORRUPT),
    ("one word", "fresh", {"words": b64(b"purity")}, CORRUPT),
    ("words with a capital", "fresh", {"words": b64(b"Purity-sausage")}, CORRUPT),
    ("no words", "fresh", {"words": None}, CORRUPT),
    ("a schedule that is not sorted", "fresh", {"schedule": "0:1,0:2"}, CORRUPT),
    ("a schedule that does not begin at 0", "fresh", {"schedule": "1:1"}, CORRUPT),
    ("no time", "fresh", {"timeout_us": 0}, CORRUPT),
    ("a ttl shorter than the timeout", "fresh", {"ttl_us": 1}, CORRUPT),
    ("dropped more than there are", "heard", {"dropped": 9}, CORRUPT),
    ("more frames than there are", "heard", {"frames": [b64(b"")] * 4}, CORRUPT),
    ("a frame that is none", "heard", {"frames": [b64(b"\xff")]}, CORRUPT),
    ("frames that are no list", "heard", {"frames": "AA=="}, CORRUPT),
    ("a share of 31 bytes", "heard", {"peer_share": b64(bytes(31))}, CORRUPT),
    ("no PRK", "heard", {"prk": None}, CORRUPT),
    ("a failure without a reason", "joined", {"failure": {"reason": 0, "code": 1, "message": ""}}, CORRUPT),
    ("a failure that is none", "joined", {"failure": []}, CORRUPT),
]


def saved_states():
    p = pair()
    states = [
        {"name": f"{name}, {role}", "state": make(p, role), "expect": "OK"}
        for name, make in GOOD.items()
        for role in ("initiator", "receiver")
    ]
    states.append({"name": "a field of the future", "state": joined(p, "initiator") | {"new": 1}, "expect": "OK"})
    for name, of, changes, expected in BAD:
        state = GOOD[of](p, "initiator") | changes
        states.append({
            "name": name,
            "state": {key: value for key, value in state.items() if value is not None},
            "expect": expected,
        })  # fmt: skip
    return {
        "note": "Saved states of the C++ client, format version 1: its own, no part of the protocol. A good one is written "
        "again as it was read, but for what is new.",
        "cases": states,
    }

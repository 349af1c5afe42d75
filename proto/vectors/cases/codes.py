"""Codes as people type them (PROTOCOL.md section 1)."""

import re

SPACES = [*range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000]
SEPARATORS = {*SPACES, *map(ord, "-_.,"), 0xAD, *range(0x2010, 0x2016), 0x2212, 0xFE58, 0xFE63}
UNSEEN = {*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), *range(0x2066, 0x206A), 0xFEFF}
WRAPPING = {
    *map(ord, "\"'`()[]{}<>!?;"), 0xAB, 0xB4, 0xBB, *range(0x2018, 0x2020), 0x2032, 0x2033, 0x2039, 0x203A,
    *range(0x3008, 0x3012),
}  # fmt: skip

CODE = "4-purity-sausage"
LONGEST = "-".join(["a" * 15] * 7 + ["a" * 16])  # 128 bytes


def canonical(typed):
    """The canonical form of bytes that were typed, or None."""
    try:
        text = typed.decode("utf-8")
    except UnicodeDecodeError:
        return None
    text = "".join(chr(ord(c) - 0xFEE0) if 0xFF01 <= ord(c) <= 0xFF5E else c for c in text)
    text = "".join(c.lower() if "A" <= c <= "Z" else c for c in text)
    text = "".join(c for c in text if ord(c) not in UNSEEN)
    head, colon, tail = text.rpartition(":")
    if colon and not re.search("[0-9]", head):
        text = tail
    text = re.sub("-+", "-", "".join("-" if ord(c) in SEPARATORS else c for c in text))
    while text and (text[0] == "-" or ord(text[0]) in WRAPPING):
        text = text[1:]
    while text and (text[-1] == "-" or ord(text[-1]) in WRAPPING):
        text = text[:-1]
    number = re.match("0+[0-9]", text)
    if number:
        text = text[number.end() - 1 :]
    words = text.partition("-")[2]
    good = re.fullmatch(r"[1-9][0-9]{0,8}(-[a-z]+){2,8}", text, re.ASCII) and len(words) <= 128
    return text if good else None


TAKEN = [
    ("as it is", CODE),
    ("capitals", "4-Purity-SAUSAGE"),
    ("blanks", "4 purity sausage"),
    ("several blanks", "4   purity  sausage"),
    ("hyphens with blanks", "4 - purity - sausage"),
    ("a hyphen too many", "4--purity-sausage-"),
    ("underscores", "4_purity_sausage"),
    ("dots", "4.purity.sausage"),
    ("commas", "4, purity, sausage"),
    ("a full stop behind it", "4-purity-sausage."),
    ("an exclamation mark", "4-purity-sausage!"),
    ("a question mark", "4-purity-sausage?"),
    ("a semicolon", "4-purity-sausage;"),
    ("line end", "4-purity-sausage\r\n"),
    ("tab", "\t4\tpurity\tsausage"),
    ("quotes", "\"4-purity-sausage\""),
    ("apostrophes", "'4-purity-sausage'"),
    ("backticks", "`4-purity-sausage`"),
    ("smart quotes", "\u201c4-purity-sausage\u201d"),
    ("smart apostrophes", "\u20184-purity-sausage\u2019"),
    ("guillemets", "\u00ab\u00a04-purity-sausage\u00a0\u00bb"),
    ("brackets", "(4-purity-sausage)"),
    ("angle brackets and blanks", "< 4-purity-sausage >"),
    ("Chinese brackets", "\u300c4-purity-sausage\u300d"),
    ("quotes and a full stop inside", "\"4-purity-sausage.\""),
    ("quotes and a full stop outside", "\"4-purity-sausage\"."),
    ("a line that was pasted whole", "Invitation code: 4-purity-sausage"),
    ("two colons", "Hello: code: 4-purity-sausage"),
    ("a full-width colon", "Code\uff1a4-purity-sausage"),
    ("full width", "\uff14\uff0d\uff50\uff55\uff52\uff49\uff54\uff59\uff0d\uff33\uff21\uff35\uff33\uff21\uff27\uff25"),
    ("a full-width digit", "\uff14-purity-sausage"),
    ("a leading zero", "04-purity-sausage"),
    ("leading zeros", "0004-purity-sausage"),
    ("the longest words", "1-" + LONGEST),
    ("the longest number", "999999999-purity-sausage"),
    ("zeros before the longest number", "000999999999-purity-sausage"),
    ("eight words", "4-" + "-".join(["zoo"] * 8)),
    ("no words of the list", "4-purple-sausages"),
    *((f"U+{c:04X} for hyphens", f"4{chr(c)}purity{chr(c)}sausage") for c in sorted(SEPARATORS) if c > 0x7F),
    *((f"U+{c:04X} around and inside", f"{chr(c)}4-pur{chr(c)}ity-sausage{chr(c)}") for c in sorted(UNSEEN)),
    *((f"U+{c:04X} at both ends", f"{chr(c)}4-purity-sausage{chr(c)}") for c in sorted(WRAPPING)),
]
RIGHT = {
    "the longest words": "1-" + LONGEST,
    "the longest number": "999999999-purity-sausage",
    "zeros before the longest number": "999999999-purity-sausage",
    "eight words": "4-" + "-".join(["zoo"] * 8),
    "no words of the list": "4-purple-sausages",
}
REFUSED = [
    ("empty", b""),
    ("a blank", b" "),
    ("only hyphens", b"---"),
    ("only quotes", b"\"\""),
    ("a number alone", b"4"),
    ("a number and a hyphen", b"4-"),
    ("one word", b"4-purity"),
    ("nine words", b"4-" + b"-".join([b"zoo"] * 9)),
    ("no number", b"purity-sausage"),
    ("zero", b"0-purity-sausage"),
    ("zeros", b"000-purity-sausage"),
    ("ten digits", b"1234567890-purity-sausage"),
    ("a sign", b"+4-purity-sausage"),
    ("a digit in a word", b"4-purity-s4usage"),
    ("a digit behind", b"4-purity-sausage-7"),
    ("a number before a colon", b"4: purity-sausage"),
    ("a colon inside", b"4-purity:sausage"),
    ("an apostrophe inside", b"4-pur'ity-sausage"),
    ("a slash", b"4/purity/sausage"),
    ("an accent", "4-purity-saus\u00e4ge".encode()),
    ("a combining accent", "4-purity-sausa\u0308ge".encode()),
    ("a capital that folds to ASCII elsewhere", "4-purity-\u212aey".encode()),
    ("Arabic digits", "\u0664-purity-sausage".encode()),
    ("a control character", b"4-purity-sausage\x1b"),
    ("a NUL", b"4-purity-sausage\x00"),
    ("no UTF-8", b"4-purity-sausage\xff"),
    ("an overlong blank", b"4-purity-sausage\xc0\xa0"),
    ("a surrogate", b"4-purity-sausage\xed\xa0\x80"),
    ("129 bytes of words", b"1-a" + LONGEST.encode()),
]


def codes():
    cases = []
    for name, typed in TAKEN:
        expected = RIGHT.get(name, CODE)
        assert canonical(typed.encode()) == expected, (name, canonical(typed.encode()))
        cases.append({"name": name, "typed": typed.encode().hex(), "canonical": expected})
    for name, typed in REFUSED:
        assert canonical(typed) is None, name
        cases.append({"name": name, "typed": typed.hex(), "canonical": None})
    return {
        "note": "Codes as typed, in hex, and their canonical form by PROTOCOL.md section 1; null: refused. "
        "Words outside the list are allowed here.",
        "cases": cases,
    }

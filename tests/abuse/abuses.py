"""All attacks: their modules enlist them."""

import on_connections  # noqa: F401
import on_frames  # noqa: F401
import on_streams  # noqa: F401
import on_tls  # noqa: F401
from attack import ATTACKS

# Attacks with the flags that switch off what holds them, and what the judge has to say then.
PLANTED = [(next(attack for attack in ATTACKS if attack.name == "posts that nobody reads"),
            ("--max-stored-bytes=0", "--max-memory=0"), "at the peak")]

"""Who takes part in the demo's A/B test: members from some time on, each with one of two models for good."""

import zlib

from demo.voices import VOICES

KEY = "dpo-2-against-dpo"
ARMS = ("hearth-8b-dpo", "hearth-8b-dpo-2")  # the control first
SINCE = 0.63  # the part of the demo's time before which nobody was in it
SHARE = 0.8  # of the members
_VOICES = [next(voice for voice in VOICES if voice.key == key) for key in ARMS]


def voice_of(member, part):
    """The voice that this member always meets, at this part of the time; None outside of the test."""
    place = zlib.crc32(f"{KEY} {member}".encode()) % 1_000
    if part < SINCE or place >= 1_000 * SHARE:
        return None
    return _VOICES[place % 2]

# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Finds values that somebody meant to fill in later."""

from __future__ import annotations

import re
from functools import lru_cache

WORD = re.compile(r"[A-Za-z0-9]+(?:[_-][A-Za-z0-9]+)*")
ANGLE = re.compile(r"<[A-Za-z][A-Za-z0-9 _-]*>")

MARKERS = frozenset(
    {
        "changeme",
        "replaceme",
        "fillme",
        "fillmein",
        "fixme",
        "tacofixme",
        "fixitbywf",
        "tobefixed",
        "tobedefined",
        "tobefilled",
        "tobedone",
        "tobereplaced",
        "setme",
        "placeholder",
        "replacethis",
        "changethis",
    }
)
"""Compared without case, '_' and '-'. None of them is a word of prose."""
PROSE = frozenset({"placeholder"})
"""Markers that are words too: they count only as the whole value."""
SHOUTED = frozenset({"TODO", "TBD", "XXX", "FIXME"})
"""Count in upper case, and only where the value is no sentence, or begins with them."""
TYPO_LENGTH = 8
"""Markers of at least this length are also found with one slip of the finger (CHNAGEME)."""
LONG_MARKERS = tuple(sorted(m for m in MARKERS - PROSE if len(m) >= TYPO_LENGTH))


@lru_cache(maxsize=4096)
def placeholder(text: str) -> str:
    """The placeholder in ``text``, or an empty string."""
    stripped = text.strip()
    sentence = any(c.isspace() for c in stripped)
    for match in WORD.finditer(text):
        word = match.group()
        if _is_marker(word, stripped):
            return word
        for part in re.split(r"[_-]", word):
            if _is_marker(part, stripped) or _is_shout(part, stripped, sentence):
                return word
    angle = ANGLE.search(text)
    if (
        angle
        and "\n" not in stripped
        and not _is_markup(text, angle)
        and (angle.group() == stripped or not any(c.isspace() for c in stripped.replace(angle.group(), "")))
    ):
        return angle.group()
    return ""


def _is_marker(word: str, value: str) -> bool:
    bare = word.replace("_", "").replace("-", "").lower()
    if bare in MARKERS:
        return bare not in PROSE or word == value
    if abs(len(bare) - TYPO_LENGTH) > 4:
        return False
    return any(_one_slip(bare, marker) for marker in LONG_MARKERS)


def _is_shout(word: str, value: str, sentence: bool) -> bool:
    shouted = word in SHOUTED or (len(word) >= 3 and not word.strip("xX"))
    return shouted and (not sentence or value.startswith(word))


def _is_markup(text: str, angle: re.Match[str]) -> bool:
    """Tags come in pairs, and regular expressions name their groups: neither is a placeholder."""
    before = text[: angle.start()]
    return "</" in text or "/>" in text or before.endswith(("?P", "?", "\\k", "\\g"))


def _one_slip(word: str, marker: str) -> bool:
    """Whether ``word`` is ``marker`` with one letter wrong, missing, too many, or swapped with its neighbour."""
    if abs(len(word) - len(marker)) > 1:
        return False
    start = 0
    while start < min(len(word), len(marker)) and word[start] == marker[start]:
        start += 1
    a, b = word[start:], marker[start:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (len(a) > 1 and a[:2] == b[1::-1] and a[2:] == b[2:])

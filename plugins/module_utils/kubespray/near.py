# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which known variable somebody meant who wrote another name.

Two grades. *Misspelt*: letters were mistyped, and hardly anybody would have chosen that name on purpose. *Alike*: the
same words in other order, an older or a longer word for the same thing; that may well be a name of the user's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

_SHORT = 3
"""In words of so few letters a replaced letter makes another word: ``ip`` and ``id``, ``url`` and ``tls``."""
_MANY = 3
"""Where so many words agree, one short word may well be a slip."""
_DIGITS = re.compile(r"\d+")
_NO_LETTER = re.compile(r"[^a-z0-9]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SAME = {
    "kubernetes": "kube",
    "k8s": "kube",
    "master": "control_plane",
    "controlplane": "control_plane",
    "worker": "node",
    "cidr": "subnet",
    "address": "subnet",
    "disable": "disabled",
    "enable": "enabled",
    "deploy": "enabled",
    "install": "enabled",
    "use": "enabled",
    "cni": "network_plugin",
    "runtime": "manager",
    "ver": "version",
    "addr": "subnet",
    "iface": "interface",
    "directory": "dir",
    "nameserver": "dns_server",
    "confirmation": "confirm",
}


@dataclass(frozen=True)
class Guess:
    """``name`` is what was probably meant; ``sure`` when letters alone make the difference."""

    name: str
    sure: bool


class Names:
    """The known names. Build it once: each look-up is compared with names of nearly the same length only."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = sorted(names)

    def guess(self, wrong: str) -> Guess | None:
        """What was probably meant by ``wrong``, or None when no known name is like it."""
        folded = _folded(wrong)
        bare = folded.replace("_", "")
        if bare in self._bare:
            return Guess(self._bare[bare], sure=True)
        best = self._misspelt(folded)
        if best:
            return Guess(best, sure=True)
        alike = self._by_words.get(_meaning(folded)) or self._begun(folded)
        return Guess(alike, sure=False) if alike else None

    @cached_property
    def _bare(self) -> dict[str, str]:
        return {name.lower().replace("_", ""): name for name in reversed(self._names)}

    @cached_property
    def _by_words(self) -> dict[tuple[str, ...], str]:
        return {_meaning(name.lower()): name for name in reversed(self._names) if "_" in name}

    @cached_property
    def _by_length(self) -> dict[int, list[tuple[str, int]]]:
        found: dict[int, list[tuple[str, int]]] = {}
        for name in self._names:
            found.setdefault(len(name), []).append((name, _letters(name.lower())))
        return found

    def _begun(self, folded: str) -> str:
        """The only known name that goes on where ``folded`` ends."""
        if folded.count("_") < _MANY - 1:
            return ""
        longer = [name for name in self._names if name.startswith(f"{folded}_")]
        return longer[0] if len(longer) == 1 else ""

    def _misspelt(self, folded: str) -> str:
        limit = 0 if len(folded) < 5 else 1 if len(folded) < 9 else 2
        own = _letters(folded)
        ranked: list[tuple[int, str]] = []
        for length in range(len(folded) - limit, len(folded) + limit + 1):
            for name, letters in self._by_length.get(length, ()):
                # one step changes two letters of the set at most: most names are done with here
                if (letters ^ own).bit_count() > 2 * limit:
                    continue
                known = name.lower()
                steps = distance(folded, known, limit)
                if 0 < steps <= limit and _by_mistake(folded, known):
                    ranked.append((steps, name))
        return min(ranked)[1] if ranked else ""


def distance(one: str, other: str, limit: int) -> int:
    """Letters added, left out, replaced, or swapped with their neighbour; more than ``limit`` is ``limit + 1``."""
    if abs(len(one) - len(other)) > limit:
        return limit + 1
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, against in enumerate(other, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != against))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == against:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        if min(row) > limit and min(last) > limit:
            return limit + 1
        before, last = last, row
    return min(last[-1], limit + 1)


def _letters(text: str) -> int:
    """The set of letters in ``text``, as bits."""
    bits = 0
    for letter in text:
        bits |= 1 << (ord(letter) & 63)
    return bits


def _by_mistake(wrong: str, known: str) -> bool:
    """Whether the difference looks like a slip: not another number, and not a short word replaced by another."""
    if _DIGITS.sub("", wrong) == _DIGITS.sub("", known):
        return False
    words, wanted = wrong.split("_"), known.split("_")
    if len(words) != len(wanted):
        return True
    for word, right in zip(words, wanted, strict=True):
        if word == right:
            continue
        shortest = min(len(word), len(right))
        steps = distance(word, right, 2)
        if steps > max(1, len(right) // 3) and not _crossed(words, wanted):
            return False
        replaced = len(word) == len(right) and sorted(word) != sorted(right)
        if replaced and shortest <= (_SHORT if len(words) < _MANY else _SHORT - 1):
            return False
    return True


def _crossed(words: list[str], wanted: list[str]) -> bool:
    """A letter that slipped over an underscore: ``kuben_etwork`` for ``kube_network``."""
    return "".join(words) == "".join(wanted)


def _folded(name: str) -> str:
    return _NO_LETTER.sub("_", _HUMP.sub("_", name).lower()).strip("_")


def _meaning(folded: str) -> tuple[str, ...]:
    words = [_SAME.get(word) or _SAME.get(_singular(word), _singular(word)) for word in folded.split("_")]
    return tuple(sorted("_".join(words).split("_")))


def _singular(word: str) -> str:
    if len(word) <= _SHORT or word.endswith(("ss", "us")):
        return word
    for many, one in (("ies", "y"), ("sses", "ss"), ("s", "")):
        if word.endswith(many):
            return word.removesuffix(many) + one
    return word

# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which calls the fault proxy disturbs, and how; and what it has seen."""

from __future__ import annotations

import itertools
import random
import re
import threading
import time
from dataclasses import asdict, dataclass, field
from typing import Any

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
SIDES = (None, "before", "after")


@dataclass
class Rule:
    """One order. A call matches by all four patterns; of the matching calls the rule picks by number and share.

    ``method`` must match as a whole, ``path`` (query included), ``user_agent`` and ``credential`` (the Authorization
    or X-Vault-Token header) anywhere. ``nth`` picks the n-th
    matching call (from 1), ``share`` a part of them (0 to 1), ``times`` ends the rule after so many.
    What happens then, in this order: ``delay`` seconds pass; ``hold`` or ``reset`` ``before`` the call is forwarded;
    ``status`` is answered in the server's place (with ``message`` and ``retry_after`` seconds); ``hold`` or ``reset``
    ``after`` it was forwarded, when the server has done it and the client does not know. ``clock`` is by how many
    seconds the answer's Date header goes wrong.
    """

    id: int = 0
    method: str = ".*"
    path: str = ""
    user_agent: str = ""
    credential: str = field(default="", repr=False)
    nth: int | None = None
    share: float = 1.0
    times: int | None = None
    seed: int = 1
    delay: float = 0.0
    status: int | None = None
    message: str = ""
    clock: float = 0.0
    retry_after: int | None = None
    hold: str | None = None
    reset: str | None = None
    matched: int = 0
    fired: int = 0
    chance: random.Random = field(default_factory=random.Random, repr=False, compare=False)

    def __post_init__(self) -> None:
        for pattern in (self.method, self.path, self.user_agent, self.credential):
            re.compile(pattern)
        if self.hold not in SIDES or self.reset not in SIDES:
            raise ValueError("hold and reset are 'before' or 'after'")
        if not (self.delay or self.status or self.hold or self.reset or self.clock):
            raise ValueError("a rule needs one of: delay, status, hold, reset, clock")
        self.chance = random.Random(self.seed)

    def fires(self, method: str, path: str, user_agent: str, credential: str = "") -> bool:
        """Count the call when it matches, and tell whether it is one to disturb."""
        if not (
            re.fullmatch(self.method, method)
            and re.search(self.path, path)
            and re.search(self.user_agent, user_agent)
            and re.search(self.credential, credential)
        ):
            return False
        self.matched += 1
        if self.nth is not None and self.matched != self.nth:
            return False
        if self.times is not None and self.fired >= self.times:
            return False
        if self.chance.random() >= self.share:
            return False
        self.fired += 1
        return True

    def shown(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if key != "chance"}


ORDERS = frozenset(Rule.__dataclass_fields__) - {"id", "matched", "fired", "chance"}


@dataclass
class Held:
    """A call that waits for its release."""

    id: int
    method: str
    path: str
    side: str
    released: threading.Event = field(default_factory=threading.Event)
    drop: bool = False


class Board:
    """All rules, held calls and counts; shared by all threads of the proxy."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._ids = itertools.count(1)
        self._rules: list[Rule] = []
        self._held: list[Held] = []
        self._counts: dict[tuple[str, str], int] = {}
        self._writes: list[dict[str, Any]] = []

    def add(self, order: dict[str, Any]) -> dict[str, Any]:
        """Take a rule.

        :raises ValueError: when it names something unknown or is no rule.
        """
        unknown = sorted(set(order) - ORDERS)
        if unknown:
            raise ValueError(f"unknown: {', '.join(unknown)}; known: {', '.join(sorted(ORDERS))}")
        try:
            rule = Rule(**order)
        except re.error as error:
            raise ValueError(f"not a pattern: {error}") from error
        with self._changed:
            rule.id = next(self._ids)
            self._rules.append(rule)
            return rule.shown()

    def rules(self) -> list[dict[str, Any]]:
        with self._changed:
            return [rule.shown() for rule in self._rules]

    def remove(self, number: int | None = None) -> list[dict[str, Any]]:
        """Forget one rule, or all of them and let every held call go on."""
        with self._changed:
            self._rules = [rule for rule in self._rules if number is not None and rule.id != number]
        if number is None:
            self.release(None, drop=False)
        return self.rules()

    def meet(self, method: str, path: str, user_agent: str, credential: str = "") -> tuple[dict[str, Any], Rule | None]:
        """Write a call down and return its entry and the first rule that fires."""
        place, _, query = path.partition("?")
        entry = {
            "method": method,
            "path": place,
            "query": query,
            "dry_run": "dryRun=" in query,
            "user_agent": user_agent,
            "time": round(time.time(), 3),
            "forwarded": False,
            "status": None,
        }
        with self._changed:
            entry["id"] = next(self._ids)
            self._counts[method, place] = self._counts.get((method, place), 0) + 1
            if method in WRITES:
                self._writes.append(entry)
            firing = (rule for rule in self._rules if rule.fires(method, path, user_agent, credential))
            return entry, next(firing, None)

    def requests(self, *, clear: bool = False) -> dict[str, Any]:
        with self._changed:
            seen = {
                "total": sum(self._counts.values()),
                "counts": [
                    {"method": method, "path": path, "count": n} for (method, path), n in sorted(self._counts.items())
                ],
                "writes": list(self._writes),
            }
            if clear:
                self._counts.clear()
                self._writes.clear()
            return seen

    def hold(self, entry: dict[str, Any], side: str) -> bool:
        """Keep the calling thread until somebody releases the call; True when the call is to be dropped."""
        held = Held(entry["id"], entry["method"], entry["path"], side)
        with self._changed:
            self._held.append(held)
            self._changed.notify_all()
        held.released.wait()
        return held.drop

    def held(self, wait: float = 0.0) -> list[dict[str, Any]]:
        """List held calls, waiting up to ``wait`` seconds for the first."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._held), timeout=wait)
            return [{"id": one.id, "method": one.method, "path": one.path, "side": one.side} for one in self._held]

    def release(self, number: int | None, *, drop: bool) -> int:
        """Let one held call (or all) go on, or drop its connection; return how many there were."""
        with self._changed:
            chosen = [one for one in self._held if number in (None, one.id)]
            self._held = [one for one in self._held if one not in chosen]
        for one in chosen:
            one.drop = drop
            one.released.set()
        return len(chosen)

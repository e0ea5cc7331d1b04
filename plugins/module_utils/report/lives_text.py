# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""When certificates and tokens end, as text and as data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from ..addons.model import JSON
from ..kube.lives import CERTIFICATE, ENDLESS, Life

SOON = timedelta(days=30)
"""A certificate that ends within this time is told with a mark: somebody has to do something."""

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def lives_lines(name: str, lives: Sequence[Life], now: datetime) -> Iterator[str]:
    """What ends first at the top; nothing where nothing is known."""
    if not lives:
        return
    known = [life for life in lives if life.ends]
    first = f"{known[0].name}, {left(known[0].ends, now)}" if known else "nobody can tell"
    yield f"LIVES {name}  ends first: {first}"
    for life in lives:
        moment = f"{life.ends:%Y-%m-%d %H:%M} UTC" if life.ends else life.note
        yield f"{'!' if is_near(life, now) else '='} {left(life.ends, now):<8} {moment:<24} {life.kind:<11} {life.name}"


def life_dict(life: Life, now: datetime) -> dict[str, JSON]:
    """``left`` in seconds; ``ends`` and ``left`` are empty where ``note`` says why."""
    return {
        "kind": life.kind,
        "name": life.name,
        "ends": f"{life.ends:%Y-%m-%dT%H:%M:%SZ}" if life.ends else "",
        "left": int((life.ends - now).total_seconds()) if life.ends else None,
        "near": is_near(life, now),
        "note": life.note,
    }


def is_near(life: Life, now: datetime) -> bool:
    """Tokens are meant to end soon; what is wrong with one is that it never does."""
    if life.ends is None:
        return life.note == ENDLESS
    return life.kind == CERTIFICATE and life.ends - now < SOON


def left(ends: datetime | None, now: datetime) -> str:
    """``364 d``, ``20 h``, ``14 min``, ``ended``; ``-`` where nobody knows."""
    return "-" if ends is None else left_words((ends - now).total_seconds())


def left_words(seconds: float) -> str:
    if seconds <= 0:
        return "ended"
    for unit, word in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= 2 * unit:
            return f"{int(seconds // unit)} {word}"
    return f"{int(seconds)} s"

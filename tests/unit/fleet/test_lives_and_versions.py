# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Versions behind the catalog, and what ends when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.slipway.cluster.plugins.module_utils.addons.behind import is_behind
from ansible_collections.slipway.cluster.plugins.module_utils.kube.lives import (
    CERTIFICATE,
    ENDLESS,
    RIGHTS,
    TOKEN,
    Life,
)
from ansible_collections.slipway.cluster.plugins.module_utils.report.lives_text import (
    left_words,
    life_dict,
    lives_lines,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)

# As semver.org orders them, and one that Helm reads as 1.10.0.
ORDERED = ["0.9.0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
           "1.0.0-rc.1", "v1.0.0", "1.2", "1.9.9", "1.10", "2.0.0"]  # fmt: skip


def test_versions_are_ordered_as_numbers() -> None:
    for at, older in enumerate(ORDERED):
        assert [is_behind(older, other) for other in ORDERED] == [where > at for where in range(len(ORDERED))]


@pytest.mark.parametrize(
    ("version", "offered"),
    [("1.2.0", "v1.2.0"), ("1.2", "1.2.0"), ("1.2.0+b1", "1.2.0+b2"), ("", "1.0.0"), ("1.0.0", ""), ("latest", "2.0.0"),
     ("1.0.0", "1.0.0.0"), ("1.0.0-", "2.0.0")],
)  # fmt: skip
def test_of_equal_versions_and_of_what_is_none_nothing_is_said(version: str, offered: str) -> None:
    assert not is_behind(version, offered)


@given(st.tuples(*[st.integers(0, 40)] * 3), st.tuples(*[st.integers(0, 40)] * 3))
def test_it_is_the_order_of_their_numbers(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    texts = [".".join(map(str, numbers)) for numbers in (one, other)]
    assert is_behind(*texts) == (one < other)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "ended"), (0, "ended"), (119, "119 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 h"), (172799, "47 h"),
     (172800, "2 d"), (31536000, "365 d")],
)  # fmt: skip
def test_how_long_it_lasts(seconds: float, words: str) -> None:
    assert left_words(seconds) == words


def test_what_ends_first_is_in_the_headline_and_what_is_near_is_marked() -> None:
    lives = [
        Life(TOKEN, "join token aaaaaa", NOW + timedelta(minutes=10)),
        Life(CERTIFICATE, "API server", NOW + timedelta(days=29)),
        Life(CERTIFICATE, "cluster CA", NOW + timedelta(days=3000)),
        Life(TOKEN, "join token bbbbbb", note=ENDLESS),
        Life(TOKEN, "reader tokens of runs", note=RIGHTS),
    ]
    assert list(lives_lines("prod", lives, NOW)) == [
        "LIVES prod  ends first: join token aaaaaa, 10 min",
        "= 10 min   2026-01-01 00:10 UTC     token       join token aaaaaa",
        "! 29 d     2026-01-30 00:00 UTC     certificate API server",
        "= 3000 d   2034-03-20 00:00 UTC     certificate cluster CA",
        "! -        has no end               token       join token bbbbbb",
        "= -        unverified (rights)      token       reader tokens of runs",
    ]
    assert [life_dict(life, NOW)["near"] for life in lives] == [False, True, False, True, False]
    assert list(lives_lines("prod", [], NOW)) == []
    assert next(lives_lines("prod", lives[3:], NOW)) == "LIVES prod  ends first: nobody can tell"

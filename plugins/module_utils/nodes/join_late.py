# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Nodes of a batch that are not what they should be when its time is over: each named, with what is known of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .problem import Problem

if TYPE_CHECKING:
    from .join_wait import Story

_LOG = "journalctl -u slipway-join -u kubelet on its console"


def late(story: Story, timeout: float, ended: str) -> Problem:
    """One that is not Ready, by how far it came. ``ended`` is when the token's life was over, empty: it is not."""
    name, after = story.name, f"after {timeout:.0f} s"
    if story.node is not None:
        message = f"{name} has joined and is not Ready {after}: {story.node.reason}"
        return Problem(
            "SLW-8734", message, f"look at {_LOG}; the network plugin's pod on it may be the cause", host=name
        )
    if story.approved is not None:
        message = f"{name} got its certificate and has not registered {after}"
        return Problem("SLW-8733", message, f"its kubelet does not start, or does not reach the API: {_LOG}", host=name)
    if story.denied:
        why = "; ".join(sorted({f"{one.code} {one.message}" for one in story.denied}))
        return Problem("SLW-8732", f"{name} has not joined {after}, its request was denied: {why}", host=name)
    message = f"{name} has not appeared: {after} nobody has asked for a certificate of this name"
    remedy = f"did its machine start with its own user-data, and does it reach the endpoint? {_LOG}"
    if ended:
        remedy = f"the token's life was over at {ended}: begin again, and start the machine sooner"
    return Problem("SLW-8731", message, remedy, host=name)


def second_keys(second: Mapping[str, str]) -> list[Problem]:
    """Names that two have asked for: which of them is the machine, nobody can tell from here."""
    remedy = "if its machine was not started anew meanwhile, the token was stolen: kubectl delete node, start it again"
    return [
        Problem("SLW-8724", f"two keys asked for {name} ({request} was denied)", remedy, host=name)
        for name, request in sorted(second.items())
    ]


def other_address(name: str, wanted: str, found: Sequence[str]) -> Problem:
    message = f"{name} has registered with {', '.join(found)}, the inventory has {wanted}"
    return Problem("SLW-8735", message, "correct ip in the inventory, or the machine's network", host=name)

# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The end of a run that failed, as a user reads it."""

from __future__ import annotations

from ansible_collections.slipway.cluster.plugins.module_utils.addons.schedule import Outcome, Result
from ansible_collections.slipway.cluster.plugins.module_utils.report.not_done import not_done_lines


def test_one_reason_is_told_once_whomever_it_stopped() -> None:
    ended = Result(Outcome.FAILED, "SLW-6105 the token")
    skipped = Result(Outcome.SKIPPED, "the token")
    results = {
        "done": Result(Outcome.DONE),
        "shop": ended,
        "web": skipped,
        "notes": ended,
        "own": Result(Outcome.FAILED, "SLW-4101 its own"),
        "last": skipped,
    }
    assert not_done_lines(results, [name for name in results if name != "done"]) == [
        "  shop, notes: failed: SLW-6105 the token",
        "  web, last: skipped: the token",
        "  own: failed: SLW-4101 its own",
    ]

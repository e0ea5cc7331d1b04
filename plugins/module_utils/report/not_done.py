# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a run did not do: one line for each reason, as one lost credential is one error and not fifty."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..addons.schedule import Result


def not_done_lines(results: Mapping[str, Result], names: Iterable[str]) -> list[str]:
    """``names`` in their order, those with the same outcome and reason together."""
    together: dict[tuple[str, str], list[str]] = {}
    for name in names:
        together.setdefault((results[name].outcome.value, results[name].reason), []).append(name)
    return [f"  {', '.join(same)}: {outcome}: {reason}" for (outcome, reason), same in together.items()]

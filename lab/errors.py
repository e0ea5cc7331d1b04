# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The one error that the lab's commands show to a person."""

from __future__ import annotations


class LabError(Exception):
    """A sentence for the person at the terminal: what failed and, where known, what to do."""

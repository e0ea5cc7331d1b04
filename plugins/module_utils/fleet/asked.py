# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a fleet's run and the runs of ``status`` that it starts know of each other."""

from __future__ import annotations

OUTCOME = "SLIPWAY_FLEET_OUTCOME"
"""Environment variable: the file that a run of ``status`` writes what it found to."""

OWN = {
    "slipway_fleet": "",
    "slipway_fail_on": [],
    "slipway_report_file": "",
    "slipway_page_file": "",
    "slipway_junit_file": "",
}
"""Variables that are for the fleet as a whole: no cluster's run is to follow them."""

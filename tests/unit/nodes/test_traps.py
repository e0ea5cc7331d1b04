# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What went wrong in other tools that build clusters, and the tests that say that it does not here: they exist."""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[2]
TRAPS = {
    "nodes join one after the other": [
        "contract/test_node_runner::test_ten_nodes_join_at_the_same_time_by_one_token",
    ],
    "a batch's size is divided to nothing": [
        "unit/nodes/test_batches::test_sizes",
    ],
    "all control planes are restarted at once": [
        "contract/test_node_ha::test_control_planes_one_after_the_other",
    ],
    "as many nodes as wanted are Ready, but others": [
        "unit/nodes/test_arrival::test_as_many_nodes_as_wanted_are_not_the_wanted_ones",
    ],
    "installed is what has the name": [
        "contract/test_adoption::test_foreign_objects_without_a_release_are_not_touched",
    ],
    "asked by a name's beginning, read as text": [
        "unit/nodes/test_arrival::test_a_name_that_begins_alike_is_another_node",
    ],
    "one's time is over before its part's": [
        "contract/test_waiting::test_time_is_given_to_each_add_on",
    ],
    "what failed half-way is run from its start": [
        "contract/test_node_operations::test_upgrade_that_failed_went_on_with_the_rest",
        "contract/test_node_deaths_at_boundaries::test_upgrade",
    ],
    "the inventory is edited": [
        "contract/test_node_operations::test_new_workers_join_together",
    ],
    "services restart in every run": [
        "contract/test_node_operations::test_second_install_has_nothing_to_do",
    ],
    "check mode waits for what it does not do": [
        "contract/test_node_deaths::test_check_mode_waits_for_nobody",
    ],
    "prompts without a terminal": [
        "contract/test_node_runner::test_node_is_removed",
    ],
    "certificates of servers are not checked": [
        "unit/sources/test_source_repository::test_certificates_of_servers_are_checked",
    ],
    "tokens in logs and on disks": [
        "contract/test_node_runner::test_installed",
    ],
    "documented commands that do not exist": [
        "unit/test_docs_playbooks::test_no_page_promises_what_is_not_there",
    ],
}


@pytest.mark.parametrize("trap", TRAPS)
def test_each_has_its_test(trap: str) -> None:
    for place in TRAPS[trap]:
        file, _, test = place.partition("::")
        assert f"\ndef {test}(" in (TESTS / f"{file}.py").read_text(encoding="utf-8"), place

# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Three control planes are upgraded one after the other, whatever the size of batches."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import groupby, pairwise

import pytest

from tests.contract.kubespray.operations import Operations, operations

pytestmark = [pytest.mark.lab, pytest.mark.slow]

LEADING = ("control1", "control2", "control3")
OLD, NEW = "1.34.7", "1.35.4"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operations]:
    """A cluster of three control planes and one worker."""
    with operations(f"ha-{os.getpid()}", tmp_path_factory.mktemp("ha"), "3", "1") as one:
        one.write(*LEADING, "worker1", kube_version=OLD)
        one.done("install")
        yield one


def test_control_planes_one_after_the_other(site: Operations) -> None:
    assert site.nodes().keys() == {*LEADING, "worker1"}
    before = len(site.orders("restart"))
    site.write(*LEADING, "worker1", kube_version=NEW)
    site.done("upgrade", slipway_upgrade_batch="100%")
    assert set(site.nodes().values()) == {f"v{NEW}"}
    orders = [*site.orders("upgrade apply"), *site.orders("upgrade node"), *site.orders("restart")[before:]]
    orders = sorted((one for one in orders if one["host"] in LEADING), key=lambda order: float(order["began"]))
    assert len(orders) == 2 * len(LEADING)
    # All of one host's work, and then the next one's.
    assert [host for host, _its in groupby(order["host"] for order in orders)] == list(LEADING)
    assert all(one["ended"] <= other["began"] for one, other in pairwise(orders))

# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Many hosts at once: one certificate, asked for once, and no host more to wait for than with a plain key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.hosts import log, manage
from tests.contract.fixtures.session import Project, Site, silent, site, trust

pytestmark = pytest.mark.lab
HOSTS = 200


@pytest.fixture(scope="module")
def place(lab_env: dict[str, Any]) -> Iterator[Site]:
    """One machine with all the addresses: a lab has it once, and it stays."""
    many = [host for host in manage.find(lab_env["name"]).values() if host.kind == "many"]
    many = many or manage.add_many(lab_env["name"], (f"many-{n}" for n in range(HOSTS)), say=silent)
    with site(lab_env, "scale") as made:
        made.hosts |= {host.name: host for host in many[:HOSTS]}
        trust(many[0], made.user_ca)
        yield made
        made.hosts.clear()


def test_fifty_hosts_at_a_time_and_one_signing_request(place: Site, tmp_path: Path) -> None:
    assert len(place.hosts) == HOSTS
    before = {name: log.connections(host) for name, host in place.hosts.items()}
    project = Project(place, tmp_path / "p", ssh=place.ssh(host_check="enforce", ttl="10m"))
    done = project.run(None, "--forks", "50", seconds=300).ok()
    assert done.text.count("unreachable=0") == HOSTS
    assert f", 1 signing request, {HOSTS} logins" in done.summary
    assert len(place.audit) == 1
    assert all(log.connections(host) == before[name] + 1 for name, host in place.hosts.items())

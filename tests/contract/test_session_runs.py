# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Runs that are longer than their certificates: nobody notices, and the authority is asked as often as we say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.hosts import manage
from tests.contract.fixtures.session import (
    CONFIG,
    CORES,
    NO_MASTER,
    PERSIST,
    Done,
    Project,
    Site,
    serials,
    silent,
    site,
    tasks,
)

pytestmark = pytest.mark.lab
REQUESTS = re.compile(
    r"(\d+) certificates? of OpenBao at \S+, role kx of \S+, by token for kx-a, (\d+) signing requests?"
)


@pytest.fixture(scope="module")
def place(lab_env: dict[str, Any]) -> Iterator[Site]:
    with site(lab_env, "runs", ("trusted", "ed25519", 2)) as made:
        yield made


def counted(done: Done) -> tuple[int, int]:
    """Certificates and signing requests, as the run itself tells at its end."""
    found = REQUESTS.match(done.summary)
    assert found, done.summary
    return int(found[1]), int(found[2])


def long_play(rounds: int, pause: int) -> list[dict[str, Any]]:
    """Pings with pauses between them, with every way to lose a connection in the middle."""
    steps: list[dict[str, Any]] = [{"name": "first", "ansible.builtin.ping": None}]
    for number in range(rounds):
        steps.append({"name": f"pause {number}", "ansible.builtin.pause": {"seconds": pause}})
        if number % 2:
            steps.append({"name": "forget", "ansible.builtin.meta": "reset_connection"})
        if number == rounds // 2:
            steps.append({"name": "restart", "ansible.builtin.command": "systemctl restart ssh"})
            steps.append({"name": "forget", "ansible.builtin.meta": "reset_connection"})
        steps.append({"name": f"round {number}", "ansible.builtin.ping": None})
    return tasks(*steps)


def outlives(place: Site, folder: Path, variants: list[tuple[str, str]], ttl: int, play: list[dict[str, Any]]) -> None:
    """All variants side by side; one machine loses its power in the middle."""
    before, known = len(place.audit), serials(list(place.hosts.values()))
    projects = [
        Project(place, folder / str(n), core=core, config=CONFIG.format(ssh=ssh), ssh=place.ssh(ttl=f"{ttl}s"))
        for n, (core, ssh) in enumerate(variants)
    ]
    runs = [project.start(play) for project in projects]
    for run in runs:
        run.says("TASK [pause 1]", 200)
    victim = next(iter(place.hosts))
    manage.power(place.env["name"], victim, "cycle", say=silent)
    ended = [run.wait(900).ok() for run in runs]
    told = [counted(done) for done in ended]
    for done in ended:
        assert re.findall(r"(?:unreachable|failed)=(\d+)", done.text) == ["0"] * 2 * len(place.hosts), done.text
    requests = sum(one[1] for one in told)
    print(f"certificates and signing requests of {variants}: {told}; OpenBao's own count: {len(place.audit) - before}")
    assert requests == len(place.audit) - before
    used = serials(list(place.hosts.values())) - known
    assert len(runs) * 2 < len(used) <= sum(one[0] for one in told)
    for project in projects:
        project.has_ended()


def test_certificates_of_half_a_minute_in_a_run_that_outlives_them(place: Site, tmp_path: Path) -> None:
    outlives(place, tmp_path, [("2.18", NO_MASTER), ("2.18", PERSIST)], 30, long_play(6, 10))


@pytest.mark.slow
@pytest.mark.parametrize("core", sorted(CORES))
def test_certificates_of_a_minute_in_a_run_of_five(place: Site, tmp_path: Path, core: str) -> None:
    outlives(place, tmp_path, [(core, NO_MASTER), (core, PERSIST)], 60, long_play(10, 30))

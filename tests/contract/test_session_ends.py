# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""However a run ends, nothing of its session stays; and while it lasts, nobody else uses its connections."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.hosts import log
from tests.contract.fixtures.authority import PRINCIPAL
from tests.contract.fixtures.session import CONFIG, OTHER_PRINCIPAL, PERSIST, Project, Running, Site, site, tasks
from tests.contract.support import eventually

pytestmark = pytest.mark.lab
ONE = "ends-trusted-ed25519-1"
BUSY = tasks(
    {"name": "first", "ansible.builtin.raw": "hostname"},
    {"name": "busy", "ansible.builtin.raw": "sleep 60"},
)


@pytest.fixture(scope="module")
def place(lab_env: dict[str, Any]) -> Iterator[Site]:
    with site(lab_env, "ends", ("trusted", "ed25519", 1)) as made:
        yield made


def masters(project: Project) -> list[int]:
    """Processes of ssh that keep a connection of this project's open: they call themselves by their socket."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if line.startswith(f"ssh: {project.runtime}/".encode()):
                found.append(int(entry.name))
    return found


def living(pid: int) -> list[int]:
    """The process, unless it has ended and only waits for its new parent to notice."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return []
    return [] if state == "Z" else [pid]


def main_only(number: int) -> Callable[[Running], None]:
    return lambda run: os.kill(run.process.pid, number)


def group(number: int) -> Callable[[Running], None]:
    return lambda run: os.killpg(run.process.pid, number)


@pytest.mark.parametrize(
    "end",
    [main_only(signal.SIGKILL), group(signal.SIGKILL), main_only(signal.SIGTERM), group(signal.SIGINT)],
    ids=["kill", "kill-group", "term", "ctrl-c"],
)
def test_nothing_is_left_of_a_run_that_was_ended(place: Site, tmp_path: Path, end: Callable[[Running], None]) -> None:
    auth, given = place.approle()
    project = Project(place, tmp_path / "p", ONE, ssh=place.ssh(auth))
    run = project.start(BUSY, env=given)
    run.says("TASK [busy]")
    agent = run.agent
    there: dict[str, Callable[[], Any]] = {
        "agent": lambda: living(agent),
        "folder": lambda: project.sessions,
        "control masters": lambda: masters(project),
        "token": place.logged_in,
    }
    for what, look in there.items():
        assert len(look()) == 1, what
    began = time.monotonic()
    end(run)
    took = {}
    for what, look in there.items():
        eventually(lambda look=look: not look(), 30.0)
        took[what] = f"{time.monotonic() - began:.1f} s"
    print(f"gone after: {took}")


def test_nothing_is_left_of_a_run_that_was_done(place: Site, tmp_path: Path) -> None:
    """In spite of ControlPersist=30m."""
    auth, given = place.approle()
    project = Project(place, tmp_path / "p", ONE, ssh=place.ssh(auth))
    project.run(env=given).ok()
    eventually(lambda: not (project.sessions or masters(project) or place.logged_in()))


def test_a_token_that_was_given_stays(place: Site, tmp_path: Path) -> None:
    """Its owner has other uses for it."""
    project = Project(place, tmp_path / "p", ONE)
    project.run().ok()
    eventually(lambda: not project.sessions)
    assert place.bao.alive(project.token)


@pytest.mark.parametrize("own_path", ["", "control_path = /tmp/ends-%%h-%%p-%%r"], ids=["default", "fixed path"])
def test_two_runs_with_different_principals_share_no_connection(place: Site, tmp_path: Path, own_path: str) -> None:
    """The first one's master is there all the time, and would take the second one's commands."""
    config = CONFIG.format(ssh=f"{PERSIST}\n{own_path}")
    first, second = (
        Project(place, tmp_path / name, ONE, ssh=place.ssh(principals=[name]), config=config)
        for name in (PRINCIPAL, OTHER_PRINCIPAL)
    )
    for project, name in ((first, "first"), (second, "second")):
        project.token = place.bao.token(ttl="10m", display_name=name)
    before = len(log.logins(place.hosts[ONE]))
    run = first.start(BUSY)
    run.says("TASK [busy]")
    assert f"for {OTHER_PRINCIPAL}, 1 signing request, 1 login" in second.run().ok().summary
    assert [login.key_id for login in log.logins(place.hosts[ONE])[before:]] == ["token-first/kx", "token-second/kx"]


def test_no_key_and_no_token_in_any_file_of_a_run(place: Site, tmp_path: Path) -> None:
    """Looked for while it goes on, in its own folders, in memory's and the agent's process."""
    auth, given = place.approle()
    project = Project(place, tmp_path / "p", ONE, ssh=place.ssh(auth))
    seen = {"ansible.builtin.raw": "env; true", "delegate_to": "localhost", "vars": {"ansible_connection": "local"}}
    run = project.start(tasks({"ansible.builtin.raw": "hostname"}, seen, *BUSY[0]["tasks"]), "-vvv", env=given)
    run.says("TASK [busy]")
    secrets = (given["SLIPWAY_SECRET_ID"].encode(), b"PRIVATE KEY", b"openssh-key-v1")
    files = [file for folder in (project.folder, project.runtime, project.home) for file in folder.rglob("*")]
    kept = [file for file in files if file.is_file() and any(secret in file.read_bytes() for secret in secrets)]
    assert kept == []
    for name in ("environ", "cmdline"):
        content = Path(f"/proc/{run.agent}/{name}").read_bytes()
        assert not any(secret in content for secret in secrets), name
    assert f"XDG_RUNTIME_DIR={project.runtime}" in run.text
    opened = [str(link.readlink()) for link in Path(f"/proc/{run.agent}/fd").iterdir() if link.exists()]
    assert all(name.startswith(("socket:", "anon_inode:", "/dev/null", "pipe:")) for name in opened), opened

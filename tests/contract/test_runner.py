# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The same run on a terminal and without one: the summary moves on the first only, and neither hangs."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.contract.support import CHARTS, ROOT, Cluster

pytestmark = pytest.mark.lab

BIN = Path(sys.executable).parent
LIMIT = 60.0


def on_terminal(command: list[str], folder: Path, env: dict[str, str]) -> tuple[int, str]:
    """Exit status and all that the terminal got; a run that hangs is killed and is a failure."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command, cwd=folder, env=env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    out, deadline = b"", time.monotonic() + LIMIT
    try:
        while time.monotonic() < deadline:
            if select.select([ours], [], [], 0.5)[0]:
                try:
                    part = os.read(ours, 65536)
                except OSError:
                    break
                out += part
            elif process.poll() is not None:
                break
        else:
            pytest.fail(f"no end after {LIMIT:.0f} s:\n{out.decode('utf-8', 'replace')}")
        return process.wait(10), out.decode("utf-8", "replace")
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
        os.close(ours)


def command_for(cluster: Cluster, folder: Path) -> list[str]:
    addons = {
        "portal": {"chart": {"path": str(CHARTS / "portal")}, "namespace": cluster.ns("portal"), "timeout": 30},
        "policy": {"chart": {"path": str(CHARTS / "log-agent")}, "namespace": cluster.ns("agent"), "timeout": 30},
    }
    extra = {
        "slipway_name": cluster.name,
        "slipway_namespace": cluster.home,
        "slipway_kubeconfig": cluster.env["kubeconfig"],
        "slipway_helm": cluster.helm,
        "slipway_cache_dir": str(cluster.cache),
        "slipway_addons": addons,
    }
    (folder / "extra.json").write_text(json.dumps(extra), encoding="utf-8")
    (folder / "hosts.yml").write_text("all: {hosts: {localhost: {ansible_connection: local}}}\n", encoding="utf-8")
    return [str(BIN / "ansible-playbook"), "-i", "hosts.yml", "slipway.cluster.install", "-e", "@extra.json"]


@pytest.fixture
def env() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "AWX_", "KUBE"))}
    return kept | {
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build" / "collections"),
        "ANSIBLE_NOCOLOR": "1",
        "TERM": "xterm",
    }


def test_a_terminal_gets_lines_and_a_moving_summary(cluster: Cluster, tmp_path: Path, env: dict[str, str]) -> None:
    status, out = on_terminal(command_for(cluster, tmp_path), tmp_path, env)
    assert status == 0, out
    assert "of 2 done" in out
    for addon in ("portal", "policy"):
        assert re.search(rf"\d+\.\d s  {addon} +ready +\d+ objects applied\r?\n", out), out
    # the cursor, hidden meanwhile, is back
    assert out.rfind("\x1b[?25h") > out.rfind("\x1b[?25l")


@pytest.mark.parametrize(
    "nobody", [{"TERM": "dumb"}, {"AWX_ISOLATED_DATA_DIR": "/runner/artifacts/1"}], ids=["dumb", "awx"]
)
def test_a_terminal_at_which_nobody_sits_gets_lines_only(
    nobody: dict[str, str], cluster: Cluster, tmp_path: Path, env: dict[str, str]
) -> None:
    status, out = on_terminal(command_for(cluster, tmp_path), tmp_path, env | nobody)
    assert status == 0, out
    assert re.findall(r"[\x00-\x09\x0b-\x1f\x7f]", out.replace("\r\n", "\n")) == []
    assert re.search(r"\d+\.\d s  portal +ready", out)
    assert "of 2 done" not in out

# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Passwords that a run of the fleet was given reach each look, by memory alone; those of an inventory stay there."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible import context
from ansible.playbook.play_context import PlayContext
from ansible.utils.context_objects import CLIArgs

from ansible_collections.slipway.cluster.plugins.module_utils.fleet.entries import Entry
from ansible_collections.slipway.cluster.plugins.module_utils.kube.memory_file import memory_fd, path_of
from ansible_collections.slipway.cluster.plugins.plugin_utils import fleet_job, fleet_keeper

GIVEN = {"password": "hunter2", "become_pass": "{{ no template }}"}

# Asks as sudo does, writes down what it is told, and does what it is for.
SUDO = """\
#!/bin/sh
while [ "$1" != -u ]; do [ "$1" = -p ] && printf %s "$2" >&2; shift; done
shift 2
read -r password
printf %s "$password" > "$SAID"
exec "$@"
"""

PLAY = """\
- hosts: all
  gather_facts: false
  become: true
  become_user: nobody
  tasks:
    - raw: "printf %s {{ ansible_password | default('none') }} > $SAID.connection"
"""


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, GIVEN),
        # Of the inventory that the fleet's own run has.
        ({"ansible_become_password": "x"}, {"password": "hunter2"}),
        ({"ansible_password": "x", "ansible_become_pass": "y"}, {}),
    ],
)
def test_what_is_handed_on(variables: Mapping[str, Any], expected: Mapping[str, str]) -> None:
    told = PlayContext(passwords={"conn_pass": GIVEN["password"], "become_pass": GIVEN["become_pass"]})
    assert fleet_job.passwords(told, variables) == expected


def test_nothing_is_handed_on_where_nothing_was_given() -> None:
    assert fleet_job.passwords(PlayContext(passwords={"conn_pass": None, "become_pass": None}), {}) == {}


def test_they_are_in_memory_and_no_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "CLIARGS", CLIArgs({}))
    job = fleet_job.job(Entry("prod", "inventories/prod"), 5, {}, GIVEN)
    command, environment = job.command(["/proc/self/fd/3"], "/proc/self/fd/4")
    assert json.loads(job.inputs[0])["passwords"] == GIVEN
    assert not [text for text in (*command, *environment.values()) if "hunter2" in text]


def test_a_look_uses_them(tmp_path: Path) -> None:
    (tmp_path / "play.yml").write_text(PLAY, encoding="utf-8")
    sudo, said = tmp_path / "sudo", tmp_path / "said"
    sudo.write_text(SUDO, encoding="utf-8")
    sudo.chmod(stat.S_IRWXU)
    extra = f"ansible_connection=local ansible_become_exe={sudo}"
    arguments = ["ansible-playbook", "-i", "here,", "-e", extra, str(tmp_path / "play.yml")]
    file = memory_fd(json.dumps({"arguments": arguments, "passwords": GIVEN}).encode())
    try:
        done = subprocess.run(
            [sys.executable, "-P", fleet_keeper.__file__, str(os.getpid()), path_of(file)],
            env={**os.environ, "SAID": str(said), "ANSIBLE_HOME": str(tmp_path), "LC_ALL": "C.UTF-8"},
            pass_fds=[file],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        os.close(file)
    assert done.returncode == 0, done.stdout + done.stderr
    assert said.read_text(encoding="utf-8") == GIVEN["become_pass"]
    assert (tmp_path / "said.connection").read_text(encoding="utf-8") == GIVEN["password"]

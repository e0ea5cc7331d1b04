# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Kubespray as the user has it installed, and Ansible started in the lab's network with it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from lab import procs
from lab.errors import LabError
from lab.paths import REPOSITORY
from lab.real import login, network
from lab.real.model import Run

VERSION = "2.31.0"
INSIDE = "ansible_collections/kubernetes_sigs/kubespray"
PLACES = (Path.home() / ".ansible/collections", Path("/usr/share/ansible/collections"))
RECAP = re.compile(r"^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)

TRUST = "-o UserKnownHostsFile={folder}/known_hosts"
CONFIG = """[defaults]
inventory = {folder}/inventory/hosts.yml
host_key_checking = True
forks = 5
gathering = smart
fact_caching = jsonfile
fact_caching_connection = {folder}/facts
force_valid_group_names = ignore
callbacks_enabled = ansible.posix.profile_tasks
local_tmp = {folder}/tmp
timeout = 30
retry_files_enabled = False

[ssh_connection]
pipelining = True
ssh_args = -o ControlMaster=auto -o ControlPersist=10m {trust}
"""


class NotInstalledError(LabError):
    """Kubespray is not where Ansible would look for it."""


def find() -> Path:
    """The collection path in which the user has installed Kubespray.

    :raises NotInstalledError: with a sentence on what to do.
    """
    named = [Path(place) for place in os.environ.get("ANSIBLE_COLLECTIONS_PATH", "").split(":") if place]
    for place in (*named, *PLACES):
        manifest = place / INSIDE / "MANIFEST.json"
        if manifest.is_file():
            version = json.loads(manifest.read_text())["collection_info"]["version"]
            if version == VERSION:
                return place
            raise NotInstalledError(f"{place} holds Kubespray {version}: install {VERSION}")
    raise NotInstalledError(
        f"Kubespray is not installed: run `ansible-galaxy collection install` with the address of its git repository "
        f"and the tag v{VERSION}, then start again"
    )


@dataclass(frozen=True)
class Outcome:
    """What a run of Ansible did: for each host ok, changed, unreachable and failed; the log has the rest."""

    status: int
    seconds: float
    log: Path
    recap: dict[str, tuple[int, int, int, int]]

    def __str__(self) -> str:
        hosts = ", ".join(f"{host} {ok}/{changed}" for host, (ok, changed, *_bad) in sorted(self.recap.items()))
        return f"rc {self.status}, ok/changed {hosts or 'nobody'}"


def configure(run: Run) -> None:
    """Write the settings that Kubespray's own ``ansible.cfg`` has, which does not come with the collection."""
    (run.folder / "ansible.cfg").write_text(CONFIG.format(folder=run.folder, trust=TRUST.format(folder=run.folder)))


def play(run: Run, python: Path, playbook: str, *arguments: str, log: str) -> Outcome:
    """Run a playbook against the lab's inventory.

    :raises LabError: when it fails; with the end of its log.
    """
    if run.server is None:
        raise LabError("the lab has no network")
    collections = f"{REPOSITORY / '.build/collections'}:{find()}"
    file = run.folder / f"{log}.log"
    environment: dict[str, str] = (
        os.environ
        | {
            "ANSIBLE_CONFIG": str(run.folder / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": collections,
            "ANSIBLE_HOME": str(run.folder / "ansible"),
            # A connection that an earlier run has left open would be a login that nobody sees.
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(run.folder / f"cp-{time.monotonic_ns() % 10**6}"),
            "ANSIBLE_NOCOLOR": "1",
            "PATH": f"{python.parent}:{os.environ['PATH']}",
            "PYTHONPATH": "",
            # By this, what a run leaves behind is found when the lab goes down: connections that are kept open.
            procs.OWNER: str(run.folder),
        }
        | login.credential(run)
    )
    command = [*network.enter(run.server), str(python), "-m", "ansible", "playbook", playbook, *arguments]
    command += ["--skip-tags", "system-packages"]
    began = time.monotonic()
    with file.open("w") as output:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment, check=False
        )
    outcome = Outcome(done.returncode, time.monotonic() - began, file, recap(file.read_text()))
    if outcome.status != 0:
        tail = "\n".join(file.read_text().splitlines()[-40:])
        raise LabError(f"{playbook} failed ({outcome}); the end of {file}:\n{tail}")
    return outcome


def recap(log: str) -> dict[str, tuple[int, int, int, int]]:
    """Counts of ok, changed, unreachable and failed by host, from Ansible's last lines."""
    return {
        host: (int(ok), int(changed), int(unreachable), int(failed))
        for host, ok, changed, unreachable, failed in RECAP.findall(log)
    }

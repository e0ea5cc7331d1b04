# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A job's folder as AWX lays it out, run by ansible-runner in a container of the execution environment."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab import procs
from lab.ee.podman import Podman
from lab.errors import LabError

RUNNER = Path(sys.executable).parent / "ansible-runner"
COLLECTIONS = "/usr/share/ansible/collections"
COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
# As AWX 24.6.1 sets them; the callback is ansible-runner's affair.
ENVIRONMENT = {
    "ANSIBLE_COLLECTIONS_PATH": f"/runner/requirements_collections:~/.ansible/collections:{COLLECTIONS}",
    "ANSIBLE_FORCE_COLOR": "True",
    "ANSIBLE_HOST_KEY_CHECKING": "False",
    "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
    "ANSIBLE_PARAMIKO_RECORD_HOST_KEYS": "False",
    "ANSIBLE_RETRY_FILES_ENABLED": "False",
    "ANSIBLE_SSH_CONTROL_PATH_DIR": "/runner/cp",
    "ANSIBLE_UNSAFE_WRITES": "1",
    "AWX_HOST": "https://awx.example.com",
    "INVENTORY_ID": "1",
    "MAX_EVENT_RES": "700000",
    "PROJECT_REVISION": "0" * 40,
}


@dataclass
class Job:
    """``number`` tells jobs apart; ``folder`` is made by ``write``; ``environment`` is what credentials bring."""

    podman: Podman
    image: str
    folder: Path
    number: int
    playbook: str
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def container(self) -> str:
        return f"ansible_runner_{self.number}"

    @property
    def artifacts(self) -> Path:
        return self.folder / "artifacts" / str(self.number)

    @property
    def output(self) -> str:
        """All that the job has said so far, without colours."""
        file = self.artifacts / "stdout"
        return COLOURS.sub("", file.read_text(errors="replace")).replace("\r\n", "\n") if file.exists() else ""

    def write(self, project: Path, inventory: dict[str, Any], variables: dict[str, Any]) -> None:
        """Lay the folder out: a copy of the project, the inventory as a script, extra variables, environment."""
        for name in ("artifacts", "cp", "env", "inventory"):
            (self.folder / name).mkdir(parents=True, mode=0o700)
        shutil.copytree(project, self.folder / "project")
        script = self.folder / "inventory" / "hosts"
        script.write_text(f"#!/usr/bin/env python3\nprint({json.dumps(inventory)!r})\n", encoding="utf-8")
        script.chmod(0o700)
        own = {"JOB_ID": str(self.number), "AWX_PRIVATE_DATA_DIR": str(self.folder)}
        given = {"envvars": ENVIRONMENT | own | self.environment, "extravars": variables}
        for name, content in given.items():
            (self.folder / "env" / name).write_text(json.dumps(content), encoding="utf-8")

    def start(self) -> subprocess.Popen[bytes]:
        """Start it as an execution node does. The container stays, for a look at what was written in it."""
        options = ("--user=root", "--network=host", "--pull=never", "--rm=false")
        command: list[str | Path] = [
            RUNNER,
            "run",
            self.folder,
            "--ident",
            str(self.number),
            "--playbook",
            self.playbook,
            "--quiet",
        ]
        command += ["--process-isolation", "--process-isolation-executable=podman", f"--container-image={self.image}"]
        command += [f"--container-option={option}" for option in options]
        with (self.folder / "runner.log").open("wb") as log:
            return subprocess.Popen(
                command, env=self.podman.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def finish(self, process: subprocess.Popen[bytes]) -> str:
        """Wait for its end and return its output.

        :raises LabError: with the end of the output, when it failed or has written where collections lie.
        """
        status = process.wait()
        try:
            if status != 0:
                said = self.output or (self.folder / "runner.log").read_text(errors="replace")
                tail = "\n".join(said.splitlines()[-25:])
                raise LabError(f"{self.playbook} ended with {status}:\n{tail}")
            if found := written(self.podman, self.container):
                raise LabError(f"{self.playbook} has written {', '.join(found)}")
        finally:
            self.podman.run("rm", "--force", "--ignore", self.container)
        return self.output

    def cancel(self, process: subprocess.Popen[bytes]) -> int:
        """Cancel it as AWX does, by a signal to ansible-runner, which kills the container.

        Returns how many processes of the container that has ended.

        :raises LabError: when something of it lives on.
        """
        first = self.podman.run("inspect", "--format={{.State.Pid}}", self.container).strip()
        namespace = (Path("/proc") / first / "ns/pid").readlink()
        before = len(_members(namespace))
        process.send_signal(signal.SIGTERM)
        status = process.wait()
        state = self.podman.run("inspect", "--format={{.State.Status}} {{.State.ExitCode}}", self.container).strip()
        self.podman.run("rm", "--force", "--ignore", self.container)
        if left := _members(namespace):
            raise LabError(f"processes {left} of the cancelled job live on")
        if status == 0 or state != f"exited {128 + signal.SIGKILL}":
            raise LabError(f"the cancelled job ended with {status}, and its container is: {state}")
        return before

    def stream(self) -> str:
        """Run it as a container group does: its folder goes in, its artifacts come out, and nothing is mounted.

        :raises LabError: with the end of what was said, when it failed.
        """
        worker = ["podman", "run", "--rm", "--interactive", "--network=host", "--pull=never", self.image]
        commands = [
            [str(RUNNER), "transmit", str(self.folder), "--playbook", self.playbook, "--ident", str(self.number)],
            [*worker, "ansible-runner", "worker", "--private-data-dir=/runner"],
            [str(RUNNER), "process", str(self.folder), "--ident", str(self.number)],
        ]
        passed = b""
        for command in commands:
            done = subprocess.run(
                command, env=self.podman.environment, input=passed, capture_output=True, check=False
            )  # fmt: skip
            passed = done.stdout
            if done.returncode != 0:
                said = self.output or done.stderr.decode(errors="replace")
                tail = "\n".join(said.splitlines()[-25:])
                raise LabError(f"{command[0]} {command[1]} ended with {done.returncode}:\n{tail}")
        return self.output


def written(podman: Podman, container: str) -> list[str]:
    """Files where collections lie that the container has added, changed or removed."""
    lines = podman.run("diff", container).splitlines()
    return changes(lines)


def changes(lines: list[str]) -> list[str]:
    """What ``podman diff`` says of collections; a folder counts as changed when something in it is."""
    named = [line.split(maxsplit=1) for line in lines]
    return [path for _kind, path in named if path == COLLECTIONS or path.startswith(f"{COLLECTIONS}/")]


def _members(namespace: Path) -> list[int]:
    """Pids of all that lives in a namespace of pids."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "ns/pid").readlink() == namespace and procs.find(int(entry.name)):
                    found.append(int(entry.name))
            except (FileNotFoundError, PermissionError, ProcessLookupError):
                continue
    return found

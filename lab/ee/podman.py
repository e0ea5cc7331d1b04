# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""podman with settings and storage of its own: nothing of the machine's is read or changed."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lab import procs
from lab.errors import LabError

# No systemd, no keyring, the host's network, and limits that are nowhere above the machine's own (podman's default is a
# million): so it works in a container or a small virtual machine, too. What it knows of containers has its usual place
# in the storage's folder: the clean-up after a container is told that one, and looks nowhere else. Locks are files,
# because those in shared memory belong to all storages of the machine together.
CONTAINERS = """[containers]
cgroups = "enabled"
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
keyring = false
netns = "host"

[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
runtime = "runc"
tmp_dir = "{folder}/tmp"
"""
STORAGE = """[storage]
driver = "overlay"
graphroot = "{folder}/storage"
runroot = "{folder}/run"

[storage.options]
ignore_chown_errors = "true"
"""
PROGRAMS = ("git", "podman", "runc")


@dataclass(frozen=True)
class Podman:
    """``folder`` holds all that it keeps."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs that starts podman itself, as ansible-builder and ansible-runner do."""
        settings = {
            "CONTAINERS_CONF": self.folder / "containers.conf",
            "CONTAINERS_STORAGE_CONF": self.folder / "storage.conf",
            "CONTAINERS_REGISTRIES_CONF": self.folder / "registries.conf",
            "TMPDIR": self.folder / "tmp",
            # Whatever is started by it is found by that, after a kill too.
            procs.OWNER: self.folder,
        }
        return os.environ | {name: str(path) for name, path in settings.items()}

    def prepare(self) -> None:
        """Write the settings."""
        (self.folder / "tmp").mkdir(parents=True, exist_ok=True)
        (self.folder / "containers.conf").write_text(CONTAINERS.format(folder=self.folder))
        (self.folder / "storage.conf").write_text(STORAGE.format(folder=self.folder))
        # No registry is ever asked: what is not here is an error.
        (self.folder / "registries.conf").write_text("unqualified-search-registries = []\n")

    def run(self, *words: str, text: str | None = None) -> str:
        """Output of a podman command.

        :raises LabError: with the end of what it said, when it fails.
        """
        done = subprocess.run(
            ["podman", *words], input=text, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            tail = "\n".join((done.stderr + done.stdout).strip().splitlines()[-15:])
            raise LabError(f"podman {words[0]} said: {tail}")
        return done.stdout

    def remove(self) -> bool:
        """Remove containers, images and settings; whether there was anything."""
        if not self.folder.exists():
            return False
        procs.stop(procs.owned(self.folder))
        if (self.folder / "storage.conf").exists():
            self.run("rm", "--all", "--force", "--time", "0")
            self.run("rmi", "--all", "--force")
        for place in mounts(Path("/proc/self/mountinfo").read_text(), self.folder):
            subprocess.run(["umount", place], check=True)
        shutil.rmtree(self.folder)
        return True


def mounts(listing: str, folder: Path) -> list[str]:
    """Mount points in the folder, the innermost first, in what the kernel lists; a killed build leaves some."""
    found = [line.split()[4] for line in listing.splitlines()]
    return sorted((place for place in found if Path(place).is_relative_to(folder)), reverse=True)


def check() -> None:
    """Refuse a machine that cannot hold it.

    :raises LabError: with what is missing and how to get it.
    """
    if os.geteuid() != 0:
        raise LabError("the execution environment is built and run by root's podman: start it as root")
    if shutil.which("apt-get") is None:
        raise LabError("the base image is made by apt out of the machine's own packages: it takes a Debian")
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        raise LabError(f"there is no {' and no '.join(missing)} here: `apt install {' '.join(missing)}`")

# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a build takes from the machine: pip's and git's settings, Kubespray, Helm and kubectl.

All of it is mounted while the build's commands run, and nothing of it is in the image.
"""

from __future__ import annotations

import configparser
import hashlib
import subprocess
import sys
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lab import debs
from lab.paths import REPOSITORY

REQUIREMENTS = REPOSITORY / "requirements.yml"
INSIDE = "/mnt/slipway"
# Of pip's settings, what says where packages come from and how to get there.
FOR_BUILDS = {"index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "retries"}


@dataclass
class Ways:
    """``mounts``: path on the machine to path in the build; ``arguments``: of the build."""

    folder: Path
    mounts: dict[Path, str] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)

    def prepare(self, galaxy: str, programs: dict[str, Path]) -> None:
        """Write down how a build gets everything; ``galaxy`` is the address of a Galaxy server.

        :raises LabError: when Kubespray is out of reach.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self.mounts[self.folder] = INSIDE
        self._file("ansible.cfg", f"[galaxy]\nserver = {galaxy}/\n", "/etc/ansible/ansible.cfg")
        self._pip()
        self._kubespray()
        self._helm(programs["helm3"])
        self._kubectl(programs["kubectl"])

    def _file(self, name: str, text: str, target: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")
        self.mounts[self.folder / name] = target

    def _pip(self) -> None:
        told = subprocess.run(
            [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
        ).stdout
        settings = dict(line.split("=", 1) for line in told.splitlines() if "=" in line)
        # Narrower ones come last and win, as they do in pip.
        named = {key.rsplit(".", 1)[-1]: value.strip("'\"") for key, value in settings.items()}
        kept = {key: value for key, value in named.items() if key in FOR_BUILDS}
        if certificates := named.get("cert"):
            kept["cert"] = f"{INSIDE}/certificates.crt"
            (self.folder / "certificates.crt").write_bytes(Path(certificates).read_bytes())
        parser = configparser.RawConfigParser()
        parser.read_dict({"global": kept})
        with (self.folder / "pip.conf").open("w", encoding="utf-8") as file:
            parser.write(file)
        self.mounts[self.folder / "pip.conf"] = "/etc/pip.conf"

    def _kubespray(self) -> None:
        """Clone it as the user's git would, and let the build's git find it under its usual address."""
        wanted: list[dict[str, Any]] = yaml.safe_load(REQUIREMENTS.read_text(encoding="utf-8"))["collections"]
        address, tag = next((one["name"], one["version"]) for one in wanted if one.get("type") == "git")
        copy = self.folder / "kubespray.git"
        debs.run(["git", "clone", "--quiet", "--bare", "--depth=1", f"--branch={tag}", _plain(address), str(copy)])
        text = f'[url "file://{INSIDE}/kubespray.git"]\n\tinsteadOf = {address}\n[safe]\n\tdirectory = *\n'
        self._file("gitconfig", text, "/etc/gitconfig")

    def _helm(self, program: Path) -> None:
        archive = self.folder / "helm.tar.gz"
        with tarfile.open(archive, "w:gz", compresslevel=1) as packed:
            packed.add(program, "linux-amd64/helm")
        self._offer("HELM", archive)

    def _kubectl(self, program: Path) -> None:
        copy = self.folder / "kubectl"
        copy.write_bytes(program.read_bytes())
        self._offer("KUBECTL", copy)

    def _offer(self, name: str, file: Path) -> None:
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        self.arguments[f"{name}_URL"] = f"file://{INSIDE}/{file.name}"
        self.arguments[f"{name}_SHA256"] = digest

    @property
    def volumes(self) -> list[str]:
        """Options for `podman build`."""
        return [f"--volume={path}:{inside}:ro" for path, inside in self.mounts.items()]


def _plain(address: str) -> str:
    """The address that git would really use; a path becomes one by which a shallow clone is possible."""
    found = debs.run(["git", "ls-remote", "--get-url", address]).strip()
    return f"file://{found}" if Path(found).is_absolute() else found

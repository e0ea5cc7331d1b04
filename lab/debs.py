# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Packages of the machine's own distribution, unpacked into a folder without installing them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from lab.cache import sha256_of
from lab.errors import LabError


def unpack(packages: tuple[str, ...], target: Path) -> None:
    """Unpack the packages, and what they need and the machine lacks, into ``target``.

    apt does the choosing and verifying, by its own settings, but in folders of its own: nothing of the system is
    changed, and no right is needed.

    :raises LabError: with what apt said, when they are not to be had.
    """
    missing = [tool for tool in ("apt-get", "dpkg-deb") if shutil.which(tool) is None]
    if missing:
        raise LabError(f"there is no {missing[0]} to fetch {packages[0]} with")
    with tempfile.TemporaryDirectory() as scratch:
        archives = _download(packages, Path(scratch))
        for archive in archives:
            run(["dpkg-deb", "-x", str(archive), str(target)])
        noted = {archive.name: sha256_of(archive) for archive in archives}
    (target / "packages.json").write_text(json.dumps(noted, indent=1) + "\n")


def _download(packages: tuple[str, ...], scratch: Path) -> list[Path]:
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (scratch / folder).mkdir(parents=True)
    # What distributions do after an update is meant for the system's own folders, and not for these.
    settings = scratch / "apt.conf"
    hooks = ("APT::Update::Pre-Invoke", "APT::Update::Post-Invoke", "APT::Update::Post-Invoke-Success")
    settings.write_text("".join(f"#clear {hook};\n" for hook in hooks))
    options = {
        "Dir::State": scratch / "state",
        "Dir::State::status": "/var/lib/dpkg/status",
        "Dir::Cache": scratch / "cache",
        "Dir::Log": scratch,
        "Debug::NoLocking": "true",
        # Otherwise root's downloads are made by a user who may not enter these folders.
        "APT::Sandbox::User": "root",
    }
    apt = ["apt-get", f"--config-file={settings}", "-qq", *(f"-o{key}={value}" for key, value in options.items())]
    run([*apt, "update"])
    # An installed package is fetched too: it is wanted in the folder.
    run([*apt, "--yes", "--no-install-recommends", "--download-only", "--reinstall", "install", *packages])
    return sorted((scratch / "cache" / "archives").glob("*.deb"))


def run(command: list[str], text: str | None = None, path: str | None = None) -> str:
    """Output of a command in the plain locale, with ``text`` as its input and ``path`` before the usual places.

    :raises LabError: with the end of what it said, when it fails.
    """
    environment = os.environ | {"LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    if path is not None:
        environment["PATH"] = f"{path}:{os.environ['PATH']}"
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-10:])
        raise LabError(f"{Path(command[0]).name} said: {tail}")
    return done.stdout

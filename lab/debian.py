# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Root file systems of the machine's own Debian, from the machine's own archive."""

from __future__ import annotations

import hashlib
import platform
import shutil
from pathlib import Path

from lab import debs
from lab.cache import Unit
from lab.errors import LabError

BOOTSTRAP = "mmdebstrap"
UNWANTED = ("doc", "info", "locale", "man")


def unit(name: str, recipe: str, programs: tuple[str, ...], seconds: int) -> Unit:
    """A root file system for the cache, made again with another Debian or when this file or ``recipe`` has changed."""
    release = platform.freedesktop_os_release()
    system = f"{release['ID']}-{release.get('VERSION_ID', 'rolling')}"
    pinned = [system.encode(), *(Path(file).read_bytes() for file in (recipe, __file__))]
    return Unit(name, system, hashlib.sha256(b"".join(pinned)).hexdigest(), programs, seconds)


def sources(listing: str) -> list[str]:
    """Lines of a sources.list for what the machine itself gets Debian from.

    ``listing`` is what apt says of its indexes, one in a line: address, suite, component and origin.
    """
    lines = {
        f"deb {address} {suite} {component}"
        for address, suite, component, origin in (line.split() for line in listing.splitlines() if line.count(" ") == 3)
        if origin == "Debian"
    }
    return sorted(lines, key=lambda line: (line.split()[2].count("-"), line))


def bootstrap(target: Path, packages: str) -> None:
    """Make ``target/root`` out of the packages, named between blanks, and note their versions in ``target``.

    :raises LabError: when the machine is no Debian, or its archive is out of reach.
    """
    asked = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)"]
    archive = sources(debs.run([*asked, "Created-By: Packages"]))
    if not archive:
        raise LabError("apt knows no archive of Debian on this machine: run `apt-get update`, on a Debian")
    tools = target / "tools"
    debs.unpack((BOOTSTRAP,), tools)
    folder = target / "root"
    command = [str(tools / "usr/bin" / BOOTSTRAP), "--mode=root", "--variant=minbase"]
    command += [f"--include={','.join(packages.split())}", '--aptopt=Acquire::Languages "none"']
    command += [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in UNWANTED]
    debs.run([*command, archive[0].split()[2], str(folder), "-"], "\n".join(archive) + "\n", str(tools / "usr/bin"))
    versions = debs.run(["dpkg-query", f"--admindir={folder}/var/lib/dpkg", "-W"])
    (target / "versions.txt").write_text(versions)
    shutil.rmtree(tools)

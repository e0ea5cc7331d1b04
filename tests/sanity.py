# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Runs ``ansible-test sanity`` without containers. ``python tests/sanity.py [ansible-test options]``.

Three things stand between ansible-test and a plain checkout, and each is cured here without touching the user's home:
it insists on a real path ending in ansible_collections/slipway/cluster (a symlink does not do), it downloads pip's
bootstrap script from a site of its own, and it tries every Python name on the PATH, a version manager's shims included.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

import yaml

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / ".build" / "sanity"
COPY = WORK / "ansible_collections" / "slipway" / "cluster"
HOME = WORK / "home"
PROGRAMS = WORK / "bin"
SETTINGS = "tests/config.yml"

# ansible-core 2.18 supports these on the controller; the ones that are there are tested with.
PYTHONS = ("3.11", "3.12", "3.13")
# The name that ansible-test 2.18 looks for before it downloads the script.
PIP_BOOTSTRAP = HOME / ".ansible" / "test" / "cache" / "get_pip_24_2.py"


def copy_sources() -> None:
    """Lay out what the built collection would hold, git's files less ``build_ignore``, and ansible-test's settings."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    ignored = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["build_ignore"]
    shutil.rmtree(COPY, ignore_errors=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        source, path = ROOT / name, PurePosixPath(name)
        unwanted = any(fnmatch(str(part), pattern) for part in (path, *path.parents[:-1]) for pattern in ignored)
        if source.is_file() and (name == SETTINGS or not unwanted):
            (COPY / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, COPY / name, follow_symlinks=False)
    # Without a repository of its own the copy would be seen as an ignored folder of this one, and nothing be tested.
    subprocess.run(["git", "init", "--quiet"], cwd=COPY, check=True)


def offer_pip() -> None:
    """Bootstrap pip from the wheel that every Python carries."""
    PIP_BOOTSTRAP.parent.mkdir(parents=True, exist_ok=True)
    PIP_BOOTSTRAP.write_text("import ensurepip\n\nensurepip.bootstrap()\n", encoding="utf-8")


def starts(python: Path, version: str) -> bool:
    probe = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-c", probe], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return done.returncode == 0 and done.stdout.strip() == version


def find_pythons() -> list[str]:
    """Link the interpreters that really start into a folder of our own, and say which versions there are."""
    shutil.rmtree(PROGRAMS, ignore_errors=True)
    PROGRAMS.mkdir(parents=True)
    folders = [Path(folder) for folder in os.environ.get("PATH", os.defpath).split(os.pathsep)]
    folders += sorted(Path.home().glob(".pyenv/versions/*/bin"))
    found = []
    for version in PYTHONS:
        name = f"python{version}"
        if python := next((folder / name for folder in folders if starts(folder / name, version)), None):
            # A link to a link inside a virtual environment would lose that environment: an exec wrapper does not.
            wrapper = PROGRAMS / name
            wrapper.write_text(f'#!/bin/sh\nexec "{python}" "$@"\n', encoding="utf-8")
            wrapper.chmod(0o755)
            found.append(version)
    return found


def main() -> int:
    copy_sources()
    offer_pip()
    print("ansible-test sanity on Python", ", ".join(find_pythons()), flush=True)
    environment = {
        **os.environ,
        "HOME": str(HOME),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), str(PROGRAMS), "/usr/bin", "/bin"]),
        "LC_ALL": "C.UTF-8",
    }
    for name in ("ANSIBLE_COLLECTIONS_PATH", "ANSIBLE_HOME", "PYTHONDONTWRITEBYTECODE"):
        environment.pop(name, None)
    command = [str(Path(sys.executable).parent / "ansible-test"), "sanity", "--local", "--color", "no", *sys.argv[1:]]
    return subprocess.run(command, cwd=COPY, env=environment, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main())

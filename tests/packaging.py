# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The artifact that users install, built from what git tracks or would track, so without a developer's leavings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
# Names, in the environment, an artifact that is to be looked at in place of one that is built from the checkout.
ARTIFACT = "SLIPWAY_ARTIFACT"
GIT = ["git", "-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"]


def ansible(program: str, *arguments: str | Path, home: Path, collections: Path | None = None) -> str:
    """Output of a program of ansible-core that knows of no collection but those in ``collections``."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTHONPATH"))}
    environment |= {
        "ANSIBLE_HOME": str(home),
        "ANSIBLE_COLLECTIONS_PATH": str(collections or home / "none"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
    }
    done = subprocess.run(
        [BIN / program, *arguments],
        cwd=home,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # ansible-core 2.21 has a word to say about a collection of its own.
    warnings = [line for line in done.stderr.splitlines() if "[WARNING]" in line and "_protomatter" not in line]
    assert warnings == []
    return done.stdout


def sources(target: Path) -> Path:
    """Copy what a clone of this checkout would hold, changes that are not committed included."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes((ROOT / name).read_bytes())
    return target


def repository(target: Path) -> str:
    """The same as a git repository with one commit; its address, as `ansible-galaxy` wants it."""
    sources(target)
    for command in (["init", "--quiet", "--initial-branch=main"], ["add", "--all"], ["commit", "--quiet", "-m", "all"]):
        subprocess.run([*GIT, *command], cwd=target, check=True)
    return f"git+file://{target},main"


def build(home: Path) -> Path:
    """Path of the artifact, built in ``home`` unless one is given."""
    if given := os.environ.get(ARTIFACT):
        return Path(given)
    ansible("ansible-galaxy", "collection", "build", sources(home / "source"), "--output-path", home, home=home)
    (built,) = home.glob("slipway-cluster-*.tar.gz")
    return built

# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The other side: Ansible with the collection `awx.awx`, as a user has it who describes an AWX."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from lab import pythons
from lab.cache import Say

SECONDS = 600


class Client:
    """``home``: a folder that nobody else uses. ``collections``: folders with more collections."""

    def __init__(self, home: Path, say: Say, collections: tuple[Path, ...] = ()) -> None:
        self.python = pythons.environment("awx", say)
        self.home = home
        self._paths = (*collections, self.collections(self.python))

    @staticmethod
    def collections(python: Path) -> Path:
        """The folder in which the environment of this Python has `awx.awx`."""
        (found,) = python.parent.parent.glob("lib/python3*/site-packages")
        return found

    def playbook(self, *words: str | Path, access: Mapping[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
        """``ansible-playbook`` with these words, in a folder, to its end."""
        return self.run("ansible-playbook", *words, access=access, folder=folder)

    def run(
        self, program: str, *words: str | Path, access: Mapping[str, str], folder: Path
    ) -> subprocess.CompletedProcess[str]:
        """A program of the environment. Its first line names a folder that was renamed, so Python is told itself."""
        programs = self.python.parent
        return subprocess.run(
            [self.python, programs / program, *words],
            cwd=folder,
            env={
                "PATH": f"{programs}{os.pathsep}{os.defpath}",
                "HOME": str(self.home),
                "LANG": "C.UTF-8",
                "ANSIBLE_NOCOLOR": "1",
                # A third of what a call of a module takes.
                "ANSIBLE_PIPELINING": "True",
                "ANSIBLE_LOCALHOST_WARNING": "False",
                "ANSIBLE_INVENTORY_UNPARSED_WARNING": "False",
                "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(map(str, self._paths)),
                **access,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )

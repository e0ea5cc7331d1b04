# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What is in the image: what a team would look at before it uses it."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from lab.ee.job import COLLECTIONS, changes
from lab.ee.podman import Podman
from lab.ee.ways import REQUIREMENTS
from lab.errors import LabError

# What a program prints about itself, and what that begins with.
PROGRAMS = {
    "ansible-playbook --version": r"ansible-playbook \[core (2\.18\.\d+)",
    "ansible-runner --version": r"(\d+\.\d+\.\d+)",
    "helm version --short": r"v(3\.\d+\.\d+)",
    "kubectl version --client": r"Client Version: v(1\.\d+\.\d+)",
    "git --version": r"git version (\d+\.\d+\.\d+)",
    "rsync --version": r"rsync +version (\d+\.\d+\.\d+)",
    "ssh -V": r"OpenSSH_(\S+?),? ",
    "sshpass -V": r"sshpass (\d+\.\d+)",
}
# AWX's ways with a container: nobody else's image, root, and the machine's network, where the lab is.
WAY = ("run", "--rm", "--pull=never", "--network=host", "--user=root", "--workdir=/runner")


def collections(podman: Podman, image: str) -> dict[str, str]:
    """Collections in the image with their versions, as ``ansible-galaxy collection list`` knows them.

    :raises LabError: when one that requirements.yml names is missing, or is there in another version.
    """
    said = podman.run(*WAY, image, "ansible-galaxy", "collection", "list", "--format=json")
    found = {name: str(one["version"]) for name, one in json.loads(said)[f"{COLLECTIONS}/ansible_collections"].items()}
    if wrong := differences(yaml.safe_load(REQUIREMENTS.read_text(encoding="utf-8"))["collections"], found):
        raise LabError(f"the image's collections are not those of requirements.yml: {'; '.join(wrong)}")
    return found


def differences(wanted: list[dict[str, Any]], found: dict[str, str]) -> list[str]:
    """Collections that are missing or have another version than the one that is pinned; ranges hold any."""
    wrong = []
    for one in wanted:
        name = "kubernetes_sigs.kubespray" if one.get("type") == "git" else str(one["name"])
        version = str(one["version"]).removeprefix("v")
        if name not in found:
            wrong.append(f"{name} is missing")
        elif re.fullmatch(r"[\d.]+", version) and found[name] != version:
            wrong.append(f"{name} {found[name]} in place of {version}")
    return wrong


def page(podman: Podman, image: str, plugin: str) -> int:
    """Number of options on a module's page, by ``ansible-doc`` in the image.

    :raises LabError: when there is no page.
    """
    pages = json.loads(podman.run(*WAY, image, "ansible-doc", "--json", plugin))
    if plugin not in pages:
        raise LabError(f"ansible-doc has no page for {plugin} in the image")
    return len(pages[plugin]["doc"]["options"])


def programs(podman: Podman, image: str) -> dict[str, str]:
    """Versions of the programs that jobs use.

    :raises LabError: when one is missing, or is of another generation than Slipway is made for.
    """
    script = "; ".join(f"echo '>> {command}'; {command} 2>&1 | head -n 1" for command in PROGRAMS)
    return versions(podman.run(*WAY, image, "sh", "-c", script))


def versions(said: str) -> dict[str, str]:
    """The same, out of what the programs have said, each after a line with ``>>`` and its command."""
    answers = dict(part.split("\n", 1) for part in said.split(">> ")[1:])
    found = {}
    for command, pattern in PROGRAMS.items():
        match = re.match(pattern, answers.get(command, ""))
        if match is None:
            raise LabError(f"`{command}` in the image says: {answers.get(command, '').strip() or 'nothing'}")
        found[command.split()[0]] = match[1]
    return found


def check_watch(podman: Podman, image: str) -> None:
    """A file that somebody writes among the collections has to be seen, or nothing that is said of jobs is worth it.

    :raises LabError: when it is not.
    """
    name = "slipway-ee-watch"
    podman.run("run", f"--name={name}", *WAY[2:], image, "touch", f"{COLLECTIONS}/ansible_collections/written")
    seen = changes(podman.run("diff", name).splitlines())
    podman.run("rm", "--force", name)
    if f"{COLLECTIONS}/ansible_collections/written" not in seen:
        raise LabError("podman does not tell what a container has written among the collections")

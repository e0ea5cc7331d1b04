# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The definition that users have, built by ansible-builder as they would, on another base image."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from lab import binaries, pythons
from lab.cache import Say
from lab.ee import base, galaxy
from lab.ee.podman import Podman
from lab.ee.ways import REQUIREMENTS, Ways
from lab.errors import LabError
from lab.paths import REPOSITORY
from lab.serve import Server

BIN = Path(sys.executable).parent
IMAGE = "localhost/slipway-ee:try"
DEFINITION = "execution-environment/execution-environment.yml"


def build(podman: Podman, folder: Path, log: Path, say: Say) -> str:
    """Build the image and return its name; ``folder`` is for what it takes, ``log`` for all that is said.

    :raises LabError: with the end of the log, when it cannot be built.
    """
    image = base.image(podman, say)
    with _served(folder / "site", say) as address:
        ways = Ways(folder / "ways")
        ways.prepare(address, binaries.ensure_all(say))
        arguments = ways.arguments | {"EE_BASE_IMAGE": image}
        command = [str(BIN / "ansible-builder"), "build", f"--file={REPOSITORY / DEFINITION}", f"--tag={IMAGE}"]
        command += [f"--context={folder / 'context'}", "--container-runtime=podman", "--verbosity=3"]
        command += [f"--build-arg={name}={value}" for name, value in arguments.items()]
        command += [f"--extra-build-cli-args=--pull=never --network=host {' '.join(ways.volumes)}"]
        with log.open("w") as output:
            done = subprocess.run(
                command, env=podman.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
            )
    if done.returncode != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-40:])
        raise LabError(f"ansible-builder failed; the end of {log}:\n{tail}")
    return IMAGE


def distributed(wanted: list[dict[str, Any]]) -> list[str]:
    """Collections that Ansible's distribution has: all that are wanted, but this one and those that come by git."""
    return [str(one["name"]) for one in wanted if "type" not in one and one["name"] != "slipway.cluster"]


@contextmanager
def _served(site: Path, say: Say) -> Iterator[str]:
    """A Galaxy server for as long as the block lasts; its address."""
    site.mkdir(parents=True)
    with Server(0, galaxy.handler(site)) as server:
        address = f"http://{server.server_name}:{server.server_port}"
        packages = pythons.environment("kubespray", say).parent.parent.glob("lib/python3*/site-packages")
        root = next(packages) / "ansible_collections"
        for name in distributed(yaml.safe_load(REQUIREMENTS.read_text(encoding="utf-8"))["collections"]):
            galaxy.publish(root / name.replace(".", "/"), site, address)
        galaxy.publish_artifact(_artifact(site.parent / "artifact"), site, address)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield address
        finally:
            server.shutdown()


def _artifact(folder: Path) -> Path:
    command: list[str | Path] = [BIN / "ansible-galaxy", "collection", "build", REPOSITORY, "--output-path", folder]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return next(folder.glob("slipway-cluster-*.tar.gz"))

# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""An installation of nodes and add-ons by jobs that are killed, and the moments at which they are."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab import bao as openbao
from lab.hosts import model
from tests.contract.kubespray.containers import Container, Containers, began, descendants
from tests.contract.kubespray.operations import Operations
from tests.contract.runner import control, rule

FIRST = ("control1", "worker1")
ALL = (*FIRST, "worker2")
LEASE_SECONDS = 4
CLAIM_SECONDS = 30
"""Of an installer's rights: the least that there is."""
NODES_SECONDS = 3600
JOIN_SECONDS = 1800
TRIED = "^(?!.*[?&]dryRun).*"
"""Before a path: no dry run of it."""
LEASE = "/apis/coordination.k8s.io/v1/namespaces/slipway-system/leases/slipway"


def note(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"text": "hello"}}


def shop() -> dict[str, Any]:
    """Something that is not ready at once."""
    labels = {"app": "shop"}
    pod = {
        "metadata": {"labels": labels, "annotations": {"lab.slipway/delay": "6"}},
        "spec": {"containers": [{"name": "shop", "image": "example.org/shop:1"}]},
    }
    spec = {"selector": {"matchLabels": labels}, "template": pod}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop"}, "spec": spec}


ADDONS = {
    "first": {"namespace": "first", "objects": [note("one"), note("two"), shop()]},
    "last": {"namespace": "last", "after": ["first"], "objects": [note("three")]},
}


@dataclass
class Story:
    """``quiet`` is how many processes a host has that nobody visits; ``expires`` says when OpenBao's tokens end, by
    accessor."""

    containers: Containers
    quiet: dict[str, int]
    expires: dict[str, str] = field(default_factory=dict)

    @property
    def site(self) -> Operations:
        return self.containers.jobs.site

    def write(self, *names: str) -> None:
        site = self.site
        site.write(
            *names,
            slipway_ssh=site.ssh(secret_id_file=str(self.containers.jobs.mounted)),
            slipway_addons=ADDONS,
            slipway_api_access="ssh",
            slipway_api_server=site.env["proxy_server"],
            slipway_lock_duration=LEASE_SECONDS,
            slipway_lock_wait=60,
            slipway_node_lock_duration=NODES_SECONDS,
            slipway_join_token_seconds=JOIN_SECONDS,
        )

    def claim(self) -> dict[str, Any]:
        """What the host keeps of the job that works on nodes, or of the last one that died at it."""
        file = self.site.run_file
        return dict(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else {}

    def mark(self) -> str:
        """What tells the run that has the claim from all others; empty where nobody has one that still holds."""
        found = self.claim()
        return str(found["holder"]).rpartition("#")[2] if found and found["expires"] > time.time() else ""

    def consent(self) -> dict[str, Any]:
        """Somebody has seen in AWX that the job before is over."""
        return {"slipway_dead_run": self.mark()}

    def held(self, task: str) -> Container:
        return self.containers.held("install", task, **self.consent())

    def tokens(self) -> dict[str, dict[str, Any]]:
        """Of all sessions, by accessor."""
        bao = openbao.of_lab(self.site.env)
        found = {}
        for accessor in bao.need("LIST", "auth/token/accessors")["data"]["keys"]:
            status, answer = bao.call("POST", "auth/token/lookup-accessor", {"accessor": accessor})
            if status == 200 and "slipway" in answer["data"]["policies"]:
                found[accessor] = answer["data"]
        return found


def on_host(site: Operations, name: str) -> list[int]:
    """A host's processes. Nothing but sshd runs on one that nobody visits."""
    process = model.load(site.folder).processes[site.hosts[name].folder]
    return [pid for pid in descendants(process.pid) if began(pid)]


def before(task: str) -> Callable[[Story], Container]:
    return lambda story: story.held(task)


def while_hosts_work(story: Story) -> Container:
    """Modules run on hosts, and will for a while."""
    container = story.containers.start("install", env={"LAB_SECONDS": "20"}, **story.consent())
    container.until(lambda: all(b"sleep\x0020\0" in work(story.site, host) for host in FIRST))
    return container


def at_write(**order: Any) -> Callable[[Story], Container]:
    """The API server has not got this one yet, and will not."""

    def catch(story: Story) -> Container:
        with rule(story.site.env, hold="before", **order):
            container = story.containers.start("install", **story.consent())
            container.until(lambda: control(story.site.env, "GET", "/held"))
        return container

    return catch


def while_waiting(story: Story) -> Container:
    container = story.containers.start("install", **story.consent())
    container.until(lambda: there(story.site, "/apis/apps/v1/namespaces/first/deployments/shop"))
    return container


def there(site: Operations, path: str) -> dict[str, Any] | None:
    with site.api() as api:
        status, found = api.call("GET", path)
    return dict(found) if status == 200 else None


def work(site: Operations, host: str) -> list[bytes]:
    """Command lines of all that runs on a host."""
    return [cmdline(pid) for pid in on_host(site, host)]


def cmdline(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def decoded(text: str) -> str:
    return base64.b64decode(text).decode()

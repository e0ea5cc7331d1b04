# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""One run of the engine in a process of its own, which a test can hold at any write and kill there.

The run speaks to the API server through the lab's fault proxy, under a user agent of its own; whoever looks afterwards
goes straight to the API server.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import EngineError
from ansible_collections.slipway.cluster.plugins.module_utils.addons.work import Event
from ansible_collections.slipway.cluster.plugins.module_utils.kube.access import Access, from_options
from ansible_collections.slipway.cluster.plugins.module_utils.kube.client import Client
from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import KubeError
from tests.contract.support import ROOT, Cluster, eventually

# Neither what is only tried out nor the lock, whose renewals come and go with time.
RECORDED_WRITES = r"^(?!.*/leases)(?!.*[?&]dryRun)"


@dataclass
class Job:
    """What a child runs. ``skew``: seconds that its clock is ahead; ``guarded``: false takes the gate out."""

    env: dict[str, Any]
    cache: str
    name: str
    addons: dict[str, Any]
    operation: str = "install"
    options: dict[str, Any] = field(default_factory=dict)
    events: str = ""
    agent: str = ""
    skew: float = 0.0
    guarded: bool = True
    watched: int = 0
    """A process whose end is the end of the run: what ansible-playbook is to its worker. 0: nobody."""


def proxied(env: dict[str, Any]) -> Access:
    """The API server behind the fault proxy."""
    token = Path(env["token_file"]).read_text(encoding="utf-8").strip()
    return from_options(server=env["proxy_server"], token=token, ca_file=env["ca_file"])


def work(job: Job) -> None:
    """The child: run, and write down what happens, a line each. Exit status 0: everything was done."""
    if job.skew:
        real = time.time
        time.time = lambda: real() + job.skew
    cluster = Cluster(job.env, Path(job.cache), name=job.name)
    client = Client(proxied(job.env), user_agent=job.agent, patience=20.0)
    with Path(job.events).open("a", encoding="utf-8", buffering=1) as log:

        def tell(event: Event) -> None:
            log.write(json.dumps([event.addon, event.state, event.detail]) + "\n")

        engine = cluster.engine(job.addons, job.operation, client=client, emit=tell, **job.options)
        if job.watched:
            engine._alive = lambda: Path(f"/proc/{job.watched}").exists()
        if not job.guarded:
            engine._lock = lambda: _Careless(engine)  # type: ignore[assignment,method-assign]
        try:
            report = engine.execute(engine.plan())
        except (EngineError, KubeError) as exc:
            tell(Event("", "error", str(exc)))
            os._exit(2)
        for name, result in report.results.items():
            tell(Event(name, f"result {result.outcome.value}", result.reason))
        os._exit(1 if report.failed else 0)


class _Careless:
    """A lock without its gate: what the counter-checks put in the place of the real one."""

    def __init__(self, engine: Any) -> None:
        self._lock = type(engine)._lock(engine)
        self._lock.check = lambda: None
        self._lock.check_alive = lambda: None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lock, name)


class Child:
    """A running job."""

    def __init__(self, job: Job) -> None:
        os.environ["PYTHONPATH"] = f"{ROOT}:{ROOT / '.build' / 'collections'}"
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.contract.runner"])
        handle, job.events = tempfile.mkstemp(prefix="events-", dir=job.cache)
        os.close(handle)
        job.agent = job.agent or f"child {job.name} {Path(job.events).name}"
        self.job = job
        self.process: ForkServerProcess = context.Process(target=work, args=(job,), daemon=True)
        self.process.start()

    @property
    def events(self) -> list[tuple[str, str, str]]:
        lines = Path(self.job.events).read_text(encoding="utf-8").splitlines()
        return [(addon, state, detail) for addon, state, detail in map(json.loads, lines)]

    def kill(self) -> None:
        self.process.kill()
        self.process.join(10)

    def wait(self, seconds: float = 60.0) -> int:
        self.process.join(seconds)
        assert self.process.exitcode is not None, f"no end within {seconds} s: {self.events}"
        return self.process.exitcode

    def saw(self, state: str, seconds: float = 20.0) -> None:
        """Wait for an event of this state."""
        eventually(lambda: any(s == state for _, s, _ in self.events), seconds)


def control(env: dict[str, Any], method: str, path: str, body: Any = None) -> Any:
    """An order to the fault proxy."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(env["proxy_control"] + path, data, method=method)  # noqa: S310 - the lab's own
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return json.load(answer)


@contextmanager
def rule(env: dict[str, Any], **order: Any) -> Iterator[int]:
    """An order that ends with the block."""
    number = int(control(env, "POST", "/rules", order)["id"])
    try:
        yield number
    finally:
        control(env, "DELETE", f"/rules/{number}")


def held(env: dict[str, Any], agent: str) -> int:
    """The id of the call that the proxy holds for this user agent; 0: none."""
    waiting = {int(call["id"]) for call in control(env, "GET", "/held")}
    if not waiting:
        return 0
    calls = control(env, "GET", "/requests")["writes"]
    return next((int(call["id"]) for call in calls if call["id"] in waiting and agent in call["user_agent"]), 0)


def fired(env: dict[str, Any], number: int) -> bool:
    """Whether a rule has met its call: cheaper to ask again and again than ``held``."""
    return any(one["id"] == number and one["fired"] for one in control(env, "GET", "/rules"))


def writes_through_proxy(env: dict[str, Any], agent: str) -> list[dict[str, Any]]:
    """Mutating calls of one user agent that were answered, dry runs and the lock's left out, in their order."""
    return [
        call
        for call in control(env, "GET", "/requests")["writes"]
        if agent in call["user_agent"] and not call["dry_run"] and "/leases" not in call["path"]
    ]


@dataclass(frozen=True)
class Transition:
    """One write of a run: the ``nth`` call of this method on this path (``{name}``: the slipway_name)."""

    method: str
    path: str
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.method} {self.path}" + (f" #{self.nth}" if self.nth > 1 else "")

    def pattern(self, name: str) -> str:
        return RECORDED_WRITES + re.escape(self.path.replace("{name}", name)) + r"(\?|$)"


def transitions(calls: list[dict[str, Any]], name: str) -> list[Transition]:
    """Every write of an undisturbed run, told apart by place and not by time."""
    seen: dict[tuple[str, str], int] = {}
    found = []
    for call in calls:
        key = (call["method"], call["path"].replace(name, "{name}"))
        seen[key] = seen.get(key, 0) + 1
        found.append(Transition(*key, seen[key]))
    return found


@dataclass
class Playbook:
    """An inventory folder for one ``slipway_name``, and ansible-playbook on it, by address, token and CA."""

    cluster: Cluster
    folder: Path
    addons: dict[str, Any]
    proxy: bool = False
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        env = self.cluster.env
        variables = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "slipway_name": self.cluster.name,
            "slipway_namespace": self.cluster.home,
            "slipway_api_server": env["proxy_server"] if self.proxy else env["server"],
            "slipway_api_ca_file": env["ca_file"],
            "slipway_helm": self.cluster.helm,
            "slipway_kustomize": f"{env['bin']['kubectl']} kustomize",
            "slipway_cache_dir": str(self.cluster.cache),
            "slipway_addons": self.addons,
            **self.extra,
        }
        target = self.folder / "group_vars" / "all"
        target.mkdir(parents=True, exist_ok=True)
        (self.folder / "hosts.yml").write_text("all: {hosts: {localhost: {}}}\n", encoding="utf-8")
        (target / "main.yml").write_text(yaml.safe_dump(variables, sort_keys=False), encoding="utf-8")

    def command(self, name: str, *more: str) -> list[str]:
        program = str(Path(sys.executable).parent / "ansible-playbook")
        return [program, "-i", str(self.folder / "hosts.yml"), f"slipway.cluster.{name}", *more]

    def environment(self, **more: str) -> dict[str, str]:
        return {
            **{k: v for k, v in os.environ.items() if not k.startswith(("ANSIBLE_", "PYTHON", "SLIPWAY_"))},
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build" / "collections"),
            "ANSIBLE_HOME": str(self.folder / "ansible"),
            "ANSIBLE_NOCOLOR": "1",
            "SLIPWAY_API_TOKEN": Path(self.cluster.env["token_file"]).read_text(encoding="utf-8").strip(),
            **more,
        }

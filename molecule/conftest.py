# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What the verifiers share: the lab, its API by testinfra's host and kubectl, and playbooks run as users run them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
SHARED_INVENTORY = ROOT / "molecule" / "inventory"
LINE = re.compile(r"^ *(?P<seconds>\d+\.\d) s  (?P<addon>\S+) +(?P<state>\S+) *(?P<detail>.*)$")

Audited = Callable[[], list[dict[str, Any]]]


@dataclass(frozen=True)
class Event:
    """One progress line."""

    seconds: float
    addon: str
    state: str
    detail: str


def events(text: str) -> list[Event]:
    found = (LINE.match(line) for line in text.splitlines())
    return [Event(float(m["seconds"]), m["addon"], m["state"], m["detail"]) for m in found if m]


@dataclass(frozen=True)
class Run:
    """What a run of ansible-playbook left: exit status, both outputs, and the JSON of slipway_report_file."""

    rc: int
    out: str
    report: dict[str, Any]

    @property
    def events(self) -> list[Event]:
        return events(self.out)

    @property
    def plan(self) -> str:
        """The plan's lines, without the time that it took."""
        lines = self.out.splitlines()
        at = next(i for i, line in enumerate(lines) if line.startswith("PLAN "))
        shown = []
        for line in lines[at:]:
            if LINE.match(line) or re.match(r"(changed|ok|fatal|failed|skipping): \[", line):
                break
            shown.append(line)
        return re.sub(r"\(\d+\.\d s\)", "(… s)", "\n".join(shown))

    @property
    def actions(self) -> dict[str, str]:
        """What the plan does, by add-on; without what stays as it is."""
        quiet = ("unchanged", "refresh")
        return {a["name"]: a["action"] for a in self.report["addons"] if a["action"] not in quiet}


@dataclass(frozen=True)
class Playbooks:
    """Runs a playbook of the collection with the scenario's inventory, without a terminal."""

    inventory: Path
    scratch: Path

    def __call__(self, name: str, *args: str, rc: int = 0, env: dict[str, str] | None = None, **extra: Any) -> Run:
        """``extra`` become extra variables, with their types, as AWX hands them over."""
        report = self.scratch / f"{uuid.uuid4().hex}.json"
        inventories = [] if "-i" in args else ["-i", str(SHARED_INVENTORY), "-i", str(self.inventory)]
        command = [str(BIN / "ansible-playbook"), *inventories, f"slipway.cluster.{name}", *args]
        command += ["-e", json.dumps({"slipway_report_file": str(report), **extra})]
        done = subprocess.run(
            command,
            cwd=self.scratch,
            env={**environment(), **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == rc, done.stdout
        assert "Traceback" not in done.stdout, done.stdout
        body = json.loads(report.read_text(encoding="utf-8")) if report.exists() else {}
        return Run(done.returncode, done.stdout, body)


def environment() -> dict[str, str]:
    """The environment of a user's shell: nothing of molecule's, nothing that names a cluster."""
    dropped = ("ANSIBLE_", "MOLECULE_", "KUBE", "SLIPWAY_API", "SLIPWAY_KUBE")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
    return kept | {
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build" / "collections"),
        "ANSIBLE_ALLOW_BROKEN_CONDITIONALS": "false",
        "ANSIBLE_INJECT_FACT_VARS": "false",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_PYTHON_INTERPRETER": "auto_silent",
    }


@pytest.fixture(scope="session")
def lab() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(os.environ["SLIPWAY_LAB_ENV"]).read_text(encoding="utf-8"))
    return found


@pytest.fixture(autouse=True, scope="module")
def as_written(host: Any) -> None:
    """Keeps tests in their order: pytest would put those that use testinfra's host before those that do not."""


@pytest.fixture(scope="module")
def scenario(request: pytest.FixtureRequest) -> Path:
    """The scenario's folder."""
    folder: Path = request.path.parent.parent
    return folder


@pytest.fixture(scope="module")
def playbook(scenario: Path, tmp_path_factory: pytest.TempPathFactory) -> Playbooks:
    return Playbooks(scenario / "inventory", tmp_path_factory.mktemp("runs"))


@pytest.fixture
def kubectl(host: Any, lab: dict[str, Any]) -> Callable[..., Any]:
    """``kubectl("get", "ns", "a")`` gives the object, or the list of objects; None when it is not there."""

    def call(*args: str) -> Any:
        words = [lab["bin"]["kubectl"], "--kubeconfig", lab["kubeconfig"], *args]
        if args[0] == "get":
            words += ["-o", "json", "--ignore-not-found"]
        done = host.run(" ".join(["%s"] * len(words)), *words)
        assert done.rc == 0, done.stderr
        if args[0] != "get":
            return done.stdout
        several = len(args) < 3 or args[2].startswith("-")
        found = json.loads(done.stdout) if done.stdout.strip() else {"items": []} if several else None
        return found["items"] if several else found

    return call


@pytest.fixture
def audited(lab: dict[str, Any]) -> Audited:
    """The requests of ours that the API server saw since the test began."""
    log = Path(lab["audit_log"])
    at = log.stat().st_size

    def seen() -> list[dict[str, Any]]:
        with log.open("rb") as file:
            file.seek(at)
            entries = [json.loads(line) for line in file.read().splitlines()]
        return [entry for entry in entries if "slipway" in entry.get("userAgent", "")]

    return seen


@pytest.fixture
def writes(audited: Audited) -> Callable[[], list[str]]:
    """What we wrote since the test began; dry runs change nothing."""

    def seen() -> list[str]:
        changing = [entry for entry in audited() if entry["verb"] not in ("get", "list", "watch")]
        return [entry["requestURI"] for entry in changing if "dryRun=" not in entry["requestURI"]]

    return seen

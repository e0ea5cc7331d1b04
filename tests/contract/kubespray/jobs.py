# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Jobs as AWX runs them: ansible-runner, an inventory script, extra variables in a file, nobody at a terminal."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.contract.kubespray.operations import PROGRAMS, Operations

# A question that nobody answers ends the job as a failure: that much shorter than the test's own patience.
SETTINGS = {"idle_timeout": 120, "job_timeout": 400, "suppress_ansible_output": True}


@dataclass(frozen=True)
class Job:
    """One that has ended. ``folder`` is all that is left of it; ``events`` are ansible-runner's, in their order."""

    rc: int
    status: str
    out: str
    folder: Path
    events: list[dict[str, Any]]

    @property
    def artifacts(self) -> dict[str, Any]:
        """What playbooks gave to ``set_stats``, as AWX keeps it."""
        (stats,) = (event["event_data"] for event in self.events if event["event"] == "playbook_on_stats")
        return dict(stats.get("artifact_data") or {})


class Jobs:
    """Of one site. ``home`` is the folder that HOME names, the same for all jobs, as nothing clears it in between."""

    def __init__(self, site: Operations) -> None:
        self.site = site
        self.home = site.tmp / "home"
        self.home.mkdir()
        # As a pod has its own credential: mounted, neither in the job's folder nor in HOME.
        self.mounted = Path(tempfile.mkdtemp(prefix="mounted-", dir="/dev/shm")) / "secret-id"
        self.given: list[str] = []

    def run(
        self, playbook: str, *words: str, terminal: bool, env: Mapping[str, str] | None = None, **extra: Any
    ) -> Job:
        """To its end. ``terminal``: ansible-runner's own pseudo-terminal, at which nobody is; else pipes. ``words``:
        options of ansible-runner's."""
        folder = self.laid_out(playbook, terminal=terminal, **extra)
        done = subprocess.run(
            [*self.command(folder), *words],
            env={**self.environment(), **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=600,
            start_new_session=True,
        )
        assert (folder / "artifacts" / "1" / "rc").exists(), done.stdout
        return self.ended(folder)

    def laid_out(self, playbook: str, *, terminal: bool, **extra: Any) -> Path:
        """The folder that AWX makes for a job."""
        folder = Path(tempfile.mkdtemp(prefix=f"job-{playbook}-", dir=self.site.tmp))
        mode = "pexpect" if terminal else "subprocess"
        for path, content in {
            "inventory/hosts": self._inventory(),
            "env/extravars": json.dumps(extra),
            "env/settings": json.dumps({**SETTINGS, "runner_mode": mode}),
            "project/site.yml": f"- import_playbook: slipway.cluster.{playbook}\n",
        }.items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_text(content, encoding="utf-8")
        (folder / "inventory" / "hosts").chmod(0o755)
        return folder

    def command(self, folder: Path) -> list[str]:
        return [str(PROGRAMS / "ansible-runner"), "run", str(folder), "-p", "site.yml", "-i", "1"]

    def ended(self, folder: Path) -> Job:
        """What a job in this folder has come to."""
        artifacts = folder / "artifacts" / "1"
        found = [json.loads(file.read_text(encoding="utf-8")) for file in (artifacts / "job_events").glob("*.json")]
        return Job(
            int((artifacts / "rc").read_text(encoding="utf-8")),
            (artifacts / "status").read_text(encoding="utf-8"),
            (artifacts / "stdout").read_text(encoding="utf-8"),
            folder,
            sorted(found, key=lambda event: int(event["counter"])),
        )

    def environment(self) -> dict[str, str]:
        """Of one job: its login serves once."""
        env = self.site.environment()
        secret = env.pop("SLIPWAY_SECRET_ID")
        self.mounted.write_text(secret, encoding="utf-8")
        self.given.append(secret)
        for name in ("ANSIBLE_HOME", "ANSIBLE_CALLBACK_PLUGINS"):
            del env[name]
        return {**env, "HOME": str(self.home), "TERM": "xterm"}

    def _inventory(self) -> str:
        """A script that prints the site's inventory, as AWX makes one of its database."""
        content = yaml.safe_load(self.site.written)["all"]
        children = content["children"]
        groups: dict[str, Any] = {
            name: {"hosts": list(group.get("hosts") or {}), "children": list(group.get("children") or {})}
            for name, group in children.items()
        }
        groups["all"] = {"children": list(children), "vars": content["vars"]}
        groups["_meta"] = {"hostvars": content["hosts"]}
        return f"#!/bin/sh\ncat <<'JSON'\n{json.dumps(groups)}\nJSON\n"

    def left(self) -> Iterator[Path]:
        """All files that jobs have left where a controller keeps files."""
        for folder in (self.home, self.site.runtime, *self.site.tmp.glob("job-*")):
            yield from (path for path in folder.rglob("*") if path.is_file())

    def close(self) -> None:
        shutil.rmtree(self.mounted.parent, ignore_errors=True)

# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Updates of projects from git, and of inventories from a project's files."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import threading
from pathlib import Path

from lab.awx import commands
from lab.awx.importing import take_over
from lab.awx.outcome import TOO_LONG, Outcome
from lab.awx.settings import Settings
from lab.awx.store import Object, Store


class Updates:
    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self.settings = settings

    def project(self, run: Object, canceled: threading.Event) -> Outcome:
        """A fresh checkout in the place of the former one."""
        with self.store.lock:
            project = dict(self.store.get("projects", run["project"]))
        target = self.settings.projects / project["local_path"]
        fresh = Path(tempfile.mkdtemp(prefix=".checkout-", dir=self.settings.projects))
        log = self.settings.jobs / f"{run['id']}.log"
        git = ["git", "-c", "protocol.file.allow=always", "-C", str(fresh)]
        steps = [["clone", "--quiet", project["scm_url"], "."]]
        if project["scm_branch"]:
            steps.append(["checkout", "--quiet", project["scm_branch"]])
        steps.append(["rev-parse", "HEAD"])
        environment = {"PATH": os.defpath, "HOME": str(fresh), "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1"}
        try:
            for step in steps:
                if commands.run([*git, *step], fresh, environment, canceled, log, seconds=run["timeout"]) != 0:
                    return Outcome("failed", values=self._said(run, log))
            # A job that starts meanwhile copies one or the other.
            with self.store.lock:
                if target.exists():
                    shutil.rmtree(target)
                fresh.rename(target)
        except commands.TimeoutPassedError:
            return Outcome("failed", TOO_LONG, values=self._said(run, log))
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        revision = log.read_text(encoding="utf-8").split()[-1]
        with self.store.lock:
            self.store.update(self.store.get("projects", run["project"]), {"scm_revision": revision})
        return Outcome("successful", values=self._said(run, log) | {"scm_revision": revision})

    def inventory(self, run: Object, canceled: threading.Event) -> Outcome:
        """What ``ansible-inventory`` reads at the source's path becomes hosts and groups."""
        with self.store.lock:
            source = dict(self.store.get("inventory_sources", run["inventory_source"]))
            project = dict(self.store.get("projects", source["source_project"]))
        log = self.settings.jobs / f"{run['id']}.log"
        with tempfile.TemporaryDirectory(prefix=f"inventory-{run['id']}-", dir=self.settings.jobs) as name:
            folder = Path(name)
            copied = folder / "project"
            shutil.copytree(self.settings.projects / project["local_path"], copied, symlinks=True)
            (folder / "home").mkdir()
            found = folder / "inventory.json"
            command = ["ansible-inventory", "--list", "--export", "--output", str(found)]
            command += ["-i", str(copied / source["source_path"])]
            environment = {
                "PATH": self.settings.path,
                "HOME": str(folder / "home"),
                "LANG": "C.UTF-8",
                "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
                "ANSIBLE_TRANSFORM_INVALID_GROUP_CHARS": "never",
                "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(map(str, self.settings.collections)),
                "INVENTORY_SOURCE_ID": str(source["id"]),
                "INVENTORY_UPDATE_ID": str(run["id"]),
            }
            try:
                rc = commands.run(command, copied, environment, canceled, log, seconds=run["timeout"])
            except commands.TimeoutPassedError:
                return Outcome("failed", TOO_LONG, values=self._said(run, log))
            if rc != 0:
                return Outcome("failed", values=self._said(run, log))
            content = json.loads(found.read_text(encoding="utf-8"))
        with self.store.lock:
            take_over(self.store, source, content)
        return Outcome("successful", values=self._said(run, log))

    def _said(self, run: Object, log: Path) -> dict[str, str]:
        text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        self.store.results[run["id"]] = {"stdout": text}
        return {}

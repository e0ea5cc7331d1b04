# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""One job, by ansible-runner, in a folder and a container of its own."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from lab.awx import engine, events
from lab.awx.folder import prepare
from lab.awx.outcome import TOO_LONG, Outcome
from lab.awx.settings import Settings
from lab.awx.store import Object, Store
from lab.paths import REPOSITORY

# AWX gives ansible-runner that long to end what was canceled.
PATIENCE = 30.0
LOOK = 0.05


class Jobs:
    """``host``: AWX's own address, as jobs hear of it."""

    def __init__(self, store: Store, settings: Settings, host: str) -> None:
        self.store = store
        self.settings = settings
        self.host = host
        self._folders: dict[int, Path] = {}

    def run(self, job: Object, canceled: threading.Event) -> Outcome:
        """To its end, whatever it is."""
        folder = Path(tempfile.mkdtemp(prefix=f"awx_{job['id']}_", dir=self.settings.jobs))
        try:
            with self.store.lock:
                shown = prepare(self.store, self.settings, job, folder, self.host)
            artifacts = folder / "artifacts" / str(job["id"])
            self._folders[job["id"]] = artifacts
            said = self._runner(job, folder, canceled)
            return self._outcome(job, artifacts, shown, said, canceled=canceled.is_set())
        finally:
            self._folders.pop(job["id"], None)
            engine.remove(self.settings.folder / "engine" / "state" / f"ansible_runner_{job['id']}")
            shutil.rmtree(folder, ignore_errors=True)

    def so_far(self, job: Object) -> list[Object]:
        """Events of a job that runs."""
        folder = self._folders.get(job["id"])
        return events.read(folder) if folder else []

    def _runner(self, job: Object, folder: Path, canceled: threading.Event) -> str:
        """What it had to say itself: nothing, unless it could not do its work."""
        words = [
            sys.executable,
            "-m",
            "ansible_runner",
            "run",
            str(folder),
            "-p",
            job["playbook"],
            "-i",
            str(job["id"]),
        ]
        environment = {"PATH": f"{self._engine()}{os.pathsep}{os.defpath}", "HOME": str(folder), "TERM": "xterm"}
        log = folder / "runner.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                words,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
            try:
                while process.poll() is None and not canceled.wait(LOOK):
                    pass
                if process.poll() is None:
                    process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(PATIENCE)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        return log.read_text(encoding="utf-8", errors="replace")

    def _engine(self) -> Path:
        """A folder with what ansible-runner calls podman."""
        folder = self.settings.folder / "engine"
        (folder / "state").mkdir(parents=True, exist_ok=True)
        settings = {
            "collections": list(map(str, self.settings.collections)),
            "readable": list(map(str, self.settings.readable())),
            "path": self.settings.path,
            "state": str(folder / "state"),
        }
        script, told = folder / "podman", folder / "settings.json"
        told.write_text(json.dumps(settings), encoding="utf-8")
        # Nothing of the job's environment, which ansible-runner hands on here too, is for this program.
        command = ["env", "-i", f"PYTHONPATH={REPOSITORY}", sys.executable, "-m", "lab.awx.engine", str(told)]
        if not script.exists():
            script.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n', encoding="utf-8")
            script.chmod(0o755)
        return folder

    def _outcome(self, job: Object, artifacts: Path, shown: dict[str, str], said: str, *, canceled: bool) -> Outcome:
        found = events.read(artifacts)
        hosts = events.summaries(found)
        self.store.results[job["id"]] = {
            "stdout": events.text(found),
            "events": events.shown(found, job),
            "hosts": hosts,
        }
        values: dict[str, Any] = {"artifacts": events.artifacts(found)}
        with suppress(FileNotFoundError):
            command = json.loads((artifacts / "command").read_text(encoding="utf-8"))
            own = {name: value for name, value in command["env"].items() if name not in shown}
            values |= {"job_args": json.dumps(command["command"]), "job_cwd": command["cwd"], "job_env": own | shown}
        try:
            status = (artifacts / "status").read_text(encoding="utf-8")
        except FileNotFoundError:
            # So early that ansible-runner could not write down anything.
            if canceled:
                return Outcome("canceled", values=values)
            return Outcome("error", "Job failed to start.", said, values)
        match status:
            case "timeout":
                return Outcome("failed", TOO_LONG, values=values)
            case _:
                return Outcome(status, values=values)

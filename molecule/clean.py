# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Takes a scenario's objects off the lab, by kubectl and not by what is under test: ``clean.py NAME``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

LAB = json.loads(Path(os.environ["SLIPWAY_LAB_ENV"]).read_text(encoding="utf-8"))
OURS = "slipway.cluster/"
RELEASE = "meta.helm.sh/release-name"
FIRST = "validatingwebhookconfigurations,mutatingwebhookconfigurations,apiservices"


def kubectl(*args: str) -> str:
    command = [LAB["bin"]["kubectl"], "--kubeconfig", LAB["kubeconfig"], *args]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    if done.returncode and "NotFound" not in done.stderr:
        raise SystemExit(f"kubectl {' '.join(args)}: {done.stderr}")
    return done.stdout


def listed(*args: str) -> list[dict[str, Any]]:
    return list(json.loads(kubectl("get", *args, "-o", "json"))["items"])


def releases(name: str) -> set[tuple[str, str]]:
    """Namespaces and names of the release Secrets: they carry Helm's labels only."""
    mine = listed("all,configmaps,secrets", "-A", "-l", f"{OURS}name={name}")
    annotations = [(item["metadata"]["namespace"], item["metadata"].get("annotations") or {}) for item in mine]
    return {(space, notes[RELEASE]) for space, notes in annotations if RELEASE in notes}


def main(name: str) -> None:
    selector = f"{OURS}name={name}"
    kinds = kubectl("api-resources", "--verbs=list,delete", "-o", "name").split()
    skipped = ("events", "events.events.k8s.io", "namespaces", "pods", "nodes")
    for space, release in releases(name):
        kubectl("delete", "secrets", "-n", space, "-l", f"owner=helm,name={release}", "--wait=false")
    for some in (FIRST, ",".join(kind for kind in kinds if kind not in skipped)):
        kubectl("delete", some, "-A", "-l", selector, "--wait=false", "--ignore-not-found")
    made = [
        space["metadata"]["name"]
        for space in listed("namespaces")
        for marks in [(space["metadata"].get("annotations") or {}) | (space["metadata"].get("labels") or {})]
        if any(key.startswith(OURS) and value == name for key, value in marks.items())
    ]
    kubectl("delete", "namespaces", *made, f"{name}-records", "--ignore-not-found", "--wait=false")


if __name__ == "__main__":
    main(sys.argv[1])

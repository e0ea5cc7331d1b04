# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""etcd on the host that it runs on, by its own etcdctl: with the certificates where Kubespray puts them.

This runs on hosts: Python 3.8 and its standard library.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..kube.errors import KubeError

HOST, KUBEADM, GIVEN = "host", "kubeadm", "given"
ENV_FILE = "/etc/etcd.env"
"""Kubespray's, where etcd is a service of the host; it names the files for etcdctl."""
KUBEADM_FOLDERS = ("/etc/kubernetes/ssl/etcd", "/etc/kubernetes/pki/etcd")
"""Of certificates, where etcd is a static pod: Kubespray's, then kubeadm's own."""
BIN_FOLDERS = ("/usr/local/bin", "/opt/bin", "/usr/bin")
ENDPOINT = "https://127.0.0.1:2379"


class EtcdError(KubeError):
    """SLW-8510 etcd cannot be spoken to, SLW-8511 a snapshot cannot be taken, SLW-8512 one is no good."""


@dataclass(frozen=True)
class Etcd:
    """``way``: how it runs. ``programs``: where etcdctl and etcdutl are; the latter may be missing before 3.5."""

    way: str
    endpoint: str
    ca: str
    cert: str
    key: str
    etcdctl: str
    etcdutl: str
    data: str = "/var/lib/etcd"

    def ask(self, *words: str, timeout: float = 60.0) -> str:
        """What etcdctl prints. Raises ``EtcdError`` SLW-8510."""
        flags = ["--endpoints", self.endpoint, "--cacert", self.ca, "--cert", self.cert, "--key", self.key]
        return run([self.etcdctl, *flags, *words], timeout=timeout)

    def ask_json(self, *words: str) -> Any:
        """Raises ``EtcdError`` SLW-8510."""
        text = self.ask(*words, "--write-out", "json")
        try:
            return json.loads(text)
        except ValueError as exc:
            raise EtcdError("SLW-8510", f"etcdctl {' '.join(words)} did not print JSON: {text[:200]}") from exc

    def status(self) -> dict[str, Any]:
        """Of the member that is asked: ``revision``, ``version``, ``size`` in bytes. Raises ``EtcdError``."""
        found = self.ask_json("endpoint", "status")[0]["Status"]
        return {
            "revision": int(found["header"]["revision"]),
            "version": str(found.get("version", "")),
            "size": int(found.get("dbSize", 0)),
        }

    def members(self) -> list[dict[str, Any]]:
        """All of them: ``name``, ``client_urls``, ``peer_urls``, ``healthy``, ``learner``. Raises ``EtcdError``."""
        listed = self.ask_json("member", "list")["members"]
        return [
            {
                "name": str(one.get("name", "")),
                "client_urls": list(one.get("clientURLs") or []),
                "peer_urls": list(one.get("peerURLs") or []),
                "learner": bool(one.get("isLearner")),
                "healthy": self._healthy(list(one.get("clientURLs") or [])),
            }
            for one in listed
        ]

    def _healthy(self, urls: list[str]) -> bool:
        """Each by itself: asked together, one that is down would fail the question for all."""
        if not urls:
            return False
        flags = ["--cacert", self.ca, "--cert", self.cert, "--key", self.key, "--command-timeout", "5s"]
        try:
            run([self.etcdctl, "--endpoints", urls[0], *flags, "endpoint", "health"], timeout=15.0)
        except EtcdError:
            return False
        return True


def find(given: dict[str, str], *, env_file: str = ENV_FILE, folders: tuple[str, ...] = KUBEADM_FOLDERS) -> Etcd:
    """``given``: ``endpoint``, ``ca``, ``cert``, ``key``, ``bin`` where the user knows better; empty ones are looked
    for. Raises ``EtcdError`` SLW-8510."""
    ours = _service(env_file) or _static_pod(folders) or {}
    values = {key: given.get(key) or ours.get(key, "") for key in ("endpoint", "ca", "cert", "key", "data")}
    missing = [key for key in ("ca", "cert", "key") if not values[key] or not Path(values[key]).exists()]
    if missing:
        places = ", ".join((env_file, *folders))
        raise EtcdError(
            "SLW-8510", f"no {', '.join(missing)} for etcd on this host (looked in {places})", "does etcd run here?"
        )
    programs = _programs(given.get("bin", ""))
    return Etcd(
        way=GIVEN if given.get("cert") else ours.get("way", GIVEN),
        endpoint=values["endpoint"] or ENDPOINT,
        ca=values["ca"],
        cert=values["cert"],
        key=values["key"],
        etcdctl=programs["etcdctl"],
        etcdutl=programs["etcdutl"],
        data=values["data"] or "/var/lib/etcd",
    )


def run(command: list[str], *, timeout: float) -> str:
    """Standard output. Raises ``EtcdError`` SLW-8510 with the end of what was said instead."""
    # What the environment says to etcdctl would contradict our flags, which it refuses.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ETCDCTL_")}
    environment["ETCDCTL_API"] = "3"
    what = " ".join([Path(command[0]).name, *(word for word in command[1:] if not word.startswith(("-", "/", "http")))])
    try:
        done = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise EtcdError("SLW-8510", f"{what}: {exc}", "is etcd well?") from exc
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()[-500:]
        raise EtcdError("SLW-8510", f"{what}: {said or f'exit status {done.returncode}'}", "is etcd well?")
    return done.stdout


def _service(env_file: str) -> dict[str, str] | None:
    try:
        lines = Path(env_file).read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    values = dict(line.split("=", 1) for line in lines if "=" in line and not line.lstrip().startswith("#"))
    return {
        "way": HOST,
        "endpoint": values.get("ETCDCTL_ENDPOINTS", "").split(",")[0].strip(),
        "ca": values.get("ETCDCTL_CACERT", "").strip(),
        "cert": values.get("ETCDCTL_CERT", "").strip(),
        "key": values.get("ETCDCTL_KEY", "").strip(),
        "data": values.get("ETCD_DATA_DIR", "").strip(),
    }


def _static_pod(folders: tuple[str, ...]) -> dict[str, str] | None:
    for folder in folders:
        found = {
            "way": KUBEADM,
            "ca": f"{folder}/ca.crt",
            "cert": f"{folder}/server.crt",
            "key": f"{folder}/server.key",
        }
        if Path(found["cert"]).exists():
            return found
    return None


def _programs(folder: str) -> dict[str, str]:
    path = os.pathsep.join([folder] if folder else [*BIN_FOLDERS, os.environ.get("PATH", "")])
    found = {name: shutil.which(name, path=path) or "" for name in ("etcdctl", "etcdutl")}
    if not found["etcdctl"]:
        where = folder or ", ".join(BIN_FOLDERS)
        raise EtcdError("SLW-8510", f"there is no etcdctl in {where}", "slipway_etcd_bin_dir says where it is")
    return found

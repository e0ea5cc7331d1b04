# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Machines made of an image: each boots with its user-data and joins, knowing nothing of the cluster but what is in it.

What is simulated is the machine: its files are in a folder, and kwok plays its kubelet. Discovery, proof of identity,
certificate request and registration are the real ones, against the real API server.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import ssl
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from lab.binaries import KUBERNETES
from lab.errors import LabError
from lab.kubeadm import user_data
from lab.kubeadm.joining import INFO, Joiner, verify
from lab.nodes import registered

ENV = "/etc/slipway/join.env"
KUBELET = "/etc/kubernetes/kubelet.conf"
FAULT = "lab.slipway/fault"
WITHIN = 60.0


@dataclass(frozen=True)
class Machine:
    """``folder`` holds its files, ``image`` is the digest of the manifest of its image; without one any is accepted.
    ``within`` are the seconds that it waits for a signed description of the cluster, and then for its certificate,
    ``seconds`` those from power on until it reads its user-data.
    """

    folder: Path
    image: str = ""
    version: str = KUBERNETES.removeprefix("v")
    fault: str = ""
    within: float = WITHIN
    seconds: float = 0.0

    def boot(self, text: str) -> dict[str, Any]:
        """Read the user-data and join; what was done and when (seconds since the epoch).

        :raises LabError: when it does not become a node.
        """
        began = time.time()
        time.sleep(self.seconds)
        told = user_data.read(text)
        for path, (content, mode) in told.files.items():
            self._write(path, content, mode)
        settings = self._settings()
        name = settings["NAME"]
        if told.hostname != name:
            raise LabError(f"the machine is called {told.hostname}, and joins as {name}")
        if self.fault != "never-asks":
            self._join(settings)
            (self.folder / ENV[1:]).unlink()
        return {"name": name, "began": began, "ended": time.time()}

    def _settings(self) -> dict[str, str]:
        """As the image's join script reads them."""
        file = self.folder / ENV[1:]
        if file.stat().st_mode & 0o777 != 0o600:
            raise LabError(f"{ENV} can be read by others")
        pairs = (line.partition("=") for line in file.read_text().splitlines())
        found = {key.removeprefix("SLIPWAY_"): value for key, _equals, value in pairs}
        if (self.folder / KUBELET[1:]).exists():
            raise LabError(f"there is {KUBELET}: this machine is a node already")
        if self.image and found["IMAGE"] != self.image:
            raise LabError(f"this image is {self.image}, the user-data is for {found['IMAGE']}")
        return found

    def _join(self, settings: dict[str, str]) -> None:
        name, token = settings["NAME"], settings["TOKEN"]
        host, _, port = settings["ENDPOINT"].rpartition(":")
        authority = discover(host, int(port), token, settings["CA_HASH"], self.within)
        (self.folder / "ca.crt").write_text(authority)
        joiner = Joiner(int(port), self.folder, self.folder / "kubelet", name, self.within)
        joiner.certificate(token)
        self._write(KUBELET, "joined\n", 0o600)
        if self.fault == "never-registers":
            return
        node = registered(name, settings["ADDRESS"], self.version, [_taint(one) for one in _listed(settings["TAINTS"])])
        if self.fault == "never-ready":
            node["metadata"]["labels"][FAULT] = self.fault
        joiner.register(node)

    def _write(self, path: str, content: str, mode: int) -> None:
        target = self.folder / path[1:]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch(mode)
        target.chmod(mode)
        target.write_text(content)


def boot_all(machines: Iterable[tuple[Machine, str]]) -> list[dict[str, Any]]:
    """All at the same time; the problem of each that did not become a node is in what is said of it."""
    pairs = list(machines)

    def boot(pair: tuple[Machine, str]) -> dict[str, Any]:
        try:
            return pair[0].boot(pair[1])
        except LabError as error:
            return {"name": pair[0].folder.name, "problem": str(error)}

    with ThreadPoolExecutor(len(pairs)) as pool:
        return list(pool.map(boot, pairs))


def discover(host: str, port: int, token: str, ca_hash: str, within: float) -> str:
    """The cluster's authority as PEM: read from whoever answers, believed for the signature and the pin.

    :raises LabError: when either does not fit.
    """
    blind = ssl.create_default_context()
    blind.check_hostname = False
    blind.verify_mode = ssl.CERT_NONE
    deadline = time.monotonic() + within
    while True:
        connection = http.client.HTTPSConnection(host, port, timeout=15, context=blind)
        connection.request("GET", INFO)
        data = json.loads(connection.getresponse().read())["data"]
        connection.close()
        if f"jws-kubeconfig-{token.partition('.')[0]}" in data or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    verify(data, token)
    cluster = yaml.safe_load(data["kubeconfig"])["clusters"][0]["cluster"]
    authority = base64.b64decode(cluster["certificate-authority-data"])
    key = x509.load_pem_x509_certificate(authority).public_key()
    public = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    if f"sha256:{hashlib.sha256(public).hexdigest()}" != ca_hash:
        raise LabError(
            "none of the public keys are pinned: the cluster's authority is another one than the user-data says"
        )
    return authority.decode()


def _listed(text: str) -> list[str]:
    return [one for one in text.split(",") if one]


def _taint(text: str) -> dict[str, str]:
    left, _colon, effect = text.rpartition(":")
    key, _equals, value = left.partition("=")
    return {"key": key, "value": value, "effect": effect}

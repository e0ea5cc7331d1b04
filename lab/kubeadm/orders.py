# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Orders from hosts, in kubeadm's own words::

    kubeadm init --config FILE                    the cluster starts, with this host as its first node
    kubeadm init phase upload-certs               prints a certificate key
    kubeadm token create [TOKEN]                  prints the token
    kubeadm join --config FILE                    the host becomes a node, by the token in the file and nothing else
    kubeadm upgrade apply VERSION | node          the cluster's version, as it is written down, changes
    kubeadm reset                                 the last control plane host takes the cluster with it
    kubelet restart                               the node reports the version of the host's kubelet

An order is ``{"host", "words", "config", "version", "seconds", "together"}``: the host's name, the words above without
options, the text of FILE, the version of the kubelet on the host, how long a join's own work takes, and how many joins
have to be under way before this one goes on, as a proof that they are not one after the other. The answer has ``rc``,
``stdout`` and ``stderr``, and ``files`` to be written on the host by path. Every order ends up in ``kubeadm.jsonl`` in
the lab's folder.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from lab import kubernetes, paths, state
from lab.api import Api
from lab.errors import LabError
from lab.kubeadm import objects, tokens
from lab.kubeadm.joining import CONFIG, Joiner
from lab.nodes import registered
from lab.state import State

BOOK, LOG = "kubeadm.json", "kubeadm.jsonl"
HOME = "/etc/kubernetes"
# Seconds.
MEETING = 60.0


class Desk:
    """Takes the orders of all hosts, several at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writing = threading.Lock()
        self._meeting: dict[int, threading.Barrier] = {}

    def take(self, order: dict[str, Any]) -> dict[str, Any]:
        """Carry out one order and write down when it began and ended.

        :raises LabError: when it could not be done.
        """
        words = order["words"]
        ways: dict[tuple[str, ...], Callable[[dict[str, Any]], dict[str, Any]]] = {
            ("init",): self._init,
            ("init", "phase", "upload-certs"): lambda order: {"stdout": secrets.token_hex(32)},
            ("token", "create"): self._token,
            ("join",): self._join,
            ("upgrade", "apply"): self._upgrade,
            ("upgrade", "node"): lambda order: {},
            ("reset",): self._reset,
            ("restart",): self._restart,
        }
        known = next((key for key in sorted(ways, key=len, reverse=True) if tuple(words[: len(key)]) == key), None)
        if known is None:
            raise LabError(f"the lab's kubeadm does not know {' '.join(words)!r}")
        began = time.time()
        problem = ""
        try:
            return {"rc": 0, "stdout": "", "stderr": "", "files": {}} | ways[known](
                order | {"rest": words[len(known) :]}
            )
        except LabError as error:
            problem = str(error)
            raise
        finally:
            self._note(order["host"], " ".join(known), began, problem)

    def _init(self, order: dict[str, Any]) -> dict[str, Any]:
        own, config = _documents(order, "InitConfiguration", "ClusterConfiguration")
        with paths.locked(self._folder):
            current = self._state()
            if kubernetes.runs(current):
                raise LabError("there is a cluster already")
            try:
                kubernetes.start_server(current, self._folder)
                kubernetes.start_rest(current, self._folder)
                kubernetes.wait_for_accounts(current, self._folder)
                api = self._api(current)
                authority = (self._folder / "pki" / "ca.crt").read_bytes()
                for path, body in objects.cluster(config, self._server(current), authority):
                    api.need("POST", path, body)
            except LabError:
                kubernetes.stop(current, self._folder)
                raise
            node = own["nodeRegistration"]
            address, version = own["localAPIEndpoint"]["advertiseAddress"], config["kubernetesVersion"].lstrip("v")
            made = objects.control_plane_node(node["name"], address, version, node.get("taints", [objects.TAINT]))
            api.need("POST", "/api/v1/nodes", made)
            # As there: without one of the user's, there is one of its own.
            for one in own.get("bootstrapTokens") or [{}]:
                tokens.create(api, one.get("token", ""))
            api.close()
            self._book({order["host"]})
        return {"files": self._control_plane_files()}

    def _token(self, order: dict[str, Any]) -> dict[str, Any]:
        api = self._api(self._running())
        made = tokens.create(api, next(iter(order["rest"]), ""))
        api.close()
        return {"stdout": made}

    def _join(self, order: dict[str, Any]) -> dict[str, Any]:
        (own,) = _documents(order, "JoinConfiguration")
        current = self._running()
        node = own["nodeRegistration"]
        joiner = Joiner(current.ports["apiserver"], self._folder / "pki", self._folder / "kubelets", node["name"])
        joiner.certificate(own["discovery"]["bootstrapToken"]["token"])
        self._meet(order.get("together", 0))
        time.sleep(order.get("seconds", 0))
        address = next(one["value"] for one in node["kubeletExtraArgs"] if one["name"] == "node-ip")
        leading = "controlPlane" in own
        if leading:
            taints = node.get("taints", [objects.TAINT])
            joiner.register(objects.control_plane_node(node["name"], address, order["version"], taints))
            with paths.locked(self._folder):
                self._book(self._control_planes() | {order["host"]})
            return {"files": self._control_plane_files()}
        joiner.register(registered(node["name"], address, order["version"], node.get("taints")))
        certificate = (self._folder / "kubelets" / f"{node['name']}.crt").read_text()
        return {"files": {f"{HOME}/kubelet.conf": certificate, f"{HOME}/ssl/ca.crt": self._authority()}}

    def _meet(self, number: int) -> None:
        """Wait for so many joins, this one included. Raises LabError when they are not under way at the same time."""
        if number < 2:
            return
        with self._writing:
            barrier = self._meeting.setdefault(number, threading.Barrier(number))
        try:
            barrier.wait(MEETING)
        except threading.BrokenBarrierError as error:
            with self._writing:
                self._meeting.pop(number, None)
            raise LabError(f"of {number} nodes that shall join at the same time others did not come") from error

    def _upgrade(self, order: dict[str, Any]) -> dict[str, Any]:
        api = self._api(self._running())
        config = yaml.safe_load(api.need("GET", CONFIG)["data"]["ClusterConfiguration"])
        config["kubernetesVersion"] = order["rest"][0]
        api.need("PATCH", CONFIG, {"data": {"ClusterConfiguration": yaml.safe_dump(config)}})
        api.close()
        return {}

    def _reset(self, order: dict[str, Any]) -> dict[str, Any]:
        with paths.locked(self._folder):
            left = self._control_planes() - {order["host"]}
            current = self._state()
            if left != self._control_planes() and not left and kubernetes.runs(current):
                kubernetes.stop(current, self._folder)
            self._book(left)
        return {}

    def _restart(self, order: dict[str, Any]) -> dict[str, Any]:
        """A node that has not joined yet reports nothing, and a kubelet without its API server waits."""
        current = self._state()
        if kubernetes.runs(current):
            api = self._api(current)
            version = {"status": {"nodeInfo": {"kubeletVersion": f"v{order['version']}"}}}
            api.need("PATCH", f"/api/v1/nodes/{order['node']}/status", version, 404)
            api.close()
        return {}

    def _running(self) -> State:
        current = self._state()
        if not kubernetes.runs(current):
            raise LabError("couldn't validate the identity of the API Server: connection refused")
        return current

    def _state(self) -> State:
        current = state.load(self._folder)
        if current is None:
            raise LabError("the lab is gone")
        return current

    def _api(self, current: State) -> Api:
        return Api(current.ports["apiserver"], self._folder / "pki")

    def _server(self, current: State) -> str:
        return f"https://127.0.0.1:{current.ports['apiserver']}"

    def _authority(self) -> str:
        return (self._folder / "pki" / "ca.crt").read_text()

    def _control_plane_files(self) -> dict[str, str]:
        admin = (self._folder / "admin.kubeconfig").read_text()
        return {f"{HOME}/admin.conf": admin, f"{HOME}/kubelet.conf": admin, f"{HOME}/ssl/ca.crt": self._authority()}

    def _control_planes(self) -> set[str]:
        try:
            return set(json.loads((self._folder / BOOK).read_text()))
        except FileNotFoundError:
            return set()

    def _book(self, control_planes: set[str]) -> None:
        (self._folder / BOOK).write_text(json.dumps(sorted(control_planes)) + "\n")

    def _note(self, host: str, what: str, began: float, problem: str) -> None:
        line = {"host": host, "order": what, "began": began, "ended": time.time(), "problem": problem}
        with self._writing, (self._folder / LOG).open("a") as log:
            log.write(json.dumps(line) + "\n")


def _documents(order: dict[str, Any], *kinds: str) -> list[dict[str, Any]]:
    """The documents of these kinds in the order's configuration.

    :raises LabError: when one is not there.
    """
    found = {one["kind"]: one for one in yaml.safe_load_all(order.get("config") or "") if one}
    missing = [kind for kind in kinds if kind not in found]
    if missing:
        raise LabError(f"the configuration has no {' and no '.join(missing)}")
    return [found[kind] for kind in kinds]

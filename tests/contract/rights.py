# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Runs that have a control plane host give them their rights, and what a test sees of those rights.

The token of a run is in its worker's memory; the one place outside that gets it is Helm's environment, for charts that
look into the cluster. So the Helm of these runs is a small program that writes down what it was given.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible_collections.slipway.cluster.plugins.module_utils.kube.client import Client
from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import ApiError
from tests.contract.fixtures import objects as o
from tests.contract.runner import Playbook, control
from tests.contract.support import ROOT, Cluster

CORES = {"2.18": ROOT / ".venv" / "bin", "2.21": ROOT / ".venv-next" / "bin"}
RBAC = "/apis/rbac.authorization.k8s.io/v1"
LOOKS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: looked}
data:
  seen: {{ ((lookup "v1" "Namespace" "" "kube-system").metadata).name | default "none" | quote }}
  word: {{ .Values.word | quote }}
"""
SPY = """#!{python}
import json, os, subprocess, sys, urllib.request
token = os.environ.get("HELM_KUBETOKEN", "")
done = subprocess.run([{helm!r}, *sys.argv[1:]])
if token:
    with open({tokens!r}, "a") as file:
        file.write(token + "\\n")
    order = {order}
    if order and not os.path.exists({once!r}):
        body = json.dumps({{**order, "credential": token}}).encode()
        with open({once!r}, "w") as file:
            answer = urllib.request.urlopen(urllib.request.Request({control!r} + "/rules", body, method="POST"))
            file.write(str(json.load(answer)["id"]))
sys.exit(done.returncode)
"""


class Accessed:
    """One ``slipway_name`` whose runs ask this machine, as a control plane host, for their tokens.

    ``order``: a rule for the fault proxy about the first token that a run uses, once Helm has used it; runs then go
    through the proxy.
    """

    def __init__(
        self,
        cluster: Cluster,
        folder: Path,
        addons: dict[str, Any],
        *,
        order: dict[str, Any] | None = None,
        **extra: Any,
    ) -> None:
        self.cluster = cluster
        self.folder = folder
        self.space = f"{cluster.name}-access"
        self._tokens = folder / "tokens"
        self._ordered = folder / "ordered"
        spy = folder / "helm"
        spy.write_text(
            SPY.format(
                python=sys.executable,
                tokens=str(self._tokens),
                once=str(self._ordered),
                order=order or {},
                control=cluster.env["proxy_control"],
                helm=cluster.helm,
            ),
            encoding="utf-8",
        )
        spy.chmod(0o755)
        self.playbook = Playbook(
            cluster,
            folder / "inventory",
            addons,
            extra={
                "ansible_become": False,
                "slipway_api_access": "ssh",
                "slipway_api_server": cluster.env["proxy_server"] if order else "",
                "slipway_admin_kubeconfig": cluster.env["kubeconfig"],
                "slipway_access_namespace": self.space,
                "slipway_helm": str(spy),
                **extra,
            },
        )

    @property
    def tokens(self) -> list[str]:
        """Those that Helm was given, each once, in their order."""
        lines = self._tokens.read_text(encoding="utf-8").split() if self._tokens.exists() else []
        return list(dict.fromkeys(lines))

    @property
    def ordered(self) -> int:
        """The number of the rule that was given to the fault proxy."""
        return int(self._ordered.read_text(encoding="utf-8"))

    def take_order_back(self) -> None:
        """This rule alone: the proxy also serves the tests beside this one."""
        if self._ordered.exists():
            control(self.cluster.env, "DELETE", f"/rules/{self.ordered}")

    @property
    def output(self) -> str:
        """What a started run has said."""
        return (self.folder / "output").read_text(encoding="utf-8", errors="replace")

    @property
    def environment(self) -> dict[str, str]:
        kept = self.playbook.environment()
        kept.pop("SLIPWAY_API_TOKEN")
        return kept

    def command(self, name: str, *more: str, core: str = "2.18") -> list[str]:
        return [str(CORES[core] / "ansible-playbook"), *self.playbook.command(name, *more)[1:]]

    def start(self, name: str, *more: str) -> subprocess.Popen[bytes]:
        """A run that the test ends."""
        with (self.folder / "output").open("wb") as output:
            return subprocess.Popen(
                self.command(name, *more), env=self.environment, cwd=self.folder, start_new_session=True,
                stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def run(self, name: str, *more: str, rc: int = 0, core: str = "2.18", **environment: str) -> str:
        """Both outputs."""
        done = subprocess.run(
            self.command(name, *more, core=core),
            env={**self.environment, **environment},
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        assert done.returncode == rc, done.stdout + done.stderr
        return done.stdout + done.stderr

    def rights(self) -> set[str]:
        """What gives installers of this name rights, or could give a token."""
        label = f"slipway.cluster/name={self.cluster.name},slipway.cluster/access=installer"
        client = self.cluster.client()
        found = {
            f"{RBAC}/clusterrolebindings": "binding",
            f"/api/v1/namespaces/{self.space}/serviceaccounts": "account",
        }
        return {
            f"{kind} {item['metadata']['name']}"
            for path, kind in found.items()
            for item in client.list(path, {"labelSelector": label}, metadata=True)
        }

    def run_secrets(self) -> list[str]:
        """Secrets that readers' tokens are bound to."""
        path = f"/api/v1/namespaces/{self.space}/secrets"
        return [item["metadata"]["name"] for item in self.cluster.client().list(path, metadata=True)]

    def answer(self, token: str) -> int:
        """What the API server says to a request for all nodes with this token."""
        access = replace(self.cluster.access, token=token, client_cert_pem=b"", client_key_pem=b"", again=None)
        try:
            Client(access, user_agent=f"test {self.cluster.name}", patience=1.0)._json(
                "GET", "/api/v1/nodes", None, accept="application/json"
            )
        except ApiError as exc:
            return exc.status
        except Exception as exc:
            if "SLW-6105" in str(exc):
                return 401
            raise
        return 200

    def may(self, verb: str, *what: str) -> bool:
        """Whether the reader may, by ``kubectl auth can-i``."""
        who = f"system:serviceaccount:{self.space}:slipway-reader-{self.cluster.name}"
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{self.space}", "system:authenticated"]
        said = o.kubectl(
            self.cluster, "auth", "can-i", verb, *what, f"--as={who}", *(f"--as-group={g}" for g in groups), rc=None
        )
        return "yes" in said.splitlines()


def looking(folder: Path) -> dict[str, Any]:
    """A chart for which Helm needs the token."""
    return {"chart": {"path": o.chart(folder, "looks", {"looked.yaml": LOOKS}, word="one")}, "timeout": 30}


def holds(folder: Path, text: str) -> list[str]:
    """Files below a folder in which a text is found."""
    found = subprocess.run(
        ["grep", "--recursive", "--files-with-matches", "--fixed-strings", "--text", text, str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return found.stdout.split()


def audited(cluster: Cluster, *words: str) -> list[dict[str, Any]]:
    """Entries of the API server's log with all of these words in them."""
    lines = Path(cluster.env["audit_log"]).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if all(word in line for word in words)]

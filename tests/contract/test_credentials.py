# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A credential that ends in the middle of a run: the one that was renewed meanwhile is taken, else the run stops with
one sentence that says what is missing, and the next run goes on from there."""

from __future__ import annotations

import base64
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.slipway.cluster.plugins.module_utils.addons.schedule import Outcome
from ansible_collections.slipway.cluster.plugins.module_utils.addons.work import Event
from ansible_collections.slipway.cluster.plugins.module_utils.kube.access import Access, from_kubeconfig
from ansible_collections.slipway.cluster.plugins.module_utils.kube.client import Client
from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import ApiError, CredentialError
from lab import pki
from tests.contract.fixtures import objects as o
from tests.contract.runner import control, proxied, rule
from tests.contract.support import Cluster, by_name

pytestmark = pytest.mark.lab

NODES = "/api/v1/nodes"
NAMES = ("one", "two", "three", "four")


@pytest.fixture(scope="module")
def cluster(shared: Cluster) -> Cluster:
    o.make_namespaces(shared, shared.ns("main"))
    return shared


def kubeconfig(folder: Path, server: str, cluster: Cluster, user: dict[str, Any]) -> Path:
    path = folder / "kubeconfig"
    lab = {"server": server, "certificate-authority": cluster.env["ca_file"]}
    body = {
        "clusters": [{"name": "lab", "cluster": lab}],
        "users": [{"name": "me", "user": user}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "me"}}],
        "current-context": "lab",
    }
    path.write_text(yaml.safe_dump(body), encoding="utf-8")
    return path


def lab_token(cluster: Cluster) -> str:
    return Path(cluster.env["token_file"]).read_text(encoding="utf-8").strip()


@pytest.fixture(scope="module")
def short(cluster: Cluster) -> str:
    """A token of a ServiceAccount that may do everything: the tests order when it ends."""
    where = cluster.ns("main")
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "short", "namespace": where}}
    cluster.apply(o.core("serviceaccounts", where, "short"), account)
    api = "rbac.authorization.k8s.io"
    name = f"{cluster.name}-short"
    binding = {
        "apiVersion": f"{api}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name, "labels": {"slipway.cluster/name": cluster.name}},
        "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": "short", "namespace": where}],
    }
    cluster.apply(f"/apis/{api}/v1/clusterrolebindings/{name}", binding)
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 600}}
    answer = cluster.client().write("POST", o.core("serviceaccounts", where, "short") + "/token", body)
    return str(answer["status"]["token"])


@pytest.fixture
def ending(cluster: Cluster, short: str) -> Iterator[Any]:
    """``ending.now()``: from then on the API server does not take the short token any more."""

    class Ending:
        def __init__(self, stack: ExitStack) -> None:
            self._stack = stack
            self.number = 0

        def now(self) -> None:
            if not self.number:
                order = {"credential": re.escape(short), "status": 401}
                self.number = self._stack.enter_context(rule(cluster.env, **order))

        def at(self, addon: str, state: str) -> Any:
            """An ``emit`` that ends the token with this event."""

            def emit(event: Event) -> None:
                if (event.addon, event.state) == (addon, state):
                    self.now()

            return emit

        @property
        def fired(self) -> int:
            return next(int(r["fired"]) for r in control(cluster.env, "GET", "/rules") if r["id"] == self.number)

    with ExitStack() as stack:
        yield Ending(stack)


def addons(cluster: Cluster, word: str) -> dict[str, Any]:
    """Each after the one before it."""
    return {
        name: {
            "namespace": cluster.ns("main"),
            "after": list(NAMES[max(0, at - 1) : at]),
            "objects": [o.config_map(f"{word}-{name}"), o.config_map(f"{word}-{name}-b")],
        }
        for at, name in enumerate(NAMES)
    }


def client(cluster: Cluster, access: Access) -> Client:
    return Client(access, user_agent=f"short {cluster.name}", patience=5.0)


def once(cluster: Cluster, token: str) -> Client:
    """As with ``slipway_api_token``: nobody can renew it for us."""
    return client(cluster, replace(proxied(cluster.env), token=token))


def test_a_token_file_that_was_renewed_meanwhile_is_read_again(
    cluster: Cluster, short: str, ending: Any, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text(short, encoding="utf-8")
    access = from_kubeconfig(kubeconfig(tmp_path, cluster.env["proxy_server"], cluster, {"tokenFile": "token"}))
    wanted = addons(cluster, "renewed")

    def emit(event: Event) -> None:
        if (event.addon, event.state) == ("two", "started"):
            file.write_text(lab_token(cluster), encoding="utf-8")
            ending.now()

    cluster.ok(wanted, client=client(cluster, access), emit=emit)
    assert ending.fired
    assert cluster.plan(wanted).result == "unchanged"
    assert not cluster.remove(*NAMES, addons=wanted).failed


def test_a_token_that_ends_stops_the_run_and_the_next_one_goes_on(cluster: Cluster, short: str, ending: Any) -> None:
    wanted = addons(cluster, "stopped")
    report = cluster.run(wanted, client=once(cluster, short), emit=ending.at("two", "started"), lock_duration=2.0)
    found = {name: (result.outcome, result.reason) for name, result in report.results.items()}
    server = cluster.env["proxy_server"]
    said = f"{server} does not accept slipway_api_token: 401 ordered by the lab's fault proxy"
    how = "set SLIPWAY_API_TOKEN to a new token and give the same command again: what was begun is recorded"
    assert found == {
        "one": (Outcome.DONE, ""),
        "two": (Outcome.FAILED, f"SLW-6105 {said} ({how})"),
        "three": (Outcome.SKIPPED, said),
        "four": (Outcome.SKIPPED, said),
    }
    # Consistent: what is there is recorded, and nothing says that it was finished.
    records = o.recorded(cluster)
    assert {name: record.state.value for name, record in records.items()}["one"] == "applied"
    there = {obj.name for record in records.values() for obj in record.objects}
    maps = cluster.client().list(f"/api/v1/namespaces/{cluster.ns('main')}/configmaps", metadata=True)
    assert {m["metadata"]["name"] for m in maps if m["metadata"]["name"].startswith("stopped")} <= there
    # Nobody waits for the lock of the run that could not give it back longer than it lasts.
    fresh = client(cluster, proxied(cluster.env))
    cluster.ok(wanted, client=fresh, lock_wait=10.0)
    assert cluster.plan(wanted).result == "unchanged"

    assert not cluster.remove(*NAMES, addons=wanted).failed


def test_a_token_that_ends_in_a_removal_leaves_what_is_left_in_the_record(
    cluster: Cluster, short: str, ending: Any
) -> None:
    wanted = addons(cluster, "removed")
    cluster.ok(wanted)
    report = cluster.remove(
        *NAMES, addons=wanted, client=once(cluster, short), emit=ending.at("three", "removing"), lock_duration=2.0
    )
    outcomes = {name: result.outcome for name, result in report.results.items()}
    assert outcomes["four"] is Outcome.FAILED  # its record could not go any more
    assert outcomes["three"] is Outcome.FAILED
    assert outcomes["one"] is outcomes["two"] is Outcome.SKIPPED
    assert "SLW-6105" in report.results["three"].reason
    left = o.recorded(cluster)
    assert set(left) == set(NAMES)
    plan = by_name(cluster.plan({}, "remove", remove=NAMES))
    assert set(plan) == set(NAMES)
    assert not cluster.remove(*NAMES, addons=wanted, lock_wait=10.0).failed
    assert o.recorded(cluster) == {}


def test_a_token_that_has_ended_already_is_one_sentence(cluster: Cluster, short: str, ending: Any) -> None:
    ending.now()
    with pytest.raises(CredentialError, match=r"SLW-6105 .* does not accept slipway_api_token"):
        cluster.plan(addons(cluster, "never"), client=once(cluster, short))


def test_the_end_that_a_token_names_is_told(cluster: Cluster) -> None:
    parts = [base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (b'{"alg":"none"}', b'{"exp":1}', b"x")]
    with pytest.raises(CredentialError, match="which ended at 1970-01-01 00:00:01 UTC: 401 Unauthorized"):
        client(cluster, replace(cluster.access, token=".".join(parts), client_cert_pem=b"", again=None)).get(NODES)


def take(source: Path, folder: Path) -> None:
    for ending in ("crt", "key"):
        shutil.copy(source / f"admin.{ending}", folder / f"me.{ending}")


def test_certificate_files_that_were_renewed_meanwhile_are_read_again(cluster: Cluster, tmp_path: Path) -> None:
    user = {"client-certificate": "me.crt", "client-key": "me.key"}
    # Of another cluster's authority.
    pki.create(tmp_path / "other", "127.96.0.1")
    take(tmp_path / "other", tmp_path)
    access = from_kubeconfig(kubeconfig(tmp_path, cluster.env["server"], cluster, user))
    one = client(cluster, access)
    named = re.escape(f"does not accept the client certificate in {tmp_path / 'me.crt'}")
    with pytest.raises(CredentialError, match=named):
        one.get(NODES)
    other = client(cluster, access)
    take(Path(cluster.env["ca_file"]).parent, tmp_path)
    assert other.get(NODES)


PLUGIN = """#!/bin/sh
echo called >> {calls}
token=$(cat {token}) || {{ echo "log in first" >&2; exit 1; }}
echo '{{"status": {{"token": "'"$token"'"}}}}'
"""


def test_a_credential_plugin_is_asked_once_more_whoever_notices_first(cluster: Cluster, tmp_path: Path) -> None:
    calls, token, plugin = tmp_path / "calls", tmp_path / "token", tmp_path / "plugin"
    plugin.write_text(PLUGIN.format(calls=calls, token=token), encoding="utf-8")
    plugin.chmod(0o755)
    token.write_text("ended", encoding="utf-8")
    path = kubeconfig(tmp_path, cluster.env["server"], cluster, {"exec": {"command": str(plugin)}})
    access = from_kubeconfig(path)
    one = client(cluster, access)
    token.write_text(lab_token(cluster), encoding="utf-8")
    with ThreadPoolExecutor(max_workers=8) as pool:
        assert all(pool.map(lambda _: one.get(NODES), range(8)))
    assert calls.read_text(encoding="utf-8").split() == ["called", "called"]
    # It fails: both sentences are told, what the API server said and what the plugin did.
    token.unlink()
    with pytest.raises(CredentialError, match=r"plugin.* gives, and a new one cannot be had: .*log in first"):
        client(cluster, access).get(NODES)


def test_a_401_that_is_not_the_api_server_s_is_no_end_of_the_credential(cluster: Cluster) -> None:
    """An aggregated API server, or the kubelet that is asked for logs, may refuse on its own account."""
    agent = f"elsewhere {cluster.name}"
    one = Client(proxied(cluster.env), user_agent=agent, patience=5.0)
    with rule(cluster.env, user_agent=agent, path="/nodes", status=401):
        with pytest.raises(ApiError) as refused:
            one.get(NODES)
        assert refused.value.status == 401
        assert one.text(NODES) is None
    assert one.get(NODES)

# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Join tokens and tokens of ServiceAccounts: they work, end, and are not shown; on nodes with nothing but Python."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import AccessError, ApiError
from ansible_collections.slipway.cluster.plugins.module_utils.kube.node import accounts as a
from ansible_collections.slipway.cluster.plugins.module_utils.kube.node.bootstrap_token import JoinTokens
from ansible_collections.slipway.cluster.plugins.module_utils.kube.node.token_request import request_token
from ansible_collections.slipway.cluster.plugins.module_utils.kube.node.transport import Api
from tests.contract.fixtures import objects as o
from tests.contract.rights import CORES
from tests.contract.support import ROOT, Cluster, eventually

pytestmark = pytest.mark.lab

GROUP = "system:bootstrappers:slipway:b1"
REVIEW = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
OLD = ("3.8", "3.9", "3.10")


@pytest.fixture
def api(cluster: Cluster) -> Iterator[Api]:
    with Api(cluster.access, user_agent=f"test {cluster.name}") as api:
        yield api


def known_as(cluster: Cluster, token: str) -> dict[str, Any]:
    """Who the API server takes the owner of a token for; nobody when it refuses."""
    access = replace(cluster.access, token=token, client_cert_pem=b"", client_key_pem=b"", again=None)
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    try:
        with Api(access, user_agent="test", patience=5.0) as api:
            return dict(api.call("POST", REVIEW, body)["status"]["userInfo"])
    except ApiError as exc:
        if exc.status != 401:
            raise
        return {}


def present(api: Api, cluster: Cluster, batch: str = "b1", life: int = 600, **more: Any) -> Any:
    groups = more.pop("groups", [GROUP])
    tokens = JoinTokens(api, name=cluster.name, batch=batch, **more)
    return tokens.present(life=life, usages=["authentication"], groups=groups, description="test")


def secrets(api: Api, cluster: Cluster) -> list[str]:
    found = api.items("/api/v1/namespaces/kube-system/secrets", f"slipway.cluster/name={cluster.name}")
    return [item["metadata"]["name"] for item in found]


def test_a_join_token_lets_a_batch_in_and_is_gone_afterwards(cluster: Cluster, api: Api) -> None:
    made = present(api, cluster)
    who = eventually(lambda: known_as(cluster, made.token))
    assert who["username"] == f"system:bootstrap:{made.token_id}"
    assert set(who["groups"]) == {GROUP, "system:bootstrappers", "system:authenticated"}
    assert made.changed
    # The same for whoever of the batch comes later, and another for another batch.
    again = present(api, cluster)
    assert (again.token, again.changed, again.removed) == (made.token, False, [])
    other = present(api, cluster, "b2")
    assert other.token != made.token
    assert JoinTokens(api, name=cluster.name, batch="b1").absent().removed == [made.token_id]
    assert not JoinTokens(api, name=cluster.name, batch="b1").absent().changed
    eventually(lambda: known_as(cluster, made.token) == {})
    assert known_as(cluster, other.token)
    JoinTokens(api, name=cluster.name, batch="b2").absent()
    assert secrets(api, cluster) == []


def test_a_token_that_is_half_over_or_was_made_for_something_else_is_replaced(cluster: Cluster, api: Api) -> None:
    first = present(api, cluster, life=600)
    longer = present(api, cluster, life=2400)
    assert longer.removed == [first.token_id]
    wider = present(api, cluster, life=2400, groups=[GROUP, "system:bootstrappers:kubeadm:default-node-token"])
    assert wider.removed == [longer.token_id]
    JoinTokens(api, name=cluster.name, batch="b1").absent()


class Later(Api):
    """An hour later. A token whose time is over by the clock of the cluster is removed by the cluster itself."""

    def now(self) -> datetime:
        return super().now() + timedelta(hours=1)


def test_expired_tokens_of_ours_go_and_those_of_others_stay(cluster: Cluster, api: Api) -> None:
    mine = present(api, cluster, "old")
    present(api, replace(cluster, name=f"{cluster.name}-other"), "old")
    with Later(cluster.access, user_agent=f"test {cluster.name}") as later:
        assert JoinTokens(later, name=cluster.name, batch="b9", dry=True).absent().removed == [mine.token_id]
        assert secrets(api, cluster)
        assert JoinTokens(later, name=cluster.name, batch="b9").absent().removed == [mine.token_id]
    assert secrets(api, cluster) == []
    assert secrets(api, replace(cluster, name=f"{cluster.name}-other"))
    JoinTokens(api, name=f"{cluster.name}-other", batch="old").absent()


def test_nobody_joins_as_an_administrator(cluster: Cluster, api: Api) -> None:
    with pytest.raises(AccessError, match="SLW-7408 'system:masters'"):
        present(api, cluster, groups=["system:masters"])
    assert secrets(api, cluster) == []


def test_check_mode_makes_no_token(cluster: Cluster, api: Api) -> None:
    found = present(api, cluster, dry=True)
    assert (found.changed, found.token, secrets(api, cluster)) == (True, "", [])


def test_a_token_ends_with_what_it_is_bound_to(cluster: Cluster, api: Api) -> None:
    where = cluster.ns("main")
    o.make_namespaces(cluster, where)
    api.apply(a.account_path(where, "one"), a.account({"name": "one", "namespace": where}))
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "life", "namespace": where}}
    made = api.apply(a.secret_path(where, "life"), body)
    bound = {"apiVersion": "v1", "kind": "Secret", "name": "life", "uid": made["metadata"]["uid"]}
    with pytest.raises(AccessError, match="SLW-7407 a token of 599 s"):
        request_token(api, namespace=where, account="one", seconds=599)
    token = request_token(api, namespace=where, account="one", seconds=600, bound=bound)
    assert known_as(cluster, token.text)["username"] == f"system:serviceaccount:{where}:one"
    api.delete(a.secret_path(where, "life"))
    eventually(lambda: known_as(cluster, token.text) == {}, 12.0)
    foreign = request_token(api, namespace=where, account="one", seconds=600, audiences=["vault"])
    assert known_as(cluster, foreign.text) == {}


def oldest() -> Path:
    """The oldest Python that the node modules are for and that starts here."""
    for version in OLD:
        on_path = shutil.which(f"python{version}")
        places = [Path(on_path)] if on_path else []
        for place in (*places, *Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}")):
            if subprocess.run([place, "-c", "import ssl"], capture_output=True, check=False).returncode == 0:
                return place
    pytest.skip(f"no older Python is here: none of {', '.join(OLD)}")


PLAY = """
- hosts: all
  gather_facts: false
  environment: {PATH: "KUBECTL:/usr/bin:/bin"}
  tasks:
    - slipway.cluster.service_account_token: {kubeconfig: "{{ conf }}", namespace: default, service_account: default}
      register: account
    - slipway.cluster.join_token: {kubeconfig: "{{ conf }}", name: "{{ name }}", batch: b1}
      register: join
    - slipway.cluster.cluster_access: {kubeconfig: "{{ conf }}", name: "{{ name }}", namespace: "{{ name }}-access"}
    - copy: {content: "{{ account.token }} {{ join.token }}", dest: "{{ told }}", mode: "0600"}
      no_log: true
    - slipway.cluster.join_token: {kubeconfig: "{{ conf }}", name: "{{ name }}", batch: b1, state: absent}
    - slipway.cluster.cluster_access:
        {kubeconfig: "{{ conf }}", name: "{{ name }}", namespace: "{{ name }}-access", state: absent}
    - slipway.cluster.cluster_access: {kubeconfig: "{{ conf }}", name: "{{ name }}", run: mine}
      register: refused
      failed_when: refused.code | default('') != 'SLW-7401'
"""


def test_nodes_need_nothing_but_python(cluster: Cluster, tmp_path: Path) -> None:
    """Without site-packages, so without PyYAML too; and not a token in what Ansible says."""
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {oldest()} -S "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    kubectl = Path(cluster.env["bin"]["kubectl"]).parent
    (tmp_path / "play.yml").write_text(PLAY.replace("KUBECTL", str(kubectl)).lstrip(), encoding="utf-8")
    hosts = f"all: {{hosts: {{node: {{ansible_connection: local, ansible_python_interpreter: {python}}}}}}}\n"
    (tmp_path / "hosts.yml").write_text(hosts, encoding="utf-8")
    told = tmp_path / "told"
    extra = {"conf": cluster.env["kubeconfig"], "name": cluster.name, "told": str(told)}
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "KUBE", "PYTHON"))}
    done = subprocess.run(
        [CORES["2.18"] / "ansible-playbook", "-i", "hosts.yml", "play.yml", "-vvvv", "-e", json.dumps(extra)],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=180,
        env={**kept, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build" / "collections"), "ANSIBLE_DEBUG": "1",
             "ANSIBLE_HOME": str(tmp_path / "home")},
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    tokens = told.read_text(encoding="utf-8").split()
    assert len(tokens) == 2
    assert not [token for token in tokens if token in said]
    assert known_as(cluster, tokens[0])["username"] == "system:serviceaccount:default:default"

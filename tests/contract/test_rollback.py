# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Back to an earlier state: charts from Helm's storage, everything else from a history without secrets."""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import FindingsError
from ansible_collections.slipway.cluster.plugins.module_utils.addons.plan import Action, Op
from ansible_collections.slipway.cluster.plugins.module_utils.addons.record import ReleaseState
from ansible_collections.slipway.cluster.plugins.module_utils.addons.work import Event
from ansible_collections.slipway.cluster.plugins.module_utils.kube.client import Client
from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import StoppedError
from tests.contract.fixtures import objects as o
from tests.contract.runner import Playbook
from tests.contract.support import Cluster, by_name

pytestmark = pytest.mark.lab

PASSWORD = "{{ lookup('env', 'PASSWORD') }}"
OLD, NEW, QUIET = "an-old-one-7", "a-new-one-8", "quiet-one-9"

TEMPLATES = {
    "config.yaml": """
apiVersion: v1
kind: ConfigMap
metadata: {name: config}
data:
  text: {{ .Values.text | quote }}
  quiet: {{ .Values.quiet | default "nothing-to-hide" | quote }}
  lines: |
    version {{ .Chart.Version }}
    end
""",
    "token.yaml": """
apiVersion: v1
kind: Secret
metadata: {name: token}
stringData:
  made: {{ randAlphaNum 20 }}
  given: {{ .Values.given | default "none-given" | quote }}
""",
    "extra.yaml": """
{{- if .Values.extra }}
apiVersion: v1
kind: ConfigMap
metadata: {name: extra}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: kept, annotations: {helm.sh/resource-policy: keep}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], storageClassName: any, resources: {requests: {storage: 1Gi}}}
{{- end }}
""",
    "crd.yaml": """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.{{ .Values.group }}, labels: {release: {{ .Chart.Version | quote }}}}
spec:
  group: {{ .Values.group }}
  scope: Namespaced
  names: {kind: Thing, listKind: ThingList, plural: things, singular: thing}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
""",
    "hooks.yaml": """
{{- range $event := list "pre-rollback" "post-rollback" "pre-upgrade" }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ $event }}
  annotations: {helm.sh/hook: {{ $event }}, helm.sh/hook-delete-policy: before-hook-creation}
data: {version: {{ $.Chart.Version | quote }}}
{{- end }}
""",
}


@pytest.fixture(autouse=True)
def home(cluster: Cluster) -> None:
    o.make_namespaces(cluster, cluster.home, cluster.ns("app"))


def app(cluster: Cluster, folder: Path, version: str, **more: Any) -> dict[str, Any]:
    """Versions stand in folders of their own, as in a repository."""
    path = o.chart(folder / version, "app", TEMPLATES, version)
    values = {"text": "one", "group": f"{cluster.name}.example.org", **more.pop("values", {})}
    return {"app": {"chart": {"path": path}, "namespace": cluster.ns("app"), "values": values, **more}}


def data(cluster: Cluster, kind: str, name: str) -> dict[str, str]:
    found = o.live(cluster, o.core(kind, cluster.ns("app"), name)).get("data") or {}
    return {k: base64.b64decode(v).decode() for k, v in found.items()} if kind == "secrets" else found


def names(cluster: Cluster) -> set[str]:
    listed = cluster.client().list(f"/api/v1/namespaces/{cluster.ns('app')}/configmaps", metadata=True)
    return {item["metadata"]["name"] for item in listed} - {"kube-root-ca.crt"}


def revisions(cluster: Cluster) -> list[tuple[int, str, str]]:
    listed = json.loads(o.helm(cluster, "history", "app", "-n", cluster.ns("app"), "-o", "json"))
    return [(item["revision"], item["status"], item["description"]) for item in listed]


def stored(cluster: Cluster, revision: int) -> dict[str, Any]:
    path = o.core("secrets", cluster.ns("app"), f"sh.helm.release.v1.app.v{revision}")
    release = base64.b64decode(base64.b64decode(o.live(cluster, path)["data"]["release"]))
    found: dict[str, Any] = json.loads(gzip.decompress(release))
    return found


def history(cluster: Cluster) -> dict[str, str]:
    """Our own entries, by name, laid open."""
    selector = {"labelSelector": "slipway.cluster/record=history"}
    items = cluster.client().list(f"/api/v1/namespaces/{cluster.home}/configmaps", selector)
    return {
        item["metadata"]["name"]: gzip.decompress(base64.b64decode(item["binaryData"]["entry.json.gz"])).decode()
        for item in items
    }


def back(cluster: Cluster, addons: dict[str, Any], revision: int = 0, **options: Any) -> Any:
    return cluster.ok(addons, "rollback", rollback={next(iter(addons)): revision}, **options)


def refused(cluster: Cluster, addons: dict[str, Any], wanted: dict[str, int], **options: Any) -> FindingsError:
    with pytest.raises(FindingsError) as caught:
        cluster.plan(addons, "rollback", rollback=wanted, **options)
    return caught.value


@pytest.mark.parametrize("cluster", [3, 4], indirect=True)
def test_chart_goes_back_and_helm_goes_on(cluster: Cluster, tmp_path: Path) -> None:
    secret = {"lookups": {"env": OLD}, "variables": {"slipway_secrets": {"quiet": QUIET}}}
    one = app(cluster, tmp_path, "1.0.0", values={"given": PASSWORD, "quiet": "{{ slipway_secrets.quiet }}"})
    cluster.ok(one, **secret)
    before = data(cluster, "configmaps", "config")
    assert before == {"text": "one", "quiet": QUIET, "lines": "version 1.0.0\nend\n"}
    made = data(cluster, "secrets", "token")["made"]
    cluster.ok(app(cluster, tmp_path, "1.0.0", values={"text": "between", "given": "plain-words"}))
    two = app(cluster, tmp_path, "1.1.0", values={"text": "two", "extra": True, "given": "plain-words"})
    cluster.ok(two)
    assert data(cluster, "secrets", "token") == {"made": made, "given": "plain-words"}

    # The plan changes nothing and shows all, but no secret.
    assert cluster.plan(two, "rollback", rollback={"app": 0}).addons[0].rollback_to == 2
    text = cluster.text(two, "rollback", rollback={"app": 1})
    # Not in the manifest any more, one in a Secret and one in a plain text: only the revision knows what they were.
    assert OLD not in text
    assert QUIET not in text
    assert f"~ ConfigMap {cluster.ns('app')}/config  data.quiet  nothing-to-hide -> ********" in text
    assert "rollback 1.1.0 -> 1.0.0   to revision 1 of 20" in text
    assert f"~ ConfigMap {cluster.ns('app')}/config  data.text  two -> one" in text
    assert f"- ConfigMap {cluster.ns('app')}/extra  (not in revision 1)" in text
    assert f"ConfigMap {cluster.ns('app')}/kept is not in revision 1 and stays: resource-policy: keep" in text
    assert f"PersistentVolumeClaim {cluster.ns('app')}/data is not in revision 1 and stays: never pruned" in text
    assert "CRDs stay as they are" in text
    wanted = (
        "the manifest still wants 1.1.0 (addons.yml:3:3): the next install goes there again; put 1.0.0 there to stay"
    )
    assert wanted in text
    assert revisions(cluster)[-1][:2] == (3, "deployed")

    back(cluster, two, 1)
    assert revisions(cluster)[-1] == (4, "deployed", "Rollback to 1")
    assert [status for _, status, _ in revisions(cluster)] == [*["superseded"] * 3, "deployed"]
    assert data(cluster, "configmaps", "config") == before
    assert data(cluster, "secrets", "token") == {"made": made, "given": OLD}
    assert names(cluster) == {"config", "kept", "pre-upgrade", "pre-rollback", "post-rollback"}
    assert data(cluster, "configmaps", "pre-rollback") == {"version": "1.0.0"}
    assert data(cluster, "configmaps", "pre-upgrade") == {"version": "1.1.0"}
    crd = o.live(cluster, f"{o.CRDS}/things.{cluster.name}.example.org")
    assert crd["metadata"]["labels"]["release"] == "1.1.0"
    record = o.recorded(cluster)["app"]
    assert (record.state, record.version, record.revision) == (ReleaseState.APPLIED, "1.0.0", 4)
    assert OLD not in repr(record)
    assert QUIET not in repr(record)
    assert record.values["given"] == record.values["quiet"] == "********"

    # The manifest goes on from where it stands; who writes the old state into it stays there.
    plan = cluster.plan(two).addons[0]
    assert (plan.action, plan.version_from, plan.version_to) == (Action.UPGRADE, "1.0.0", "1.1.0")
    assert plan.reason == f"rolled back to revision 1 by test at {record.when}"
    assert cluster.plan(one, **secret).result == "unchanged"
    cluster.ok(one, **secret)
    assert revisions(cluster)[-1][0] == 4
    assert "values" in cluster.plan(app(cluster, tmp_path, "1.0.0", values={"text": "x"})).addons[0].reason

    # Helm's own commands: the secrets that it puts back are those that were really there, made up ones included.
    assert yaml.safe_load(o.helm(cluster, "get", "values", "app", "-n", cluster.ns("app")))["given"] == OLD
    forced = ["--force-conflicts"] if cluster.helm_version == 4 else []
    o.helm(cluster, "rollback", "app", "2", "-n", cluster.ns("app"), *forced)
    assert data(cluster, "secrets", "token") == {"made": made, "given": "plain-words"}
    # What Helm did is somebody's change, and goes by rule alone.
    report = cluster.run(two, "rollback", rollback={"app": 4})
    assert report.plan.addons[0].problems[0].code == "SLW-3405"
    assert report.failed
    assert revisions(cluster)[-1][0] == 5
    back(cluster, two, 4, overwrite=["app"])
    assert data(cluster, "secrets", "token") == {"made": made, "given": OLD}
    assert revisions(cluster)[-1] == (6, "deployed", "Rollback to 4")
    # Without a number: the last state that was another one, not the same once more.
    assert cluster.plan(two, "rollback", rollback={"app": 0}).addons[0].rollback_to == 5


def test_values_that_are_not_stored(cluster: Cluster, tmp_path: Path) -> None:
    for text in ("one", "two"):
        cluster.ok(app(cluster, tmp_path, "1.0.0", values={"text": text}, store_values=False))
    now = app(cluster, tmp_path, "1.0.0", values={"text": "two"}, store_values=False)
    plan = cluster.plan(now, "rollback", rollback={"app": 0}).addons[0]
    assert not plan.values
    assert "the values of revision 1 are not stored (store_values: false)" in plan.notes
    back(cluster, now)
    assert data(cluster, "configmaps", "config")["text"] == "one"
    assert stored(cluster, 3)["config"] == {}
    # Stored at that time, and not wanted any more: not stored again.
    cluster.ok(app(cluster, tmp_path, "1.0.0", values={"text": "four"}))
    assert stored(cluster, 4)["config"]["text"] == "four"
    now = app(cluster, tmp_path, "1.0.0", values={"text": "five"}, store_values=False)
    cluster.ok(now)
    back(cluster, now, 4)
    assert data(cluster, "configmaps", "config")["text"] == "four"
    assert stored(cluster, 6)["config"] == {}


def own(cluster: Cluster, number: int, **more: Any) -> dict[str, Any]:
    login = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login"}}
    objects = [
        o.config_map("conf", number=str(number), image=f"example.org/gate:{number}", url=PASSWORD),
        {**login, "stringData": {"password": PASSWORD, "user": "gate", **({"more": "more"} if number > 1 else {})}},
        *([o.config_map("extra")] if number > 1 else []),
    ]
    return {"own": {"namespace": cluster.ns("app"), "objects": objects, **more}}


def test_objects_go_back_with_the_secrets_of_today(cluster: Cluster) -> None:
    cluster.ok(own(cluster, 1), lookups={"env": OLD})
    cluster.ok(own(cluster, 2), lookups={"env": NEW})
    entries = history(cluster)
    assert set(entries) == {f"slipway.{cluster.name}.own.r{n}" for n in (1, 2)}
    for secret in (OLD, NEW):
        for form in (secret, base64.b64encode(secret.encode()).decode()):
            assert not any(form in text for text in entries.values())
    now = {"lookups": {"env": NEW}}
    text = cluster.text(own(cluster, 2), "rollback", rollback={"own": 1}, **now)
    assert NEW not in text
    assert f"note: Secret {cluster.ns('app')}/login: its data stays what it is today" in text
    assert f"ConfigMap {cluster.ns('app')}/conf: data.url is secret, so it is not kept and stays" in text
    assert "the manifest still wants something else (addons.yml:3:3)" in text

    back(cluster, own(cluster, 2), **now)
    # A user's name that is part of an image is told apart from the secret, and comes back whole.
    assert data(cluster, "configmaps", "conf") == {"number": "1", "image": "example.org/gate:1", "url": NEW}
    assert data(cluster, "secrets", "login") == {"password": NEW, "user": "gate"}
    assert cluster.get(o.core("configmaps", cluster.ns("app"), "extra")) is None
    assert set(history(cluster)) == {f"slipway.{cluster.name}.own.r{n}" for n in (1, 2, 3)}
    plan = cluster.plan(own(cluster, 2), **now).addons[0]
    assert plan.action is Action.UPGRADE
    assert plan.reason.startswith("rolled back to revision 1 by test at 20")
    # Revision 2 had a key that is gone, and a Secret that is gone cannot be made up.
    error = refused(cluster, own(cluster, 2), {"own": 2}, **now)
    assert [f.code for f in error.findings] == ["SLW-3403"]
    assert "login no longer has data.more" in str(error)
    o.gone(cluster, o.core("secrets", cluster.ns("app"), "login"))
    error = refused(cluster, own(cluster, 2), {"own": 3}, **now)
    assert "revision 3 needs secret values, which are never kept, and Secret" in str(error)
    assert "login is gone" in str(error)


def test_outputs_are_secrets_like_any_other(cluster: Cluster) -> None:
    """What came with another add-on in the middle of a run is not kept, and nothing of it is asked for to go back."""
    where = {"namespace": cluster.ns("app")}
    login = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login"}, "stringData": {"password": QUIET}}
    made = {"password": {"kind": "Secret", "name": "login", "path": "data.password"}}
    url = "db://app:{{ slipway_outputs.maker.password }}@db"

    def both(text: str) -> dict[str, Any]:
        maker = {**where, "objects": [login], "outputs": made}
        return {"maker": maker, "user": {**where, "objects": [o.config_map("conf", text=text, url=url)]}}

    cluster.ok(both("one"))
    url = "{{ slipway_outputs.maker.password }}"
    cluster.ok(both("two"))
    assert data(cluster, "configmaps", "conf") == {"text": "two", "url": QUIET}
    assert len(history(cluster)) == 3
    assert not any(QUIET in text for text in history(cluster).values())
    # Now nobody knows the password: it is what is live, and the manifest's own gap is no matter here.
    o.gone(cluster, o.core("secrets", cluster.ns("app"), "login"))
    report = cluster.ok(both("two"), "rollback", rollback={"user": 2})
    assert report.plan.addons[0].rollback_to == 2
    cluster.ok(both("two"), "rollback", rollback={"user": 1}, overwrite=["user"])
    assert data(cluster, "configmaps", "conf") == {"text": "one", "url": QUIET}


def test_what_does_not_exist_is_told_all_at_once(cluster: Cluster) -> None:
    cluster.ok(own(cluster, 1))
    error = refused(
        cluster, {**own(cluster, 1), "new": {"objects": [o.config_map("x")]}}, {"own": 7, "onw": 0, "new": 1}
    )
    assert sorted(f.code for f in error.findings) == ["SLW-3401", "SLW-3401", "SLW-3402"]
    assert "did you mean 'own'?" in str(error)
    assert "it is in the manifest, and not installed" in str(error)
    assert "there is no revision 7; these are kept:\n      1  -             20" in str(error)
    assert "deployed" in str(error)
    assert "there is no earlier state" in str(refused(cluster, own(cluster, 1), {"own": 0}))
    assert cluster.plan(own(cluster, 1), "rollback", rollback={"own": 1}).result == "unchanged"


def test_sources_in_files_go_back_and_their_history_is_short(cluster: Cluster, tmp_path: Path) -> None:
    """Only what acts reads the history; no more is kept than was asked for; the removal takes it along."""
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "kustomization.yaml").write_text("resources: [one.yaml]\n", encoding="utf-8")
    space = {"namespace": cluster.ns("app")}
    addons = {"built": {**space, "kustomize": str(folder)}, "plain": {**space, "manifests": str(folder / "two.yaml")}}

    def write(text: str) -> None:
        (folder / "one.yaml").write_text(yaml.safe_dump(o.config_map("one", text=text)), encoding="utf-8")
        (folder / "two.yaml").write_text(yaml.safe_dump(o.config_map("two", text=text)), encoding="utf-8")

    for text in "abcd":
        write(text)
        cluster.ok(addons, history_max=3)
    assert set(history(cluster)) == {f"slipway.{cluster.name}.{n}.r{at}" for n in addons for at in (2, 3, 4)}
    seen = Recorder(cluster)
    assert cluster.plan(addons, client=seen).result == "unchanged"
    assert seen.paths
    assert not any("history" in path or ".r4" in path for path in seen.paths)

    report = cluster.ok(addons, "rollback", rollback={"built": 0, "plain": 2}, history_max=3)
    assert {n: p.rollback_to for n, p in by_name(report.plan).items()} == {"built": 3, "plain": 2}
    assert (data(cluster, "configmaps", "one"), data(cluster, "configmaps", "two")) == ({"text": "c"}, {"text": "b"})
    assert set(history(cluster)) == {f"slipway.{cluster.name}.{n}.r{at}" for n in addons for at in (3, 4, 5)}
    # What is put in order again is no state of its own.
    o.gone(cluster, o.core("configmaps", cluster.ns("app"), "one"))
    write("c")
    cluster.ok({"built": addons["built"]}, history_max=3)
    assert f"slipway.{cluster.name}.built.r6" not in history(cluster)
    report = cluster.remove("built", "plain")
    assert not report.failed, report.results
    assert not history(cluster)


class Recorder(Client):
    """Notes what it is asked for, and from a certain path on does nothing but give the lock back."""

    def __init__(self, cluster: Cluster, dies_at: str = "") -> None:
        super().__init__(cluster.access, user_agent=f"test {cluster.name}")
        self.paths: list[str] = []
        self._dies_at = dies_at
        self._dead = False

    def _request(self, method: str, path: str, query: Any, body: Any, *rest: Any, **more: Any) -> bytes:
        self.paths.append(f"{method} {path} {query}")
        dry = bool(query and query.get("dryRun"))
        self._dead = self._dead or bool(self._dies_at and f"{method} {path}".endswith(self._dies_at) and not dry)
        if self._dead and "/leases/" not in path:
            raise StoppedError("SLW-6103", "dead")
        return super()._request(method, path, query, body, *rest, **more)


def test_what_others_hold_is_not_forced(cluster: Cluster) -> None:
    space = {"namespace": cluster.ns("app")}
    cluster.ok({"own": {**space, "objects": [o.config_map("conf", a="1", b="1", c="1")]}})
    now = {"own": {**space, "objects": [o.config_map("conf", a="2", b="2", c="1")]}}
    cluster.ok(now)
    path = o.core("configmaps", cluster.ns("app"), "conf")
    cluster.patch(path, {"data": {"b": "theirs"}})
    plan = cluster.run(now, "rollback", rollback={"own": 1}).plan.addons[0]
    assert plan.action is Action.BLOCKED
    assert plan.problems[0].code == "SLW-3301"
    assert "data.b is held by kubectl-edit" in plan.problems[0].message
    assert data(cluster, "configmaps", "conf") == {"a": "2", "b": "theirs", "c": "1"}
    back(cluster, now, 1, overwrite=["own"])
    assert data(cluster, "configmaps", "conf") == {"a": "1", "b": "1", "c": "1"}
    # What both states want alike is left to who holds it, and told.
    cluster.ok(now)
    cluster.patch(path, {"data": {"c": "theirs"}})
    report = back(cluster, now, 1)
    assert [(d.field, d.decision) for d in report.plan.addons[0].drift] == [("data.c", "report")]
    assert data(cluster, "configmaps", "conf") == {"a": "1", "b": "1", "c": "theirs"}


def test_after_a_death_and_after_a_failure(cluster: Cluster) -> None:
    space = {"namespace": cluster.ns("app"), "timeout": 3}
    one = {"own": {**space, "objects": [o.config_map("conf", text="one")]}}
    two = {"own": {**space, "objects": [o.config_map("conf", text="two"), o.config_map("extra")]}}
    cluster.ok(one)
    cluster.ok(two)
    # Dead between its first write and its last: the record says so, and any next run goes on from there.
    assert cluster.run(two, "rollback", rollback={"own": 0}, client=Recorder(cluster, "configmaps/extra")).failed
    assert o.recorded(cluster)["own"].state is ReleaseState.PENDING
    assert data(cluster, "configmaps", "conf") == {"text": "one"}
    told = cluster.plan(two).addons[0]
    assert told.reason.startswith("unfinished run of test at 20")
    back(cluster, two, 1)
    assert cluster.get(o.core("configmaps", cluster.ns("app"), "extra")) is None
    assert cluster.plan(one).result == "unchanged"
    # An upgrade that did not come to its end: the state before it is the last that was reached.
    bad = {"own": {**space, "objects": [o.config_map("conf", text="bad"), o.deployment("gate", "never-ready")]}}
    assert cluster.run(bad).failed
    report = back(cluster, bad)
    assert report.plan.addons[0].rollback_to == 3
    assert data(cluster, "configmaps", "conf") == {"text": "one"}
    assert cluster.get(o.apps("deployments", cluster.ns("app"), "gate")) is None


def test_playbook(cluster: Cluster, tmp_path: Path) -> None:
    """Options as they are typed, the line at the end, and check mode."""
    events: list[Event] = []
    for text in ("one", "two"):
        addons = {"own": {"namespace": cluster.ns("app"), "objects": [o.config_map("conf", text=text)]}}
        cluster.ok(addons, emit=events.append)
    playbook = Playbook(cluster, tmp_path, addons)

    def play(*more: str) -> str:
        done = subprocess.run(
            playbook.command("rollback", "-e", "slipway_rollback=own=1", *more),
            env=playbook.environment(), cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert f"~ ConfigMap {cluster.ns('app')}/conf  data.text  two -> one" in play("--check")
    assert data(cluster, "configmaps", "conf") == {"text": "two"}
    assert any(line.startswith("own: the manifest still wants something else") for line in play().splitlines())
    assert data(cluster, "configmaps", "conf") == {"text": "one"}
    plan = cluster.plan(addons, "rollback", rollback={"own": 1}).addons[0]
    assert plan.action is Action.ROLLBACK
    assert all(item.op in (Op.NONE, Op.SHARED) for item in plan.objects)

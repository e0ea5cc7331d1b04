# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Secrets planted in values: they reach the cluster and nothing else.

Looked at: arguments and environment of every Helm process, files while the run lasts, events, plan, diff and report,
the record, server errors that quote a value, and the output of ``ansible-playbook -vvv``.
"""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.release import decode
from ansible_collections.slipway.cluster.plugins.module_utils.addons.work import Event
from ansible_collections.slipway.cluster.plugins.module_utils.report.plan_json import plan_dict, report_dict
from ansible_collections.slipway.cluster.plugins.module_utils.report.plan_text import plan_lines
from tests.contract.runner import Playbook
from tests.contract.support import Cluster

pytestmark = pytest.mark.lab

SHOP = Path(__file__).parent / "charts" / "shop"
LOOKED_UP = "looked-up-7Q4-Zebra"
KEPT = "kept-in-slipway-secrets-9W"
CHANGED = "another-password-5T-Yak"
PLANTED = (LOOKED_UP, KEPT, CHANGED)
HARMLESS = "text-that-everybody-may-see"


def forms(secret: str) -> set[str]:
    raw = secret.encode()
    encoded = {base64.b64encode(bytes(pad) + raw).decode()[4 if pad else 0 : -4] for pad in range(3)}
    return {secret, json.dumps(secret)[1:-1], raw.hex(), base64.b64encode(raw).decode(), *encoded}


def found_in(text: str, secrets: Iterable[str] = PLANTED) -> list[str]:
    return [secret for secret in secrets if any(form in text for form in forms(secret))]


def addons(cluster: Cluster, password: str, **more: Any) -> dict[str, Any]:
    """One secret goes into a Secret; one into a ConfigMap, an annotation and a custom resource."""
    values = {"group": f"{cluster.name}.example.org", "password": password, "text": "a {{ slipway_secrets.text }} b"}
    return {
        "shop": {
            "chart": {"path": str(SHOP)},
            "namespace": cluster.ns("shop"),
            "timeout": 60,
            "values": {**values, "hookAnnotations": {"note": HARMLESS}},
            **more,
        },
        "plain": {
            "namespace": cluster.ns("shop"),
            "objects": [
                {
                    "apiVersion": "v1",
                    "kind": "ConfigMap",
                    "metadata": {"name": "plain"},
                    "data": {"k": "{{ slipway_secrets.text }}", "harmless": HARMLESS},
                }
            ],
        },
    }


def sources(password: str = LOOKED_UP) -> dict[str, Any]:
    return {"lookups": {"env": password}, "variables": {"slipway_secrets": {"text": KEPT}}}


LOOKUP = "{{ lookup('env', 'DB_PASSWORD') }}"


@pytest.fixture
def told_helm(cluster: Cluster, tmp_path: Path) -> Path:
    """A log of what each Helm process was given: arguments and environment."""
    log, wrapper = tmp_path / "helm.log", tmp_path / "helm"
    wrapper.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {log}\nenv >> {log}\nexec {cluster.helm} "$@"\n')
    wrapper.chmod(0o755)
    cluster.env = {**cluster.env, "bin": {**cluster.env["bin"], "helm4": str(wrapper)}}
    return log


@contextmanager
def watched(*folders: Path) -> Iterator[list[str]]:
    """Everything that was in a file below ``folders`` for a moment, and every argument of a process of ours."""
    seen: list[str] = []
    over = threading.Event()

    def look() -> None:
        known: set[tuple[str, int]] = set()
        while not over.is_set():
            for path in (p for folder in folders for p in folder.rglob("*")):
                try:
                    stamp = (str(path), path.stat().st_mtime_ns)
                    if path.is_file() and stamp not in known:
                        seen.append(path.read_text(encoding="utf-8", errors="replace"))
                        known.add(stamp)
                except OSError:
                    continue
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.append(path.read_text(encoding="utf-8", errors="replace"))
                except OSError:
                    continue
            seen[:] = list(dict.fromkeys(seen))
            time.sleep(0.01)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def records(cluster: Cluster) -> str:
    """All that the home namespace holds, compressed parts laid open."""
    text = []
    for item in cluster.client().list(f"/api/v1/namespaces/{cluster.home}/configmaps"):
        text.append(json.dumps(item))
        packed = (item.get("binaryData") or {}).values()
        text += [gzip.decompress(base64.b64decode(one)).decode() for one in packed]
    return "\n".join(text)


def release(cluster: Cluster) -> dict[str, Any]:
    """What Helm's storage holds of the newest revision."""
    path = f"/api/v1/namespaces/{cluster.ns('shop')}/secrets"
    found = cluster.client().list(path, {"labelSelector": "owner=helm,name=shop"})
    newest = max(found, key=lambda secret: int(secret["metadata"]["labels"]["version"]))
    return decode(newest["data"]["release"])


def test_secrets_are_nowhere_but_where_they_belong(
    cluster: Cluster, told_helm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary, cluster.cache = tmp_path / "tmp", tmp_path / "cache"
    temporary.mkdir()
    cluster.cache.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    events: list[Event] = []
    shown: list[str] = []
    with watched(temporary, cluster.cache) as seen:
        for password in (LOOKED_UP, CHANGED):
            engine = cluster.engine(addons(cluster, LOOKUP), emit=events.append, **sources(password))
            plan = engine.plan()
            shown += plan_lines(plan, engine.masker, verbose=True)
            shown.append(json.dumps(plan_dict(plan, engine.masker)))
            report = engine.execute(plan)
            assert not report.failed
            shown.append(json.dumps(report_dict(report, engine.masker)))
    shown.append(json.dumps([asdict(event) for event in events]))
    helm = told_helm.read_text(encoding="utf-8")
    for text in (helm, "\n".join(seen), "\n".join(shown), records(cluster)):
        assert not found_in(text)
    # The counter-checks: each place was really looked at, and the values did arrive.
    assert "template" in helm
    assert f"--namespace\n{cluster.ns('shop')}" in helm
    assert any("kustomiz" in text or "helm" in text for text in seen)
    assert any("shop" in line for line in shown)
    assert HARMLESS in records(cluster)
    shop = f"/api/v1/namespaces/{cluster.ns('shop')}"
    stored = (cluster.get(f"{shop}/secrets/password") or {})["data"]["password"]
    assert base64.b64decode(stored).decode() == CHANGED
    assert (cluster.get(f"{shop}/configmaps/plain") or {})["data"]["k"] == KEPT
    # The one exception, by Helm's own format.
    assert release(cluster)["config"]["password"] == CHANGED


def test_what_is_looked_for_would_be_found(tmp_path: Path) -> None:
    """The counter-check of the search itself: plain, encoded on its own and in the middle of something."""
    for pad in range(4):
        assert found_in(base64.b64encode(b"x" * pad + LOOKED_UP.encode() + b"yz").decode()) == [LOOKED_UP]
    assert found_in(json.dumps({"k": KEPT})) == [KEPT]
    with watched(tmp_path) as seen:
        (tmp_path / "file").write_text(KEPT)
        subprocess.run(["sh", "-c", f"sleep 0.5 # {LOOKED_UP}"], check=True)
    assert sorted(found_in("\n".join(seen))) == sorted([KEPT, LOOKED_UP])
    assert not found_in(HARMLESS)


def test_a_changed_secret_shows_its_key_and_no_more(cluster: Cluster) -> None:
    cluster.ok(addons(cluster, LOOKUP), **sources())
    engine = cluster.engine(addons(cluster, LOOKUP), **sources(CHANGED))
    plan = engine.plan()
    objects = [o for a in plan_dict(plan, engine.masker)["addons"] for o in a["objects"]]
    assert [o["fields"] for o in objects if o["kind"] == "Secret"] == [[{"path": "data.password", "change": "changed"}]]
    lines = plan_lines(plan, engine.masker, verbose=True)
    told = [line for line in lines if "data.password" in line]
    assert len(told) == 1
    assert told[0].split()[-1] == "changed"
    assert "********" not in told[0]
    # The counter-check: what is no secret shows both its values.
    harmless = addons(cluster, LOOKUP)
    harmless["plain"]["objects"][0]["data"]["harmless"] = "new"
    assert any(HARMLESS in line and "new" in line for line in cluster.text(harmless, **sources()).splitlines())


def test_values_may_be_left_out_of_the_release(cluster: Cluster) -> None:
    cluster.ok(addons(cluster, LOOKUP, store_values=False), **sources())
    assert not release(cluster)["config"]
    # The counter-check: without the option they are there.
    cluster.ok(addons(cluster, LOOKUP), **sources(CHANGED))
    assert release(cluster)["config"]["password"] == CHANGED


@pytest.mark.parametrize("there", [False, True], ids=["create", "change"])
def test_a_server_error_that_quotes_a_value(cluster: Cluster, there: bool) -> None:
    """T38: by value, whatever the kind: the API server says which label value it refuses."""
    secret = f"{KEPT} is no label!"

    def one(label: str) -> dict[str, Any]:
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "labels": {"l": label}}}
        return {"one": {"namespace": cluster.ns("one"), "objects": [body]}}

    if there:
        cluster.ok(one("fine"))
    events: list[Event] = []
    planted = {"variables": {"slipway_secrets": {"text": secret}}}
    engine = cluster.engine(one("{{ slipway_secrets.text }}"), emit=events.append, **planted)
    plan = engine.plan()
    report = engine.execute(plan)
    assert report.failed
    shown = json.dumps(
        [report_dict(report, engine.masker), [asdict(e) for e in events], plan_lines(plan, engine.masker, verbose=True)]
    )
    assert not found_in(shown, (secret, KEPT))
    assert "Invalid value: " in shown
    assert "********" in shown
    # The counter-check: unmasked, the server's words hold it.
    assert secret in report.results["one"].reason


def test_ansible_output(cluster: Cluster, tmp_path: Path) -> None:
    """``-vvv`` and ``--diff``, install, change and a failure; a lookup, a vaulted value, slipway_secrets, the token."""
    vault = tmp_path / "vault-password"
    vault.write_text("vault-password\n")
    playbook = Playbook(cluster, tmp_path / "inventory", addons(cluster, LOOKUP))
    vaulted = subprocess.run(
        [Path(playbook.command("addons")[0]).with_name("ansible-vault"), "encrypt_string", "--vault-password-file",
         str(vault), "--name", "vaulted", KEPT],
        capture_output=True, text=True, check=True, env=playbook.environment(),
    ).stdout  # fmt: skip
    secrets = tmp_path / "inventory" / "group_vars" / "all" / "secrets.yml"
    secrets.write_text(f"{vaulted}\nslipway_secrets: {{text: '{{{{ vaulted }}}}'}}\n", encoding="utf-8")
    report = tmp_path / "report.json"
    token = playbook.environment()["SLIPWAY_API_TOKEN"]

    def run(name: str, password: str, *more: str) -> tuple[int, str]:
        command = playbook.command(
            name, "-vvv", "--diff", "--vault-password-file", str(vault), "-e", f"slipway_report_file={report}", *more
        )
        env = playbook.environment(DB_PASSWORD=password)
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=env, cwd=tmp_path)
        text = done.stdout + done.stderr + report.read_text(encoding="utf-8")
        assert not found_in(text, (*PLANTED, token)), name
        return done.returncode, text

    code, text = run("addons", LOOKED_UP)
    assert code == 0, text
    assert cluster.ns("shop") in text
    code, text = run("plan", CHANGED)
    assert code == 0, text
    assert "data.password" in text
    refused = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b", "labels": {"l": "{{ vaulted }} !"}}}
    harmless = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "plain"}, "data": {"harmless": "new"}}
    layer = {"slipway_addons__z": {"plain": {"objects": [harmless, refused]}}}
    code, text = run("addons", CHANGED, "-e", json.dumps(layer))
    assert code == 2, text
    # The counter-checks: the server's words are there, and so is what is no secret.
    assert "Invalid value" in text
    assert HARMLESS in text
    assert not found_in(records(cluster))

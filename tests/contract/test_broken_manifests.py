# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Fifty broken manifests through ansible-playbook: coded findings with their places, no traceback, and no write.

Each is the good manifest with one change, installed (not planned) by a play of its own; the API server's audit log is
the witness. One ansible-playbook runs all plays: a refused one is noted by ``rescue`` and the next one begins.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.support import CATALOG, CHARTS, ROOT

pytestmark = pytest.mark.lab

BIN = Path(sys.executable).parent
GOOD = """\
---
slipway_name: broken
slipway_values:
  domain: apps.example.com
  retention: 7d
  web_replicas: 2
  size: 1Gi
slipway_addons:
  storage: {}
  certs: {}
  issuer: {}
  metrics:
    values:
      retention: "{{ slipway_values.retention }}"
      persistence: {size: "{{ slipway_values.size }}"}
  gateway:
    replicas: "{{ slipway_values.web_replicas }}"
    values: {host: "gateway.{{ slipway_values.domain }}"}
  portal:
    chart: {path: CHARTS/portal}
    namespace: broken-portal
    requires: [gateway]
    after: [metrics]
    timeout: 30
    values: {host: "portal.{{ slipway_values.domain }}"}
  notifier:
    chart: {repo: "http://127.0.0.1:1", name: notifier, version: 1.0.0}
    enabled: false
  teams:
    objects: [{apiVersion: v1, kind: Namespace, metadata: {name: broken-team}}]
"""
LAST = "    objects: [{apiVersion: v1, kind: Namespace, metadata: {name: broken-team}}]\n"
# What is taken out of the good manifest, what comes in its place, and the code that must be among the findings.
MUTATIONS = (
    # names
    ("slipway_name: broken\n", "", "SLW-1008"),
    ("slipway_name: broken\n", "slipway_name: Broken_Name\n", "SLW-1007"),
    ("slipway_name: broken\n", "slipway_name: 007\n", "SLW-10"),
    ("slipway_name: broken\n", "slipway_name: [broken]\n", "SLW-1002"),
    ("slipway_name: broken\n", 'slipway_name: "{{ nowhere }}"\n', "SLW-1301"),
    ("  teams:\n", "  Teams_A:\n", "SLW-1007"),
    ("  teams:\n", "  3:\n    namespace: [3]\n", "SLW-1002"),
    ("namespace: broken-portal", "namespace: Broken.Portal", "SLW-1007"),
    ("namespace: broken-portal", f"namespace: {'n' * 64}", "SLW-1007"),
    ("namespace: broken-portal", "release: a/b", "SLW-1007"),
    # keys and types
    ("    timeout: 30\n", "    timout: 30\n", "SLW-1001"),
    ("{path: CHARTS/portal}", "{pth: CHARTS/portal}", "SLW-1001"),
    ("    timeout: 30\n", "    timeout: soon\n", "SLW-1002"),
    ("    timeout: 30\n", "    timeout: -1\n", "SLW-100"),
    ("    timeout: 30\n", "    timeout: true\n", "SLW-1002"),
    ("    timeout: 30\n", "    timeout: 1.5\n", "SLW-1002"),
    ("    timeout: 30\n", "    enabled: maybe\n", "SLW-1002"),
    ("    timeout: 30\n", "    drift: sometimes\n", "SLW-1003"),
    ("    timeout: 30\n", "    crds: 2026-01-01\n", "SLW-100"),
    ("requires: [gateway]", "requires: gateway", "SLW-1002"),
    ("requires: [gateway]", "requires: [{gateway: yes}]", "SLW-1002"),
    ("requires: [gateway]", "requires: [null]", "SLW-1002"),
    ("  storage: {}\n", "  storage: []\n", "SLW-1002"),
    ("  storage: {}\n", "  storage: no\n", "SLW-10"),
    ('    values: {host: "portal.{{ slipway_values.domain }}"}\n', "    values: [host]\n", "SLW-1002"),
    (LAST, "    objects: {kind: Namespace}\n", "SLW-1002"),
    (LAST, "    objects: [{kind: Namespace}]\n", "SLW-1012"),
    (LAST, "    wait: {conditions: [{type: Ready}]}\n" + LAST, "SLW-1012"),
    ("  retention: 7d\n", "  retention: .nan\n", "SLW-1005"),
    ("slipway_addons:\n", "slipway_addons: nothing\nslipway_rest:\n", "SLW-1004"),
    ("  storage: {}\n", '  "a.b\\\\.c": {}\n', "SLW-1007"),
    # sources and catalog
    ("  certs: {}\n", "  certz: {}\n", "SLW-1101"),
    ("  certs: {}\n", "  certs: {use: cert-manger}\n", "SLW-1101"),
    ("    chart: {path: CHARTS/portal}\n", "", "SLW-12"),
    (LAST, LAST + "    manifests: [a.yml]\n", "SLW-1103"),
    (", version: 1.0.0}\n    enabled: false\n", "}\n", "SLW-110"),
    ("{path: CHARTS/portal}", "{path: CHARTS/nowhere}", "SLW-1106"),
    (LAST, "    kustomize: nowhere/at/all\n", "SLW-1106"),
    (LAST, LAST + "    replicas: 2\n", "SLW-1107"),
    # relations
    ("requires: [gateway]", "requires: [gateway, quantum]", "SLW-1203"),
    ("  storage: {}\n", "", "SLW-1201"),
    (LAST, LAST + "    provides: [default-storage-class]\n", "SLW-1202"),
    (LAST, LAST + "    after: [teamz]\n", "SLW-1203"),
    (LAST, LAST + "    requires: [portal]\n    provides: [gateway-team]\n  loop:\n    requires: [loop2]\n" + LAST
     + "  loop2:\n    requires: [loop]\n" + LAST, "SLW-1204"),
    (LAST, LAST + "  twin: {chart: {path: CHARTS/portal}, namespace: broken-portal, release: portal}\n", "SLW-1205"),
    ("  certs: {}\n", "  certs: {enabled: false}\n", "SLW-1201"),
    ("requires: [gateway]", "requires: [gateway, notifier]", "SLW-1207"),
    # values
    ("retention: 7d", "retention: CHANGEME", "SLW-1303"),
    ("domain: apps.example.com", "domain: FixItByWF", "SLW-1303"),
    ("  retention: 7d\n", "", "SLW-1301"),
    ("retention: 7d", 'retention: "{{ slipway_values.size }}-{{ slipway_values.retention }}"', "SLW-1302"),
    ("retention: 7d", 'retention: "{{ outer }}"\nouter: "{{ inner.x }}"\ninner: {y: 1}\nslipway_values__b:\n  s: 2',
     "SLW-1301"),
    ("retention: 7d", 'retention: "{{ 1 + }}"', "SLW-1305"),
    ("retention: 7d", """retention: "{{ 'a' | no_such_filter }}\"""", "SLW-130"),
    ("retention: 7d", "retention: \"{{ 1 / 0 }}\"", "SLW-1304"),
    ("web_replicas: 2", "web_replicas: two", "SLW-1002"),
    ("slipway_addons:\n", "slipway_values__site: {domain: [a]}\nslipway_addons:\n", "SLW-1009"),
)  # fmt: skip
CODED = re.compile(r"^(?P<place>\S.*?): (?P<code>SLW-\d{4}) \S.*$")


@dataclass(frozen=True)
class Told:
    """What a play printed: everything, and the result of its failed task."""

    out: str
    failed: dict[str, Any]

    @property
    def lines(self) -> list[str]:
        return [line.strip() for line in str(self.failed.get("msg", "")).splitlines()]


def site(folder: Path) -> str:
    """A play for each manifest, and a last one that plans the good one."""
    plays = []
    for name, _code in (*((f"case-{n:02}", c) for n, (_, _, c) in enumerate(MUTATIONS)), ("good", "")):
        role = {
            "name": "Install",
            "ansible.builtin.include_role": {"name": "slipway.cluster.addons"},
            "vars": {"addons_operation": "plan" if name == "good" else "install"},
        }
        noted = {"name": "Note it", "ansible.builtin.debug": {"msg": "refused"}}
        plays.append(
            {
                "name": name,
                "hosts": "localhost",
                "gather_facts": False,
                "vars_files": [str(folder / f"{name}.yml")],
                "tasks": [{"name": "Try", "block": [role], "rescue": [noted]}],
            }
        )
    return yaml.safe_dump(plays, sort_keys=False)


# Tests beside this one: their names, and the accounts that they are lent. Nothing here has such a name: these plays are
# called `broken`, and reach the API directly, as the lab's administrator.
OF_OTHERS = re.compile(r"\bt-[0-9a-f]{8}\b|/slipway-(installer|reader)-")
LENT = "system:serviceaccount:"


@pytest.fixture(scope="module")
def run(lab_env: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Told], list[str]]:
    """By play what it told, and the writes that the API server saw meanwhile."""
    folder = tmp_path_factory.mktemp("broken")
    for number, (old, new, _code) in enumerate(MUTATIONS):
        assert GOOD.count(old) == 1, f"mutation {number} fits {GOOD.count(old)} times"
        text = GOOD.replace(old, new).replace("CHARTS", str(CHARTS))
        (folder / f"case-{number:02}.yml").write_text(text, encoding="utf-8")
    (folder / "good.yml").write_text(GOOD.replace("CHARTS", str(CHARTS)), encoding="utf-8")
    (folder / "site.yml").write_text(site(folder), encoding="utf-8")
    (folder / "hosts.yml").write_text("all: {hosts: {localhost: {ansible_connection: local}}}\n", encoding="utf-8")
    extra = {
        "slipway_kubeconfig": lab_env["kubeconfig"],
        "slipway_helm": lab_env["bin"]["helm4"],
        "slipway_kustomize": f"{lab_env['bin']['kubectl']} kustomize",
        "slipway_catalogs": [str(CATALOG)],
        "slipway_cache_dir": str(folder / "cache"),
        "slipway_namespace": "broken-records",
    }
    log = Path(lab_env["audit_log"])
    before = log.stat().st_size
    done = subprocess.run(
        [str(BIN / "ansible-playbook"), "-i", "hosts.yml", "site.yml", "-e", json.dumps(extra)],
        cwd=folder,
        env={
            **{key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "KUBE"))},
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build" / "collections"),
            "ANSIBLE_NOCOLOR": "1",
        },
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr
    told = {}
    for part in re.split(r"^PLAY \[", done.stdout, flags=re.MULTILINE)[1:]:
        fatal = re.search(r"^fatal: \[localhost\]: FAILED! => (\{.*\})$", part, re.MULTILINE)
        told[part.split("]", 1)[0]] = Told(part, json.loads(fatal.group(1)) if fatal else {})
    with log.open("rb") as file:
        file.seek(before)
        entries = [json.loads(line) for line in file.read().splitlines()]
    ours = [entry for entry in entries if "slipway" in entry.get("userAgent", "")]
    ours = [entry for entry in ours if not entry["user"]["username"].startswith(LENT)]
    # The address of a create does not say of what.
    names = [entry.get("objectRef", {}).get("name", "") for entry in ours]
    writes = [
        f"{entry['verb']} {entry['requestURI']} {name}"
        for entry, name in zip(ours, names, strict=True)
        if entry["verb"] not in ("get", "list", "watch")
    ]
    return told, [write for write in writes if not OF_OTHERS.search(write)]


def test_there_are_fifty_and_each_had_its_play(run: tuple[dict[str, Told], list[str]]) -> None:
    assert len(MUTATIONS) >= 50
    assert list(run[0]) == [*(f"case-{number:02}" for number in range(len(MUTATIONS))), "good"]


def test_nothing_was_written(run: tuple[dict[str, Told], list[str]], lab_env: dict[str, Any]) -> None:
    assert run[1] == []
    kubectl = [lab_env["bin"]["kubectl"], "--kubeconfig", lab_env["kubeconfig"]]
    found = subprocess.run([*kubectl, "get", "ns", "-o", "name"], capture_output=True, text=True, check=True).stdout
    assert "namespace/broken-" not in found


def test_the_good_manifest_would_have_been_installed(run: tuple[dict[str, Told], list[str]]) -> None:
    """Otherwise what is refused above could be refused for any reason."""
    assert "PLAN broken" in run[0]["good"].out
    assert "fatal:" not in run[0]["good"].out


@pytest.mark.parametrize("number", range(len(MUTATIONS)), ids=lambda n: f"{n:02}-{MUTATIONS[n][2]}")
def test_a_broken_manifest_is_refused_with_places_and_codes(
    number: int, run: tuple[dict[str, Told], list[str]]
) -> None:
    told = run[0][f"case-{number:02}"]
    assert told.failed, told.out
    assert told.out.count("fatal:") == 1
    assert re.fullmatch(r"\d+ errors?, nothing was changed:", told.lines[0]), told.lines
    places = [CODED.match(line) for line in told.lines[1:]]
    assert all(places), told.lines
    # in the file of this case, at a line of it; or, for what is missing, the name of what is missing
    assert any(f"case-{number:02}.yml:" in m["place"] for m in places if m) or MUTATIONS[number][2] == "SLW-1008"
    assert any(m["code"].startswith(MUTATIONS[number][2]) for m in places if m), told.lines
    assert {finding["code"] for finding in told.failed["findings"]} == {m["code"] for m in places if m}

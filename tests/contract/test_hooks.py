# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Hooks through ansible-playbook: one story, told once, and what each of its runs did.

base -> app -> top is a chain with hooks everywhere; side -> tail is a branch of its own, whose hooks fail at first.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.noting import note
from ansible_collections.slipway.cluster.plugins.module_utils.addons.plan import Action
from tests.contract.conftest import _clean
from tests.contract.runner import Playbook
from tests.contract.support import ROOT, Cluster, eventually

pytestmark = pytest.mark.lab

CORES = {"2.18": Path(sys.executable).parent, "2.21": ROOT / ".venv-next" / "bin"}
NEWEST = "2.21" if (CORES["2.21"] / "ansible-playbook").exists() else "2.18"
SECRET = "vErY-sEcReT-42"
NOTE = """
- name: Write down what this hook knows and sees
  ansible.builtin.shell: |
    seen=$({{ kubectl }} get cm -A -l slipway.cluster/name={{ slipway_name }} -o jsonpath='{.items[*].metadata.name}')
    printf '%s\\t%s\\t%s\\n' "$HOOK" "$KNOWN" "$seen" >> {{ log }}
  environment:
    HOOK: "{{ event }}"
    KNOWN: "{{ slipway_addon | to_json }}"
  no_log: true
  changed_when: false
"""
FAIL = """
- name: Fail while there is a reason
  ansible.builtin.fail: {msg: "not with {{ slipway_addon['values'].password }}"}
  when: "'REASON' in lookup('ansible.builtin.file', reasons)"
"""
HANG = """
- name: Tell that it has begun
  ansible.builtin.copy: {dest: "{{ log }}.hangs", content: "", mode: "0600"}
- name: Hang while there is a reason
  ansible.builtin.pause: {seconds: 60}
  when: "'hang' in lookup('ansible.builtin.file', reasons)"
"""
LEASES = "/apis/coordination.k8s.io/v1/namespaces/{}/leases"
EVENTS = [f"{when}_{operation}" for operation in ("install", "upgrade", "remove") for when in ("before", "after")]


@dataclass
class Ran:
    """One run: exit status, what it printed, its report, and the hooks that it ran: (add-on, event, known, seen)."""

    rc: int
    out: str
    report: dict[str, Any]
    hooks: list[tuple[str, str, dict[str, Any], set[str]]] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return [f"{addon} {event}" for addon, event, _known, _seen in self.hooks]

    @property
    def calls(self) -> int:
        return self.out.count("TASK [slipway.cluster.addons : Plan the add-ons and carry out the plan]")


class Stage:
    """The cluster, the inventory with its hooks, and what the hooks wrote down."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster = cluster
        self.folder = folder
        self.log, self.reasons = folder / "log", folder / "reasons"
        self.report = folder / "report.json"
        self.reasons.write_text("", encoding="utf-8")
        hooks = folder / "hooks"
        hooks.mkdir()
        for event in EVENTS:
            text = NOTE.replace("{{ event }}", event)
            (hooks / f"{event}.yml").write_text(text.lstrip(), encoding="utf-8")
        (hooks / "hang.yml").write_text(HANG.lstrip(), encoding="utf-8")
        for reason in ("early", "late"):
            (hooks / f"{reason}.yml").write_text(FAIL.replace("REASON", reason).lstrip(), encoding="utf-8")
        chart = folder / "chart"
        (chart / "templates").mkdir(parents=True)
        (chart / "Chart.yaml").write_text("apiVersion: v2\nname: app\nversion: 1.0.0\n", encoding="utf-8")
        (chart / "templates" / "config.yaml").write_text(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\n"
            "data: {size: {{ .Values.size | quote }}}\n",
            encoding="utf-8",
        )
        self.write({})

    def addons(self, values: dict[str, Any]) -> dict[str, Any]:
        ns, chart = self.cluster.ns("h"), {"path": "chart"}
        hooks = {event: f"hooks/{event}.yml" for event in EVENTS if event != "after_remove"}
        typed = {"size": 3, "ratio": 1.5, "on": True, "names": ["a", "b"], "raw": "{{ '{{ raw }}' }}", **values}
        secret = {"password": "{{ lookup('ansible.builtin.env', 'HOOKS_SECRET') }}"}
        return {
            "base": {
                "objects": [config("base")],
                "namespace": ns,
                "hooks": {
                    "before_install": ["hooks/before_install.yml", "hooks/hang.yml"],
                    "after_install": "hooks/after_install.yml",
                    "after_remove": ["hooks/after_remove.yml"],
                },
            },
            "app": {
                "chart": chart,
                "namespace": ns,
                "after": ["base"],
                "provides": ["app-ready"],
                "values": {**typed, **secret},
                "hooks": hooks,
            },
            "top": {"objects": [config("top")], "namespace": ns, "after": ["app"]},
            "side": {
                "chart": chart,
                "namespace": ns,
                "values": {"size": 1, **secret},
                "hooks": {
                    "before_install": ["hooks/before_install.yml", "hooks/early.yml"],
                    "after_install": ["hooks/late.yml", "hooks/after_install.yml"],
                },
            },
            "tail": {"objects": [config("tail")], "namespace": ns, "after": ["side"]},
        }

    def write(self, values: dict[str, Any]) -> None:
        env = self.cluster.env
        self.playbook = Playbook(
            self.cluster,
            self.folder,
            self.addons(values),
            extra={
                "log": str(self.log),
                "reasons": str(self.reasons),
                "kubectl": f"{env['bin']['kubectl']} --kubeconfig {env['kubeconfig']}",
                "slipway_report_file": str(self.report),
            },
        )

    def command(self, core: str, name: str, *more: str) -> list[str]:
        command = self.playbook.command(name, *more)
        return [str(CORES[core] / "ansible-playbook"), *command[1:]]

    def environment(self) -> dict[str, str]:
        return self.playbook.environment(HOOKS_SECRET=SECRET, ANSIBLE_SHOW_CUSTOM_STATS="1")

    def run(self, name: str, *more: str, core: str = "2.18", reasons: str = "") -> Ran:
        self.reasons.write_text(reasons, encoding="utf-8")
        self.report.unlink(missing_ok=True)
        done = subprocess.run(
            self.command(core, name, *more),
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        report = json.loads(self.report.read_text(encoding="utf-8")) if self.report.exists() else {}
        return Ran(done.returncode, done.stdout + done.stderr, report, self.noted())

    def killed(self, name: str) -> Ran:
        """A run whose processes all die while a hook runs."""
        self.reasons.write_text("hang", encoding="utf-8")
        command = self.command("2.18", name)
        with subprocess.Popen(
            command, cwd=self.folder, env=self.environment(), stdout=subprocess.DEVNULL, start_new_session=True
        ) as process:
            eventually(lambda: Path(f"{self.log}.hangs").exists(), 60)
            os.killpg(process.pid, signal.SIGKILL)
            return Ran(process.wait(10), "", {}, self.noted())

    def noted(self) -> list[tuple[str, str, dict[str, Any], set[str]]]:
        """What hooks have written down since the last look."""
        lines = self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        found = []
        for line in lines:
            event, known, seen = line.split("\t")
            what = json.loads(known)
            found.append((what["name"], event, what, set(seen.split())))
        return found

    def configs(self) -> set[str]:
        items = self.cluster.client().list(f"/api/v1/namespaces/{self.cluster.ns('h')}/configmaps")
        return {item["metadata"]["name"] for item in items} - {"kube-root-ca.crt"}

    def record(self, addon: str) -> dict[str, Any] | None:
        path = f"/api/v1/namespaces/{self.cluster.home}/configmaps/slipway.{self.cluster.name}.{addon}"
        found = self.cluster.get(path)
        record: dict[str, Any] | None = json.loads(found["data"]["record.json"]) if found else None
        return record


def config(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}


@dataclass
class Story:
    """The runs in their order, and what the cluster held after some of them."""

    runs: dict[str, Ran] = field(default_factory=dict)
    configs: dict[str, set[str]] = field(default_factory=dict)
    records: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    status: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def story(lab_env: dict[str, Any], cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    cluster = Cluster(lab_env, cache)
    client = cluster.client()
    # Not ours: it stays, and only what is in it goes with the last add-on.
    client.write("POST", "/api/v1/namespaces", {"metadata": {"name": cluster.home}})
    stage = Stage(cluster, tmp_path_factory.mktemp("hooks"))
    told = Story()

    def look(name: str, ran: Ran) -> None:
        told.runs[name] = ran
        told.configs[name] = stage.configs()
        told.records[name] = stage.record("side")

    look("check", stage.run("install", "--check"))
    look("killed", stage.killed("install"))
    told.records["base"] = stage.record("base")
    look("early", stage.run("install", "-v", reasons="early"))
    look("late", stage.run("install", reasons="late", core=NEWEST))
    status = cluster.engine({"side": {"objects": [config("side")]}}, "status").status()
    told.status = {addon.name: addon.state for addon in status.addons}
    look("done", stage.run("install"))
    look("again", stage.run("install"))
    stage.write({"size": 4})
    look("upgrade", stage.run("install", "--tags", "app", core=NEWEST))
    look("remove", stage.run("remove", "-e", "slipway_remove_addons=base,app,top,side,tail"))
    for kind in ("namespaces", f"namespaces/{cluster.home}/configmaps", f"namespaces/{cluster.home}/secrets"):
        told.left += [item["metadata"]["name"] for item in client.list(f"/api/v1/{kind}")]
    told.left += [i["metadata"]["name"] for i in client.list(LEASES.format(cluster.home))]
    told.left = [name for name in told.left if cluster.name in name or name == "slipway"]
    yield told
    _clean(cluster)


def test_check_mode_shows_the_hooks_and_runs_none(story: Story) -> None:
    ran = story.runs["check"]
    assert (ran.rc, ran.hooks, ran.calls) == (0, [], 1), ran.out
    assert "\n+ base " in ran.out
    for name in ("before_install hooks/before_install.yml", "before_install hooks/hang.yml"):
        assert f"\n    hook {name}\n" in ran.out
    assert "hook before_upgrade" not in ran.out
    assert {"event": "after_install", "path": "hooks/late.yml"} in by_name(ran)["side"]["hooks"]
    assert story.configs["check"] == set()


def test_a_run_that_dies_in_a_hook_leaves_what_has_run(story: Story) -> None:
    assert sorted(story.runs["killed"].names) == ["base before_install"]
    assert story.configs["killed"] == set()
    record = story.records["base"]
    assert record is not None
    assert (record["state"], record["objects"]) == ("pending", [])
    assert record["hooks"] == {
        "operation": "install",
        "done": ["before_install hooks/before_install.yml"],
        "acted": False,
    }


def test_hooks_and_installations_alternate_along_the_chain(story: Story) -> None:
    ran = story.runs["early"]
    chain = [name for name in ran.names if not name.startswith("side")]
    # the one that the killed run had finished does not run again
    assert chain == ["base after_install", "app before_install", "app after_install"]
    seen = {f"{addon} {event}": seen & {"base", "app", "top"} for addon, event, _known, seen in ran.hooks}
    assert [seen[name] for name in chain] == [{"base"}, {"base"}, {"base", "app"}]
    assert story.configs["early"] == {"base", "app", "top"}


def test_a_hook_knows_its_add_on(story: Story) -> None:
    known = {f"{addon} {event}": what for ran in story.runs.values() for addon, event, what, _seen in ran.hooks}
    first = known["app before_install"]
    assert {key: first[key] for key in ("name", "release", "version", "version_from", "action", "capabilities")} == {
        "name": "app",
        "release": "app",
        "version": "1.0.0",
        "version_from": "",
        "action": "install",
        "capabilities": ["app-ready"],
    }
    assert first["namespace"].endswith("-h")
    assert first["values"] == {
        "size": 3,
        "ratio": 1.5,
        "on": True,
        "names": ["a", "b"],
        "raw": "{{ raw }}",
        "password": SECRET,
    }
    assert (known["app before_upgrade"]["action"], known["app before_upgrade"]["values"]["size"]) == ("upgrade", 4)
    assert known["app before_remove"]["action"] == "remove"
    assert known["app before_remove"]["values"]["password"] == SECRET


def test_secrets_reach_the_hook_and_nothing_that_we_print(story: Story) -> None:
    """With -v every result is printed. The task that fails on purpose prints what it was told to: that is Ansible's."""
    for ran in story.runs.values():
        ours = [line for line in ran.out.splitlines() if not ("fatal: " in line and '"msg": "not with ' in line)]
        ours = [line for line in ours if "Action failed: not with" not in line]
        assert SECRET not in "\n".join(ours)
        assert SECRET not in json.dumps(ran.report)
    assert "not with ********" in story.runs["early"].report["results"]["side"]["reason"]


def test_a_failed_hook_before_it_leaves_the_add_on_untouched_and_other_branches_go_on(story: Story) -> None:
    ran = story.runs["early"]
    assert ran.rc == 2
    told = "side: failed: SLW-4601 hook before_install hooks/early.yml failed: Fail while there is a reason: not with"
    assert told in ran.out
    assert "2 add-ons not done:" in ran.out
    assert "  tail: skipped: needs side" in ran.out
    assert "-e slipway_only=side,tail" in ran.out
    assert ran.report["result"] == "error"
    outcomes = {name: one["outcome"] for name, one in ran.report["results"].items()}
    assert outcomes == {"base": "done", "app": "done", "top": "done", "side": "failed", "tail": "skipped"}
    assert not story.configs["early"] & {"side", "tail"}
    record = story.records["early"]
    assert record is not None
    assert record["objects"] == []


def test_the_segments_read_as_one_run(story: Story) -> None:
    ran = story.runs["early"]
    assert ran.calls > 3
    assert ran.out.count("PLAN ") == 1
    assert {a["name"]: a["action"] for a in ran.report["addons"]} == dict.fromkeys(
        ("base", "app", "top", "side", "tail"), "install"
    )
    # the statistics at the end hold the whole
    stats = ran.out[ran.out.index("CUSTOM STATS") :]
    assert '"slipway_result": "error"' in stats
    assert '"slipway_result": "changes"' in (done := story.runs["done"].out)[done.index("CUSTOM STATS") :]
    # progress counts from the start of the run
    ready = [float(m.group(1)) for m in re.finditer(r"^ +(\d+\.\d) s  \w+ +ready", ran.out, re.MULTILINE)]
    assert ready == sorted(ready)


def test_a_failed_hook_after_it_stops_its_dependents(story: Story) -> None:
    ran = story.runs["late"]
    assert (ran.rc, ran.names) == (2, [])
    assert "side: failed: SLW-4601 hook after_install hooks/late.yml failed" in ran.out
    # what comes after a failed hook of the same event does not run
    assert "skipped: needs side" in ran.out
    assert story.configs["late"] == {"base", "app", "top", "side"}
    record = story.records["late"]
    assert record is not None
    assert (record["state"], record["revision"], record["hooks"]["acted"]) == ("applied", 1, True)
    assert story.status == {"base": "dropped", "app": "dropped", "top": "dropped", "side": "pending"}


def test_going_on_runs_what_is_left_and_nothing_else(story: Story) -> None:
    ran = story.runs["done"]
    assert (ran.rc, ran.names) == (0, ["side after_install"]), ran.out
    assert {a["name"]: a["action"] for a in ran.report["addons"] if a["action"] != "unchanged"} == {
        "side": "finish",
        "tail": "install",
    }
    assert story.configs["done"] == {"base", "app", "top", "side", "tail"}
    record = story.records["done"]
    assert record is not None
    # nothing was applied again
    assert (record["revision"], record["hooks"]) == (1, None)


def test_a_run_without_changes_is_one_call(story: Story) -> None:
    ran = story.runs["again"]
    assert (ran.rc, ran.calls, ran.hooks) == (0, 1, [])
    assert ran.report["result"] == "unchanged"
    assert "Gather what the hook may know" not in ran.out


def test_an_upgrade_by_tag_runs_its_own_hooks(story: Story) -> None:
    ran = story.runs["upgrade"]
    assert (ran.rc, ran.names) == (0, ["app before_upgrade", "app after_upgrade"]), ran.out
    assert ran.report["results"] == {"app": {"outcome": "done", "reason": ""}}


def test_removal_hooks_run_before_the_first_deletion_and_when_all_is_gone(story: Story) -> None:
    ran = story.runs["remove"]
    assert ran.rc == 0, ran.out
    assert ran.names == ["app before_remove", "base after_remove"]
    seen = [seen & {"base", "app", "top"} for _addon, _event, _known, seen in ran.hooks]
    assert seen == [{"base", "app"}, set()]
    assert {one["outcome"] for one in ran.report["results"].values()} == {"done"}
    # a namespace that add-ons of later segments share is theirs, and no longer told of as kept
    assert not any(ran.report["kept"].values())
    assert [name for name in story.left if not name.endswith("-home")] == []


@pytest.mark.parametrize("core", CORES)
def test_a_hook_that_cannot_be_read_is_found_before_anything_is_touched(
    core: str, cluster: Cluster, tmp_path: Path
) -> None:
    if not (CORES[core] / "ansible-playbook").exists():
        pytest.skip(f"ansible-core {core} is not installed: {CORES[core].relative_to(ROOT)} does not exist")
    stage = Stage(cluster, tmp_path)
    bad = {
        "before_install": "- block:\n    - no_such_module: {}\n",
        "after_install": "- ansible.builtin.debug: {msg: x}\n\n- ansible.builtin.debug: {msg: x}\n  wenn: true\n",
        "before_upgrade": "hosts: all\n",
        "before_remove": "- name: A\n  rescue: []\n  block:\n    - ansible.builtin.include_tasks: any.yml\n",
    }
    for event, text in bad.items():
        (tmp_path / "hooks" / f"{event}.yml").write_text(text, encoding="utf-8")
    (tmp_path / "hooks" / "after_upgrade.yml").unlink()
    ran = stage.run("install", core=core)
    assert ran.rc == 2
    # ansible-core 2.18 prints a message on one line
    ran.out = ran.out.replace("\\n", "\n")
    finding = re.compile(r"^ +\S*hooks/(\w+)\.yml:(\d+:\d+): SLW-141[23] slipway_addons\.app\.", re.MULTILINE)
    found = dict(finding.findall(ran.out))
    assert found == {"before_install": "2:7", "after_install": "3:3", "before_upgrade": "1:1"}, ran.out
    assert re.search(r"main\.yml:\d+:\d+: SLW-1411 slipway_addons\.app\.hooks\.after_upgrade: ", ran.out)
    assert cluster.get(f"/api/v1/namespaces/{cluster.home}") is None


def test_an_adoption_that_waits_for_its_hook_is_still_one(cluster: Cluster, tmp_path: Path) -> None:
    """By engine calls: what nobody has written yet is not there, although its record is."""
    hook = tmp_path / "ask.yml"
    hook.write_text("- ansible.builtin.ping:\n", encoding="utf-8")
    client, ns = cluster.client(), cluster.ns("a")
    client.write("POST", "/api/v1/namespaces", {"metadata": {"name": ns}})
    path = f"/api/v1/namespaces/{ns}/configmaps/a"
    cluster.apply(path, {**config("a"), "data": {"x": "theirs"}})
    body = {**config("a"), "data": {"x": "ours"}}
    addons = {"a": {"objects": [body], "namespace": ns, "adopt": True, "hooks": {"before_upgrade": str(hook)}}}

    report = cluster.run(addons)
    (due,) = report.hooks
    assert (due.operation, due.event, due.variables["action"]) == ("upgrade", "before_upgrade", "adopt")
    assert report.results == {}
    engine = cluster.engine(addons)
    note(
        client,
        engine._manifest,
        addon="a",
        operation=due.operation,
        hook=due.name,
        namespace=cluster.home,
        lock_wait=0,
        lock_duration=5,
    )
    live = client.get(path)
    assert live is not None
    assert live["data"] == {"x": "theirs"}

    # dropped from the manifest meanwhile: there is nothing but the record to remove
    dropped = cluster.plan({}, prune=["a"])
    assert [(p.action, p.objects) for p in dropped.addons] == [(Action.REMOVE, [])]
    (plan,) = cluster.plan(addons).addons
    assert (plan.action, plan.operation, plan.hooks) == (Action.ADOPT, "upgrade", ())
    assert cluster.ok(addons).hooks == []
    live = client.get(path)
    assert live is not None
    assert live["data"] == {"x": "ours"}
    assert cluster.plan(addons).result == "unchanged"


def by_name(ran: Ran) -> dict[str, Any]:
    return {addon["name"]: addon for addon in ran.report["addons"]}

# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The rendered history: files that say what is on the cluster, that can be applied, and that hold no secret."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import EngineError
from ansible_collections.slipway.cluster.plugins.module_utils.addons.history.folder import Written
from ansible_collections.slipway.cluster.plugins.module_utils.addons.plan import Action, Plan
from tests.contract.conftest import _clean
from tests.contract.runner import Playbook
from tests.contract.support import ROOT, Cluster

pytestmark = pytest.mark.lab

CHARTS = Path(__file__).parent / "charts"
PASSWORD = "rendered-8K2-Okapi"
TOKEN = "rendered-3V9-Tapir"
POEM = "a line\n  another line\nkey: value\n"


@dataclass
class Kept:
    """A cluster with its history in ``folder``."""

    cluster: Cluster
    folder: Path
    addons: dict[str, Any]
    plan: Plan | None = None
    files: dict[str, bytes] = field(default_factory=dict)

    def run(self, operation: str = "plan", addons: dict[str, Any] | None = None, **options: Any) -> Written:
        engine = self.cluster.engine(
            self.addons if addons is None else addons,
            operation,
            lookups={"env": PASSWORD},
            variables={"slipway_secrets": {"token": TOKEN}},
            rendered_dir=self.folder,
            files_dir=ROOT,
            **options,
        )
        self.plan = engine.plan()
        history = engine.history()
        assert history is not None
        history.check(self.plan)
        if operation == "plan":
            return history.write(self.plan)
        report = engine.execute(self.plan)
        assert not report.failed, {n: r.reason for n, r in report.results.items()}
        return history.write(report.plan, [name for name, result in report.results.items() if result.done])

    def tree(self) -> dict[str, bytes]:
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in sorted(files)}

    def index(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = yaml.safe_load((self.folder / "index" / f"{name}.yaml").read_text(encoding="utf-8"))
        return found

    def kubectl(self, *args: str) -> subprocess.CompletedProcess[str]:
        command = [self.cluster.env["bin"]["kubectl"], "--kubeconfig", self.cluster.env["kubeconfig"], *args]
        return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def addons_of(cluster: Cluster) -> dict[str, Any]:
    space = cluster.ns("a")
    group = f"{cluster.name}.example.org"
    return {
        "shop": {
            "chart": {"path": str(CHARTS / "shop")},
            "namespace": space,
            "values": {"group": group, "password": "{{ lookup('env', 'PASSWORD') }}", "text": "yes"},
        },
        "plain": {
            "namespace": space,
            "objects": [
                config_map("poem", text=POEM, number="1e3"),
                config_map("leak", url="https://user:{{ slipway_secrets.token }}@example.org"),
                config_map("packed", value=base64.b64encode(PASSWORD.encode()).decode()),
            ],
        },
        "team": {
            "namespace": cluster.ns("team"),
            "objects": [
                {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": cluster.ns("team")}},
                config_map("rules", one="1"),
            ],
        },
        "guest": {"namespace": cluster.ns("team"), "after": ["team"], "objects": [config_map("guest", one="1")]},
        "system": {"namespace": "kube-system", "objects": [config_map(cluster.name, one="1")]},
        "chance": {"chart": {"path": str(CHARTS / "chance")}, "namespace": space},
    }


@pytest.fixture(scope="module")
def kept(lab_env: dict[str, Any], cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """Installed once, with its history; tests that change the folder or the cluster put it right again."""
    cluster = Cluster(lab_env, cache)
    one = Kept(cluster, tmp_path_factory.mktemp("history"), addons_of(cluster))
    one.run("plan")
    one.files = one.tree()
    one.run("plan")
    assert one.tree() == one.files, "two plans of the same give the same, also before anything is installed"
    one.run("install")
    yield one
    subprocess.run(
        [lab_env["bin"]["kubectl"], "--kubeconfig", lab_env["kubeconfig"], "-n", "kube-system", "delete", "configmap",
         cluster.name], capture_output=True, check=False,
    )  # fmt: skip
    _clean(cluster)


def test_what_chance_decides_is_told_once_it_is_installed(kept: Kept) -> None:
    path = f"objects/chance/20-configmap-{kept.cluster.ns('a')}-chance.yaml"
    assert path not in kept.files
    live = kept.cluster.get(f"/api/v1/namespaces/{kept.cluster.ns('a')}/configmaps/chance")
    assert live is not None
    assert yaml.safe_load(kept.tree()[path])["data"] == live["data"]


def test_the_tree_is_what_is_on_the_cluster(kept: Kept) -> None:
    """Everything that is wanted is in the tree or listed as left out; applying the tree would change nothing."""
    assert kept.plan is not None
    objects = kept.folder / "objects"
    applied = kept.kubectl("apply", "--dry-run=server", "-R", "-f", str(objects))
    assert applied.returncode == 0, applied.stderr
    differs = kept.kubectl("diff", "--server-side", "--field-manager=gitops", "-R", "-f", str(objects))
    assert differs.returncode == 0, differs.stdout + differs.stderr
    bodies = [yaml.safe_load(text) for path, text in kept.tree().items() if path.startswith("objects/")]
    there = [f"{b['kind']} {b['metadata'].get('namespace', '')}/{b['metadata']['name']}" for b in bodies]
    left_out = [one for name in kept.addons for one in kept.index(name)["left_out"]]
    wanted = {
        f"{item.id.kind} {item.id.namespace}/{item.id.name}" for plan in kept.plan.addons for item in plan.objects
    }
    assert len(there) == len(set(there)), "no object stands twice"
    assert {*there, *left_out} == wanted - {"Namespace /kube-system"}


def test_a_change_in_the_tree_would_be_seen(kept: Kept) -> None:
    """The counter-check of the one above."""
    path = kept.folder / f"objects/plain/20-configmap-{kept.cluster.ns('a')}-poem.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("another line", "another word"), encoding="utf-8")
    assert kept.kubectl("diff", "--server-side", "--force-conflicts", "-f", str(path)).returncode == 1
    assert kept.run().changed == [str(path.relative_to(kept.folder))]
    assert path.read_text(encoding="utf-8") == text
    assert "    another line\n" in text, "lines are lines, so that a diff shows the one that changed"
    assert "number: '1e3'" in text, "Go would read 1e3 as a number"


def test_a_second_run_changes_no_file_and_renders_everything(kept: Kept) -> None:
    before = kept.tree()
    for operation in ("install", "plan"):
        told = kept.run(operation)
        assert (told.changed, told.removed) == ([], [])
        assert told.files == len(before)
    assert kept.tree() == before
    assert kept.plan is not None
    assert {plan.action for plan in kept.plan.addons} == {Action.UNCHANGED}
    assert kept.plan.helm_processes == 2
    assert kept.cluster.plan(kept.addons, lookups={"env": PASSWORD}, variables={"slipway_secrets": {"token": TOKEN}}
                             ).helm_processes == 0  # fmt: skip


def test_secret_values_are_nowhere(kept: Kept) -> None:
    everything = b"\n".join([*kept.tree().values(), *kept.files.values(), *map(str.encode, kept.tree())])
    for secret in (PASSWORD, TOKEN):
        forms = {secret, *(base64.b64encode(b"." * pad + secret.encode()).decode()[4:-4] for pad in range(3))}
        assert not [form for form in forms if form.encode() in everything]
    assert b"key: value" in everything
    space = kept.cluster.ns("a")
    assert kept.index("shop")["left_out"] == {f"Secret {space}/password": "is a Secret"}
    assert kept.index("plain")["left_out"] == {
        f"ConfigMap {space}/leak": "data.url holds a secret value",
        f"ConfigMap {space}/packed": "data.value holds a secret value",
    }


def test_hooks_and_namespaces_stand_apart(kept: Kept) -> None:
    """Who applies ``objects`` runs no hook; a namespace that many use is there once, one of others never."""
    files = set(kept.tree())
    assert "hooks/shop/job-prepare.yaml" in files
    assert not [path for path in files if path.startswith("objects/") and "-job-" in path]
    assert {path for path in files if "_namespaces" in path} == {
        "index/_namespaces.yaml",
        f"objects/_namespaces/{kept.cluster.ns('a')}.yaml",
    }
    assert f"objects/team/10-namespace-{kept.cluster.ns('team')}.yaml" in files


def test_what_is_not_selected_stays(kept: Kept) -> None:
    before = kept.tree()
    assert kept.run(only=("guest",)).removed == []
    assert kept.tree() == before


def test_files_of_a_dropped_add_on_go_and_foreign_ones_stay(kept: Kept) -> None:
    foreign = kept.folder / "objects" / "plain" / "notes.yaml"
    foreign.write_text("mine", encoding="utf-8")
    less = {name: one for name, one in kept.addons.items() if name not in ("plain", "guest")}
    told = kept.run(addons=less)
    assert set(told.removed) == {
        "index/guest.yaml",
        f"objects/guest/20-configmap-{kept.cluster.ns('team')}-guest.yaml",
        "index/plain.yaml",
        f"objects/plain/20-configmap-{kept.cluster.ns('a')}-poem.yaml",
    }
    assert [path for path in kept.tree() if "plain" in path] == ["objects/plain/notes.yaml"]
    foreign.unlink()
    kept.run()


def test_a_foreign_file_in_the_way_stops_the_run_before_it_touches_anything(kept: Kept) -> None:
    path = kept.folder / "objects" / "extra" / f"20-configmap-{kept.cluster.ns('a')}-extra.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("mine", encoding="utf-8")
    more = {"extra": {"namespace": kept.cluster.ns("a"), "objects": [config_map("extra", a="1")]}}
    with pytest.raises(EngineError, match="SLW-4712"):
        kept.run("install", addons={**kept.addons, **more})
    assert path.read_text(encoding="utf-8") == "mine"
    assert kept.cluster.get(f"/api/v1/namespaces/{kept.cluster.ns('a')}/configmaps/extra") is None
    path.unlink()


def test_through_the_playbook(kept: Kept, tmp_path: Path) -> None:
    """Relative to the inventory's folder; ``--check`` writes nothing."""
    addons = {"one": {"namespace": kept.cluster.ns("a"), "objects": [config_map("one", a="1")]}}
    name = Cluster(kept.cluster.env, kept.cluster.cache, name=f"{kept.cluster.name}-p")
    folder = tmp_path / "inventory"
    book = Playbook(name, folder, addons, extra={"slipway_rendered_dir": "../rendered"})
    for more in (["--check"], []):
        done = subprocess.run(
            book.command("plan", *more), env=book.environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert ("RENDERED" in done.stdout) == (tmp_path / "rendered").exists() == (not more)
    assert f"RENDERED {tmp_path / 'rendered'}  2 files: 2 written, 0 removed\n" in done.stdout, done.stdout

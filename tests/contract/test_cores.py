# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Every supported ansible-core makes the same of the same variables: values to the byte, places, secrets."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORES = {"2.18": ROOT / ".venv" / "bin", "2.21": ROOT / ".venv-next" / "bin"}
PLUGINS = Path(__file__).parent / "cores" / "action_plugins"
HOSTS = "all: {hosts: {localhost: {ansible_connection: local}}}\n"
PLAY = """
- hosts: all
  gather_facts: false
  tasks: [{load_manifest: {to: "{{ to }}"}}]
"""
VARIABLES = r"""
slipway_name: prod
other: "{{ slipway_values.domain }}/other"
lit: "{{ '42' }}"
slipway_values:
  domain: a.example
  n: 3
  none:
  home: "{{ lookup('env', 'HOME') }}"
  file: "{{ lookup('file', 'NOTES') }}"
  raw: !unsafe "{{ raw }}"
  list: [1, "x", {k: v, b: true}]
  secret: !vault |
      $ANSIBLE_VAULT;1.1;AES256
      31343362636163626636623738316233616333616439383638333162346166343136326663303735
      6465336535343531396161383933346361366161616238310a633733343464396530663437373832
      35373631316163626634386639323364366664643863353730663563316330616362373464393538
      3733626232396338370a626236393131363866633938633163616563353365363637346263313064
      3963
slipway_addons:
  one:
    objects: []
    values:
      s7: "{{ '007' }}"
      s7b: "{{ '7' }}"
      i7: "{{ 7 }}"
      min: "{{ [3, slipway_values.n, slipway_nodes.workers] | min }}"
      mixed: "a{{ slipway_values.n }}b{{ none }}"
      none: "{{ none }}"
      b: "{{ true }}"
      str: "{{ 'True' }}"
      dict: "{{ {'a': 1, 'b': '2', 'c': [1.5, none]} }}"
      dictstr: "{{ {'a': 1} | string }}"
      json: "{{ {'a': 1, 's': slipway_values.domain} | to_json }}"
      lst: "{{ ['b', 'a'] | sort }}"
      map: "{{ ['b', 'a'] | map('upper') }}"
      rng: "{{ range(3) | list }}"
      other: "{{ other }}"
      lit: "{{ lit }}"
      raw: "{{ slipway_values.raw }}"
      home: "{{ slipway_values.home }}"
      file: "{{ slipway_values.file }}"
      tree: "{{ slipway_values.list }}"
      pw: "{{ slipway_values.secret }}"
      pw2: "x{{ slipway_values.secret }}y"
      whole: "{{ whole_secret }}"
      wb: "{{ whole_map }}"
      bs: "{{ 'a\\.b' | regex_replace('\\\\.', '-') }}"
      nl: "{{ 'x' }}\n"
      int: "{{ '12' | int }}"
      set: "{% set x = 3 %}{{ x }}"
      cond: "{% if true %}yes{% endif %}"
      dflt: "{{ nope | default('d') }}"
      q: "{{ query('items', [1, 2]) }}"
      lv: "{{ lookup('vars', 'lit') }}"
      combo: "{{ {'a': {'x': 1}} | combine({'a': {'y': '2'}}, recursive=true) }}"
      fl: "{{ 1.0 }}"
      date: 2026-01-31
      multi: |
        line {{ slipway_values.domain }}
        two
      port: {8080: x}
"""
# encrypted as a whole with the password "pw": whole_secret: abc, whole_map: {a: 1, b: two}
VAULTED = """
$ANSIBLE_VAULT;1.1;AES256
38313031623166313531363163653331646462366261616165333338653765373534346334656436
3363306266623634356661363837643666333361613538310a326138366330313364396331616363
65623630623531363061383464336231346436303438613930633365383464336136646135353731
6530386362666465300a363131663135393638353430326637303864316636313433313635363131
32613235373030303966316663643632663663333032653731633463333661383937643833656537
6461323131313965376565343464626335646336376431373031
"""
EXPECTED = {
    "s7": "007",
    "s7b": "7",
    "i7": 7,
    "min": 2,
    "mixed": "a4b",
    "none": None,
    "b": True,
    "str": "True",
    "dict": {"a": 1, "b": "2", "c": [1.5, None]},
    "dictstr": "{'a': 1}",
    "json": '{"a": 1, "s": "a.example"}',
    "lst": ["a", "b"],
    "map": ["B", "A"],
    "rng": [0, 1, 2],
    "other": "a.example/other",
    "lit": "42",
    "raw": "{{ raw }}",
    "home": "/home/of/somebody",
    "file": "noted",
    "tree": [1, "x", {"k": "v", "b": True}],
    "pw": "hunter22",
    "pw2": "xhunter22y",
    "whole": "abc",
    "wb": {"a": 1, "b": "two"},
    "bs": "a-b",
    "nl": "x\n",
    "int": 12,
    "set": 3,
    "cond": "yes",
    "dflt": "d",
    "q": [1, 2],
    "lv": "42",
    "combo": {"a": {"x": 1, "y": "2"}},
    "fl": 1.0,
    "date": "2026-01-31",
    "multi": "line a.example\ntwo\n",
    "port": {"8080": "x"},
}
BROKEN = r"""
slipway_name: Prod_X
nested: "{{ deeper }}"
a: "{{ b }}"
b: "{{ a }}"
slipway_addons:
  one:
    objects: []
    n: 3
    timeout: "{{ 'x' }}"
    values:
      u: "{{ undefd }}"
      n: "{{ nested }}"
      l: "{{ [undefd2] }}"
      z: "{{ 1/0 }}"
      i: "{{ 'x' | unknown_filter }}"
      syn: "{{ 1 + }}"
      omit: "{{ omit }}"
      rec: "{{ a }}"
      lk: "{{ lookup('nosuch', 'x') }}"
      lf: "{{ lookup('file', '/nonexistent') }}"
      attr: "{{ nested2.x }}"
      ok: "{{ 1 }}"
      ha: "{{ hostvars.localhost.foo }}"
      v: "{{ slipway_values.items }}"
"""
SCRIPT = r"""#!/bin/sh
# A script inventory, as AWX generates it: no value has a file.
cat <<'JSON'
{"all": {"hosts": ["localhost"], "vars": {
  "slipway_name": "prod", "slipway_values": {"n": 3, "unused": 1},
  "slipway_addons": {"a": {"objects": [], "values": {"n": "{{ slipway_values.n }}", "x": "{{ nope }}"}}}}},
 "_meta": {"hostvars": {"localhost": {"ansible_connection": "local"}}}}
JSON
"""


def told(core: str, folder: Path, inventory: str, *extra: str, vault: str = "pw") -> Any:
    """What ``load_manifest`` of this core gets out of an inventory."""
    program = CORES[core] / "ansible-playbook"
    if not program.exists():
        pytest.skip(f"ansible-core {core} is not installed: {program} does not exist")
    (folder / "play").mkdir(exist_ok=True)
    (folder / "play" / "play.yml").write_text(PLAY, encoding="utf-8")
    (folder / "pw").write_text(f"{vault}\n", encoding="utf-8")
    to = folder / f"told-{core}.json"
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build" / "collections"),
        "ANSIBLE_ACTION_PLUGINS": str(PLUGINS),
        "ANSIBLE_HOME": str(folder / "home"),
        "HOME": "/home/of/somebody",
        "ANSIBLE_VAULT_PASSWORD_FILE": str(folder / "pw"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_LOCAL_TEMP": str(folder / "t"),
        "ANSIBLE_REMOTE_TEMP": str(folder / "r"),
    }
    done = subprocess.run(
        [program, "-i", inventory, "play/play.yml", "-e", f"to={to}", *extra],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "hunter22" not in done.stdout + done.stderr
    return json.loads(to.read_text(encoding="utf-8"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project folder with the inventories of these tests."""
    for name, files in {
        "good": {"addons.yml": VARIABLES.lstrip(), "vault.yml": VAULTED.lstrip()},
        "broken": {"addons.yml": BROKEN.lstrip()},
    }.items():
        variables = tmp_path / name / "group_vars" / "all"
        variables.mkdir(parents=True)
        (tmp_path / name / "hosts.yml").write_text(HOSTS, encoding="utf-8")
        for file, text in files.items():
            (variables / file).write_text(text.replace("NOTES", str(tmp_path / "notes")), encoding="utf-8")
    (tmp_path / "notes").write_text("noted\n", encoding="utf-8")
    script = tmp_path / "script"
    script.write_text(SCRIPT, encoding="utf-8")
    script.chmod(0o755)
    return tmp_path


LAYER = ("-e", '{"slipway_values__x": {"n": 4}}')


@pytest.mark.parametrize("core", CORES)
def test_a_core_keeps_types_places_and_secrets(core: str, folder: Path) -> None:
    found = told(core, folder, "good", *LAYER)
    assert list(found) == ["findings", "secrets", "addons"], found["findings"]
    one = found["addons"]["one"]
    assert one["values"] == EXPECTED
    assert {key: type(value) for key, value in one["values"].items()} == {
        key: type(value) for key, value in EXPECTED.items()
    }
    assert one["secret"] == ["home", "pw", "pw2", "wb.a", "wb.b", "whole"]
    assert {"hunter22", "xhunter22y", "/home/of/somebody"} <= set(found["secrets"])
    line = VARIABLES.lstrip().splitlines().index("      s7: \"{{ '007' }}\"") + 1
    assert one["origins"]["s7"] == f"good/group_vars/all/addons.yml:{line}:11"
    assert one["origins"]["port.8080"].startswith("good/group_vars/all/addons.yml:")


SAMPLE = str(ROOT / "inventories" / "sample")


@pytest.mark.parametrize("inventory", ["good", "broken", "script", SAMPLE])
def test_both_cores_tell_the_same(inventory: str, folder: Path) -> None:
    old, new = (told(core, folder, inventory, *LAYER) for core in CORES)
    assert old.get("addons") == new.get("addons")
    assert old.get("secrets") == new.get("secrets")
    # Ansible words its own reasons differently, finds some errors at another stage, and 2.18 knows no script's name
    if inventory != "script":
        places = [[finding.split("SLW-")[0] for finding in told["findings"]] for told in (old, new)]
        assert places[0] == places[1]
    loose = ("SLW-1304", "SLW-1306", "something is undefined")
    exact = [
        [finding.split("SLW-")[1] for finding in told["findings"] if not any(word in finding for word in loose)]
        for told in (old, new)
    ]
    assert exact[0] == exact[1]


@pytest.mark.parametrize("core", CORES)
def test_values_without_a_file_name_their_source(core: str, folder: Path) -> None:
    found = told(
        core,
        folder,
        "script",
        "-e",
        '{"slipway_addons__x": {"b": {"objects": [], "replcas": 1}}}',
        "-e",
        "slipway_values__y=text",
    )
    places = {finding.split(": SLW-")[0] for finding in found["findings"]}
    assert any(place.startswith("extra variables") for place in places)
    joined = "\n".join(found["findings"])
    assert "extra variables: SLW-1001 slipway_addons.b.replcas" in joined
    assert "extra variables: SLW-1004 slipway_values__y" in joined
    assert "SLW-1301 slipway_addons.a.values.x: 'nope' is undefined" in joined
    assert all(place for place in places)


@pytest.mark.parametrize("core", CORES)
def test_a_missing_vault_password_is_a_finding(core: str, folder: Path) -> None:
    (folder / "good" / "group_vars" / "all" / "vault.yml").unlink()
    found = told(core, folder, "good", vault="wrong")
    (finding,) = [finding for finding in found["findings"] if "SLW-1011" in finding]
    assert "good/group_vars/all/addons.yml:12:" in finding
    assert "slipway_values.secret" in finding

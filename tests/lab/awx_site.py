# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""One AWX for all tests that need one, with a project of playbooks and an inventory of one host."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.awx.running import Awx
from lab.awx.user import AwxError, User

NUMBERS = itertools.count(1)
DEFAULT = 1
"""The organization that AWX has from the start."""

PLAYS = {
    # Everything that a play can say about itself comes back as the job's artifacts.
    "site.yml": """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.command: python3 look.py
      when: look is defined
      changed_when: false
      register: looked
    - ansible.builtin.set_stats:
        data: {looked: "{{ looked.stdout | from_json }}"}
      when: look is defined
    - ansible.builtin.set_stats:
        data: "{{ {item: [lookup('vars', item), vars[item] | type_debug]} }}"
      loop: "{{ query('varnames', '^told_') }}"
    - ansible.builtin.set_stats:
        data: "{{ stats }}"
      when: stats is defined
    - ansible.builtin.fail:
        msg: as told
      when: broken | default('') | bool
""",
    "long.yml": """
- hosts: all
  gather_facts: false
  tasks:
    - block:
        - ansible.builtin.command: sleep {{ seconds }}
          when: seconds is defined
        - ansible.builtin.pause:
            prompt: Sure?
          when: seconds is not defined
      always:
        - ansible.builtin.debug:
            msg: ALWAYS RAN
""",
    "look.py": """
import json, os, pathlib, shutil, sys
def refused(path):
    try:
        pathlib.Path(path).touch()
    except OSError as error:
        return error.strerror
    pathlib.Path(path).unlink()
terminal = os.open("/dev/tty", os.O_RDWR)
print(json.dumps({
    "environment": dict(os.environ),
    "folder": os.getcwd(),
    "user": os.getuid(),
    "terminal": list(os.get_terminal_size(terminal)),
    "processes": [int(name) for name in os.listdir("/proc") if name.isdigit()],
    "top": sorted(os.listdir("/")),
    "home": sorted(os.listdir("/root")),
    "temporary": sorted(os.listdir("/tmp")),
    "memory": shutil.disk_usage("/dev/shm").total,
    "runner": sorted(os.listdir("/runner")),
    "files": {str(path): [oct(path.stat().st_mode)[-3:], path.read_text()]
              for path in pathlib.Path("/runner/env").glob("tmp*")},
    "inventory": os.access("/runner/inventory/hosts", os.X_OK),
    "collections": refused("/usr/share/ansible/collections/ansible_collections/slipway/cluster/extra"),
    "system": refused("/usr/bin/extra"),
}))
""",
    "tasks/more.yml": "- ansible.builtin.debug:\n",
    "values.yml": "answer: 42\n",
}


@dataclass
class Site:
    awx: Awx
    user: User
    project: int
    inventory: int

    def made(self, kind: str, /, **fields: Any) -> dict[str, Any]:
        """A new object, by a name of its own unless it is given one."""
        body = {"name": f"{kind}-{next(NUMBERS)}", **fields}
        return dict(self.user.call("POST", f"{kind}/", body))

    def template(self, questions: list[dict[str, Any]] | None = None, **fields: Any) -> dict[str, Any]:
        """A job template, with a survey if there are questions."""
        body = {"project": self.project, "inventory": self.inventory, "playbook": "site.yml", **fields}
        made = self.made("job_templates", survey_enabled=questions is not None, **body)
        if questions is not None:
            self.ask(made, questions)
        return made

    def ask(self, template: dict[str, Any], questions: list[dict[str, Any]]) -> None:
        spec = {"name": "", "description": "", "spec": questions}
        self.user.call("POST", f"{template['url']}survey_spec/", spec)

    def refusal(self, method: str, path: str, body: object = None) -> tuple[int, str]:
        """The status, and everything that AWX says to it."""
        try:
            done = self.user.call(method, path, body)
        except AwxError as error:
            return error.status, json.dumps(error.content, ensure_ascii=False).replace('\\"', '"')
        raise AssertionError(f"{method} {path} was taken: {done}")


def question(variable: str, kind: str, *, required: bool = True, **more: Any) -> dict[str, Any]:
    return {"question_name": variable, "variable": variable, "type": kind, "required": required, **more}


def set_up(awx: Awx) -> Site:
    folder = awx.settings.projects / "plays"
    for name, content in PLAYS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Path(folder / name).write_text(content, encoding="utf-8")
    user = User(awx.url, awx.token, 60)
    project = user.call("POST", "projects/", {"name": "plays", "organization": DEFAULT, "local_path": "plays"})
    inventory = user.call("POST", "inventories/", {"name": "machines", "organization": DEFAULT})
    host = {"name": "here", "inventory": inventory["id"], "variables": "ansible_connection: local"}
    user.call("POST", "hosts/", host)
    return Site(awx, user, project["id"], inventory["id"])

# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Projects: where their files come from, and which of these are playbooks."""

from __future__ import annotations

import os
import re
import urllib.parse
from pathlib import Path

from lab.awx.refusal import RefusalError, invalid
from lab.awx.store import Object, Store

# A line by which AWX knows a playbook; anywhere in the file.
PLAYBOOK = re.compile(r"\s*-?\s*(?:hosts|(?:ansible\.builtin\.)?(?:include|import_playbook)):")
SKIPPED = ("roles", "tasks", "group_vars", "host_vars")
SCHEMES = ("ssh", "git", "http", "https", "ftp", "ftps", "file")
UPDATING = ("scm_update_on_launch", "scm_delete_on_update", "scm_track_submodules", "scm_clean")


def check(store: Store, root: Path, values: Object, thing: Object | None) -> None:
    """:raises RefusalError: for a project that AWX would not take."""
    whole = {"scm_type": "", "local_path": "", "scm_url": ""} | (thing or {}) | values
    managed = bool(whole["scm_type"])
    if managed:
        if thing is not None and values.get("local_path", thing["local_path"]) != thing["local_path"]:
            raise invalid(local_path=f"Cannot change local_path for {whole['scm_type']}-based projects")
        values.pop("local_path", None)
        problem = _url_problem(whole["scm_type"], whole["scm_url"])
        if problem:
            raise invalid(scm_url=problem)
    elif "local_path" in values and values["local_path"] not in free_paths(store, root, thing):
        raise invalid(local_path="This path is already being used by another manual project.")
    credential = store.find("credentials", whole.get("credential"))
    if managed and credential is not None and credential["kind"] != "scm":
        raise invalid(credential="Credential kind must be 'scm'.")
    moved = thing is not None and whole["organization"] != thing["organization"]
    if thing is not None and moved and store.one("job_templates", project=thing["id"]) is not None:
        raise invalid(organization="Organization cannot be changed when in use by job templates.")
    if whole.get("scm_refspec") and whole["scm_type"] != "git":
        raise invalid(scm_refspec="SCM refspec can only be used with git projects.")
    if not managed:
        for name in UPDATING:
            if whole.get(name):
                raise invalid(**{name: "Update options must be set to false for manual projects."})
    if thing is not None and thing["allow_override"] and not whole["allow_override"]:
        _check_override(store, thing)


def _check_override(store: Store, thing: Object) -> None:
    using = [
        str(template["id"])
        for _kind, template in store.all("job_templates", project=thing["id"])
        if template["ask_scm_branch_on_launch"] or template["scm_branch"]
    ]
    if using:
        text = "One or more job templates depend on branch override behavior for this project"
        raise invalid(allow_override=f"{text} (ids: {' '.join(using)}).")


def _url_problem(kind: str, url: str) -> str:
    if not url.strip():
        return "SCM URL is required."
    if "://" not in url:
        # A path of this machine, or the short form for ssh.
        return ""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in SCHEMES:
        return f"Unsupported {kind} URL"
    if parts.scheme == "file":
        return "" if parts.netloc in ("", "localhost") else f'Unsupported host "{parts.netloc}" for file:// URL'
    return "" if parts.netloc else f"Host is required for {parts.scheme} URL"


def free_paths(store: Store, root: Path, thing: Object | None) -> list[str]:
    """Folders below the root that no other manual project has."""
    used = {other["local_path"] for _kind, other in store.all("projects") if other is not thing}
    return [path.name for path in sorted(root.iterdir()) if path.is_dir() and path.name not in used]


def folder(root: Path, project: Object) -> Path | None:
    """Where its files are; None when there are none yet."""
    path = root / project["local_path"]
    return path if project["local_path"] and path.is_dir() else None


def playbooks(root: Path, project: Object) -> list[str]:
    """What of its files may be the playbook of a job template."""
    top = folder(root, project)
    found = []
    for place, _folders, files in os.walk(top) if top else ():
        parts = Path(place).relative_to(top or root).parts
        if any(part in SKIPPED or part.startswith(".") for part in parts):
            continue
        for name in files:
            path = Path(place) / name
            if path.suffix in (".yml", ".yaml") and _is_playbook(path):
                found.append(str(path.relative_to(top or root)))
    return sorted(found, key=str.lower)


def _is_playbook(path: Path) -> bool:
    try:
        lines = path.read_text(encoding="utf-8", errors="ignore").splitlines()
    except OSError:
        return False
    return any(PLAYBOOK.match(line) for line in lines) or bool(lines and lines[0].startswith("$ANSIBLE_VAULT;"))


def check_playbook(store: Store, root: Path, template: Object) -> None:
    """:raises RefusalError: when a job template cannot have this project or this playbook of it."""
    project = store.find("projects", template["project"])
    if project is None:
        raise invalid(project="This field is required.")
    playbook = template["playbook"]
    loose = project["scm_type"] and project["allow_override"]
    if playbook and not loose and playbook not in playbooks(root, project):
        raise invalid(playbook="Playbook not found for project.")
    if not playbook:
        raise invalid(playbook="Must select playbook for project.")
    for name in ("scm_branch", "ask_scm_branch_on_launch"):
        if template[name] and not project["allow_override"]:
            raise invalid(**{name: "Project does not allow overriding branch."})


def check_update(project: Object) -> None:
    """:raises RefusalError: when there is nothing to update it from."""
    if not project["scm_type"]:
        raise RefusalError(405, {"detail": 'Method "POST" not allowed.'})


def inventory_files(root: Path, project: Object) -> list[str]:
    """What of its files AWX offers as inventories: by their names."""
    top = folder(root, project)
    if top is None:
        return []
    found = [
        path.relative_to(top)
        for path in top.rglob("*")
        if path.is_file() and (path.name in ("inventory", "hosts") or path.suffix == ".ini" or os.access(path, os.X_OK))
    ]
    return sorted(
        str(path) for path in found if not any(part in SKIPPED or part.startswith(".") for part in path.parts)
    )

# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""How jobs of the lab's AWX end: by themselves, by their time-out, by somebody's wish; and who comes before whom."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from lab.awx.user import Job
from tests.lab.awx_site import DEFAULT, Site
from tests.lab.conftest import within

pytestmark = pytest.mark.lab

BEGUN = "TASK [ansible.builtin.command]"
LIMITS = (6, 20, 60)


def sleeping(seconds: int) -> bool:
    """Whether the job's own process is there; the number of seconds is its mark."""
    mark = f"sleep\0{seconds}\0".encode()
    found = False
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found = found or path.read_bytes() == mark
        except OSError:
            continue
    return found


@pytest.fixture(scope="module")
def ended(site: Site) -> dict[str, Job]:
    """Four jobs side by side: too long, asking somebody, canceled, and one that simply comes to its end."""
    user = site.user
    fields: dict[str, Any] = {"playbook": "long.yml", "ask_variables_on_launch": True, "ask_timeout_on_launch": True}
    names = {kind: site.template(**fields)["name"] for kind in ("late", "asking", "canceled", "done")}
    late = user.start(names["late"], {"timeout": LIMITS[0]}, seconds=98701)
    asking = user.start(names["asking"], {"timeout": LIMITS[0]})
    canceled = user.start(names["canceled"], seconds=98702)
    done = user.start(names["done"], seconds=1)
    within(60, lambda: sleeping(98702))
    found = {"canceled": user.cancel(canceled), "done": user.wait(done)}
    found["late"], found["asking"] = user.wait(late), user.wait(asking)
    for limit in LIMITS[1:]:
        # A busy machine may not come so far in a short time.
        if BEGUN not in found["late"].stdout:
            found["late"] = user.launch(names["late"], {"timeout": limit}, seconds=98701)
        if "Sure?" not in found["asking"].stdout:
            found["asking"] = user.launch(names["asking"], {"timeout": limit})
    return found


def test_cancel_is_sudden_death(ended: dict[str, Job]) -> None:
    job = ended["canceled"]
    assert job.status == "canceled"
    assert BEGUN in job.stdout
    assert "ALWAYS RAN" not in job.stdout
    assert "PLAY RECAP" not in job.stdout
    assert not sleeping(98702)


def test_the_time_out_is_the_same(ended: dict[str, Job]) -> None:
    job = ended["late"]
    assert (job.status, job.explanation) == ("failed", "Job terminated due to timeout")
    assert BEGUN in job.stdout
    assert "ALWAYS RAN" not in job.stdout
    assert not sleeping(98701)


def test_a_job_left_alone_comes_to_its_always(ended: dict[str, Job]) -> None:
    assert ended["done"].status == "successful"
    assert "ALWAYS RAN" in ended["done"].stdout


def test_nobody_answers_a_question(ended: dict[str, Job]) -> None:
    job = ended["asking"]
    assert (job.status, job.explanation) == ("failed", "Job terminated due to timeout")
    assert "Sure?" in job.stdout


def test_nothing_is_left_of_ended_jobs(site: Site, ended: dict[str, Job]) -> None:
    assert all(job.shown["finished"] for job in ended.values())
    folders = [path for path in site.awx.settings.jobs.iterdir() if path.is_dir()]
    assert folders == []
    assert list((site.awx.settings.folder / "engine" / "state").iterdir()) == []


def test_a_failed_play_is_a_failed_job(site: Site) -> None:
    done = site.user.launch(site.template(extra_vars="broken: true")["name"])
    assert (done.status, done.explanation) == ("failed", "")
    assert "as told" in done.stdout


@pytest.mark.parametrize("together", [False, True])
def test_jobs_of_a_template_wait_for_each_other_unless_it_allows_more(site: Site, together: bool) -> None:
    template = site.template(playbook="long.yml", extra_vars="seconds: 98703", allow_simultaneous=together)
    first, second = (site.user.start(template["name"]) for _turn in (1, 2))
    within(60, lambda: site.user.look(first).status == "running")
    time.sleep(0.3)
    assert site.user.look(second).status == ("running" if together else "pending")
    for job in (second, first):
        assert site.user.cancel(job).status == "canceled"


def git(folder: Path, *words: str) -> None:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", str(folder), *words]
    subprocess.run(command, check=True, capture_output=True)


def test_projects_and_inventories_are_updated_first(site: Site, tmp_path: Path) -> None:
    def write(number: int) -> None:
        (tmp_path / "play.yml").write_text(f"- hosts: new\n  tasks: [set_stats: {{data: {{play: {number}}}}}]\n")
        (tmp_path / "hosts.yml").write_text(f"new: {{hosts: {{new{number}: {{ansible_connection: local}}}}}}\n")
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "-q", "-m", str(number))

    git(tmp_path, "init", "-q")
    write(1)
    user = site.user
    project = site.made("projects", organization=DEFAULT, scm_type="git", scm_url=f"file://{tmp_path}")
    within(20, lambda: user.call("GET", project["url"])["status"] == "successful")
    user.call("PATCH", project["url"], {"scm_update_on_launch": True})
    inventory = site.made("inventories", organization=DEFAULT)["id"]
    more = {"source": "scm", "source_project": project["id"], "source_path": "hosts.yml", "overwrite": True}
    site.made("inventory_sources", inventory=inventory, update_on_launch=True, **more)
    template = site.template(project=project["id"], inventory=inventory, playbook="play.yml")
    write(2)
    done = user.launch(template["name"])
    assert done.artifacts == {"play": 2}, done.stdout
    hosts = user.call("GET", f"hosts/?inventory={inventory}")["results"]
    assert [host["name"] for host in hosts] == ["new2"]
    tmp_path.rename(tmp_path.with_name("gone"))
    lost = user.launch(template["name"])
    assert lost.status == "failed"
    assert lost.explanation.startswith('Previous Task Failed: {"job_type": "project_update"')

# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a job has said: ansible-runner's events, as the API shows them, and what AWX makes of them."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from lab.awx.store import Object

COUNTED = ("ok", "changed", "failures", "dark", "skipped", "ignored", "rescued", "processed")
FAILED = ("runner_on_failed", "runner_on_unreachable", "runner_item_on_failed", "runner_on_async_failed")
SHOWN = ("event", "counter", "uuid", "parent_uuid", "stdout", "start_line", "end_line", "created", "event_data")


def read(folder: Path) -> list[Object]:
    """All that there are by now, in their order. ``folder``: a job's artifacts."""
    found = []
    for path in (folder / "job_events").glob("*-*.json"):
        if path.name.partition("-")[0].isdigit() and not path.name.endswith("-partial.json"):
            with suppress(OSError, ValueError):
                found.append(json.loads(path.read_text(encoding="utf-8")))
    return sorted(found, key=lambda event: int(event["counter"]))


def text(events: list[Object]) -> str:
    """The output, a line's end where the terminal had one; another carriage return is to be seen as such."""
    said = "\n".join(event["stdout"] for event in events if event.get("stdout"))
    return said.replace("\r\n", "\n").replace("\r", "\\r") + ("\n" if said else "")


def shown(events: list[Object], job: Object) -> list[Object]:
    """As the list below a job has them."""
    found = []
    for event in events:
        data = event.get("event_data") or {}
        result = data.get("res") or {}
        one = {name: event.get(name) for name in SHOWN}
        one |= {"id": event["counter"], "type": "job_event", "job": job["id"], "event_data": data}
        one |= {"changed": bool(isinstance(result, dict) and result.get("changed"))}
        one |= {"failed": event["event"] in FAILED and not data.get("ignore_errors")}
        one |= {name: data.get(name) or "" for name in ("playbook", "play", "task", "role")}
        one["host_name"] = data.get("host") or ""
        found.append(one)
    return found


def artifacts(events: list[Object]) -> dict[str, Any]:
    """What plays gave to ``set_stats``."""
    found: dict[str, Any] = {}
    for event in events:
        found |= (event.get("event_data") or {}).get("artifact_data") or {}
    return found


def summaries(events: list[Object]) -> list[Object]:
    """How often each host was what, at the end of the playbook; nothing of a run that did not come so far."""
    for event in reversed(events):
        if event["event"] == "playbook_on_stats":
            stats = event["event_data"]
            return [
                {"host_name": host, "failed": bool(stats["failures"].get(host) or stats["dark"].get(host))}
                | {name: stats.get(name, {}).get(host, 0) for name in COUNTED}
                for host in sorted(stats["processed"])
            ]
    return []

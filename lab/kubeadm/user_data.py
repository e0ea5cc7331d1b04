# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""User-data as a machine's first boot reads it: the files it writes, and whether it starts the join."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

import yaml

from lab.errors import LabError

UNIT = "slipway-join.service"
HEAD = "#cloud-config"


@dataclass(frozen=True)
class UserData:
    """``files`` by path: content and mode."""

    hostname: str
    files: dict[str, tuple[str, int]]


def read(text: str) -> UserData:
    """Cloud-init's or Ignition's, told apart as their readers do.

    :raises LabError: when it is neither, or starts nothing.
    """
    if text.startswith("{"):
        return _ignition(json.loads(text))
    if text.splitlines()[:1] == [HEAD]:
        return _cloud_init(yaml.safe_load(text))
    raise LabError("user-data is neither cloud-init's nor Ignition's")


def _cloud_init(body: dict[str, Any]) -> UserData:
    if ["systemctl", "start", "--no-block", UNIT] not in body.get("runcmd", []):
        raise LabError(f"no runcmd starts {UNIT}")
    files = {one["path"]: (one["content"], int(one["permissions"], 8)) for one in body.get("write_files", [])}
    return UserData(body["hostname"], files)


def _ignition(body: dict[str, Any]) -> UserData:
    if {"name": UNIT, "enabled": True} not in body["systemd"]["units"]:
        raise LabError(f"{UNIT} is not enabled")
    files = {}
    for one in body["storage"]["files"]:
        _head, _comma, coded = one["contents"]["source"].partition("base64,")
        files[one["path"]] = (base64.b64decode(coded).decode(), one["mode"])
    return UserData(files["/etc/hostname"][0].strip(), files)

# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The session's report as people read it; what real hosts say is in the contract test."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.report.session_report import report_dict, report_lines
from ansible_collections.slipway.cluster.plugins.module_utils.trust import visit as seen
from ansible_collections.slipway.cluster.plugins.module_utils.trust.certificate import parse_certificate
from ansible_collections.slipway.cluster.plugins.module_utils.trust.visit import Visit

KEY, CA, OTHER = ("SHA256:" + letter * 43 for letter in "KCO")
GOOD = Visit(
    seen.IN, login="ops", user="ops", method=seen.CERTIFICATE, key=KEY, serial="42", authority=CA, sworn=True,
    host_key=KEY, host_ca=OTHER,
)  # fmt: skip
STATUS: dict[str, Any] = {
    "authority": "OpenBao at https://bao", "principals": ["slipway-a"], "host_check": "warn", "trial": False,
    "requests": 3, "error": None, "clock": "", "hosts_not_certified": [],
    "certificate": {
        "key_id": "run-5", "serial": 18446744073709551615, "principals": ["slipway-a"], "valid_after": 1795380000,
        "valid_before": 1795380600, "remaining": 552.4,
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A certificate by ssh-keygen that never ends."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("ca", "id"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    sign = ["ssh-keygen", "-q", "-s", folder / "ca", "-I", "who", "-n", "ops", "-z", "42", folder / "id.pub"]
    subprocess.run(sign, check=True)
    return Path(folder / "id-cert.pub").read_text(encoding="utf-8").strip()


def lines(visits: dict[str, Visit], provider: str = "openbao", **more: Any) -> list[str]:
    return report_lines(report_dict("a", provider, visits, **more))


def test_the_session_is_told_before_the_hosts(line: str) -> None:
    told = lines({"node-1": GOOD}, status=STATUS, held=[line])
    assert told == [
        "SESSION a  provider openbao  1 host: 1 let us in, 0 do not  result: ok",
        "  authority         OpenBao at https://bao",
        "  principals        slipway-a",
        (
            "  certificate       serial 18446744073709551615, key id run-5, valid until 2026-11-22 20:50:00 UTC, "
            "9 min 12 s left"
        ),
        f"  user CA           {parse_certificate(line).authority}",
        "  signing requests  3 so far",
        "  host check        warn",
        f"  host    user  let in by  user CA{' ' * 43}  host CA",
        f"= node-1  ops   serial 42  {CA}  {OTHER}",
    ]


def test_hosts_stand_in_the_order_of_the_inventory() -> None:
    bad = Visit(seen.UNREACHABLE, reason="Connection refused")
    told = lines({"z": GOOD, "a": bad, "m": GOOD}, status=STATUS)
    assert [row[2] for row in told if row[0] in "=!"] == ["z", "a", "m"]
    assert "3 hosts: 2 let us in, 1 do not  result: refused" in told[0]
    assert "! a     unreachable: Connection refused" in told


@pytest.mark.parametrize(
    ("visit", "words"),
    [
        (Visit(seen.KEY_ONLY, method=seen.KEY, key=KEY), [f"plain key only: it takes {KEY}", "slipway.cluster.access"]),
        (Visit(seen.NOT_ACCEPTED, login="ops"), ["does not trust our authority", "does not list slipway-a for ops"]),
        (Visit(seen.NOT_CERTIFIED, reason="SLW-7201 host key x"), ["host not certified: SLW-7201 host key x"]),
        (Visit(seen.NOT_CERTIFIED, host_key=KEY, reason="no"), [f"its key {KEY} is not certified; no"]),
        (Visit(seen.NOT_CERTIFIED, host_key=KEY, host_ca=CA, reason="no"), [f"its key {KEY} is certified by {CA}; no"]),
        (Visit(seen.FAILED, reason="SLW-7317 not ssh"), ["failed: SLW-7317 not ssh"]),
    ],
)
def test_a_host_that_refuses_has_its_reason_in_one_line(visit: Visit, words: list[str]) -> None:
    row = lines({"bad": visit}, status=STATUS)[-1]
    assert row.startswith("! bad   ")
    assert all(word in row for word in words), row


def test_hosts_of_others_are_marked() -> None:
    objection = {"code": "SLW-7201", "message": f"host key {KEY} is certified by {OTHER}, which is no host CA of ours"}
    status = {**STATUS, "hosts_not_certified": [objection]}
    bare = Visit(seen.IN, login="ops", user="root", method=seen.CERTIFICATE, serial="42", authority=CA, host_key=KEY)
    told = lines({"foreign": GOOD, "bare": bare}, status=status)
    assert told[-3].endswith(f"{OTHER} (none of ours)")
    assert told[-2].endswith("not certified")
    assert "ops (root)" in told[-2]
    assert "serial 42*" in told[-2]
    assert told[-1].startswith("* by ssh's word")
    unasked = report_dict("a", "openbao", {"foreign": GOOD}, status={**status, "host_check": "off"})
    assert unasked["hosts"][0]["host_ca_known"] is None


def test_what_went_wrong_in_the_session_is_told() -> None:
    error = {"code": "SLW-7101", "message": "nobody answers", "advice": ""}
    told = "\n".join(
        lines({}, status={**STATUS, "certificate": {}, "error": error, "clock": "5 minutes", "trial": True})
    )
    assert "certificate       none" in told
    assert "error             SLW-7101 nobody answers" in told
    assert "clock             5 minutes" in told
    assert "OpenBao at https://bao (for lab and trial only)" in told


def test_without_a_session_the_agent_is_told(line: str) -> None:
    plain = Visit(seen.IN, login="ops", method=seen.KEY, key=KEY, host_key=KEY)
    told = lines({"node-1": plain}, "agent", held=[line, "sk-what AAAA"])
    assert told[1] == "  session           none of Slipway's (provider agent): ssh finds its keys by itself"
    assert "agent             certificate serial 42, key id who, for ops, valid for ever, by SHA256:" in told[2]
    assert "unknown" in told[3]
    assert told[-1].split() == ["=", "node-1", "ops", "plain", "key", KEY, "-", "not", "certified"]
    assert "  agent             none: SSH_AUTH_SOCK is not set" in lines(
        {}, "none", no_agent="SSH_AUTH_SOCK is not set"
    )
    assert "  agent             is there, and holds nothing" in lines({}, "agent")


def test_as_data_it_survives_json(line: str) -> None:
    found = report_dict("a", "openbao", {"node-1": GOOD}, status=STATUS, held=[line])
    assert json.loads(json.dumps(found)) == found
    assert found["certificate"]["valid_before"] == "2026-11-22T20:50:00Z"
    assert found["certificate"]["serial"] == "18446744073709551615"
    assert found["hosts"][0] | {"host": "node-1", "state": "in", "host_ca_known": True} == found["hosts"][0]

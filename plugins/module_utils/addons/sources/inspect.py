# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a chart's text says about how it has to be rendered."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .chart import Chart

_ACTION = re.compile(rb"\{\{(?!-?\s*/\*).*?\}\}", re.DOTALL)
_APIS = re.compile(rb"\.APIVersions\b")
_LOOKUP = re.compile(rb"\blookup\s")
_RANDOM = re.compile(
    rb"\b(?:rand(?:AlphaNum|Alpha|Numeric|Ascii|Bytes|Int)|gen(?:PrivateKey|CA|SelfSignedCert|SignedCert)\w*"
    rb"|uuidv4|bcrypt|htpasswd|shuffle|encryptAES|now|ago)\b"
)


@dataclass(frozen=True)
class Traits:
    """``gated``: asks which APIs there are. ``lookup``: reads the cluster. ``random``: may differ at every render."""

    gated: bool
    lookup: bool
    random: bool


def traits(chart: Chart, values: Mapping[str, Any]) -> Traits:
    """Errs on the side of yes: what stands in a sub-chart that is off counts too."""
    actions = [action for text in _texts(chart, values) for action in _ACTION.findall(text)]
    return Traits(_any(_APIS, actions), _any(_LOOKUP, actions), _any(_RANDOM, actions))


def _texts(chart: Chart, values: Mapping[str, Any]) -> Iterable[bytes]:
    for part in chart.all():
        for name, data in part.files.items():
            # everything but documentation: templates may run `tpl` over values and files
            if not name.endswith((".md", "NOTES.txt")) and b"{{" in data:
                yield data
    given = json.dumps(values, default=str)
    if "{{" in given:
        yield given.encode()


def _any(pattern: re.Pattern[bytes], actions: Iterable[bytes]) -> bool:
    return any(pattern.search(action) for action in actions)

# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The formats that join data is written in, by the name that a user gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from . import join_butane, join_cloud_init, join_ignition
from .join_data import JoinData

FORMATS: Mapping[str, Callable[[JoinData], str]] = {
    "cloud-init": join_cloud_init.render,
    "ignition": join_ignition.render,
    "butane-fcos": partial(join_butane.render, variant="fcos"),
    "butane-flatcar": partial(join_butane.render, variant="flatcar"),
}
SUFFIXES = {"cloud-init": "yaml", "ignition": "ign", "butane-fcos": "bu", "butane-flatcar": "bu"}

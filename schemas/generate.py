# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the JSON Schemas and the table of keys from the definition: ``PYTHONPATH=.build/collections python $0``."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.slipway.cluster.plugins.module_utils.addons import schema
from ansible_collections.slipway.cluster.plugins.module_utils.addons.definition import CATALOG, USER, table

ROOT = Path(__file__).resolve().parent.parent
KEYS = """# Keys of an add-on

Written by `schemas/generate.py` from `plugins/module_utils/addons/definition.py`.

## In the manifest (`slipway_addons`)

{manifest}
## In a catalog entry

{catalog}"""


def texts() -> dict[str, str]:
    """Path from the repository's root and content of every generated file."""
    files = {f"schemas/{name}": schema.as_text(schema.editor(where)) for name, where in schema.FILES.items()}
    files["docs/addon-keys.md"] = KEYS.format(manifest=table(USER), catalog=table(CATALOG))
    return files


if __name__ == "__main__":
    for path, text in texts().items():
        (ROOT / path).write_text(text, encoding="utf-8")
        print(path)

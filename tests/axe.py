"""axe-core, which finds what people who use no mouse, or no screen, cannot use of a page. Installed by `make env` where there is npm."""

from pathlib import Path

import pytest

from tests.browser import CHROMIUM
from tests.devtools import Tab

SCRIPT = Path(__file__).parent / "node" / "node_modules" / "axe-core" / "axe.min.js"
axe = pytest.mark.skipif(
    CHROMIUM is None or not SCRIPT.is_file(),
    reason="no Chromium on this machine, or no axe-core: npm ci --prefix tests/node",
)
"""Marks a test that asks it."""


def faults(tab: Tab) -> list[str]:
    """What is serious or critical of the page as it is now, with the elements."""
    if not tab.js("typeof axe === 'object'"):
        tab.js(f"{SCRIPT.read_text()}; true")
    found = tab.js(
        "axe.run(document, {resultTypes: ['violations']}).then(({violations}) => violations"
        ".filter(({impact}) => impact === 'serious' || impact === 'critical')"
        ".map(({id, nodes}) => `${id}: ${nodes.slice(0, 5).map(node => node.html.slice(0, 160)).join(' ')}`))"
    )
    return list(found)

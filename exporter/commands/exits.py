"""Exit codes, the same for every command."""

from __future__ import annotations

from typing import Final

OK: Final = 0
FAILED: Final = 1
"""The command ran, and what it looked at is not well: unhealthy, a failed query, a page that never came."""
CONFIG: Final = 2
"""The configuration or the arguments are wrong."""
DISK: Final = 3
"""The state directory, or that of the assets, cannot be written."""
TSDB: Final = 5
"""The TSDB does not answer, or refuses an expression."""
INTERRUPTED: Final = 130
"""Ended by hand, with Ctrl-C."""
LISTEN: Final = 6
"""A listen address cannot be used, or the web configuration is wrong."""

"""When an error may be tried again: as long as no statement of the transaction has been sent, and not for ever.

After the first statement nothing here tries anything again, at COMMIT least of all: a commit whose answer was lost may
have been done, and a second one would book twice.
"""

from __future__ import annotations

import logging
import random
import time

_log = logging.getLogger(__name__)

#: Longer than a pooler takes to be replaced or a server to restart, shorter than a web request lasts.
RETRY_SECONDS = 10.0
_LONGEST_PAUSE_SECONDS = 1.0


class Retry:
    """The attempts to connect, or to begin a transaction."""

    def __init__(self, seconds: float = RETRY_SECONDS) -> None:
        self._deadline = time.monotonic() + seconds
        self._longest = 0.0

    def pause_after(self, error: BaseException) -> float | None:
        """Seconds until the next attempt, none before the first one; None when it is time to give up."""
        pause = random.uniform(self._longest / 2, self._longest)
        self._longest = min(max(2 * self._longest, 0.05), _LONGEST_PAUSE_SECONDS)
        if time.monotonic() + pause > self._deadline:
            return None
        _log.warning("before the first statement, again in %.2f s: %s", pause, str(error).strip())
        return pause

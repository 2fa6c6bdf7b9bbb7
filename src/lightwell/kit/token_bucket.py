"""So many a second, and a few more at once: a limit that evens out."""

import threading
from collections.abc import Callable
from time import monotonic


class TokenBucket:
    """Gives `rate` tokens a second, and at most `burst` at once after a quiet time; a rate of 0 gives none."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = monotonic) -> None:
        self._rate = rate
        self._burst = burst if rate > 0 else 0.0
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens = self._burst
        self._filled = clock()

    def take(self) -> bool:
        """Take a token, if there is one."""
        with self._lock:
            now = self._clock()
            self._tokens = min(self._burst, self._tokens + (now - self._filled) * self._rate)
            self._filled = now
            if self._tokens < 1.0:
                return False
            self._tokens -= 1.0
            return True

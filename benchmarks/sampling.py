"""Runs a Python module as a program and samples where its threads spend their CPU; profile.py drives it.

`python -m benchmarks.sampling RESULT MODULE ARGUMENTS...`: the first SIGUSR1 begins, the second ends and writes RESULT.
"""

from __future__ import annotations

import contextlib
import json
import runpy
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import FrameType

INTERVAL = 0.002
"""Seconds of CPU between looks."""
_THREAD_CLOCK = 0b110  # the scheduler's clock of one thread, as pthread_getcpuclockid(3) would give it


class Sampler:
    """Looks at every thread's stack as CPU time passes, and charges each thread what it used since the last look.

    It looks from a signal handler: a sampling thread would get its turn mostly where others give theirs up, in waiting.
    """

    def __init__(self) -> None:
        self.own: Counter[str] = Counter()
        """Nanoseconds by the function that was running."""
        self.inclusive: Counter[str] = Counter()
        """Nanoseconds by the functions that were on the stack."""
        self._clocks: dict[int, int] = {}

    def look(self, _signal: int, interrupted: FrameType | None) -> None:
        """Charge all threads; a signal handler, so it runs in the main thread."""
        frames = sys._current_frames()  # noqa: SLF001 - documented, and the only way to see other threads
        for thread in threading.enumerate():
            frame = interrupted if thread is threading.main_thread() else frames.get(thread.ident or 0)
            used = self._used(thread)
            if used and frame is not None:
                self._add(frame, used)

    def _used(self, thread: threading.Thread) -> int:
        if thread.native_id is None:
            return 0
        with contextlib.suppress(OSError):  # it has ended meanwhile
            now = time.clock_gettime_ns((~thread.native_id << 3) | _THREAD_CLOCK)
            before = self._clocks.get(thread.native_id, now)
            self._clocks[thread.native_id] = now
            return now - before
        return 0

    def _add(self, top: FrameType, nanoseconds: int) -> None:
        self.own[_name(top)] += nanoseconds
        names = set()
        frame: FrameType | None = top
        while frame is not None:
            names.add(_name(frame))
            frame = frame.f_back
        for name in names:
            self.inclusive[name] += nanoseconds


def _name(frame: FrameType) -> str:
    code = frame.f_code
    parts = Path(code.co_filename).parts
    marks = [number for number, part in enumerate(parts) if part in {"site-packages", "src", "python3.11"}]
    place = "/".join(parts[marks[-1] + 1 :] if marks else parts[-2:])
    return f"{place}:{code.co_firstlineno} {code.co_qualname}"


def _serve_signals(sampler: Sampler, result: Path) -> None:
    signal.sigwait({signal.SIGUSR1})
    signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)
    signal.sigwait({signal.SIGUSR1})
    signal.setitimer(signal.ITIMER_PROF, 0)
    unfinished = result.with_suffix(".part")
    unfinished.write_text(json.dumps({"own": sampler.own, "inclusive": sampler.inclusive}))
    unfinished.rename(result)


def main() -> None:
    """Run the module named on the command line, ready to be sampled."""
    _, result, module, *arguments = sys.argv
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})  # inherited by later threads: only sigwait sees it
    sampler = Sampler()
    signal.signal(signal.SIGPROF, sampler.look)
    threading.Thread(target=_serve_signals, args=(sampler, Path(result)), daemon=True).start()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()

"""Runs a Python module as a program and clocks the CPU of its functions, in every thread; profile.py drives it.

`python -m benchmarks.clocking RESULT MODULE ARGUMENTS...`: the first SIGUSR1 begins, the second ends and writes RESULT.
Each thread is clocked by its own CPU clock, so that waiting costs nothing. Sampling stacks would be cheaper, and wrong:
whoever looks needs the interpreter's lock, and gets it when the others have just begun to wait.
"""

from __future__ import annotations

import cProfile
import json
import runpy
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import CodeType
from typing import Any

_profiles: list[cProfile.Profile] = []


def main() -> None:
    """Run the module named on the command line, clocked from its first line."""
    _, result, module, *arguments = sys.argv
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})  # inherited by later threads: only sigwait sees it
    threading.Thread(target=_serve_signals, args=(Path(result),), daemon=True).start()
    threading.setprofile(_clock_this_thread)
    sys.argv = [module, *arguments]
    _clock_this_thread()
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _clock_this_thread(*_: object) -> None:
    """Called at the first event of each thread that starts; from then on the profile is called instead."""
    profile = cProfile.Profile(time.thread_time_ns, 1e-9)
    _profiles.append(profile)
    profile.enable()


def _serve_signals(result: Path) -> None:
    signal.sigwait({signal.SIGUSR1})
    own_before, all_before = _read()
    signal.sigwait({signal.SIGUSR1})
    own, inclusive = _read()
    own.subtract(own_before)
    inclusive.subtract(all_before)
    unfinished = result.with_suffix(".part")
    unfinished.write_text(json.dumps({"own": +own, "inclusive": +inclusive}))
    unfinished.rename(result)


def _read() -> tuple[Counter[str], Counter[str]]:
    """Nanoseconds by function so far: spent in it, and in it or below it; calls that have not returned are not in."""
    own: Counter[str] = Counter()
    inclusive: Counter[str] = Counter()
    for profile in _profiles:
        for entry in profile.getstats():
            name = _name(entry.code)
            own[name] += int(entry.inlinetime * 1e9)
            inclusive[name] += int(entry.totaltime * 1e9)
    return own, inclusive


def _name(code: CodeType | Any) -> str:
    if not isinstance(code, CodeType):
        return f"built-in {code}"
    parts = Path(code.co_filename).parts
    marks = [number for number, part in enumerate(parts) if part in {"site-packages", "src", "python3.11"}]
    place = "/".join(parts[marks[-1] + 1 :] if marks else parts[-2:])
    return f"{place}:{code.co_firstlineno} {code.co_qualname}"


if __name__ == "__main__":
    main()

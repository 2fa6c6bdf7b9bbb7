"""The profiler charges functions with the CPU they used, whichever thread ran them, and never with waiting."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

PROGRAM = """
import queue, sys, threading, time

def burn(milliseconds):
    end = time.thread_time() + milliseconds / 1000
    while time.thread_time() < end:
        pass

def by_main():
    burn(1)

def by_thread():
    burn(3)

def serve(asked, done):
    while asked.get():
        by_thread()
        done.put(True)

asked, done = queue.Queue(), queue.Queue()
threading.Thread(target=serve, args=(asked, done), daemon=True).start()
print("ready", flush=True)
while True:
    by_main()
    asked.put(True)
    done.get()
"""


def test_work_that_is_handed_to_a_thread_is_charged_there(tmp_path: Path) -> None:
    """One part in the main thread and three in another, which spend the rest of their time waiting for each other."""
    (tmp_path / "handing_over.py").write_text(PROGRAM)
    result, root = tmp_path / "profile.json", Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (root, tmp_path)))}
    command = [sys.executable, "-m", "benchmarks.clocking", str(result), "handing_over"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        try:
            process.send_signal(signal.SIGUSR1)
            _wait_for_cpu(process.pid, 1.0)
            process.send_signal(signal.SIGUSR1)
            deadline = time.monotonic() + 20
            while not result.exists():
                assert time.monotonic() < deadline, "no profile was written"
        finally:
            process.kill()
    spent = json.loads(result.read_text())["inclusive"]
    charged = {name.split()[-1]: nanoseconds for name, nanoseconds in spent.items()}

    assert 2.5 < charged["by_thread"] / charged["by_main"] < 3.5
    assert charged["by_thread"] + charged["by_main"] > 0.8e9


def _wait_for_cpu(pid: int, seconds: float) -> None:
    """Return when the process has used so much more CPU."""
    clock = (~pid << 3) | 2
    until = time.clock_gettime(clock) + seconds
    deadline = time.monotonic() + 30
    while time.clock_gettime(clock) < until:
        assert time.monotonic() < deadline, "the program does not run"

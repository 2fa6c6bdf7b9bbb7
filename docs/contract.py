"""Compares what is served with the contract: `python -m docs.contract DIRECTORY`, which has `check` and the document.

Every operation of it that is served must hold the whole contract; which ones are served is in protocol.md.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from docs.protocol import spoken_operations
from lightwell.server import create_orion_api


def main(directory: Path) -> int:
    """Run the contract's own check; its exit status."""
    contract = json.loads(next(directory.glob("openapi-*.json")).read_text())
    total = sum(len(methods) for methods in contract["paths"].values())
    least = 100 * spoken_operations((Path(__file__).parent / "protocol.md").read_text()) / total
    with tempfile.TemporaryDirectory() as folder:
        document = Path(folder) / "openapi.json"
        document.write_text(json.dumps(create_orion_api().openapi()))
        command = [
            sys.executable,
            str(directory / "check"),
            str(document),
            "--show",
            "0",
            "--min",
            f"{least - 0.01:.2f}",
        ]
        return subprocess.run(command, check=False).returncode  # noqa: S603 -- the check that was asked for


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

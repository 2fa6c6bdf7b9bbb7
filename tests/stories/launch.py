"""Runs a person's flow file as they would, with one tag on all it makes: `python launch.py TAG FILE ARGUMENT...`."""

import runpy
import sys

from prefect import tags

if __name__ == "__main__":
    tag, file, *arguments = sys.argv[1:]
    sys.argv = [file, *arguments]
    with tags(tag):
        runpy.run_path(file, run_name="__main__")

"""Lightwell: an orchestration server you can see into; start reading at `lightwell.server`."""

__version__ = "0.1.0"

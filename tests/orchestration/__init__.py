"""Orchestration: tables for each rule, and the reference server's own outcomes for the same transitions."""

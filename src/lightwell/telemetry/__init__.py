"""SEE: the embedded store of traces; there is none yet (ARCHITECTURE.md says where the work stands)."""

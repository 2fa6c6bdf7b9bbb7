"""REACT: triggers decide, actions call operations; there are none yet (ARCHITECTURE.md says where the work stands)."""

"""SEE: the embedded store of traces, its own file and its own writer; `store.py` is what others use."""

"""The revisions, each of which knows the one before it; a released one is never changed."""

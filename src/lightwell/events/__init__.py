"""Facts: what happened, stated in the past tense, and the bus that tells of it after the commit."""

"""Tools with no domain noun in them, each a library in waiting."""

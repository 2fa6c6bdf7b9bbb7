"""How much to do at once, from how long the last part took."""

_FASTEST_GROWTH = 2


def next_size(size: int, done: int, seconds: float, *, target: float, most: int) -> int:
    """How many the next batch shall have, so that it takes about `target` seconds: from 1 to `most`, at most doubled.

    The last one was allowed `size`, had `done`, and took `seconds`. One not half full tells nothing of a larger one.
    """
    if seconds > target:
        return max(1, min(size, int(done * target / seconds)))
    if 2 * done < size:
        return size
    reach = target / seconds if seconds > 0 else _FASTEST_GROWTH
    return min(most, int(size * min(_FASTEST_GROWTH, reach)))

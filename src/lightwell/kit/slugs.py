"""Names for things that nobody has named."""

import random

_ADJECTIVES = (
    "amber", "ample", "apt", "arctic", "bold", "brave", "brisk", "calm", "candid", "cheery", "civil", "clear", "clever",
    "coral", "cosmic", "cozy", "crisp", "daring", "dapper", "deft", "dusky", "eager", "early", "earnest", "even",
    "fabled", "fair", "fancy", "fleet", "fond", "frank", "fresh", "frosty", "gentle", "gilded", "glad", "golden",
    "grand", "hardy", "hazel", "honest", "humble", "indigo", "ivory", "jaunty", "jolly", "keen", "kind", "lively",
    "lofty", "loyal", "lucid", "lunar", "mellow", "merry", "mighty", "misty", "modest", "neat", "nimble", "noble",
    "olive", "open", "patient", "placid", "plucky", "polite", "proud", "quick", "quiet", "rapid", "ready", "rosy",
    "royal", "ruby", "rustic", "sage", "silver", "sincere", "sleek", "smooth", "snowy", "solar", "solid", "spry",
    "stable", "steady", "still", "sturdy", "sunny", "swift", "tawny", "tidy", "topaz", "tranquil", "trusty", "upbeat",
    "valiant", "velvet", "vivid", "warm", "watchful", "wise", "witty", "young", "zesty",
)  # fmt: skip
_ANIMALS = (
    "albatross", "alpaca", "antelope", "avocet", "badger", "beaver", "bison", "bittern", "bobcat", "bunting", "buzzard",
    "caracal", "caribou", "chamois", "cheetah", "condor", "coot", "cormorant", "crane", "curlew", "dingo", "dipper",
    "dolphin", "dormouse", "dove", "dunlin", "eagle", "egret", "eider", "elk", "ermine", "falcon", "ferret", "finch",
    "fox", "gannet", "gazelle", "gecko", "gibbon", "goshawk", "grebe", "grouse", "gull", "hare", "hawk", "hedgehog",
    "heron", "hoopoe", "ibex", "ibis", "iguana", "jackdaw", "jaguar", "jay", "kestrel", "kingfisher", "kite", "kiwi",
    "koala", "lapwing", "lark", "lemur", "leopard", "linnet", "llama", "lynx", "magpie", "manatee", "marmot", "marten",
    "meerkat", "merlin", "mole", "moose", "narwhal", "newt", "ocelot", "okapi", "orca", "oriole", "osprey", "otter",
    "owl", "panda", "partridge", "pelican", "penguin", "petrel", "plover", "puffin", "puma", "quail", "rabbit", "raven",
    "robin", "salmon", "seal", "serval", "shrew", "skylark", "sparrow", "stoat", "stork", "swallow", "swan", "tapir",
    "teal", "tern", "thrush", "toucan", "turtle", "vole", "walrus", "warbler", "weasel", "whale", "wolf", "wombat",
    "wren", "yak", "zebra",
)  # fmt: skip


def new_slug() -> str:
    """Two random words joined by a dash, such as `quiet-heron`; easy to say, not unique."""
    return f"{random.choice(_ADJECTIVES)}-{random.choice(_ANIMALS)}"  # noqa: S311 -- a name, not a secret

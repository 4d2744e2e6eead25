"""Other servers, measured on another machine: processor time of the server process for one request, in milliseconds.

Same data, same answers, scope filter applied, on PostgreSQL. What can be compared is how many times its floor each
takes, which was measured beside it.
"""

DOCUMENTS = ("rooms", "nested", "one-partner", "audit", "node")
FLOOR = (0.43, 1.33, 0.46, 0.48, 0.25)
PEERS = {
    "Mercurius 16 with JIT": (1.06, 33.5, 2.35, 3.05, 0.20),
    "graphql-jit on Yoga": (1.27, 28.6, 2.29, 2.14, 0.55),
    "PostGraphile 5": (2.51, 24.9, 2.24, 3.97, 0.69),
    "Apollo Server 5": (1.65, 46.8, 3.66, 5.71, 0.40),
    "Ariadne with caches": (4.22, 117, 10.0, 21.4, 0.54),
    "Strawberry as documented": (11.1, 258, 22.5, 40.6, 5.21),
}


def times_floor(peer: str) -> dict[str, float]:
    """How many times its floor a peer takes, by document."""
    return {name: took / floor for name, took, floor in zip(DOCUMENTS, PEERS[peer], FLOOR, strict=True)}

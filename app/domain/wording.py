"""How numbers are said in sentences."""


def counted(count: int, noun: str) -> str:
    """So many of a thing, whose name is given as of one."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"

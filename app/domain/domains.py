"""Domain names as they are stored and compared."""

import idna


class NotADomain(ValueError):
    """Text that is not the domain name of an organization. The message says what is expected."""


def normalize_domain(typed: str) -> str:
    """The domain as DNS knows it: trimmed, lower case, IDNA-encoded (UTS 46), without a trailing dot.

    Raises `NotADomain` for anything without at least two labels, or that IDNA refuses.
    """
    text = typed.strip().removesuffix(".")
    try:
        domain = idna.encode(text, uts46=True, std3_rules=True).decode().lower()
    except (idna.IDNAError, UnicodeError) as refused:
        raise NotADomain(f"`{typed}` is not a domain name such as contoso.com: {refused}") from None
    labels = domain.split(".")
    if len(labels) < 2 or labels[-1].isdigit():
        raise NotADomain(f"`{typed}` is not a domain name such as contoso.com")
    return domain

"""What the domain of an organization is: the one rule for what is registered, invited and looked up.

One rule, because an invitation names what an operator registered. An organization whose own name is refused here, such
as one whose Cyrillic name reads as a Latin one, goes by another of its verified domains, such as `….onmicrosoft.com`.
"""

import re
from functools import cache

import idna
import regex
from publicsuffixlist import PublicSuffixList


class NotADomain(ValueError):
    """Text that is not the domain name of an organization. The message, fit for a client, says why and what is."""

    def __init__(self, typed: str, why: str) -> None:
        message = f"`{typed[:SHOWN]}` is not a domain name such as contoso.com: {why}"
        super().__init__("".join(char if char.isprintable() else "�" for char in message))


SHOWN = 80
"""So much of what was typed is repeated in a message."""


def normalize_domain(typed: str) -> str:
    """The domain as DNS knows it: trimmed, lower case, IDNA-encoded (UTS 46), without a trailing dot.

    Raises `NotADomain`, and nothing else, for what is not written as a domain, is nobody's or everybody's, or deceives.
    """
    domain = encode(typed)
    why = wrong_ending(domain) or shared(domain) or deceptive(idna.decode(domain))
    if why:
        raise NotADomain(typed, why)
    return domain


WRITTEN = {
    r"^\.?$": "nothing is written",
    r"@": "write only what follows the @",
    r"[/\\?#]": "write the name alone, without the rest of a web address",
    r"\*": "a wildcard names no organization; write the name that follows it",
    r"[\[\]:%]": "write the name alone, without a port, and not an IP address",
    r"\s": "it has a space inside",
    r"^\.|\.\.": "there is nothing between two dots, or before the first",
}
"""What people write instead of a domain, and what they are told: the first that is found."""
UNENCODABLE = {
    "input_too_long": "it is longer than 253 characters",
    "domain_too_long": "it is longer than 253 characters",
    "label_too_long": "a part between dots is longer than 63 characters",
    "hyphen_start_end": "a part between dots begins or ends with a hyphen",
}
"""Why IDNA refuses, where more can be said than `FOREIGN`."""
FOREIGN = "accepted are letters, digits, hyphens and dots, in an order that domain names allow"


def encode(typed: str) -> str:
    """What was typed, as DNS would be asked for it. Raises `NotADomain` if DNS cannot be."""
    try:
        text = idna.uts46_remap(typed.strip(), std3_rules=False).strip()
        for form, why in WRITTEN.items():
            if re.search(form, text):
                raise NotADomain(typed, why)
        return idna.encode(text.removesuffix("."), uts46=True, std3_rules=True).decode().lower()
    except idna.IDNAError as refused:
        raise NotADomain(typed, UNENCODABLE.get(refused.code or "", FOREIGN)) from None


SPECIAL = {
    "alt": "for names outside DNS (RFC 9476)",
    "arpa": "for the internet's own infrastructure (RFC 3172)",
    "corp": "for private networks (RFC 6762, never delegated by ICANN)",
    "home": "for private networks (RFC 6762, never delegated by ICANN)",
    "internal": "for private networks (ICANN, 2024)",
    "intranet": "for private networks (RFC 6762)",
    "invalid": "for names that never exist (RFC 6761)",
    "lan": "for private networks (RFC 6762)",
    "local": "for the local network (RFC 6762)",
    "localdomain": "for one's own machine",
    "localhost": "for one's own machine (RFC 6761)",
    "mail": "for private networks (never delegated by ICANN)",
    "onion": "for Tor (RFC 7686)",
    "private": "for private networks (RFC 6762)",
    "test": "for testing (RFC 6761)",
}
"""Endings under which no organization can own a name. Not `example`: the organizations of the demo world live there."""


def wrong_ending(domain: str) -> str | None:
    """Why the last label ends no organization's domain. No top-level domain is a number, so no IPv4 address passes."""
    labels = domain.split(".")
    if re.fullmatch(r"\d+|0x[0-9a-f]*", labels[-1]):
        return "write a name, not an IP address or a number"
    if len(labels) < 2:
        return "at least two parts are needed, with a dot between them"
    if labels[-1] in SPECIAL:
        return f".{labels[-1]} is reserved {SPECIAL[labels[-1]]}"
    if not re.fullmatch(r"[a-z]{2,}|xn--[a-z0-9-]+", labels[-1]):
        return "the last part has two or more letters and no digits"
    return None


SHARED = {"onmicrosoft.com", "onmicrosoft.us", "onmschina.cn", "partner.onmschina.cn"}
"""Where Entra gives every tenant a first name; not on the public suffix list."""


def shared(domain: str) -> str | None:
    """Why strangers have names under this one, so that it stands for none of them.

    The private section of the list counts (`github.io`): whoever owns such a name, its users are not that organization.
    An unknown ending is taken for a suffix of one label: the list in use may be older than a new top-level domain.
    """
    if domain in SHARED or suffixes().privatesuffix(domain) is None:
        return f"many organizations have names under {domain}; write the name of one, such as contoso.{domain}"
    return None


@cache
def suffixes() -> PublicSuffixList:
    """The public suffix list as it was when the installed package was made; read once, which takes some 60 ms."""
    return PublicSuffixList()


SCRIPTS = (
    "Arab Armn Beng Bopo Cyrl Deva Ethi Geor Grek Gujr Guru Hang Hani Hebr Hira Kana Khmr Knda Laoo Latn Mlym Mymr "
    "Orya Sinh Taml Telu Thaa Thai Tibt"
)
"""The scripts in everyday use (UAX 31, table 5)."""
TOGETHER = ("Latn Hani Hira Kana", "Latn Hani Bopo", "Latn Hani Hang")
"""What Japanese, Chinese and Korean write together (UTS 39, highly restrictive)."""


def written_in(scripts: str) -> str:
    """A pattern for text in these scripts, with what all scripts share."""
    return "[" + "".join(rf"\p{{scx={script}}}" for script in [*scripts.split(), "Zyyy", "Zinh"]) + "]*"


UNMIXED = regex.compile("|".join(map(written_in, (*SCRIPTS.split(), *TOGETHER))))

LOOKS_LIKE = {
    "a": "аɑαᴀ",
    "b": "ʙ",
    "c": "сᴄ",
    "d": "ԁᴅ",
    "e": "еҽꬲᴇ",
    "f": "քẝꞙꬵꜰ",
    "g": "ցƍɡᶃɢ",
    "h": "һհʜ",
    "i": "іꙇιıɩɪ",
    "j": "јϳᴊ",
    "k": "ᴋ",
    "l": "ӏǀʟ",
    "m": "ᴍ",
    "n": "ոռɴ",
    "o": "оοσօᴏᴑꬽ〇",
    "p": "рρᴘ",
    "q": "ԛգզꞯ",
    "r": "гᴦꭇꭈʀ",
    "s": "ѕƽꜱ",
    "t": "ᴛ",
    "u": "υսʋᴜꞟꭎꭒ",
    "v": "ѵνᴠ",
    "w": "ѡԝաɯᴡ",
    "x": "х",
    "y": "уүγɣʏᶌỿꭚ",
    "z": "ᴢ",
    "ll": "ǁ",
    "oo": "ꚙꝏ",
    "ts": "ʦ",
    "dz": "ʣ",
    "-": "ー一",
}
"""What reads as a–z: the lower-case Latin, Cyrillic, Greek and Armenian letters of UTS 39's list; small capitals; and
what Japanese may have beside Latin letters."""
MARKS = dict.fromkeys(range(0x300, 0x370), "")
"""Combining marks. One that joins no letter in NFC, such as the dot on `i̇`, is hardly seen."""
READ_AS = MARKS | {ord(char): latin for latin, chars in LOOKS_LIKE.items() for char in chars}
"""What the eye makes of a letter."""
DOTLESS = {"tr", "az"}
"""Where `ı` is an everyday letter beside `i`, which people know to tell apart."""


def deceptive(name: str) -> str | None:
    """Why the name, in Unicode, may be taken for another: scripts mixed in a label, or a label that reads as plain a–z.

    Accents are seen (`zürich`), and a name whose ending is not read as a–z is not taken for one that is (`сахар.рф`).
    """
    labels = name.split(".")
    if not all(map(UNMIXED.fullmatch, labels)):
        return "a part between dots mixes alphabets, or uses one that is not in everyday use"
    read_as = {**READ_AS, ord("ı"): "ı"} if labels[-1] in DOTLESS else READ_AS
    read = [label.translate(read_as) for label in labels]
    if any(seen.isascii() and seen != label for label, seen in zip(labels, read, strict=True)) and read[-1].isascii():
        return f"it reads as {'.'.join(read)} and is another name"
    return None

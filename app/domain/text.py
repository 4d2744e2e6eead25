"""Keys for sorting, uniqueness and search, alike in Python and in every database (architecture rule 11)."""

import re
import unicodedata
from collections.abc import Iterable

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Control characters and the separators of lines."""
KEY_LENGTH = 512
"""Characters that a key keeps: NFKC can make one character eighteen, and an index row has to hold the key."""
MIN_SEARCH_LENGTH = 2
"""Characters that a search needs at least, after trimming."""
MAX_SEARCH_TERMS = 8
"""More words than this in one search are refused."""


def fold(text: str) -> str:
    """The text as it is compared: NFKC and case-folded, outer spaces trimmed and inner runs of space made one."""
    return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).split())


def name_key(name: str) -> str:
    """What a name is sorted by, compared by and unique by."""
    return fold(name)[:KEY_LENGTH]


def is_of_word(letter: str) -> bool:
    """The letter does not end a word: a letter, a digit, or a mark that combines with one."""
    return letter.isalnum() or unicodedata.category(letter).startswith("M")


def search_key(texts: Iterable[str | None]) -> str:
    """Every place in these texts where a word begins, each followed by what comes after it up to the next space.

    A search term is found with one literal test, ` term` being part of the key: `lg01` and `b16-lg01` are both
    beginnings in `k-b16-lg01`.
    """
    beginnings: dict[str, None] = {}
    for text in texts:
        for word in fold(text or "").split(" "):
            starts = (
                i for i, letter in enumerate(word) if letter.isalnum() and (i == 0 or not is_of_word(word[i - 1]))
            )
            for start in {0, *starts}:
                if word[start:]:
                    beginnings[word[start:]] = None
    return "".join(f" {beginning}" for beginning in beginnings)


def search_terms(search: str) -> list[str]:
    """The folded words of a search; each has to begin a word of what is found."""
    return fold(search).split(" ")

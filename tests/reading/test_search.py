"""A search finds what a naive look at the texts finds: word beginnings, literally, in every alphabet and case."""

import unicodedata
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.text import fold
from app.reading.filters import ROOM_FILTERS, as_literals
from app.reading.nouns import ROOM
from app.reading.pages import Listing, Window, read_page
from app.storage.engines import Database
from tests.reading.campus import Place
from tests.reading.test_pages import BINDS, on

LETTERS = "aAbßẞsSkKeéE\u0301σςΣλΛиИїЇ会議室ｂＢıIiİﬁ１1%_\\'\"/-.,@ 　"
"""Letters whose case is more than one bit, signs that mean something to databases, and spaces of two widths."""
WORDS = (
    "Zürich",
    "ΕΛΛΆΔΑΣ",
    "βράχος",
    "Straße",
    "STRASSE",
    "ｌａｂ",
    "Iğdır",
    "会議室",
    "L-101",
    "7/3100",
    "100%",
    "O'Hare",
)
TEXTS = st.one_of(
    st.sampled_from(WORDS), st.text(LETTERS, max_size=8), st.lists(st.sampled_from(WORDS), max_size=3).map(" ".join)
)


@st.composite
def campuses(draw: st.DrawFn) -> list[Place]:
    """Up to six rooms with words in every place that is searched."""
    some = st.none() | TEXTS
    return [
        Place(number, draw(TEXTS), label=draw(some), nickname=draw(some), building=draw(some), city=draw(some))
        for number in range(draw(st.integers(0, 6)))
    ]


@st.composite
def searches(draw: st.DrawFn, places: Sequence[Place]) -> str:
    """Pieces of what is there, from the beginning or the middle of a word, in another case, or anything at all."""
    texts = [text for place in places for text in place.texts] or ["nothing"]
    words = []
    for _ in range(draw(st.integers(1, 2))):
        text = draw(st.sampled_from(texts))
        start = draw(st.integers(0, max(0, len(text) - 2)))
        piece = text[start : start + draw(st.integers(2, 6))]
        words.append(draw(st.sampled_from((piece, piece.upper(), piece.lower(), draw(TEXTS)))))
    return " ".join(words)


def is_part_of_a_word(letter: str) -> bool:
    """A letter or a digit, or a mark on one."""
    return letter.isalnum() or unicodedata.combining(letter) > 0 or unicodedata.category(letter) in {"Mn", "Mc", "Me"}


def begins_a_word(text: str, term: str) -> bool:
    """The term stands in the text where a word begins: after a space, or a letter after what is no letter."""
    return any(
        text.startswith(term, at)
        and (at == 0 or text[at - 1] == " " or (text[at].isalnum() and not is_part_of_a_word(text[at - 1])))
        for at in range(len(text))
    )


def is_found(place: Place, search: str) -> bool:
    return all(any(begins_a_word(fold(text), term) for text in place.texts) for term in fold(search).split())


@settings(max_examples=60)
@given(st.data(), campuses())
async def test_a_search_finds_what_a_look_at_the_texts_finds(
    database: Database, data: st.DataObject, places: list[Place]
) -> None:
    drawn = data.draw(st.lists(searches(places), min_size=6, max_size=6))
    asked = [search for search in drawn if len(fold(search)) > 1]

    async def read(connection: AsyncConnection) -> None:
        for search in asked:
            narrowing = ROOM_FILTERS["search"]
            rows = ROOM.rows().where(as_literals(narrowing, narrowing.read(search)))
            page = await read_page(connection, Listing(ROOM, rows, ROOM.order, ""), Window(100), BINDS)

            assert {row.row_key for row in page.rows} == {place.id for place in places if is_found(place, search)}

    await on(database, places, read)

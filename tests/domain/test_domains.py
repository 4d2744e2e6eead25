"""What is an organization's domain and what is not, row by row, and what holds for any text."""

import re

import idna
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.domains import LOOKS_LIKE, SHARED, SPECIAL, NotADomain, normalize_domain

ACCEPTED = {
    "contoso.com": "contoso.com",
    "  CONTOSO.com.\n": "contoso.com",
    "ＣＯＮＴＯＳＯ．ｃｏｍ": "contoso.com",
    "con\u00adtoso.com\u200b": "contoso.com",
    "contoso。com\u3000": "contoso.com",
    "𝐜𝐨𝐧𝐭𝐨𝐬𝐨.com": "contoso.com",
    "contoso.example": "contoso.example",
    "emea.contoso.co.uk": "emea.contoso.co.uk",
    "3m-rooms.museum": "3m-rooms.museum",
    "contoso.github.io": "contoso.github.io",
    "contoso.onmicrosoft.com": "contoso.onmicrosoft.com",
    "contoso.newer-than-the-list.zzzz": "contoso.newer-than-the-list.zzzz",
    "Zürich.example": "xn--zrich-kva.example",
    "zu\u0308rich.example": "xn--zrich-kva.example",
    "XN--ZRICH-KVA.example": "xn--zrich-kva.example",
    "straße.de": "xn--strae-oqa.de",
    "l·l.cat": "xn--ll-0ea.cat",
    "спорт.com": "xn--n1abebi.com",
    "сахар.рф": "xn--80aa2cbv.xn--p1ai",
    "ısparta.com.tr": "xn--sparta-o9a.com.tr",
    "東京とトーキョーabc.jp": "",
    "한국abc.kr": "",
    "中文ㄅabc.tw": "",
    "שלום.co.il": "",
    "हिन्दी.भारत": "",
    ".".join(["a" * 63] * 3 + ["b" * 57, "com"]): "",
}
"""What was typed and what is stored; where nothing is said, what IDNA makes of it."""

REFUSED = {
    "nothing is written": ["", " ", ".", "\u200b", "\u3000"],
    "only what follows the @": ["user@contoso.com", "mailto:user@contoso.com", "https://user:pw@contoso.com/"],
    "without the rest of a web address": [
        "https://contoso.com",
        "//contoso.com",
        "contoso.com/",
        "contoso.com?a=b",
        "contoso.com#a",
        "contoso.com\\rooms",
        "contoso.com／rooms",
        "10.0.0.0/8",
        "℀.com",
    ],
    "a wildcard names no organization": ["*.contoso.com", "*", "contoso.*"],
    "without a port, and not an IP address": [
        "contoso.com:443",
        "contoso.com：443",
        "10.0.0.1:80",
        "::1",
        "[2001:db8::1]",
        "fe80::1%eth0",
        "::ffff:10.0.0.1",
    ],
    "a space inside": ["contoso com", "contoso .com", "contoso.com fabrikam.com", "con\u00a0toso.com", "con\ttoso.com"],
    "nothing between two dots": ["contoso..com", ".contoso.com", "contoso.com..", "contoso。。com", ".."],
    "longer than 63": ["a" * 64 + ".com", "ü" * 60 + ".com"],
    "longer than 253": [".".join(["a" * 63] * 3 + ["b" * 58, "com"]), "a." * 3000 + "com"],
    "begins or ends with a hyphen": ["-contoso.com", "contoso-.com", "contoso.-com"],
    "accepted are letters, digits, hyphens and dots": [
        "con_toso.com",
        "_dmarc.contoso.com",
        "contoso!.com",
        "contoso'--.com",
        "con\x00toso.com",
        "con\ud800toso.com",
        "\u202econtoso.com",
        "con․toso.com",
        "contoso…com",
        "co--ntoso.com",
        "xn--.com",
        "xn--a.com",
        "xn--contoso-.com",
        "\u0301contoso.com",
        "😀.com",
        "con\u200dtoso.com",
        "contosoש.com",
    ],
    "not an IP address or a number": [
        "10.0.0.1",
        "10.0.0.1.",
        "１０.0.0.1",
        "①⓪.0.0.1",
        "127.1",
        "0x7f.1",
        "0177.0.0.01",
        "127.0.0.0x1",
        "0x7F000001",
        "2130706433",
        "contoso.123",
        "contoso.0x",
    ],
    "at least two parts": ["contoso", "localhost", "com", "COM.", "рф", "xn--p1ai"],
    "is reserved": [f"contoso.{ending}" for ending in SPECIAL] + ["a.b.LOCAL.", "printer.home.arpa"],
    "two or more letters and no digits": ["contoso.c", "contoso.c0m", "contoso.co-m"],
    "many organizations have names under": [
        "co.uk",
        "CO.UK.",
        "com.au",
        "k12.ca.us",
        "公司.cn",
        "anything.ck",
        "github.io",
        "blogspot.com",
        "azurewebsites.net",
        *sorted(SHARED),
    ],
    "mixes alphabets": [
        "cоntoso.com",
        "xn--cntoso-wqf.com",
        "contoso.cоm",
        "contosο.com",
        "abcж.com",
        "αбв.com",
        "ひらがなж.jp",
        "한국ひ.kr",
        "ㄅひ.tw",
        "ᏟᎾ.com",
        "ⲥⲟⲛ.com",
        "ᥴᥲ.com",
    ],
    "reads as coco.com": ["сосо.com", "xn--n1aahb.com", "ᴄoco.com", "co\u0332co.com", "c〇co.com"],
    "reads as contoso.com": ["ᴄontoso.com", "ᴄᴏɴᴛᴏꜱᴏ.com", "contoꜱo.com"],
    "reads as coco.co": ["сосо.со"],
    "reads as contoso-rooms.com": ["contosoーrooms.com", "contoso一rooms.com"],
    "reads as apple.com": ["аррӏе.com", "xn--80ak6aa92e.com"],
    "reads as microsoft.com": ["mıcrosoft.com", "mi\u0307crosoft.com"],
}
"""Why, and what is refused for it."""


@pytest.mark.parametrize("typed", ACCEPTED)
def test_an_organizations_domain_is_stored_as_dns_knows_it(typed: str) -> None:
    expected = ACCEPTED[typed] or idna.encode(typed).decode()

    assert normalize_domain(typed) == expected
    assert normalize_domain(expected) == expected


@pytest.mark.parametrize("why, typed", [(why, typed) for why, rows in REFUSED.items() for typed in rows])
def test_what_is_no_organizations_domain_is_refused_and_told_why(why: str, typed: str) -> None:
    with pytest.raises(NotADomain) as refused:
        normalize_domain(typed)

    assert "is not a domain name such as contoso.com: " in str(refused.value)
    assert why in str(refused.value)


@pytest.mark.parametrize("typed", ["con\ud800toso", "con\x00\n\u202etoso", "con\u200btoso", "x" * 10_000])
def test_a_message_is_short_and_can_be_printed(typed: str) -> None:
    with pytest.raises(NotADomain) as refused:
        normalize_domain(typed)

    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 300


LOOK_ALIKES = {
    "c": "ϲϹСсᏟᴄℂℭⅭⅽⲤⲥꓚꮯＣｃ𐊢𐌂𐐕𐐽𐔜𑣩𝐂𝐜𝐶𝑐𝑪𝒄𝒞𝒸𝓒𝓬𝔠𝕔𝕮𝖈𝖢𝖼𝗖𝗰𝘊𝘤𝘾𝙘𝙲𝚌",
    "o": "ΟοσОоՕօ۵०০੦૦ଠ୦௦ం౦ಂ೦ംഠ൦ං๐໐ဝ၀ჿዐᴏᴑℴⲞⲟⵔ〇ꓳꬽＯｏ𐊒𐊫𐐄𐐬𐓂𐓪𐔖𑓐𑢵𑣈𑣗𑣠𝐎𝐨𝑂𝑜𝑶𝒐𝒪𝓞𝓸𝔒𝔬𝕆𝕠𝕺𝖔𝖮𝗈𝗢𝗼𝘖𝘰𝙊𝙤𝙾𝚘𝚶𝛐𝛔𝛰𝜊𝜎𝜪𝝄𝝈𝝤𝝾𝞂𝞞𝞸𝞼𝟎𝟘𝟢𝟬𝟶🯰",
    "n": "ΝոռℕⲚꓠＮ𐔓𝐍𝐧𝑁𝑛𝑵𝒏𝒩𝓃𝓝𝓷𝔑𝔫𝕟𝕹𝖓𝖭𝗇𝗡𝗻𝘕𝘯𝙉𝙣𝙽𝚗𝚴𝛮𝜨𝝢𝞜",
    "t": "ΤТᎢⲦꓔＴ𐊗𐊱𐌕𑢼𖼊𝐓𝐭𝑇𝑡𝑻𝒕𝒯𝓉𝓣𝓽𝔗𝔱𝕋𝕥𝕿𝖙𝖳𝗍𝗧𝘁𝘛𝘵𝙏𝙩𝚃𝚝𝚻𝛵𝜯𝝩𝞣",
    "s": "ƽЅѕՏᏕᏚꓢꜱꮪＳｓ𐊖𐐠𐑈𑣁𖼺𝐒𝐬𝑆𝑠𝑺𝒔𝒮𝓈𝓢𝓼𝔖𝔰𝕊𝕤𝕾𝖘𝖲𝗌𝗦𝘀𝘚𝘴𝙎𝙨𝚂𝚜",
    "m": "МᎷⲘмｍＭ𝐌𝐦ⅿ",
}
"""What UTS 39 calls confusable with a letter of contoso.com and UTS 46 accepts."""
PLAIN = {"contoso.com", "c0ntoso.com", "cont0so.com", "contos0.com"}
"""To UTS 46 a styled letter or digit (`𝐜`, `𝟎`) is the plain one, so these are plain names and not in disguise."""


def look_alikes() -> list[str]:
    """contoso.com with one letter, then with every such letter, replaced by each that is confusable with it."""
    name = "contoso.com"
    single = [name[:at] + char + name[at + 1 :] for at in range(len(name)) for char in LOOK_ALIKES.get(name[at], "")]
    return [*single, *(name.replace(letter, char) for letter, chars in LOOK_ALIKES.items() for char in chars)]


def test_no_look_alike_of_a_domain_is_accepted_that_is_not_that_domain() -> None:
    disguised = [typed for typed in look_alikes() if idna.encode(typed, uts46=True).decode() not in PLAIN]
    passed = []
    for typed in disguised:
        try:
            passed.append(normalize_domain(typed))
        except NotADomain:
            continue

    assert passed == []
    assert len(disguised) > 300


def test_every_letter_that_reads_as_a_plain_one_can_be_in_a_domain() -> None:
    letters = [char for chars in LOOKS_LIKE.values() for char in chars]

    assert len(letters) == len(set(letters))
    assert [char for char in letters if idna.uts46_remap(char) != char] == []


WORDS = [
    "contoso",
    "com",
    "co",
    "uk",
    "example",
    "xn--",
    "zürich",
    "сосо",
    "рф",
    "10",
    "0x7f",
    "ı",
    "é",
    "한국",
    "-",
    "@",
]
NEARLY = st.lists(st.sampled_from(WORDS) | st.text(max_size=4), min_size=1, max_size=6).map(".".join)
"""Text that is nearly a domain, to get past the first checks."""
PUNYCODE = st.text("abcxn-019.", max_size=40).map("xn--{}.com".format)


@given(st.text() | NEARLY | PUNYCODE)
@example("ẞ.com")
@example("ΑΣ.gr")
@example("xn--" * 20 + ".com")
def test_any_text_is_a_domain_or_is_refused(typed: str) -> None:
    try:
        domain = normalize_domain(typed)
    except NotADomain as refused:
        message = str(refused)
    else:
        check_normal(domain)
        message = domain

    assert message.isprintable()


def check_normal(domain: str) -> None:
    """Lower-case ASCII with at least two labels, which every spelling of it comes to."""
    assert re.fullmatch(r"([a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}", domain)
    assert len(domain) <= 253
    assert {normalize_domain(same) for same in (domain, f" {domain.upper()}. ", idna.decode(domain))} == {domain}

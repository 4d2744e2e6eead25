"""Tokens that must be refused, and the shapes that must be accepted, as data: a name, how it is made, the answer."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, NamedTuple

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from app.domain.permissions import DirectoryRole
from app.domain.vocabulary import PrincipalKind
from app.web.keys import SigningKey, StaticKeys
from app.web.tokens import MAX_TOKEN_LENGTH

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
T = int(NOW.timestamp())
HOUR, DAY, YEAR = 3600, 86_400, 365 * 86_400

ISSUER = "https://login.example/{tid}/v2.0"
AUDIENCE = "api://partner-gateway"
SCOPE = "access_as_user"
TENANT = "11111111-aaaa-4aaa-8aaa-111111111111"
OTHER_TENANT = "22222222-bbbb-4bbb-8bbb-222222222222"
PERSONAL_TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"
PERSON = "33333333-cccc-4ccc-8ccc-333333333333"
TOOL = "44444444-dddd-4ddd-8ddd-444444444444"
GLOBAL_ADMINISTRATOR = DirectoryRole.GLOBAL_ADMINISTRATOR.value
OTHER_ROLE = "b79fbf4d-3ef9-4689-8143-76b194e85509"

Changes = Mapping[str, Any]
"""Members to set; `...` takes a member away."""


def issuer_of(tenant: str) -> str:
    return ISSUER.replace("{tid}", tenant)


COMMON: dict[str, Any] = {
    "iss": issuer_of(TENANT),
    "aud": AUDIENCE,
    "tid": TENANT,
    "ver": "2.0",
    "iat": T,
    "nbf": T,
    "exp": T + HOUR,
}
USER: dict[str, Any] = COMMON | {
    "oid": PERSON,
    "scp": f"openid {SCOPE} profile",
    "name": "Contoso Manager",
    "preferred_username": "manager@contoso.example",
    "wids": [GLOBAL_ADMINISTRATOR, OTHER_ROLE],
}
APPLICATION: dict[str, Any] = COMMON | {"oid": TOOL, "idtyp": "app", "roles": ["Rooms.Read"]}
HEADER: dict[str, Any] = {"typ": "JWT", "alg": "RS256", "kid": "first"}

BOUND = {"everyone's": ISSUER, "personal": issuer_of(PERSONAL_TENANT), "elsewhere": "https://elsewhere.example/{tid}"}
"""Published keys that name the issuer they sign for; `first`, `second` and `weak` name none."""


@cache
def private_key(name: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=1024 if name == "weak" else 2048)


@cache
def published() -> StaticKeys:
    names = ("first", "second", "weak", *BOUND)
    issuers = {name: frozenset({BOUND[name]} if name in BOUND else ()) for name in names}
    return StaticKeys({name: SigningKey(private_key(name).public_key(), issuers[name]) for name in names})


def changed(members: Changes, changes: Changes) -> dict[str, Any]:
    return {name: value for name, value in {**members, **changes}.items() if value is not ...}


def encode(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def as_json(value: object) -> bytes:
    return json.dumps(value).encode()


def rs256(signed: bytes, key: str = "first") -> bytes:
    return private_key(key).sign(signed, padding.PKCS1v15(), hashes.SHA256())


def compact(header: bytes, payload: bytes, sign: Callable[[bytes], bytes] = rs256) -> str:
    signed = f"{encode(header)}.{encode(payload)}"
    return f"{signed}.{encode(sign(signed.encode()))}"


def token(claims: Changes = USER, header: Changes = HEADER, key: str = "first") -> str:
    return compact(as_json(header), as_json(claims), lambda signed: rs256(signed, key))


def under(header: Changes, key: str = "first") -> str:
    """A user's good claims under this header."""
    return token(USER, changed(HEADER, header), key)


def padded(length: int) -> str:
    """A good token of exactly this length."""
    payload = length - len(encode(as_json(HEADER))) - len(encode(bytes(256))) - 2
    sizes = range(payload // 2, payload)
    pad = next(n for n in sizes if len(encode(as_json({**USER, "pad": "x" * n}))) == payload)
    return token({**USER, "pad": "x" * pad})


def public_pem(key: str = "first") -> bytes:
    return (
        private_key(key)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def public_der(key: str = "first") -> bytes:
    return (
        private_key(key)
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def public_jwk(key: str) -> dict[str, Any]:
    numbers = private_key(key).public_key().public_numbers()
    return {"kty": "RSA", "n": encode(numbers.n.to_bytes(256, "big")), "e": "AQAB"}


def by_algorithm(alg: str, sign: Callable[[bytes], bytes]) -> str:
    return compact(as_json(HEADER | {"alg": alg}), as_json(USER), sign)


def hs256(secret: bytes) -> Callable[[bytes], bytes]:
    return lambda signed: hmac.new(secret, signed, hashlib.sha256).digest()


def pkcs1(digest: hashes.HashAlgorithm) -> Callable[[bytes], bytes]:
    return lambda signed: private_key("first").sign(signed, padding.PKCS1v15(), digest)


def pss(signed: bytes) -> bytes:
    return private_key("first").sign(signed, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())


def es256(signed: bytes) -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).sign(signed, ec.ECDSA(hashes.SHA256()))


def parts(text: str) -> tuple[str, str, str]:
    header, payload, signature = text.split(".")
    return header, payload, signature


def resigned(header: str, payload: str) -> str:
    """These parts, however they are spelled, with a signature that is good for exactly them."""
    return f"{header}.{payload}.{encode(rs256(f'{header}.{payload}'.encode()))}"


def respelled(part: str) -> str:
    """The same bytes in another base64url spelling, where the last letter has bits to spare."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert len(part) % 4, "no bits to spare"
    return part[:-1] + alphabet[alphabet.index(part[-1]) + 1]


def with_signature(signature: str) -> str:
    header, payload, _ = parts(token())
    return f"{header}.{payload}.{signature}"


def rewritten(rewrite: Callable[[str], str]) -> str:
    return rewrite(token())


def spare(part: bytes) -> bytes:
    """The JSON, with a space after it if its base64url has no bits to spare."""
    return part if len(part) % 3 else part + b" "


class Hostile(NamedTuple):
    """A token, and the exact reason it is refused with; being written here, the reason has no part of the token."""

    name: str
    make: Callable[[], str]
    reason: str


COMPACT, SPELLING = "not three parts of base64url", "not a token in its one spelling"
SIGNATURE = "the signature is not the key's"
ALG, TYP, KID = "alg is not RS256", "typ is not that of an access token", "kid is not a name"
UNKNOWN_KID, OWN_RULES = "kid names no key of the issuer", "the header brings a key or rules of its own"
HEADER_JSON, HEADER_OBJECT = "the header is not strict JSON", "the header is not an object"
PAYLOAD_JSON, PAYLOAD_OBJECT = "the payload is not strict JSON", "the payload is not an object"
ISS, AUD, VER = "iss is not the issuer of the token's tenant", "aud is not this service", "ver is not 2.0"
FOREIGN_KEY, WEAK_KEY = "the key belongs to another issuer", "the key is too weak"
LIFETIME = "the lifetime is not one that the issuer gives"
EXP, NBF, IAT = "exp is past", "nbf is to come", "iat is to come"
SCP, IDTYP, NEITHER = "scp lacks the scope", "idtyp contradicts scp", "neither a user's token nor an application's"
WIDS, ACCT = "wids is not a list of strings", "acct is neither 0 nor 1"
CNF = "cnf binds the token to a key that a bearer does not prove to have"


NOT_TOKENS = {
    "nothing": "",
    "one dot": ".",
    "two dots": "..",
    "a word": "null",
    "an opaque refresh token": "0.AXoAabcdefghijklmnopqrstuvwxyz",
    "two parts": "aaaa.bbbb",
    "no header": ".bbbb.cccc",
    "no payload": "aaaa..cccc",
    "four parts": "aaaa.bbbb.cccc.dddd",
    "an encrypted token": "aaaa.bbbb.cccc.dddd.eeee",
    "NUL": "\x00",
    "a lone surrogate": "aaaa.\ud800bbb.cccc",
    "full-width stops": "aaaa．bbbb．cccc",
    "letters of another alphabet": "аааа.bbbb.cccc",
    "digits of another alphabet": "٠١٢٣.bbbb.cccc",
    "a header of one letter": "a.bbbb.cccc",
}

REWRITTEN: dict[str, Callable[[str], str]] = {
    "a scheme before it": lambda good: f"Bearer {good}",
    "a space before it": lambda good: f" {good}",
    "a line end after it": lambda good: f"{good}\n",
    "NUL after it": lambda good: f"{good}\x00",
    "a line end within": lambda good: good.replace(".", ".\n", 1),
    "padding after the signature": lambda good: f"{good}==",
    "padding after the header": lambda good: good.replace(".", "=.", 1),
    "the letters of plain base64": lambda good: good[:-3] + "+/A",
    "two, with a comma": lambda good: f"{good},{good}",
    "quoted": lambda good: f'"{good}"',
    "the signature stripped": lambda good: good.rpartition(".")[0],
    "the signature emptied": lambda good: good.rpartition(".")[0] + ".",
}

MISSPELLED: dict[str, tuple[Callable[[], str], str]] = {
    "all in capitals": (lambda: token().upper(), HEADER_JSON),
    "the parts reversed": (lambda: ".".join(reversed(parts(token()))), HEADER_JSON),
    "one letter too long": (lambda: "a" * (MAX_TOKEN_LENGTH + 1), "the token is too long"),
    "well signed and one letter too long": (lambda: padded(MAX_TOKEN_LENGTH + 1), "the token is too long"),
    "a megabyte": (lambda: "a" * 2**20, "the token is too long"),
    "the signature respelled": (lambda: respelled(token()), SPELLING),
    "the header respelled, then signed": (
        lambda: resigned(respelled(encode(spare(as_json(HEADER)))), encode(as_json(USER))),
        SPELLING,
    ),
    "the payload respelled, then signed": (
        lambda: resigned(encode(as_json(HEADER)), respelled(encode(spare(as_json(USER))))),
        SPELLING,
    ),
}

MISSIGNED: dict[str, tuple[Callable[[], str], str]] = {
    "cut short": (lambda: token()[:-2], SIGNATURE),
    "longer": (lambda: token() + "AA", SIGNATURE),
    "of two bytes": (lambda: with_signature("AAA"[:2]), SIGNATURE),
    "of zeros": (lambda: with_signature(encode(bytes(256))), SIGNATURE),
    "of ones": (lambda: with_signature(encode(b"\xff" * 256)), SIGNATURE),
    "of one": (lambda: with_signature(encode(bytes(255) + b"\x01")), SIGNATURE),
    "with one letter changed": (
        lambda: with_signature(parts(token())[2][:-9] + "A_A_A_" + parts(token())[2][-3:]),
        SIGNATURE,
    ),
    "given twice": (lambda: with_signature(parts(token())[2] * 2), SIGNATURE),
    "of another token": (lambda: with_signature(parts(token(APPLICATION))[2]), SIGNATURE),
    "over another payload": (
        lambda: token().replace(encode(as_json(USER)), encode(as_json({**USER, "oid": TOOL}))),
        SIGNATURE,
    ),
    "over another header": (
        lambda: token().replace(encode(as_json(HEADER)), encode(as_json({**HEADER, "typ": "at+jwt"}))),
        SIGNATURE,
    ),
    "over the payload alone": (
        lambda: compact(as_json(HEADER), as_json(USER), lambda _: rs256(as_json(USER))),
        SIGNATURE,
    ),
    "by a key that nobody publishes": (lambda: token(key="stranger"), SIGNATURE),
    "by another published key than kid names": (lambda: token(key="second"), SIGNATURE),
    "under the kid of another published key": (lambda: under({"kid": "second"}), SIGNATURE),
    "by a published key of 1024 bits": (lambda: under({"kid": "weak"}, "weak"), WEAK_KEY),
    "by the key of personal accounts": (lambda: under({"kid": "personal"}, "personal"), FOREIGN_KEY),
    "by a key of another issuer": (lambda: under({"kid": "elsewhere"}, "elsewhere"), FOREIGN_KEY),
    "with none": (lambda: by_algorithm("none", lambda _: b"none"), ALG),
    "with HS256 and the public key's PEM": (lambda: by_algorithm("HS256", hs256(public_pem())), ALG),
    "with HS256 and the public key's DER": (lambda: by_algorithm("HS256", hs256(public_der())), ALG),
    "with HS256 and the public key's JWK": (lambda: by_algorithm("HS256", hs256(as_json(public_jwk("first")))), ALG),
    "with HS256 and nothing": (lambda: by_algorithm("HS256", hs256(b"")), ALG),
    "with HS256, called RS256": (lambda: by_algorithm("RS256", hs256(public_pem())), SIGNATURE),
    "with RS384": (lambda: by_algorithm("RS384", pkcs1(hashes.SHA384())), ALG),
    "with RS512": (lambda: by_algorithm("RS512", pkcs1(hashes.SHA512())), ALG),
    "with RS512, called RS256": (lambda: by_algorithm("RS256", pkcs1(hashes.SHA512())), SIGNATURE),
    "with SHA-1, called RS256": (lambda: by_algorithm("RS256", pkcs1(hashes.SHA1())), SIGNATURE),
    "with PS256": (lambda: by_algorithm("PS256", pss), ALG),
    "with PS256, called RS256": (lambda: by_algorithm("RS256", pss), SIGNATURE),
    "with ES256": (lambda: by_algorithm("ES256", es256), ALG),
    "with ES256, called RS256": (lambda: by_algorithm("RS256", es256), SIGNATURE),
}

HEADERS: dict[str, tuple[Changes, str]] = {
    "alg absent": ({"alg": ...}, ALG),
    "alg null": ({"alg": None}, ALG),
    "alg empty": ({"alg": ""}, ALG),
    "alg none": ({"alg": "none"}, ALG),
    "alg nOnE": ({"alg": "nOnE"}, ALG),
    "alg in lower case": ({"alg": "rs256"}, ALG),
    "alg with a space": ({"alg": "RS256 "}, ALG),
    "alg in a list": ({"alg": ["RS256"]}, ALG),
    "alg EdDSA": ({"alg": "EdDSA"}, ALG),
    "typ null": ({"typ": None}, TYP),
    "typ in a list": ({"typ": ["JWT"]}, TYP),
    "typ of a proof": ({"typ": "dpop+jwt"}, TYP),
    "typ of a logout": ({"typ": "logout+jwt"}, TYP),
    "typ of an encrypted token": ({"typ": "JWE"}, TYP),
    "kid absent": ({"kid": ...}, KID),
    "kid null": ({"kid": None}, KID),
    "kid empty": ({"kid": ""}, KID),
    "kid a number": ({"kid": 1}, KID),
    "kid true": ({"kid": True}, KID),
    "kid in a list": ({"kid": ["first"]}, KID),
    "kid an object": ({"kid": {"first": "first"}}, KID),
    "kid unknown": ({"kid": "third"}, UNKNOWN_KID),
    "kid with a space": ({"kid": "first "}, UNKNOWN_KID),
    "kid in capitals": ({"kid": "FIRST"}, UNKNOWN_KID),
    "kid with NUL": ({"kid": "first\x00"}, UNKNOWN_KID),
    "kid with a lone surrogate": ({"kid": "first\ud800"}, UNKNOWN_KID),
    "kid a path": ({"kid": "../../../../dev/null"}, UNKNOWN_KID),
    "kid an SQL statement": ({"kid": "' UNION SELECT 'AA' --"}, UNKNOWN_KID),
    "kid only as x5t": ({"kid": ..., "x5t": "first"}, KID),
    "crit of a claim": ({"crit": ["exp"], "exp": T}, OWN_RULES),
    "crit empty": ({"crit": []}, OWN_RULES),
    "crit of b64": ({"crit": ["b64"], "b64": True}, OWN_RULES),
    "a payload not encoded": ({"b64": False}, OWN_RULES),
    "another address of keys": ({"jku": "https://attacker.example/keys"}, OWN_RULES),
    "another address of a certificate": ({"x5u": "https://attacker.example/cert"}, OWN_RULES),
    "a certificate": ({"x5c": ["MIIB"]}, OWN_RULES),
    "compressed": ({"zip": "DEF"}, OWN_RULES),
    "encrypted": ({"enc": "A256GCM"}, OWN_RULES),
    "a token within a token": ({"cty": "JWT"}, OWN_RULES),
}

RAW_HEADERS: dict[str, tuple[bytes, str]] = {
    "alg twice": (b'{"alg":"none","alg":"RS256","kid":"first"}', HEADER_JSON),
    "kid twice": (b'{"alg":"RS256","kid":"second","kid":"first"}', HEADER_JSON),
    "cut short": (b'{"alg":"RS256","kid":"first"', HEADER_JSON),
    "no JSON number": (b'{"alg":"RS256","kid":"first","x":NaN}', HEADER_JSON),
    "UTF-16": ('{"alg":"RS256","kid":"first"}'.encode("utf-16"), HEADER_JSON),
    "a byte order mark": (b'\xef\xbb\xbf{"alg":"RS256","kid":"first"}', HEADER_JSON),
    "no UTF-8": (b'{"alg":"RS256","kid":"first\xff"}', HEADER_JSON),
    "nested 5,000 deep": (b"[" * 5_000, HEADER_JSON),
    "a list": (b'["RS256"]', HEADER_OBJECT),
    "null": (b"null", HEADER_OBJECT),
    "an empty object": (b"{}", ALG),
}

GOOD = as_json(USER)[:-1]
RAW_PAYLOADS: dict[str, tuple[bytes, str]] = {
    "tid twice": (GOOD + as_json({"tid": OTHER_TENANT}).replace(b"{", b","), PAYLOAD_JSON),
    "oid twice, alike": (GOOD + as_json({"oid": PERSON}).replace(b"{", b","), PAYLOAD_JSON),
    "exp twice, once escaped": (GOOD + b',"\\u0065xp":9999999999}', PAYLOAD_JSON),
    "a member twice, further in": (GOOD + b',"x":{"a":1,"a":1}}', PAYLOAD_JSON),
    "NaN": (GOOD.replace(str(T + HOUR).encode(), b"NaN") + b"}", PAYLOAD_JSON),
    "Infinity": (GOOD.replace(str(T + HOUR).encode(), b"Infinity") + b"}", PAYLOAD_JSON),
    "a number of 5,000 digits": (GOOD + b',"x":' + b"9" * 5_000 + b"}", PAYLOAD_JSON),
    "digits of another alphabet": (GOOD.replace(str(T).encode(), "١٧٧٢٤٥٢٨٠٠".encode()) + b"}", PAYLOAD_JSON),
    "cut short": (GOOD, PAYLOAD_JSON),
    "two objects": (GOOD + b"}{}", PAYLOAD_JSON),
    "a comment": (GOOD + b"/* */}", PAYLOAD_JSON),
    "single quotes": (b"{'tid':1}", PAYLOAD_JSON),
    "a raw line end in a string": (GOOD + b',"x":"\n"}', PAYLOAD_JSON),
    "no UTF-8": (GOOD + b',"x":"\xff"}', PAYLOAD_JSON),
    "overlong UTF-8": (GOOD + b',"x":"\xc0\x80"}', PAYLOAD_JSON),
    "UTF-16": (GOOD.decode().encode("utf-16") + "}".encode("utf-16-le"), PAYLOAD_JSON),
    "UTF-32": ((GOOD.decode() + "}").encode("utf-32"), PAYLOAD_JSON),
    "a byte order mark": (b"\xef\xbb\xbf" + GOOD + b"}", PAYLOAD_JSON),
    "lists nested 10,000 deep": (b"[" * 10_000, PAYLOAD_JSON),
    "a claim nested 5,000 deep": (GOOD + b',"x":' + b"[" * 5_000 + b"]" * 5_000 + b"}", PAYLOAD_JSON),
    "a list": (b"[" + GOOD + b"}]", PAYLOAD_OBJECT),
    "a string": (b'"claims"', PAYLOAD_OBJECT),
    "null": (b"null", PAYLOAD_OBJECT),
    "a number": (b"1", PAYLOAD_OBJECT),
    "an empty object": (b"{}", "aud is missing"),
}


def claims(base: dict[str, Any], cases: dict[str, tuple[Changes, str]]) -> dict[str, tuple[Changes, str]]:
    return {name: (changed(base, changes), reason) for name, (changes, reason) in cases.items()}


NOT_MOMENTS: dict[str, Any] = {
    "null": None,
    "a string": str(T),
    "digits of another alphabet": "١٧٧٢٤٥٢٨٠٠",
    "a fraction": T + 0.5,
    "a whole fraction": float(T),
    "in exponents beyond any": 1e300,
    "true": True,
    "zero": 0,
    "negative": -T,
    "in milliseconds": T * 1000,
    "of 100 digits": 10**100,
    "a list": [T],
    "an object": {"$date": T},
}

CLAIMS = {
    **{
        f"{name} absent": (changed(USER, {name: ...}), f"{name} is missing")
        for name in ("exp", "nbf", "iat", "iss", "aud", "tid", "oid", "ver")
    },
    **{
        f"{name} {what}": (changed(USER, {name: value}), f"{name} is not a moment")
        for name, what, value in (
            *(("exp", what, value) for what, value in NOT_MOMENTS.items()),
            ("nbf", "a string", str(T)),
            ("nbf", "true", True),
            ("nbf", "null", None),
            ("iat", "a string", str(T)),
            ("iat", "true", True),
            ("iat", "negative", -1),
        )
    },
    **{
        f"{name} {what}": (changed(USER, {name: value}), f"{name} is not a GUID")
        for name, what, value in (
            ("tid", "null", None),
            ("tid", "a number", 1),
            ("tid", "a list", [TENANT]),
            ("tid", "empty", ""),
            ("tid", "a word that Entra's addresses use", "common"),
            ("tid", "a domain", "contoso.example"),
            ("tid", "in capitals", TENANT.upper()),
            ("tid", "in braces", f"{{{TENANT}}}"),
            ("tid", "without hyphens", TENANT.replace("-", "")),
            ("tid", "with a line end", f"{TENANT}\n"),
            ("tid", "with digits of another alphabet", TENANT.replace("1", "１")),
            ("tid", "with a path", f"{TENANT}/../{OTHER_TENANT}"),
            ("tid", "the template itself", "{tid}"),
            ("oid", "null", None),
            ("oid", "empty", ""),
            ("oid", "an address", "manager@contoso.example"),
            ("oid", "with NUL", f"{PERSON}\x00"),
            ("oid", "with a space", f" {PERSON}"),
            ("oid", "in capitals", PERSON.upper()),
            ("oid", "a list", [PERSON]),
        )
    },
    **claims(
        USER,
        {
            "a token of version 1": (
                {"ver": "1.0", "iss": f"https://sts.windows.net/{TENANT}/", "upn": "manager@contoso.example"},
                VER,
            ),
            "ver 1.0 from the issuer of version 2": ({"ver": "1.0"}, VER),
            "ver a number": ({"ver": 2.0}, VER),
            "ver shorter": ({"ver": "2"}, VER),
            "ver null": ({"ver": None}, VER),
            "iss of another tenant": ({"iss": issuer_of(OTHER_TENANT)}, ISS),
            "tid of another tenant": ({"tid": OTHER_TENANT}, ISS),
            "iss of version 1": ({"iss": f"https://sts.windows.net/{TENANT}/"}, ISS),
            "iss of another cloud": ({"iss": f"https://login.example.cn/{TENANT}/v2.0"}, ISS),
            "iss the template itself": ({"iss": ISSUER}, ISS),
            "iss with a slash more": ({"iss": issuer_of(TENANT) + "/"}, ISS),
            "iss with a query": ({"iss": issuer_of(TENANT) + "?"}, ISS),
            "iss with a space": ({"iss": issuer_of(TENANT) + " "}, ISS),
            "iss in capitals": ({"iss": issuer_of(TENANT).upper()}, ISS),
            "iss over http": ({"iss": issuer_of(TENANT).replace("https", "http")}, ISS),
            "iss in a list": ({"iss": [issuer_of(TENANT)]}, ISS),
            "iss with an o of another alphabet": ({"iss": issuer_of(TENANT).replace("o", "о")}, ISS),
            "iss empty": ({"iss": ""}, ISS),
            "aud of another service": ({"aud": "https://graph.microsoft.com"}, AUD),
            "aud in a list": ({"aud": [AUDIENCE]}, AUD),
            "aud in a list of two": ({"aud": [AUDIENCE, "api://other"]}, AUD),
            "aud with a slash more": ({"aud": AUDIENCE + "/"}, AUD),
            "aud longer": ({"aud": AUDIENCE + "-staging"}, AUD),
            "aud shorter": ({"aud": AUDIENCE[:-1]}, AUD),
            "aud in capitals": ({"aud": AUDIENCE.upper()}, AUD),
            "aud empty": ({"aud": ""}, AUD),
            "aud null": ({"aud": None}, AUD),
            "aud true": ({"aud": True}, AUD),
            "exp in a hundred years": ({"exp": T + 100 * YEAR}, LIFETIME),
            "a lifetime of a second too long": ({"exp": T + 25 * HOUR + 1}, LIFETIME),
            "nbf long before iat": ({"nbf": T - 25 * HOUR}, LIFETIME),
            "iat long ago": ({"iat": T - 25 * HOUR}, LIFETIME),
            "iat in 1970": ({"iat": 1}, LIFETIME),
            "exp before iat": ({"exp": T + 30, "iat": T + 31}, LIFETIME),
            "exp before nbf": ({"exp": T + 30, "nbf": T + 31}, LIFETIME),
            "exp with iat": ({"exp": T + 30, "iat": T + 30}, LIFETIME),
            "exp now": ({"exp": T, "iat": T - HOUR, "nbf": T - HOUR}, EXP),
            "exp a second ago": ({"exp": T - 1, "iat": T - HOUR, "nbf": T - HOUR}, EXP),
            "exp a year ago": ({"exp": T - YEAR, "iat": T - YEAR - HOUR, "nbf": T - YEAR - HOUR}, EXP),
            "nbf in 61 seconds": ({"nbf": T + 61}, NBF),
            "iat in 61 seconds": ({"iat": T + 61}, IAT),
            "made tomorrow": ({"iat": T + DAY, "nbf": T + DAY, "exp": T + DAY + HOUR}, NBF),
            "cnf": ({"cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}, CNF),
            "cnf null": ({"cnf": None}, CNF),
            "an identity token": ({"scp": ..., "nonce": "n-0S6_WzA2Mj"}, NEITHER),
            "scp of another service": ({"scp": "User.Read openid"}, SCP),
            "scp empty": ({"scp": ""}, SCP),
            "scp null": ({"scp": None}, SCP),
            "scp in a list": ({"scp": [SCOPE]}, SCP),
            "scp an object": ({"scp": {SCOPE: True}}, SCP),
            "scp in capitals": ({"scp": SCOPE.upper()}, SCP),
            "scp longer": ({"scp": SCOPE + "s"}, SCP),
            "scp shorter": ({"scp": SCOPE[:-1]}, SCP),
            "scp with its audience": ({"scp": f"{AUDIENCE}/{SCOPE}"}, SCP),
            "scp with commas": ({"scp": f"openid,{SCOPE},profile"}, SCP),
            "scp with tabs": ({"scp": f"openid\t{SCOPE}"}, SCP),
            "scp with spaces of another kind": ({"scp": f"openid\u00a0{SCOPE}"}, SCP),
            "scp in roles": ({"scp": "openid", "roles": [SCOPE]}, SCP),
            "idtyp app beside scp": ({"idtyp": "app"}, IDTYP),
            "idtyp of a device": ({"idtyp": "device"}, IDTYP),
            "idtyp null": ({"idtyp": None}, IDTYP),
            "idtyp in a list": ({"idtyp": ["user"]}, IDTYP),
            "idtyp in capitals": ({"idtyp": "USER"}, IDTYP),
            "idtyp user without scp": ({"idtyp": "user", "scp": ...}, NEITHER),
            "wids a string": ({"wids": GLOBAL_ADMINISTRATOR}, WIDS),
            "wids null": ({"wids": None}, WIDS),
            "wids an object": ({"wids": {GLOBAL_ADMINISTRATOR: True}}, WIDS),
            "wids with a number": ({"wids": [GLOBAL_ADMINISTRATOR, 1]}, WIDS),
            "wids with a list": ({"wids": [[GLOBAL_ADMINISTRATOR]]}, WIDS),
            "acct true": ({"acct": True}, ACCT),
            "acct a string": ({"acct": "0"}, ACCT),
            "acct 2": ({"acct": 2}, ACCT),
            "acct a fraction": ({"acct": 1.0}, ACCT),
            "acct null": ({"acct": None}, ACCT),
            "acct in a list": ({"acct": [0]}, ACCT),
            "name null": ({"name": None}, "name is not a short text"),
            "name a list": ({"name": ["Contoso Manager"]}, "name is not a short text"),
            "name of 257 letters": ({"name": "x" * 257}, "name is not a short text"),
            "name with NUL": ({"name": "Contoso\x00Manager"}, "name has characters that are not text"),
            "name of two log lines": ({"name": "x\nlevel=info"}, "name has characters that are not text"),
            "name with a lone surrogate": ({"name": "x\ud800"}, "name has characters that are not text"),
            "name that colours a terminal": ({"name": "\x1b[31m"}, "name has characters that are not text"),
            "preferred_username a number": ({"preferred_username": 1}, "preferred_username is not a short text"),
            "upn a number": ({"upn": 1}, "upn is not a short text"),
        },
    ),
    **claims(
        APPLICATION,
        {
            "an application without idtyp": ({"idtyp": ...}, NEITHER),
            "an application, idtyp in capitals": ({"idtyp": "APP"}, NEITHER),
            "an application, idtyp in a list": ({"idtyp": ["app"]}, NEITHER),
            "an application, idtyp true": ({"idtyp": True}, NEITHER),
            "an application with an empty scp": ({"scp": ""}, IDTYP),
            "an application with scp null": ({"scp": None}, IDTYP),
            "an application with the scope": ({"scp": SCOPE}, IDTYP),
            "an application with wids of a string": ({"wids": GLOBAL_ADMINISTRATOR}, WIDS),
            "an application of another tenant": ({"tid": OTHER_TENANT}, ISS),
            "an application for another service": ({"aud": "https://graph.microsoft.com"}, AUD),
            "an application for a hundred years": ({"exp": T + 100 * YEAR}, LIFETIME),
            "an application without an object id": ({"oid": ...}, "oid is missing"),
        },
    ),
}


def hostile() -> list[Hostile]:
    """Every hostile token. Those of other parts than the claims are otherwise good, so that one reason remains."""
    return [
        *(Hostile(name, partial(str, text), COMPACT) for name, text in NOT_TOKENS.items()),
        *(Hostile(name, partial(rewritten, rewrite), COMPACT) for name, rewrite in REWRITTEN.items()),
        *(Hostile(name, make, reason) for name, (make, reason) in MISSPELLED.items()),
        *(Hostile(f"signed {name}", make, reason) for name, (make, reason) in MISSIGNED.items()),
        Hostile(
            "the key that it is signed with in the header",
            lambda: under({"jwk": public_jwk("stranger")}, "stranger"),
            OWN_RULES,
        ),
        *(Hostile(name, partial(under, header), reason) for name, (header, reason) in HEADERS.items()),
        *(
            Hostile(f"a header: {name}", partial(compact, raw, as_json(USER)), reason)
            for name, (raw, reason) in RAW_HEADERS.items()
        ),
        *(
            Hostile(f"a payload: {name}", partial(compact, as_json(HEADER), raw), reason)
            for name, (raw, reason) in RAW_PAYLOADS.items()
        ),
        *(Hostile(name, partial(token, made), reason) for name, (made, reason) in CLAIMS.items()),
    ]


class Accepted(NamedTuple):
    """A token, and those of its claims that differ from what `token()` says."""

    name: str
    make: Callable[[], str]
    expected: Changes


NO_NAMES: dict[str, Any] = {"name": ..., "preferred_username": ...}
AN_APPLICATION: dict[str, Any] = {
    "principal_id": TOOL,
    "kind": PrincipalKind.APPLICATION,
    "directory_roles": frozenset(),
    "display_name": TOOL,
    "user_principal_name": None,
}

USERS: dict[str, tuple[Changes, Changes]] = {
    "a user": ({}, {}),
    "a user, said to be one": ({"idtyp": "user"}, {}),
    "a user with nothing but the scope": ({"scp": SCOPE}, {}),
    "a user of another tenant": (
        {"tid": OTHER_TENANT, "iss": issuer_of(OTHER_TENANT)},
        {"tenant_id": OTHER_TENANT},
    ),
    "a guest": ({"acct": 1}, {"guest": True}),
    "a member": ({"acct": 0}, {}),
    "no wids": ({"wids": ...}, {"directory_roles": frozenset()}),
    "unknown wids": ({"wids": [OTHER_ROLE, "", "x" * 99]}, {"directory_roles": frozenset()}),
    "every directory role": ({"wids": [*map(str, DirectoryRole)]}, {"directory_roles": frozenset(DirectoryRole)}),
    "no name": ({"name": ...}, {"display_name": "manager@contoso.example"}),
    "a blank name": ({"name": " \u3000 "}, {"display_name": "manager@contoso.example"}),
    "no names": (NO_NAMES, {"display_name": PERSON, "user_principal_name": None}),
    "a upn": (
        NO_NAMES | {"upn": "manager@contoso.example"},
        {"display_name": PERSON},
    ),
    "a upn beside a user name": ({"upn": "other@contoso.example"}, {}),
    "a name of every alphabet": ({"name": "مدير\u200cها 管理者 🧑‍🔧"}, {"display_name": "مدير\u200cها 管理者 🧑‍🔧"}),
    "a name of 256 letters": ({"name": "x" * 256}, {"display_name": "x" * 256}),
    "25 hours": ({"exp": T + 25 * HOUR}, {"expires_at": datetime.fromtimestamp(T + 25 * HOUR, UTC)}),
    "one more second": (
        {"exp": T + 1, "iat": T - DAY, "nbf": T - DAY},
        {"expires_at": datetime.fromtimestamp(T + 1, UTC)},
    ),
    "an issuer whose clock is a minute ahead": ({"iat": T + 60, "nbf": T + 60}, {}),
    "claims of later versions": ({"xms_new": {"deep": [1, None]}, "rh": "0."}, {}),
}

HEADERS_ACCEPTED: dict[str, tuple[Changes, str]] = {
    "typ of an access token": ({"typ": "at+jwt"}, "first"),
    "no typ": ({"typ": ...}, "first"),
    "a thumbprint": ({"x5t": "second"}, "first"),
    "another published key": ({"kid": "second"}, "second"),
    "a key that signs for every tenant": ({"kid": "everyone's"}, "everyone's"),
}


def accepted() -> list[Accepted]:
    """Every shape that must be accepted."""
    return [
        *(
            Accepted(name, partial(token, changed(USER, changes)), expected)
            for name, (changes, expected) in USERS.items()
        ),
        *(Accepted(name, partial(under, header, key), {}) for name, (header, key) in HEADERS_ACCEPTED.items()),
        Accepted("white space in the JSON", lambda: compact(as_json(HEADER), b" \n" + as_json(USER) + b"\t"), {}),
        Accepted("the longest", lambda: padded(MAX_TOKEN_LENGTH), {}),
        Accepted("an application", lambda: token(APPLICATION), AN_APPLICATION),
        Accepted(
            "an application with directory roles",
            lambda: token(APPLICATION | {"wids": [GLOBAL_ADMINISTRATOR]}),
            AN_APPLICATION,
        ),
        Accepted(
            "a personal account, by the key of personal accounts",
            lambda: token(
                USER | {"tid": PERSONAL_TENANT, "iss": issuer_of(PERSONAL_TENANT)},
                HEADER | {"kid": "personal"},
                "personal",
            ),
            {"tenant_id": PERSONAL_TENANT},
        ),
    ]

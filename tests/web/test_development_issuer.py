import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from app.domain.permissions import DirectoryRole
from app.domain.vocabulary import PrincipalKind
from app.web.development_issuer import AUDIENCE, ISSUER, KEY_FILE, DevelopmentIssuer, IssuerKeyRefused
from app.web.tokens import Claims, TokenRefused, TokenVerifier
from tests.web.hostile_tokens import ISSUER as REAL_ISSUER
from tests.web.hostile_tokens import NOW, OTHER_TENANT, PERSON, SCOPE, TENANT, TOOL, private_key, published

MANAGER = Claims(
    tenant_id=TENANT,
    principal_id=PERSON,
    kind=PrincipalKind.USER,
    directory_roles=frozenset({DirectoryRole.GLOBAL_READER, DirectoryRole.TEAMS_ADMINISTRATOR}),
    display_name="contoso-manager",
    user_principal_name="contoso-manager@contoso.example",
    guest=False,
    expires_at=NOW + timedelta(hours=12),
)
TOOL_OF_PARTNER = Claims(
    tenant_id=OTHER_TENANT,
    principal_id=TOOL,
    kind=PrincipalKind.APPLICATION,
    directory_roles=frozenset(),
    display_name=TOOL,
    user_principal_name=None,
    guest=False,
    expires_at=NOW + timedelta(hours=1),
)


@pytest.fixture
def issuer(tmp_path: Path) -> DevelopmentIssuer:
    return DevelopmentIssuer(tmp_path / "state", SCOPE)


@pytest.mark.parametrize(
    "claims",
    [
        MANAGER,
        replace(MANAGER, guest=True),
        replace(MANAGER, directory_roles=frozenset()),
        replace(MANAGER, user_principal_name=None),
        replace(MANAGER, display_name="主管 🧑‍🔧"),
        TOOL_OF_PARTNER,
    ],
    ids=["person", "guest", "without roles", "without a sign-in name", "another alphabet", "tool"],
)
async def test_its_verifier_reads_back_the_claims_it_minted(issuer: DevelopmentIssuer, claims: Claims) -> None:
    token = issuer.token(claims, NOW)

    assert await issuer.verifier.verify(token, NOW) == claims


async def test_its_tokens_end(issuer: DevelopmentIssuer) -> None:
    token = issuer.token(MANAGER, NOW)

    with pytest.raises(TokenRefused, match="exp is past"):
        await issuer.verifier.verify(token, MANAGER.expires_at)


async def test_a_lifetime_that_no_issuer_gives_is_refused(issuer: DevelopmentIssuer) -> None:
    token = issuer.token(replace(MANAGER, expires_at=NOW + timedelta(hours=26)), NOW)

    with pytest.raises(TokenRefused, match="the lifetime"):
        await issuer.verifier.verify(token, NOW)


@pytest.mark.parametrize(
    "template", [REAL_ISSUER, "https://login.microsoftonline.com/{tid}/v2.0", ISSUER + "/", ISSUER.replace("demo", "x")]
)
async def test_a_verifier_of_another_issuer_refuses_its_tokens_even_with_its_key(
    issuer: DevelopmentIssuer, template: str
) -> None:
    real = TokenVerifier(template, AUDIENCE, SCOPE, issuer.keys)

    for claims in (MANAGER, TOOL_OF_PARTNER):
        with pytest.raises(TokenRefused, match="iss is not the issuer"):
            await real.verify(issuer.token(claims, NOW), NOW)


async def test_its_key_vouches_for_no_other_issuer(issuer: DevelopmentIssuer) -> None:
    key, *others = issuer.keys.keys.values()

    assert others == []
    assert key.signs_for(ISSUER.replace("{tid}", TENANT), TENANT)
    assert not key.signs_for(REAL_ISSUER.replace("{tid}", TENANT), TENANT)


async def test_a_verifier_with_other_keys_refuses_its_tokens(issuer: DevelopmentIssuer, tmp_path: Path) -> None:
    other = DevelopmentIssuer(tmp_path / "other", SCOPE)

    for keys in (published(), other.keys):
        with pytest.raises(TokenRefused, match="kid names no key"):
            await TokenVerifier(ISSUER, AUDIENCE, SCOPE, keys).verify(issuer.token(MANAGER, NOW), NOW)


def test_its_issuer_can_be_nobody(issuer: DevelopmentIssuer) -> None:
    payload = jwt.decode(issuer.token(MANAGER, NOW), options={"verify_signature": False})

    assert payload["iss"] == f"https://gateway.demo.invalid/{TENANT}/v2.0"
    assert payload["aud"] == "api://partner-gateway"


async def test_the_key_is_kept_and_only_its_owner_reads_it(issuer: DevelopmentIssuer) -> None:
    again = DevelopmentIssuer(issuer.folder, SCOPE)

    assert await again.verifier.verify(issuer.token(MANAGER, NOW), NOW) == MANAGER
    assert stat.S_IMODE(issuer.folder.stat().st_mode) == 0o700
    assert [file.name for file in issuer.folder.iterdir()] == [KEY_FILE]
    assert stat.S_IMODE((issuer.folder / KEY_FILE).stat().st_mode) == 0o600


def test_the_key_is_never_open_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "chmod", lambda *_: None)

    DevelopmentIssuer(tmp_path, SCOPE)

    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600


def test_a_key_that_others_could_read_is_closed_again(issuer: DevelopmentIssuer) -> None:
    path = issuer.folder / KEY_FILE
    path.chmod(0o644)

    DevelopmentIssuer(issuer.folder, SCOPE)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_commands_that_start_together_end_up_with_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        issuers = list(pool.map(lambda _: DevelopmentIssuer(tmp_path, SCOPE), range(8)))

    assert len({kid for issuer in issuers for kid in issuer.keys.keys}) == 1
    assert [file.name for file in tmp_path.iterdir()] == [KEY_FILE]


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no key",
        pem(private_key("weak")),
        pem(ec.generate_private_key(ec.SECP256R1())),
        pem(ed25519.Ed25519PrivateKey.generate()),
    ],
    ids=["empty", "text", "weak", "elliptic", "edwards"],
)
def test_a_file_that_is_no_usable_key_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / KEY_FILE).write_bytes(content)

    with pytest.raises(IssuerKeyRefused, match=KEY_FILE):
        DevelopmentIssuer(tmp_path, SCOPE)


def test_the_private_key_is_not_printed(issuer: DevelopmentIssuer) -> None:
    assert "Private" not in repr(issuer)

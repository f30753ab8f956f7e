"""PyJWT, which knows nothing of this project, judges the standalone tenant's tokens by its metadata and keys alone."""

import base64
import hashlib
import hmac
import json
import os
import secrets
import sys
import urllib.parse

import jwt
import requests
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from browser import Browser

HOST = os.environ["AZURE_AUTHORITY_HOST"].rstrip("/")
TENANT = os.environ["AZURE_TENANT_ID"]
CLIENT = os.environ["AZURE_CLIENT_ID"]
REDIRECT = os.environ["ENTRA_REDIRECT_URI"]
USER, PASSWORD = os.environ["ENTRA_USER_UPN"], os.environ["ENTRA_USER_PASSWORD"]
PROOF = {"client_id": CLIENT, "client_secret": os.environ["AZURE_CLIENT_SECRET"]}


def check(condition, message):
    if not condition:
        sys.exit(f"PyJWT: {message}")


class Validator:
    """One generation of the tenant's tokens, found as any OpenID Connect client finds it."""

    def __init__(self, version):
        response = requests.get(f"{HOST}/{TENANT}{version}/.well-known/openid-configuration", timeout=30)
        self.metadata = response.json()
        self.keys = jwt.PyJWKClient(self.metadata["jwks_uri"])

    def accept(self, token, audience, nonce=None, issuer=None):
        key = self.keys.get_signing_key_from_jwt(token)
        claims = jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            audience=audience,
            issuer=issuer or self.metadata["issuer"],
            options={"require": ["exp", "iat", "nbf", "iss", "aud", "sub"]},
        )
        if nonce is not None and not hmac.compare_digest(claims.get("nonce", ""), nonce):
            raise jwt.InvalidTokenError("another sign-in's nonce")
        return claims

    def refuse(self, error, token, audience=CLIENT, **expected):
        try:
            self.accept(token, audience, **expected)
        except error as rejection:
            check(type(rejection) is error, f"expected {error.__name__}, got {rejection!r}")
            return
        check(False, f"a token was accepted where {error.__name__} was expected")


def tokens_of_a_user(metadata, nonce, scope):
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "client_id": CLIENT, "response_type": "code", "redirect_uri": REDIRECT, "scope": scope, "state": "s",
        "nonce": nonce, "code_challenge": challenge, "code_challenge_method": "S256",
    }
    browser = Browser(USER, PASSWORD)
    response = browser.sign_in(f"{metadata['authorization_endpoint']}?{urllib.parse.urlencode(query)}")
    form = {
        "grant_type": "authorization_code", "code": response["code"], "redirect_uri": REDIRECT,
        "code_verifier": verifier, **PROOF,
    }
    return requests.post(metadata["token_endpoint"], data=form, timeout=30).json()


def tokens_of_the_application(metadata, scope):
    form = {"grant_type": "client_credentials", "scope": scope, **PROOF}
    return requests.post(metadata["token_endpoint"], data=form, timeout=30).json()


def encoded(part):
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def changed(token, head=None, body=None, signature=None):
    """The token with some of its header or claims replaced, under its old signature or another one."""
    old = token.split(".")
    header, claims = jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False})
    return ".".join([
        encoded({**header, **head}) if head else old[0],
        encoded({**claims, **body}) if body else old[1],
        old[2] if signature is None else signature,
    ])


v1, v2 = Validator(""), Validator("/v2.0")
nonce = secrets.token_urlsafe(16)
user_tokens = tokens_of_a_user(v2.metadata, nonce, f"openid profile email {CLIENT}/.default")
check("id_token" in user_tokens, f"no ID token: {user_tokens}")

# ID token.
identity = user_tokens["id_token"]
claims = v2.accept(identity, CLIENT, nonce)
check(claims["tid"] == TENANT and claims["preferred_username"] == USER, f"another user: {claims}")
v2.refuse(jwt.InvalidTokenError, identity, nonce="another")
v2.refuse(jwt.InvalidAudienceError, identity, audience="00000000-0000-0000-0000-000000000001")
v2.refuse(jwt.InvalidIssuerError, identity, issuer=v1.metadata["issuer"])
v2.refuse(jwt.InvalidSignatureError, changed(identity, body={"preferred_username": "admin@contoso.com"}))
v2.refuse(jwt.InvalidSignatureError, changed(identity, signature=user_tokens["access_token"].split(".")[2]))
v2.refuse(jwt.PyJWKClientError, changed(identity, head={"kid": "unknown"}))
v2.refuse(jwt.InvalidAlgorithmError, changed(identity, head={"alg": "none"}, signature=""))
public = v2.keys.get_signing_key_from_jwt(identity).key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
forged = changed(identity, head={"alg": "HS256"}).rpartition(".")[0]
signature = base64.urlsafe_b64encode(hmac.digest(public, forged.encode(), "sha256")).rstrip(b"=").decode()
v2.refuse(jwt.InvalidAlgorithmError, f"{forged}.{signature}")

# Access tokens for an own API, for a user and for an application.
access = user_tokens["access_token"]
own = v1 if jwt.decode(access, options={"verify_signature": False})["ver"] == "1.0" else v2
claims = own.accept(access, CLIENT)
check(claims["upn"] == USER and "scp" in claims, f"not a user's token: {claims}")
own.refuse(jwt.InvalidSignatureError, changed(access, body={"scp": "everything"}))
application = tokens_of_the_application(v2.metadata, f"{CLIENT}/.default")
check("access_token" in application, f"no token for the application: {application}")
claims = own.accept(application["access_token"], CLIENT)
check("scp" not in claims and claims["sub"] == claims["oid"], f"not an application's token: {claims}")
own.refuse(jwt.InvalidSignatureError, changed(application["access_token"], body={"roles": ["Admin"]}))
print(f"PyJWT {jwt.__version__}: an ID token and two access tokens accepted, altered and misdirected ones rejected")

"""MSAL and azure-identity for Python sign in with a certificate at the standalone fake tenant."""

import os
import re
import sys
import tempfile

import msal
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CertificateCredential, EnvironmentCredential
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

HOST = os.environ["AZURE_AUTHORITY_HOST"].rstrip("/")
TENANT = os.environ["AZURE_TENANT_ID"]
CLIENT_ID = os.environ["AZURE_CLIENT_ID"]
SCOPE = "https://graph.microsoft.com/.default"
PEM = open(os.environ["AZURE_CLIENT_CERTIFICATE_PATH"], "rb").read()
PASSPHRASE = "correct horse"


def check(condition, message):
    if not condition:
        sys.exit(f"certificate, Python: {message}")


def msal_with(credential, client_id=CLIENT_ID):
    application = msal.ConfidentialClientApplication(
        client_id, authority=f"{HOST}/{TENANT}", client_credential=credential, instance_discovery=False
    )
    return application.acquire_token_for_client(scopes=[SCOPE])


def identity_with(**certificate):
    return CertificateCredential(TENANT, CLIENT_ID, authority=HOST, disable_instance_discovery=True, **certificate)


key = serialization.load_pem_private_key(PEM, None)
certificate = x509.load_pem_x509_certificate(PEM[PEM.index(b"-----BEGIN CERTIFICATE"):])
public = certificate.public_bytes(serialization.Encoding.PEM).decode()
plain = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
sha1 = certificate.fingerprint(hashes.SHA1()).hex()

with tempfile.TemporaryDirectory() as directory:
    pfx = os.path.join(directory, "client.pfx")
    with open(pfx, "wb") as file:
        file.write(pkcs12.serialize_key_and_certificates(b"client", key, certificate, None, BestAvailableEncryption(PASSPHRASE.encode())))
    ways = {
        # With a SHA-1 thumbprint it signs RS256, with a certificate PS256.
        "thumbprint": {"private_key": plain, "thumbprint": sha1},
        "certificate": {"private_key": plain, "public_certificate": public},
        "pfx": {"private_key_pfx_path": pfx, "passphrase": PASSPHRASE},
        "pfx with chain": {"private_key_pfx_path": pfx, "passphrase": PASSPHRASE, "public_certificate": True},
    }
    for name, credential in ways.items():
        response = msal_with(credential)
        check("access_token" in response, f"msal, {name}: {response}")
    ways = {
        "pem": identity_with(certificate_path=os.environ["AZURE_CLIENT_CERTIFICATE_PATH"]),
        "pfx": identity_with(certificate_path=pfx, password=PASSPHRASE),
        "chain": identity_with(certificate_data=PEM, send_certificate_chain=True),
    }
    for name, credential in ways.items():
        check(credential.get_token(SCOPE).token, f"azure-identity, {name}: no token")

# The environment as the server wrote it, but for the secret, which would win.
secret = os.environ.pop("AZURE_CLIENT_SECRET", None)
check(EnvironmentCredential(disable_instance_discovery=True).get_token(SCOPE).token, "azure-identity, environment: no token")
if secret is not None:
    os.environ["AZURE_CLIENT_SECRET"] = secret

stranger = rsa.generate_private_key(65537, 2048)
name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "stranger")])
unregistered = (
    x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(stranger.public_key()).serial_number(1)
    .not_valid_before(certificate.not_valid_before_utc).not_valid_after(certificate.not_valid_after_utc)
    .sign(stranger, hashes.SHA256())
)
stranger_key = stranger.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
stranger_pem = unregistered.public_bytes(serialization.Encoding.PEM)
rejections = {
    "an unregistered certificate": {"private_key": stranger_key.decode(), "public_certificate": stranger_pem.decode()},
    "another key": {"private_key": stranger_key.decode(), "thumbprint": sha1},
}
for name, credential in rejections.items():
    response = msal_with(credential)
    check(response.get("error") == "invalid_client" and response.get("error_codes") == [700027], f"msal, {name}: {response}")
try:
    identity_with(certificate_data=stranger_key + stranger_pem).get_token(SCOPE)
    check(False, "azure-identity: a token for an unregistered certificate")
except ClientAuthenticationError as error:
    check(re.search(r"AADSTS700027\b", str(error)), f"azure-identity: {error}")
print("certificate, Python: eight ways in by msal and azure-identity, three rejections")

"""Certificates, keys and assertions of entra-auth, checked by OpenSSL, cryptography and PyJWT.

Usage: key_material.py PATH-OF-THE-EXAMPLE-key_material
"""

import base64
import os
import pathlib
import stat
import subprocess
import sys
import tempfile

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs12

TOOL = os.path.abspath(sys.argv[1])
PASSPHRASE = "Käse, correct horse"
TENANT = "11111111-1111-1111-1111-111111111111"
CLIENT = "22222222-2222-2222-2222-222222222222"
AUDIENCE = f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"
checks = 0


def check(condition, message):
    global checks
    checks += 1
    if not condition:
        sys.exit(f"key material: {message}")


def run(*command, ok=True, passphrase=PASSPHRASE):
    environment = dict(os.environ, KEY_PASSPHRASE=passphrase)
    if passphrase is None:
        del environment["KEY_PASSPHRASE"]
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if ok and done.returncode != 0:
        sys.exit(f"key material: {' '.join(command)}: {done.stderr.decode()}")
    return done


def openssl(*arguments, **options):
    return run("openssl", *arguments, **options)


def load(path, passphrase=PASSPHRASE):
    """What the tool says about a file: a thumbprint, or `Kind: message`."""
    return run(TOOL, "load", str(path), passphrase=passphrase).stdout.decode().strip()


def thumbprint(certificate, algorithm=None):
    return certificate.fingerprint(algorithm or hashes.SHA256()).hex().upper()


def check_assertion(text, certificate, algorithm):
    claims = jwt.decode(text, certificate.public_key(), algorithms=[algorithm], audience=AUDIENCE, issuer=CLIENT)
    header = jwt.get_unverified_header(text)
    check(header["typ"] == "JWT", f"{algorithm}: typ is {header.get('typ')}")
    check(claims["sub"] == CLIENT and len(claims["jti"]) == 36, f"{algorithm}: claims {claims}")
    for name in ("nbf", "iat", "exp"):
        check(type(claims[name]) is int, f"{algorithm}: {name} is no integer")
    check(claims["exp"] - claims["nbf"] == 600, f"{algorithm}: lifetime")
    name, digest = ("x5t#S256", hashes.SHA256()) if algorithm == "PS256" else ("x5t", hashes.SHA1())
    expected = base64.urlsafe_b64encode(certificate.fingerprint(digest)).rstrip(b"=").decode()
    check(header[name] == expected, f"{algorithm}: {name} is {header[name]}")
    if "x5c" in header:
        der = certificate.public_bytes(serialization.Encoding.DER)
        check(base64.b64decode(header["x5c"][0], validate=True) == der, f"{algorithm}: x5c")
    broken = text[:-8] + ("AAAAAAAA" if text[-8:] != "AAAAAAAA" else "BBBBBBBB")
    try:
        jwt.decode(broken, certificate.public_key(), algorithms=[algorithm], audience=AUDIENCE)
        check(False, f"{algorithm}: a broken signature verifies")
    except jwt.InvalidSignatureError:
        pass


def check_made(directory):
    """What entra-auth writes, read by others."""
    run(TOOL, "make", str(directory))
    certificate = x509.load_der_x509_certificate((directory / "upload-me.cer").read_bytes())
    check(certificate == x509.load_pem_x509_certificate((directory / "upload-me.pem").read_bytes()), "cer and pem differ")
    check(certificate.subject.rfc4514_string() in ("C=DE,O=Contoso,CN=helpdesk", "CN=helpdesk,O=Contoso,C=DE"), "subject")
    check(certificate.public_key().key_size == 2048, "key size")
    check((directory / "sha1").read_text() == thumbprint(certificate, hashes.SHA1()), "SHA-1 thumbprint")
    check((directory / "sha256").read_text() == thumbprint(certificate), "SHA-256 thumbprint")
    for name in ("upload-me.cer", "upload-me.pem"):
        check(b"PRIVATE" not in (directory / name).read_bytes(), f"{name} has a private key")
    for name in ("client.pem", "client.pfx"):
        check(stat.S_IMODE((directory / name).stat().st_mode) == 0o600, f"{name} can be read by others")
    check_assertion((directory / "ps256.jwt").read_text(), certificate, "PS256")
    check_assertion((directory / "rs256.jwt").read_text(), certificate, "RS256")

    public = certificate.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    password = ("-passin", f"pass:{PASSPHRASE}")
    pem, pfx = str(directory / "client.pem"), str(directory / "client.pfx")
    check(openssl("pkey", "-in", pem, *password, "-pubout").stdout == public, "openssl reads another key from the PEM")
    check(openssl("pkey", "-in", pem, "-passin", "pass:wrong", ok=False).returncode != 0, "a wrong passphrase opens the PEM")
    check(openssl("pkcs12", "-in", pfx, *password, "-noout").returncode == 0, "openssl does not open the PKCS#12 file")
    key = directory / "from-pfx.pem"
    openssl("pkcs12", "-in", pfx, *password, "-nocerts", "-nodes", "-out", str(key))
    check(openssl("pkey", "-in", str(key), "-pubout").stdout == public, "openssl reads another key from the PKCS#12 file")
    leaf = openssl("pkcs12", "-in", pfx, *password, "-nokeys", "-clcerts").stdout
    check(x509.load_pem_x509_certificate(leaf) == certificate, "the PKCS#12 file has another certificate")
    check(openssl("pkcs12", "-in", pfx, "-passin", "pass:wrong", "-noout", ok=False).returncode != 0, "a wrong password opens the PKCS#12 file")

    secret = PASSPHRASE.encode()
    opened, own, _ = pkcs12.load_key_and_certificates((directory / "client.pfx").read_bytes(), secret)
    check(own == certificate and opened.public_key() == certificate.public_key(), "cryptography: the PKCS#12 file")
    opened = serialization.load_pem_private_key((directory / "client.pem").read_bytes(), secret)
    check(opened.public_key() == certificate.public_key(), "cryptography: the PEM")
    for name in ("client.pem", "client.pfx"):
        check(load(directory / name) == thumbprint(certificate), f"{name} does not come back")


def check_read(directory):
    """What others write, read by entra-auth."""
    path = lambda name: str(directory / name)
    for bits in (2048, 4096):
        openssl("req", "-x509", "-newkey", f"rsa:{bits}", "-nodes", "-keyout", path("key.pem"), "-out", path("cert.pem"), "-days", "30", "-subj", f"/CN=rsa {bits}")
        certificate = x509.load_pem_x509_certificate((directory / "cert.pem").read_bytes())
        expected, both = thumbprint(certificate), (directory / "cert.pem").read_bytes()
        files = {"plain": both + (directory / "key.pem").read_bytes()}
        openssl("rsa", "-in", path("key.pem"), "-traditional", "-out", path("out"))
        files["pkcs1"] = both + (directory / "out").read_bytes()
        pkcs8 = {
            "aes-256": ["-v2", "aes-256-cbc"],
            "aes-128": ["-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA512"],
            "aes-192, SHA-1": ["-v2", "aes-192-cbc", "-v2prf", "hmacWithSHA1"],
            "many rounds": ["-v2", "aes-256-cbc", "-iter", "600000"],
            "3des": ["-v2", "des3"],
            "PBE-SHA1-3DES": ["-v1", "PBE-SHA1-3DES"],
            "scrypt": ["-scrypt"],
        }
        for name, options in pkcs8.items():
            openssl("pkcs8", "-topk8", "-in", path("key.pem"), "-passout", f"pass:{PASSPHRASE}", "-out", path("out"), *options)
            files[f"pkcs8 {name}"] = both + (directory / "out").read_bytes()
        for cipher in ("-aes128", "-aes192", "-aes256", "-des3"):
            openssl("rsa", "-in", path("key.pem"), "-traditional", cipher, "-passout", f"pass:{PASSPHRASE}", "-out", path("out"))
            files[f"traditional {cipher}"] = both + (directory / "out").read_bytes()
        export = {
            "modern": [],
            "legacy": ["-legacy"],
            "3des": ["-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1"],
            "rc2": ["-legacy", "-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-RC2-40", "-macalg", "sha1"],
            "aes-128": ["-keypbe", "aes-128-cbc", "-certpbe", "aes-128-cbc", "-macalg", "sha512"],
            "plain certificates": ["-certpbe", "NONE"],
        }
        for name, options in export.items():
            openssl("pkcs12", "-export", "-inkey", path("key.pem"), "-in", path("cert.pem"), "-passout", f"pass:{PASSPHRASE}", "-out", path("out"), *options)
            files[f"pkcs12 {name}"] = (directory / "out").read_bytes()

        key = serialization.load_pem_private_key((directory / "key.pem").read_bytes(), None)
        best = serialization.BestAvailableEncryption(PASSPHRASE.encode())
        files["cryptography PEM"] = both + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, best)
        files["cryptography PKCS#12"] = pkcs12.serialize_key_and_certificates(b"helpdesk", key, certificate, None, best)

        for name, content in files.items():
            (directory / "file").write_bytes(content)
            found = load(directory / "file")
            check(found == expected, f"{bits} bits, {name}: {found}")
            if name not in ("plain", "pkcs1") and bits == 2048:
                found = load(directory / "file", "wrong")
                check(found.startswith("WrongPassphrase: "), f"{name} with a wrong passphrase: {found}")
                found = load(directory / "file", None)
                check(found.startswith("PassphraseMissing: "), f"{name} without a passphrase: {found}")

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", path("other.pem"), "-out", path("other-cert.pem"), "-days", "30", "-subj", "/CN=other")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", path("ec.pem"), "-out", path("ec-cert.pem"), "-days", "30", "-subj", "/CN=ec")
    rejections = {"KeyMismatch": ["cert.pem", "other.pem"], "NoKey": ["cert.pem"], "NoCertificate": ["other.pem"], "UnsupportedKey": ["ec-cert.pem", "ec.pem"]}
    for kind, parts in rejections.items():
        (directory / "file").write_bytes(b"".join((directory / part).read_bytes() for part in parts))
        found = load(directory / "file")
        check(found.startswith(f"{kind}: "), f"{kind} was expected: {found}")


with tempfile.TemporaryDirectory() as scratch:
    check_made(pathlib.Path(scratch))
with tempfile.TemporaryDirectory() as scratch:
    check_read(pathlib.Path(scratch))
print(f"key material: {checks} checks by openssl, cryptography and PyJWT")

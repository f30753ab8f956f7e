"""Fixtures for pytest: one entra-mock server for the run, and a tenant of its own for each test.

Copy this file into your tests. It needs the program `entra-mock` on the path, or its place in ENTRA_MOCK, and nothing
else than Python's standard library.
"""

import json
import os
import re
import shutil
import ssl
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

import pytest


class Control:
    """The control API of one tenant; GET /_entra-mock/openapi.json lists what it can do."""

    def __init__(self, url, token, context):
        self.url, self._token, self._context = url, token, context

    def __call__(self, method, path, **body):
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=json.dumps(body).encode() if body else None,
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, context=self._context) as response:
                text = response.read()
        except urllib.error.HTTPError as error:
            problem = json.load(error)["error"]
            raise AssertionError(f"{method} {path}: {problem['message']}; fix: {problem['fix']}") from None
        return json.loads(text) if text else None


class Tenant:
    """A tenant: its addresses and credentials as attributes, and its control API."""

    def __init__(self, settings, control):
        self.__dict__.update(settings)
        self.control = control


@pytest.fixture(scope="session")
def entra_server():
    """Starts the server and sets the variables that make clients trust its certificate authority.

    Below `entra-mock run -- pytest` there is a server already.
    """
    if "ENTRA_MOCK_CONTROL_TOKEN" in os.environ:
        yield dict(os.environ)
        return
    program = os.environ.get("ENTRA_MOCK") or shutil.which("entra-mock")
    assert program, "install entra-mock, or set ENTRA_MOCK to the program"
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "tenant.env")
        process = subprocess.Popen(
            [program, "serve", "--port", "0", "--tls", "--env-file", str(file)], stdout=subprocess.PIPE, text=True
        )
        try:
            assert process.stdout.readline().startswith("ready "), "entra-mock did not start"
            settings = dict(re.findall(r"^export (\w+)='(.*)'$", file.read_text(), re.M))
            certificates = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
            before = {name: os.environ.get(name) for name in certificates}
            os.environ.update({name: settings[name] for name in certificates})
            yield settings
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
        finally:
            process.terminate()
            process.wait()


@pytest.fixture
def tenant(entra_server):
    """Makes a tenant for one test and removes it at the end."""
    context = ssl.create_default_context(cafile=entra_server.get("NODE_EXTRA_CA_CERTS"))  # none with plain HTTP
    token = entra_server["ENTRA_MOCK_CONTROL_TOKEN"]
    server = Control(entra_server["ENTRA_MOCK_CONTROL_URL"], token, context)
    settings = server("POST", "/tenants", seed="contoso")
    yield Tenant(settings, Control(settings["control"], token, context))
    server("DELETE", f"/tenants/{settings['id']}")

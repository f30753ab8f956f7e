"""Runs each example with `--tenant env` against a standalone tenant, configured by its environment file alone.

Where an example needs a user, the user's part is done as a browser does it.
Usage: examples_env.py DIRECTORY_OF_PROGRAMS
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import requests

from browser import Browser

PROGRAMS = pathlib.Path(sys.argv[1]).resolve()
USER = os.environ["ENTRA_USER_UPN"]
browser = Browser(USER, os.environ["ENTRA_USER_PASSWORD"])
done = set()


def check(holds, what):
    if not holds:
        sys.exit(what)


def run(name, *options):
    """Runs an example that needs no user; returns its output."""
    with tempfile.TemporaryDirectory() as folder:
        command = [PROGRAMS / name, "--tenant", "env", *options]
        ended = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    check(ended.returncode == 0, f"{name} fails: {ended.stdout}{ended.stderr}")
    done.add(name)
    return ended.stdout


class Running:
    """An example that waits for a user or keeps serving; its output goes to a file."""

    def __init__(self, name, *options):
        self.name, self.log = name, tempfile.NamedTemporaryFile("w+")
        command = [PROGRAMS / name, "--tenant", "env", *options]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)
        done.add(name)

    def text(self):
        return pathlib.Path(self.log.name).read_text()

    def wait_for(self, pattern):
        for _ in range(600):
            found = re.search(pattern, self.text())
            if found:
                return found
            check(self.process.poll() is None, f"{self.name} stops: {self.text()}")
            time.sleep(0.1)
        sys.exit(f"{self.name} does not print {pattern}: {self.text()}")

    def end(self):
        self.process.kill()
        self.process.wait()


def by_device_code(name):
    """An example whose user enters a code; returns its output."""
    example = Running(name)
    prompt = example.wait_for(r"(https?://\S+) .*?\b([A-Z0-9]{8,9})\b")
    browser.device(prompt[1], prompt[2])
    code = example.process.wait(timeout=120)
    check(code == 0, f"{name} fails: {example.text()}")
    return example.text()


check("active" in run("saas_usage", "--json"), "saas_usage --json has no figures")
check("days left" in run("certificate_daemon"), "certificate_daemon did not sign in with its certificate")
check("is accepted" in run("connection_test"), "connection_test does not accept the application of the environment")
check("+ registration" in run("register_app"), "register_app plans no registration")
identity = run("who_am_i")
check(os.environ["AZURE_CLIENT_ID"] in identity, f"who_am_i is not the application of the environment: {identity}")
check(USER in by_device_code("device_login"), "device_login shows another user")
report = by_device_code("delegated_usage")
check("requests to Microsoft Graph" in report, f"delegated_usage has no report: {report}")

api = Running("protected_api")
url = api.wait_for(r"listening at (http://\S+)")[1]
check(requests.get(url + "/tasks", timeout=30).status_code == 401, "protected_api accepts a caller without a token")
form = {
    "grant_type": "client_credentials",
    "client_id": os.environ["AZURE_CLIENT_ID"],
    "client_secret": os.environ["AZURE_CLIENT_SECRET"],
    "scope": os.environ["AZURE_CLIENT_ID"] + "/.default",
}
host = os.environ["AZURE_AUTHORITY_HOST"].rstrip("/")
token = requests.post(f"{host}/{os.environ['AZURE_TENANT_ID']}/oauth2/v2.0/token", data=form, timeout=30).json()["access_token"]
response = requests.get(url + "/tasks", headers={"Authorization": "Bearer " + token}, timeout=30)
check(response.status_code == 403, f"protected_api: a token without a scope gets {response.status_code}, not 403")
api.end()

site = Running("web_sign_in", "--serve")
url = site.wait_for(r"Helpdesk is at (http://\S+?),")[1]
visitor = requests.Session()
start = visitor.get(url + "/auth/sign-in/my-company?return=/desk", allow_redirects=False, timeout=30)
check(start.status_code == 303, f"web_sign_in does not start a sign-in: {start.status_code}")
callback = browser.sign_in(start.headers["location"])
check("code" in callback, f"the tenant returns no code: {callback}")
desk = visitor.get(url + "/auth/callback/my-company", params=callback, timeout=30)
check(desk.url == url + "/desk" and "You may enter" in desk.text, f"web_sign_in ends at {desk.url}: {desk.text}")
site.end()

examples = {path.parent.name for path in pathlib.Path(__file__).parents[2].glob("examples/*/main.rs")}
check(examples == done, f"not run with --tenant env: {sorted(examples - done)}")
print(f"{len(done)} examples work with the environment file alone")

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


def by_device_code(name, *options):
    """An example whose user enters a code; returns its output."""
    example = Running(name, *options)
    prompt = example.wait_for(r"(https?://\S+) .*?\b([A-Z0-9]{8,9})\b")
    browser.device(prompt[1], prompt[2])
    code = example.process.wait(timeout=120)
    check(code == 0, f"{name} fails: {example.text()}")
    return example.text()


check("active" in run("saas_usage", "--json"), "saas_usage --json has no figures")
check("days left" in run("certificate_client"), "certificate_client did not sign in with its certificate")
check("is accepted" in run("connection_test"), "connection_test does not accept the application of the environment")
check("+ registration" in run("register_app"), "register_app plans no registration")
changes = run("directory_sync", "--export")
check('"sequence":1,' in changes and "memberAdded" in changes, f"directory_sync exports no changes: {changes[:300]}")
identity = run("who_am_i")
check(os.environ["AZURE_CLIENT_ID"] in identity, f"who_am_i is not the application of the environment: {identity}")
check(USER in by_device_code("device_login"), "device_login shows another user")
report = by_device_code("saas_usage", "--sign-in", "code", "--html", os.devnull)
check("to Microsoft Graph; the page" in report, f"saas_usage has no report for an administrator: {report}")

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

with tempfile.TemporaryDirectory() as folder:
    written = pathlib.Path(folder) / "product.env"
    step = lambda *options: run("register_app", "--env-file", str(written), "--step", *options)
    step("apply")
    first = written.read_text()
    check("✔ User.Read.All" in step("verify"), "register_app does not verify what it applied")
    rotated = re.search(r"--secret-id (\S+)", step("rotate"))
    check(rotated and written.read_text() != first, "register_app rotates no secret")
    check("is removed" in step("retire", "--secret-id", rotated[1]), "register_app retires no secret")
    check("deleted" in step("destroy"), "register_app destroys no registration")

server = Running("mcp_server")
url = server.wait_for(r"listening at (http://\S+)")[1]
rejected = requests.post(url, json={}, timeout=30)
place = re.search(r'resource_metadata="([^"]+)"', rejected.headers.get("www-authenticate", ""))
check(rejected.status_code == 401 and place, f"mcp_server: {rejected.status_code} {rejected.headers}")
metadata = requests.get(place[1], timeout=30).json()
check(metadata["resource"] == url, f"mcp_server: {metadata}")
found = requests.get(metadata["authorization_servers"][0] + "/.well-known/openid-configuration", timeout=30).json()
check(found["issuer"] == metadata["authorization_servers"][0], f"mcp_server: {found}")
server.end()


def environment_of(text):
    """The variables of an environment file that an example has written."""
    lines = [line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#")]
    return {name: value for name, value in lines}


def set_up(name, *options):
    """Registers an example as the application of the environment; returns the variables of the new registration."""
    with tempfile.TemporaryDirectory() as folder:
        command = [PROGRAMS / name, "--tenant", "env", "--step", "apply", *options]
        for lines in (5, 0):
            ended = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
            check(ended.returncode == 0, f"{name} --step apply fails: {ended.stdout}{ended.stderr}")
            changes = [line for line in ended.stdout.splitlines() if line.startswith("  +")]
            check(len(changes) >= lines and (lines or not changes), f"{name} --step apply changes {changes}")
        written = environment_of((pathlib.Path(folder) / ".env").read_text())
    check({"AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"} <= written.keys(), f"{name}: .env has {list(written)}")
    check(written["AZURE_CLIENT_ID"] != os.environ["AZURE_CLIENT_ID"], f"{name} has no registration of its own")
    return written


def sign_in(url, start, back):
    """Signs the user in at a site; returns the page that the user arrives at."""
    visitor = requests.Session()
    started = visitor.get(url + start, allow_redirects=False, timeout=30)
    check(started.status_code == 303, f"{url}{start} starts no sign-in: {started.status_code}")
    callback = browser.sign_in(started.headers["location"])
    check("code" in callback, f"the tenant returns no code: {callback}")
    if back == "/":
        # The response is posted, with a secure cookie, which browsers send to a loopback address.
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in visitor.cookies)
        headers = {"Origin": url, "Cookie": cookies}
        posted = requests.post(url + back, data=callback, headers=headers, allow_redirects=False, timeout=30)
        check(posted.status_code == 303, f"{url}{back} takes no response: {posted.status_code} {posted.text}")
        visitor.cookies.update(posted.cookies)
        return visitor.get(url + posted.headers["location"], timeout=30)
    return visitor.get(url + back, params=callback, timeout=30)


own = os.environ.copy()

# With a registration of its own, and the one of the environment file.
for registration in (set_up("sso_group_gate", "--url", "http://localhost"), own):
    os.environ.update(registration)
    site = Running("sso_group_gate")
    url = site.wait_for(r"Helpdesk is at (http://\S+?),")[1]
    desk = sign_in(url, "/auth/sign-in?return=/desk", "/auth/callback")
    check(desk.url == url + "/desk" and "You may enter" in desk.text, f"sso_group_gate ends at {desk.url}: {desk.text}")
    site.end()

for registration in (set_up("multi_idp_login", "--redirect-uri", "http://localhost/"), own):
    os.environ.update(registration)
    site = Running("multi_idp_login", "--user", USER)
    url = site.wait_for(r"Contact Center is at (http://\S+?),")[1]
    home = sign_in(url, "/auth/sign-in/my-company?return=/home", "/")
    check(home.url == url + "/home" and "You signed in with" in home.text, f"multi_idp_login ends at {home.url}: {home.text}")
    site.end()

for registration in (set_up("user_lookup", "--portals", "--url", "http://localhost"), own):
    os.environ.update(registration)
    found = run("user_lookup", USER)
    check(f"{USER!r}: 1 user".replace("'", '"') in found, f"user_lookup does not find the user: {found}")
    site = Running("user_lookup", "--portals")
    url = site.wait_for(r"are at (http://\S+)")[1]
    entry = sign_in(url, "/user/auth/sign-in?return=/user", "/user/auth/callback")
    check(entry.url == url + "/user" and USER in entry.text, f"user_lookup ends at {entry.url}: {entry.text}")
    site.end()

examples = {path.parent.name for path in pathlib.Path(__file__).parents[2].glob("examples/*/main.rs")}
check(examples == done, f"not run with --tenant env: {sorted(examples - done)}")
print(f"{len(done)} examples work with the environment file alone")

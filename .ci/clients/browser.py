"""A browser that is just good enough for the sign-in page: forms, hidden fields, a cookie."""

import html
import re
import urllib.parse

import requests


class Browser:
    def __init__(self, user, password):
        self.session = requests.Session()
        self.user, self.password = user, password

    def sign_in(self, url):
        """Follows an authorize URL to the redirect address; gives the response's parameters."""
        response = self.session.get(url, allow_redirects=False, timeout=30)
        for _ in range(6):
            if response.status_code == 302:
                location = urllib.parse.urlparse(response.headers["location"])
                return dict(urllib.parse.parse_qsl(location.query))
            if response.status_code != 200:
                raise SystemExit(f"the page says: {re.sub('<[^>]*>', ' ', response.text)}")
            hidden = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', response.text)
            fields = {html.unescape(name): html.unescape(value) for name, value in hidden}
            action = self._action(url, response.text)
            if urllib.parse.urlparse(action).netloc != urllib.parse.urlparse(url).netloc:
                return fields
            if 'id="passwd"' in response.text:
                fields |= {"passwd": self.password, "step": "password"}
            elif 'id="login"' in response.text:
                fields |= {"login": self.user, "step": "username"}
            else:
                fields |= {"step": "consent"}
            response = self.session.post(action, data=fields, allow_redirects=False, timeout=30)
        raise SystemExit(f"the sign-in came to no end: {response.text}")

    def device(self, url, code, step="password"):
        """Types a device's code."""
        fields = {"otc": code, "login": self.user, "passwd": self.password, "step": step}
        response = self.session.post(url, data=fields, timeout=30)
        if 'role="status"' not in response.text:
            raise SystemExit(f"the code was not taken: {response.text}")

    @staticmethod
    def _action(url, page):
        action = html.unescape(re.search(r'<form[^>]* action="([^"]*)"', page).group(1))
        return urllib.parse.urljoin(url, action)

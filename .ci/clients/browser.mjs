// A browser that is just good enough for the sign-in page: forms, hidden fields, a cookie.
const unescape = (text) =>
  text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&quot;/g, '"').replace(/&#39;/g, "'").replace(/&amp;/g, "&");

export class Browser {
  #cookies = new Map();

  constructor(user, password) {
    this.user = user;
    this.password = password;
  }

  async #fetch(url, init = {}) {
    const cookie = [...this.#cookies].map((pair) => pair.join("=")).join("; ");
    const response = await fetch(url, { ...init, redirect: "manual", headers: { ...init.headers, cookie } });
    for (const set of response.headers.getSetCookie()) {
      const [name, ...value] = set.split(";")[0].split("=");
      this.#cookies.set(name, value.join("="));
    }
    return response;
  }

  #submit(url, fields) {
    return this.#fetch(url, { method: "POST", body: new URLSearchParams(fields) });
  }

  /** Follows an authorize URL to the redirect address; gives the response's parameters. */
  async signIn(url) {
    let response = await this.#fetch(url);
    for (let page = 0; page < 6; page += 1) {
      if (response.status === 302) return Object.fromEntries(new URL(response.headers.get("location")).searchParams);
      const text = await response.text();
      if (response.status !== 200) throw new Error(`the page says: ${text.replace(/<[^>]*>/g, " ")}`);
      const hidden = [...text.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)];
      const fields = Object.fromEntries(hidden.map(([, name, value]) => [unescape(name), unescape(value)]));
      const action = new URL(unescape(/<form[^>]* action="([^"]*)"/.exec(text)[1]), url);
      if (action.host !== new URL(url).host) return fields;
      if (text.includes('id="passwd"')) Object.assign(fields, { passwd: this.password, step: "password" });
      else if (text.includes('id="login"')) Object.assign(fields, { login: this.user, step: "username" });
      else fields.step = "consent";
      response = await this.#submit(action, fields);
    }
    throw new Error("the sign-in came to no end");
  }

  /** Types a device's code. */
  async device(url, code, step = "password") {
    const response = await this.#submit(url, { otc: code, login: this.user, passwd: this.password, step });
    if (!(await response.text()).includes('role="status"')) throw new Error("the code was not taken");
  }
}

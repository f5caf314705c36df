// What was answered and the server has not acknowledged: kept in the browser, each under a name of its own, and sent
// again in order until it is. The server takes the same answer twice as one.
const token = () => JSON.parse(document.body.getAttribute("hx-headers:inherited"))["x-csrftoken"];
const sleep = (ms) => new Promise((done) => { setTimeout(done, ms); });

/* a call of the server's own pages; where it sends to the login, the answer's `type` is opaqueredirect */
export function request(url, { method = "GET", body, keepalive = false } = {}) {
  const headers = { "HX-Request": "true", ...(method === "POST" && { "X-CSRFToken": token() }) };
  const sent = body && new URLSearchParams(body);
  return fetch(url, { method, headers, body: sent, keepalive, redirect: "manual", signal: AbortSignal.timeout(20_000) });
}

/* whether it is to be sent again: nothing was done with it */
export const isLater = ({ type, status }) => type === "opaqueredirect" || status === 403 || status === 408 || status === 429 || status >= 500;

export class Outbox {
  /* tells {taken(told), refused(told), waiting(number, why)} */
  constructor(prefix, tells) {
    this.prefix = prefix;
    this.tells = tells;
    this.why = "";
    this.going = null;
    const names = Object.keys(localStorage).filter((name) => name.startsWith(prefix));
    this.entries = names.map((name) => JSON.parse(localStorage.getItem(name))).sort((a, b) => a.at - b.at);
  }

  get reviews() { return this.entries.map((entry) => entry.review); }
  get doing() { return this.entries.map((entry) => entry.pairs.find(([name]) => name === "do")[1]); }

  /* keep it, and send it after what came before it, and after `behind` */
  put(review, url, pairs, behind) {
    const entry = { review, url, pairs, at: Date.now() };
    this.entries.push(entry);
    try { localStorage.setItem(this.prefix + review, JSON.stringify(entry)); } catch { /* full: kept in this page alone */ }
    if (this.why) this.tell();
    this.behind = behind;
    this.sent();
  }

  /* a promise for when nothing is left to send */
  sent() { return (this.going ??= this.send().finally(() => { this.going = null; })); }

  async send() {
    for (let wait = 250; this.entries.length;) {
      await this.behind;
      if (await this.sendOne(this.entries[0])) { wait = 250; continue; }
      await sleep(wait);
      wait = Math.min(2 * wait, 4_000);
    }
  }

  /* whether it is done with, one way or the other */
  async sendOne(entry) {
    let answer, told;
    try {
      answer = await request(entry.url, { method: "POST", body: entry.pairs });
      if (isLater(answer)) throw answer;
      told = await answer.json().catch(() => ({ text: `An answer could not be taken (${answer.status}).` }));
    } catch (error) {
      this.lost(error);
      return false;
    }
    this.entries.shift();
    localStorage.removeItem(this.prefix + entry.review);
    this.heard();
    if (answer.ok) this.tells.taken(told); else this.tells.refused(told);
    return true;
  }

  heard() { this.why = ""; this.tell(); }
  /* `error`: what was thrown, or an answer that says to try again */
  lost({ type, status }) {
    const why = type === "opaqueredirect" ? "You are logged out: log in on another page." : status === 403 ? "Reload this page to go on." : "No answer from the server.";
    const isNew = why !== this.why;
    this.why = why;
    if (isNew || this.entries.length) this.tell();
  }
  tell() { this.tells.waiting(this.why ? this.entries.length : 0, this.why); }
}

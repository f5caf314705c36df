// What was answered and the server has not acknowledged: kept in the browser, each under a name of its own, and sent
// again in order until it is. The server takes the same answer twice as one.
const token = () => document.cookie.match(/(?:^|; )csrftoken=([^;]*)/)?.[1] ?? ""; // not the page's: a login elsewhere makes a new one
const sleep = (ms) => new Promise((done) => { setTimeout(done, ms); });

/* a call of the server's own pages; where it sends to the login, the answer's `type` is opaqueredirect */
export function request(url, { method = "GET", body, keepalive = false } = {}) {
  const headers = { "HX-Request": "true", ...(method === "POST" && { "X-CSRFToken": token() }) };
  const sent = body && new URLSearchParams(body);
  return fetch(url, { method, headers, body: sent, keepalive, redirect: "manual", signal: AbortSignal.timeout(20_000) });
}

/* why nothing was done with what was sent; `shut` where only other people can change it */
const LOST = { text: "the server does not answer" };
const LOGGED_OUT = { text: "you are logged out", loggedOut: true };
const SHUT = { 403: { text: "you do not review in this queue any more", shut: true }, 404: { text: "this queue is not open to you any more", shut: true } };
const whyOf = ({ type, status }) => (type === "opaqueredirect" || (status === 403 && !token()) ? LOGGED_OUT : SHUT[status] ?? LOST);

/* whether it is to be sent again: 404 is also what a project answers to who is out of its team for a while */
export const isLater = ({ type, status }) => type === "opaqueredirect" || status in SHUT || status === 408 || status === 429 || status >= 500;

export const answersWait = (n) => (n === 1 ? "1 answer waits to be sent" : `${n} answers wait to be sent`);

export class Outbox {
  /* tells {taken(told), refused(told), waiting(number, why)}; why is {text, loggedOut, shut}, or null where all is well */
  constructor(prefix, tells) {
    this.prefix = prefix;
    this.tells = tells;
    this.why = null;
    this.going = null;
    const names = Object.keys(localStorage).filter((name) => name.startsWith(prefix));
    this.entries = names.map((name) => ({ ...JSON.parse(localStorage.getItem(name)), kept: true })).sort((a, b) => a.at - b.at);
  }

  get reviews() { return this.entries.map((entry) => entry.review); }
  get doing() { return this.entries.map((entry) => entry.pairs.find(([name]) => name === "do")[1]); }
  get stuck() { return this.why !== null && this.entries.length > 0; }

  /* keep it, and send it after what came before it, and after `behind` */
  put(review, url, pairs, behind) {
    const entry = { review, url, pairs, at: Date.now() };
    this.entries.push(entry);
    try { localStorage.setItem(this.prefix + review, JSON.stringify(entry)); entry.kept = true; } catch { /* full: kept in this page alone */ }
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
      wait = Math.min(2 * wait, this.why?.shut ? 60_000 : 4_000);
    }
  }

  /* whether it is done with, one way or the other */
  async sendOne(entry) {
    if (entry.kept && localStorage.getItem(this.prefix + entry.review) === null) { this.drop(entry); return true; } // another page sent it
    let answer, told;
    try {
      answer = await request(entry.url, { method: "POST", body: entry.pairs });
      if (isLater(answer)) throw answer;
      told = await answer.json().catch(() => ({ text: `An answer could not be taken (${answer.status}).` }));
    } catch (error) {
      this.lost(error);
      return false;
    }
    this.drop(entry);
    if (answer.ok) this.tells.taken(told); else this.tells.refused(told);
    return true;
  }

  drop(entry) {
    this.entries = this.entries.filter((one) => one !== entry);
    localStorage.removeItem(this.prefix + entry.review);
    this.heard();
  }

  heard() { this.why = null; this.tell(); }
  /* `error`: what was thrown, or an answer that says to try again */
  lost(error) {
    const why = whyOf(error ?? {}), isNew = why !== this.why;
    this.why = why;
    if (isNew || this.entries.length) this.tell();
  }
  tell() { this.tells.waiting(this.why ? this.entries.length : 0, this.why); }
}

// On every page but the desk: answers that a desk could not send are sent from here, and said until they are.
import { answersWait, Outbox } from "./outbox.js";

const NOT_SAID = 800, TOLD = 8_000; // milliseconds: what is sent within them, and how long it is told that it was
const mine = `desk ${document.body.dataset.user} `;
const ofQueues = new Set(Object.keys(localStorage).filter((name) => name.startsWith(mine)).map((name) => name.slice(0, name.lastIndexOf(" ") + 1)));

const place = document.createElement("div"); // beside what else is told
place.className = "unsent";
document.querySelector("#told").append(place);
const note = document.createElement("div"), words = document.createElement("span");
note.className = "toast"; note.role = "status";
note.append(words);
let isClosed = false;

function more(text, { href, does }) {
  const one = document.createElement(href ? "a" : "button");
  one.className = href ? "link" : "btn quiet s";
  one.textContent = text;
  if (href) one.href = href; else { one.type = "button"; one.addEventListener("click", does); }
  note.append(one);
}
function say(n, why) {
  note.replaceChildren(words);
  words.textContent = n ? `${answersWait(n)}: ${why.text}.` : "What waited in this browser was sent.";
  if (why?.loggedOut) more("Log in", { href: location.href });
  if (why?.shut) more("Throw away", { does: () => { boxes.filter((box) => box.why?.shut).forEach((box) => [...box.entries].forEach((entry) => box.drop(entry))); note.remove(); } });
  if (!why?.shut) more("Close", { does: () => { isClosed = true; note.remove(); } });
  if (!note.isConnected && !isClosed) place.append(note);
}

/* what was refused is told until it is opened or closed */
function refused({ text, open }) {
  const told = note.cloneNode(false), span = document.createElement("span");
  span.textContent = text;
  told.append(span);
  if (open) told.append(Object.assign(document.createElement("a"), { className: "link", href: open, textContent: "Open it" }));
  told.append(Object.assign(document.createElement("button"), { className: "btn quiet s", type: "button", textContent: "Close", onclick: () => told.remove() }));
  place.append(told);
}

let wasSaid = false;
const total = () => boxes.reduce((sum, box) => sum + box.entries.length, 0);
const boxes = [...ofQueues].map((prefix) => new Outbox(prefix, {
  taken: (told) => { if (told.text) refused(told); },
  refused,
  waiting: () => {
    const why = boxes.find((box) => box.why)?.why;
    if (total() && why && performance.now() > began + NOT_SAID) { wasSaid = true; say(total(), why); }
    else if (wasSaid && !total()) { say(0); setTimeout(() => note.remove(), TOLD); }
  },
}));
const began = performance.now();
boxes.forEach((box) => box.sent());

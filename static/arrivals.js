// "12 new": asks now and then, while the page is looked at, whether anything came that belongs on top of the table.
const $ = (s, r = document) => r.querySelector(s);
const SECOND = 1000, EVERY = 5 * SECOND, IDLE = 30 * SECOND, LONGEST = 120 * SECOND, QUIET = 300 * SECOND;
let timer = null, wait = EVERY, touched = Date.now();

const address = () => $("#explore")?.dataset.arrivals;
const isIdle = () => Date.now() - touched > QUIET;

function plan(soon) {
  clearTimeout(timer);
  if (!address() || document.hidden || !navigator.onLine) return;
  timer = setTimeout(look, soon ? 0 : isIdle() ? Math.max(wait, IDLE) : wait);
}
async function look() {
  const asked = address();
  try {
    const answer = await fetch(asked, { headers: { "HX-Request": "true" }, credentials: "same-origin" });
    if (answer.redirected || (answer.status >= 400 && answer.status < 500)) return; // logged out, or gone: no more
    if (!answer.ok) throw new Error(answer.status);
    const html = answer.status === 204 ? "" : await answer.text();
    if (asked === address()) show(html);
    wait = EVERY;
  } catch {
    wait = Math.min(wait * 2, LONGEST);
  }
  plan();
}
function show(html) {
  const box = $("#arrivals"), old = $("a", box);
  const pill = new DOMParser().parseFromString(html, "text/html").querySelector("a");
  if (!pill) return box.replaceChildren();
  if (old) return old.replaceChildren(...pill.childNodes); // it is the same one, and may have the focus
  box.append(pill);
  htmx.process(box);
  $("#say").textContent = pill.textContent.split(":")[0]; // once: what is added to it is not said
}

document.addEventListener("htmx:after:swap", (e) => {
  const { target } = e.detail.ctx;
  if (target?.id === "explore" || target === document.body) plan();
});
document.addEventListener("visibilitychange", () => plan(true));
addEventListener("online", () => plan());
["pointermove", "pointerdown", "keydown"].forEach((name) => addEventListener(name, () => {
  const rested = isIdle();
  touched = Date.now();
  if (rested) plan();
}, { passive: true }));
plan();

// The desk: one item at a time, by keys. The next items wait laid out and unseen, so that going on is a matter of
// showing one; what was answered goes to the server behind the reader's back (outbox.js) and is kept until it arrived.
const $ = (s, r = document) => r.querySelector(s);
const $$ = (s, r = document) => [...r.querySelectorAll(s)];
const desk = $("#desk"), floor = $("#main");
const { Outbox, request } = await import(desk.dataset.outbox); // the page knows the name that carries its digest
const AHEAD = "alone" in desk.dataset ? 0 : 2; // items that wait
const STALE = 240_000, HOLD_EVERY = 120_000; // an item is locked for five minutes
const TYPING = "input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]";
const keyOf = JSON.parse(desk.dataset.keys);
const actionOf = Object.fromEntries(Object.entries(keyOf).map(([action, key]) => [key === "Space" ? " " : key, action]));
const ALSO = { ArrowLeft: "previous", ArrowRight: "next", k: "previous", j: "next", ArrowUp: "up", ArrowDown: "down", PageUp: "pageup", PageDown: "pagedown" };
const lettersWork = () => desk.dataset.letters !== "off" && localStorage.getItem("letters") !== "off";
const sleep = (ms) => new Promise((done) => { setTimeout(done, ms); });
const say = (text) => { $("#say").textContent = text; };
const isOver = (item) => item.classList.contains("finished");

/* one below the other; what leads to an item stays until it is opened or closed */
function toast(text, link) {
  const box = document.createElement("div"), span = document.createElement("span");
  box.className = "toast error"; box.role = "alert";
  span.textContent = text;
  box.append(span);
  $("#toasts").append(box);
  if (!link) { setTimeout(() => box.remove(), 12_000); return; }
  const a = document.createElement("a"), close = document.createElement("button");
  a.className = "link"; a.href = link; a.textContent = "Open it"; a.dataset.open = "";
  close.className = "btn quiet s"; close.type = "button"; close.textContent = "Close"; close.dataset.dismiss = "";
  box.append(a, close);
}
$("#toasts").addEventListener("click", (e) => {
  const link = e.target.closest("[data-open]");
  if (!link || e.ctrlKey || e.metaKey || e.shiftKey) return;
  e.preventDefault(); // the page stays, and with it what else is told
  leave(async () => { if (await fetchBack(link.href, {}, "")) link.closest(".toast").remove(); });
});

/* -- what is shown, and what waits ------------------------------------------------------------- */
let current = $(".item", floor);
let ahead = [];
let at = 0; // the marked question
let since = 0; // when the key was pressed that the reader waits on
let noMore = false; // the server has nothing further
let busy = false;

const questions = () => $$(".q", current).sort((a, b) => a.dataset.n - b.dataset.n);
const isReady = () => current && !busy && current.seenAt;
const known = () => [current, ...ahead].filter((item) => item && !isOver(item)).map((item) => item.dataset.review).concat(box.reviews);

function show(item) {
  current = item;
  delete item.dataset.ahead;
  item.seenAt = 0;
  desk.classList.remove("loading");
  desk.classList.toggle("over", isOver(item));
  const second = $("[data-second]", desk), guide = $(".guide", item);
  if (second) second.hidden = !item.dataset.second;
  if (guide) guide.open = localStorage.getItem("desk guide") !== "folded";
  window.scrollTo(0, 0);
  at = 0;
  questions().forEach((q, n) => q.classList.toggle("active", n === 0));
  rest();
  progress();
  const from = since || performance.now();
  requestAnimationFrame(() => {
    const painted = new MessageChannel();
    painted.port1.onmessage = () => { // this frame is on the screen now
      item.seenAt = performance.now();
      performance.measure("desk:next", { start: from, end: item.seenAt });
    };
    painted.port2.postMessage(0);
  });
  since = 0;
  fromHere(item);
  if (isOver(item) && item.without) lookAgain(item);
}

/* the focus lies where the keys are heard, and nothing is typed by accident */
function rest() {
  const marked = questions()[at] ?? $("h2, .btn", current) ?? floor;
  (lettersWork() || !marked.matches(".q") ? marked : fieldOf(marked)).focus({ preventScroll: true });
}

function goOn(item = ahead.shift()) {
  clearTimeout(draftTimer);
  draftTimer = 0;
  current?.remove();
  current = null;
  if (item && performance.now() - item.cameAt > STALE && !isOver(item)) { // its lock may be lost
    [item, ...ahead].forEach((one) => one.remove());
    ahead = [];
    noMore = false;
    item = null;
  }
  if (item) show(item); else desk.classList.add("loading");
  fill();
}

async function itemFrom(url, options) {
  const answer = await request(url, options);
  if (answer.status === 204) return null;
  if (answer.status === 409) throw Object.assign(new Error("409"), await answer.json());
  if (answer.type === "opaqueredirect") throw new Error("login");
  if (!answer.ok) throw new Error(answer.status);
  const holder = document.createElement("template");
  holder.innerHTML = await answer.text();
  const item = holder.content.querySelector(".item");
  item.cameAt = performance.now();
  item.dataset.ahead = "";
  $$("img", item).forEach((image) => { image.loading = "eager"; });
  return item;
}

/* keep as many waiting as there may be */
let filling = null;
const fill = () => { filling ??= fillUp().finally(() => { filling = null; }); };
async function fillUp() {
  let wait = 250;
  while ((ahead.length < AHEAD || !current) && !noMore) {
    if (!AHEAD) await box.sent();
    const without = known(), address = desk.dataset.next;
    try {
      const item = await itemFrom(`${address}${address.includes("?") ? "&" : "?"}besides=${without.join(",")}`);
      box.heard();
      if (!item || known().includes(item.dataset.review)) { await sleep(wait); continue; } // it came another way meanwhile
      noMore = isOver(item);
      item.without = without.length > 0;
      floor.append(item);
      if (current) ahead.push(item); else show(item);
      wait = 250;
    } catch (error) {
      box.lost(error);
      await sleep(wait);
      wait = Math.min(2 * wait, 4_000);
    }
  }
}

/* at the end, once all is sent: others may have left something meanwhile */
async function lookAgain(card) {
  await box.sent();
  const item = await itemFrom(desk.dataset.next).catch(() => null);
  if (!item || current !== card) return;
  noMore = isOver(item);
  card.remove();
  floor.append(item);
  show(item);
  fill();
}

/* -- answering --------------------------------------------------------------------------------- */
const box = new Outbox(`desk ${desk.dataset.of} `, {
  taken: (told) => { progress(told.progress); if (told.text) toast(told.text); },
  refused: (told) => toast(told.text, told.open),
  waiting: (n, why) => {
    const place = $("[data-unsent]", desk);
    place.hidden = !n && !why;
    place.textContent = n ? `${n === 1 ? "1 answer waits" : `${n} answers wait`} to be sent` : why;
    if (why) say(`${why} ${n ? "What you answered is kept here and sent again." : ""}`);
  },
});

function formData(item) {
  const pairs = [...new FormData($("form.panel", item))].filter(([name, value]) => name !== "csrfmiddlewaretoken" && typeof value === "string");
  return [...pairs, ["seconds", ((performance.now() - item.seenAt - (item.away ?? 0)) / 1000).toFixed(2)]];
}

function isAnswered(q) {
  const field = fieldOf(q);
  if (field.matches("[type=radio], [type=checkbox]")) return $("input:checked", q) !== null;
  return field.value.trim() !== "";
}

function firstFault() {
  return questions().findIndex((q) => !fieldOf(q).validity.valid || ("required" in q.dataset && !isAnswered(q)));
}

function finish(what, event) {
  if (!isReady() || isOver(current)) return false;
  if (what !== "submit" && isChanged()) return leave(() => finish(what, event));
  const fault = what === "submit" ? firstFault() : -1;
  $$(".fault", current).forEach((one) => { one.hidden = true; });
  if (fault >= 0) {
    mark(fault);
    const told = $(".fault", questions()[fault]);
    told.usual ??= told.textContent;
    told.textContent = fieldOf(questions()[fault]).validationMessage || told.usual; // of a number that is none here
    told.hidden = false;
    say("This question needs an answer first.");
    return false;
  }
  if (what !== "later") counts[what === "skip" ? "skipped" : "done"] += current.dataset.again ? 0 : 1;
  since = event?.timeStamp ?? performance.now();
  box.put(current.dataset.review, current.dataset.answer, [...formData(current), ["do", what]], drafting);
  sessionStorage.removeItem(placeOf(current));
  goOn();
  flash(what);
  return true;
}

/* an answer that is in and was changed: going elsewhere asks whether to send it, so that it is neither lost nor said unawares */
const asking = $("#changed");
let onward = null; // {goes: where she was going, sent: what follows where the change is sent}
const differs = (field) => (field.matches("[type=radio], [type=checkbox]") ? field.checked !== field.defaultChecked : "defaultValue" in field && field.value !== field.defaultValue);
const isTyped = () => [...$("form.panel", current).elements].some(differs);
const isChanged = () => current?.dataset.again === "submitted" && isTyped();
function leave(goes, sent = () => {}) {
  if (!isChanged()) return goes();
  onward = { goes, sent };
  asking.returnValue = "";
  asking.showModal();
  return false;
}
asking.addEventListener("close", () => {
  if (asking.returnValue === "send" && finish("submit")) onward.sent();
  if (asking.returnValue === "drop") { $("form.panel", current).reset(); onward.goes(); }
});

/* a draft follows each change, so that nothing of an item that is left half done is lost; until the server took it,
   the tab keeps it, through a reload and a login too */
let draftTimer = 0, drafting = Promise.resolve(), unkept = null; // the item whose draft the server did not take
const placeOf = (item) => `desk draft ${desk.dataset.of} ${item.dataset.review}`;
function keepHere(item) {
  try { sessionStorage.setItem(placeOf(item), JSON.stringify(formData(item))); } catch { /* full: kept in this page alone */ }
}
function fromHere(item) {
  const kept = JSON.parse(sessionStorage.getItem(placeOf(item)) ?? "null");
  if (!kept || isOver(item) || item.dataset.again === "submitted") return;
  for (const field of $("form.panel", item).elements) {
    const values = kept.filter(([name]) => name === field.name).map(([, value]) => value);
    if (field.matches("[type=radio], [type=checkbox]")) field.checked = values.includes(field.value);
    else if (field.matches("textarea, input:not([type=hidden])") && values.length) [field.value] = values;
  }
  draftTimer = setTimeout(saveDraft, 600);
}
function saveDraft(keepalive = false) {
  clearTimeout(draftTimer);
  draftTimer = 0;
  if (current && !isOver(current) && current.dataset.again !== "submitted") drafting = sendDraft(current, keepalive);
}
async function sendDraft(item, keepalive) {
  try {
    const answer = await request(item.dataset.draft, { method: "POST", body: formData(item), keepalive });
    if (answer.type === "opaqueredirect") throw new Error("login");
    if (answer.status === 403 || answer.status === 408 || answer.status === 429 || answer.status >= 500) throw new Error(answer.status);
    if (!answer.ok) toast(answer.status === 409 ? (await answer.json()).text : `A draft could not be kept (${answer.status}).`);
    unkept = null;
    sessionStorage.removeItem(placeOf(item));
    box.heard();
  } catch (error) {
    box.lost(error);
    if (item !== current) return; // it went on its way with what was answered
    unkept = item;
    keepHere(item);
    draftTimer ||= setTimeout(saveDraft, 2_000);
  }
}
floor.addEventListener("input", (e) => {
  if (e.target.closest(".item") !== current) return;
  clearTimeout(draftTimer);
  draftTimer = setTimeout(saveDraft, 600);
});
addEventListener("pagehide", () => {
  if (!draftTimer) return;
  if (current.dataset.again !== "submitted") keepHere(current);
  saveDraft(true);
});
addEventListener("beforeunload", (e) => { if ((unkept && unkept === current) || isChanged()) e.preventDefault(); });

/* an item in front of the one that is shown: what is undone, the one before, or one that was refused; whether it came */
async function fetchBack(url, options, nothing) {
  if (busy || !url) return false;
  busy = true;
  try {
    if (draftTimer) saveDraft();
    await Promise.race([Promise.all([box.sent(), drafting]), sleep(3_000).then(() => { throw new Error("slow"); })]);
    if (draftTimer) throw new Error("draft"); // it was not kept
    const item = await itemFrom(url, options);
    if (item) putBefore(item); else say(nothing);
    return item !== null;
  } catch (error) {
    toast(error.text ?? "No answer from the server: nothing was changed. Try again when it is back.");
    return false;
  } finally {
    busy = false;
  }
}
function putBefore(item) {
  const rest = [current, ...ahead].filter((one) => one && !isOver(one) && one.dataset.review !== item.dataset.review);
  [current, ...ahead].forEach((one) => { if (!rest.includes(one)) one?.remove(); });
  rest.splice(AHEAD + 1).forEach((one) => one.remove());
  rest.forEach((one) => { one.dataset.ahead = ""; });
  ahead = rest;
  noMore = false;
  floor.prepend(item);
  show(item);
  if ("done" in item.dataset) progress(item.dataset);
}

/* -- the marked question ----------------------------------------------------------------------- */
const fieldOf = (q) => $("input:checked", q) ?? $("input, textarea", q);
function mark(n, focus = true) {
  const all = questions();
  if (!all.length) return;
  at = Math.max(0, Math.min(n, all.length - 1));
  all.forEach((q, i) => q.classList.toggle("active", i === at));
  all[at].scrollIntoView({ block: "nearest" });
  if (focus) rest();
}
floor.addEventListener("focusin", (e) => {
  const q = e.target.closest(".q");
  const n = q && current?.contains(q) ? questions().indexOf(q) : at;
  if (n !== at) mark(n, false);
});

function choose(q, input, event) {
  flash(input.closest(".key"));
  if (input.checked && input.type === "radio" && empties(q, input)) return;
  input.checked = input.type === "radio" || !input.checked;
  input.dispatchEvent(new Event("input", { bubbles: true }));
  if (input.type === "radio") chosen(q, event);
}
/* the chosen one chosen again is none, where no answer is required */
function empties(q, input) {
  if ("required" in q.dataset) return false;
  input.checked = false;
  input.dispatchEvent(new Event("input", { bubbles: true }));
  say("No answer is chosen");
  return true;
}
function chosen(q, event) {
  if ("auto" in current.dataset) finish("submit", event);
  else mark(questions().indexOf(q) + 1);
}
let held; // what was chosen already when the pointer went down: after that the browser chooses it
floor.addEventListener("pointerdown", (e) => { held = e.target.closest(".key")?.querySelector("[type=radio]:checked"); });
floor.addEventListener("keyup", (e) => {
  if (e.key === " " && e.target.matches("[type=radio]:checked") && isReady() && empties(e.target.closest(".q"), e.target)) e.preventDefault();
});
floor.addEventListener("click", (e) => {
  const radio = e.target.closest(".q input[type=radio]");
  if (!radio || !e.detail || !isReady()) return; // by hand alone; arrows among the options choose too
  if (radio !== held || !empties(radio.closest(".q"), radio)) chosen(radio.closest(".q"), e);
});

function flash(what) {
  const button = typeof what === "string" ? $(`[data-act="${what}"]`, current ?? desk) ?? $(`[data-act="${what}"]`, desk) : what;
  button?.classList.add("flash");
  setTimeout(() => button?.classList.remove("flash"), 180);
}

/* -- keys -------------------------------------------------------------------------------------- */
const ACTS = {
  submit: (e) => finish("submit", e),
  skip: (e) => finish("skip", e),
  later: (e) => finish("later", e),
  undo: () => leave(() => fetchBack(desk.dataset.undo, { method: "POST", body: [] }, "There is nothing left to undo.")),
  previous: () => leave(() => fetchBack(current?.dataset.before, {}, "There is none before this one.")),
  next: (e) => {
    if (!current?.dataset.again || busy) say("Answer, skip or put this one off to go on.");
    else if (current.dataset.again === "skipped" && (draftTimer || isTyped())) finish("skip", e); // with what she typed
    else leave(goOn);
  },
  comment: () => $("[data-act=comment]", current)?.focus(),
  lead: () => { const input = $("[data-act=lead] input", current); if (input) { input.checked = !input.checked; input.dispatchEvent(new Event("input", { bubbles: true })); say(input.checked ? "A lead is asked" : "No lead is asked"); } },
  guide: () => { const guide = $(".guide", current); if (guide) { guide.open = !guide.open; rememberGuide(guide.open); } },
  diff: () => showDiff(!desk.classList.contains("diffing")),
  up: () => mark(at - 1),
  down: () => mark(at + 1),
  pageup: () => $(".talk", current)?.scrollBy({ top: -0.85 * $(".talk", current).clientHeight }),
  pagedown: () => $(".talk", current)?.scrollBy({ top: 0.85 * $(".talk", current).clientHeight }),
};
for (const side of ["a", "b", "tie", "both_bad"]) {
  ACTS[side] = (e) => { const input = $(`.verdicts input[value="${side}"]`, current); if (input) choose(input.closest(".q"), input, e); };
}

/* the action of a key, or null where it means something else to what has the focus */
function actionFor(e) {
  const { target, key } = e, typing = target.closest?.(TYPING);
  if (e.ctrlKey || e.metaKey) return key === "Enter" ? "submit" : key.toLowerCase() === "z" && !typing && !e.shiftKey ? "undo" : null;
  if (e.altKey || typing) return null;
  if (target.closest?.("button, a, summary, .btn input") && (key === "Enter" || key === " ")) return null;
  if (key.startsWith("Arrow") && target.matches?.("[type=radio], .talk, pre")) return null;
  if (key.startsWith("Page") && target.matches?.(".talk, pre")) return null;
  if (key.length === 1 && !lettersWork()) return null;
  if (/^[0-9]$/.test(key)) return "digit";
  const action = actionOf[key] ?? ALSO[key];
  return action && (action !== "diff" || "pair" in desk.dataset) ? action : null;
}
addEventListener("keydown", (e) => {
  if ($("dialog[open], [popover]:popover-open")) return;
  if (e.key === "Tab" && !e.ctrlKey && !e.altKey && !e.metaKey) return tab(e);
  if (e.key === "Escape" && e.target.closest?.(".item") && e.target.closest(TYPING)) { e.preventDefault(); e.stopPropagation(); return rest(); }
  const action = actionFor(e);
  if (!action) return;
  e.preventDefault();
  e.stopPropagation();
  // a key that is held, or was pressed before the item was on the screen, says nothing about it
  if (e.repeat || !isReady() || e.timeStamp < current.seenAt) return;
  if (action === "digit") return digit(e);
  flash(action);
  ACTS[action](e);
}, true);

function digit(e) {
  const q = questions()[at], input = q && $(`input[data-digit="${e.key}"]`, q);
  if (input) choose(q, input, e);
}
function tab(e) {
  const all = questions(), q = e.target.closest?.(".q");
  if (!current?.contains(e.target) && e.target !== document.body && e.target !== floor) return;
  if (!all.length || (!q && e.target !== document.body && e.target !== floor)) return;
  const inside = e.target === q && (!lettersWork() || fieldOf(q).matches("textarea, [type=number]"));
  const to = inside ? all.indexOf(q) : (q ? all.indexOf(q) : at) + (e.shiftKey ? -1 : 1);
  if (to < 0 || to >= all.length) return;
  e.preventDefault();
  mark(to, false);
  fieldOf(all[to]).focus({ preventScroll: true });
}

/* -- buttons do what their keys do ---------------------------------------------------------------- */
floor.addEventListener("submit", (e) => {
  e.preventDefault();
  if (e.target.matches("form.panel")) finish(e.submitter?.value || "submit", e);
  else if (e.target.matches("[data-undo]")) ACTS.undo();
});
desk.addEventListener("click", (e) => {
  const diff = e.target.closest("[data-diff]");
  if (diff) { e.preventDefault(); showDiff(diff.dataset.diff === "on"); }
  const before = e.target.closest("[data-previous]");
  if (before) { e.preventDefault(); ACTS.previous(); }
  const away = e.target.closest("[data-away]"), go = () => location.assign(away.href);
  if (away && isChanged() && !e.ctrlKey && !e.metaKey && !e.shiftKey) { e.preventDefault(); leave(go, () => Promise.race([box.sent(), sleep(3_000)]).then(go)); }
});
function showDiff(on) {
  desk.classList.toggle("diffing", on);
  $$("[data-diff]", desk).forEach((one) => one.setAttribute("aria-current", String((one.dataset.diff === "on") === on)));
  localStorage.setItem("desk diff", on ? "on" : "off");
}
const rememberGuide = (open) => localStorage.setItem("desk guide", open ? "open" : "folded");
floor.addEventListener("click", (e) => { // not by toggle, which also tells of those that arrive
  const guide = e.target.closest(".guide > summary")?.parentElement;
  if (guide) rememberGuide(!guide.open);
});

/* -- how far it is ------------------------------------------------------------------------------- */
const counts = { done: +desk.dataset.done, skipped: +desk.dataset.skipped, total: +desk.dataset.total };
function progress(told) {
  if (told) {
    const going = box.doing;
    counts.done = +told.done + going.filter((what) => what === "submit").length;
    counts.skipped = +told.skipped + going.filter((what) => what === "skip").length;
    counts.total = +told.total;
    if (told.pace !== undefined) $("[data-pace]", desk).textContent = told.pace;
  }
  const track = $(".track", desk), [done, skipped] = $$("rect", track);
  track.setAttribute("viewBox", `0 0 ${counts.total || 1} 6`);
  track.setAttribute("aria-label", `${counts.done} of ${counts.total} done, ${counts.skipped} skipped`);
  done.setAttribute("width", counts.done);
  skipped.setAttribute("x", counts.done);
  skipped.setAttribute("width", counts.skipped);
  const place = Math.min(counts.total, counts.done + counts.skipped + (current && isOver(current) ? 0 : 1));
  $("[data-at]", desk).textContent = place.toLocaleString("en");
  $("[data-total]", desk).textContent = counts.total.toLocaleString("en");
}

/* who reads for long keeps the item that she reads, with the questions that she was given */
let activeAt = 0;
for (const sign of ["keydown", "pointermove", "scroll"]) addEventListener(sign, () => { activeAt = performance.now(); }, { capture: true, passive: true });
setInterval(() => {
  if (!current || isOver(current) || current.dataset.again || document.hidden || performance.now() - activeAt > HOLD_EVERY) return;
  request(current.dataset.hold, { method: "POST" }).catch(() => {});
}, HOLD_EVERY);

let hiddenAt = 0;
document.addEventListener("visibilitychange", () => {
  if (document.hidden) hiddenAt = performance.now();
  else if (hiddenAt && current) current.away = (current.away ?? 0) + performance.now() - hiddenAt;
});
addEventListener("pageshow", (e) => { if (e.persisted) location.reload(); });

/* -- begin ------------------------------------------------------------------------------------- */
if ("pair" in desk.dataset) showDiff(desk.classList.contains("diffing") || localStorage.getItem("desk diff") === "on");
current.cameAt = performance.now();
if (box.reviews.includes(current.dataset.review)) goOn(undefined); // answered before, and on its way
else { show(current); noMore = isOver(current); fill(); }
box.sent();

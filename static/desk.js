// The desk: one item at a time, by keys. The next items wait laid out and unseen, so that going on is a matter of
// showing one; what was answered goes to the server behind the reader's back (outbox.js) and is kept until it arrived.
import { drafts, fromHere, saveDraft } from "./desk_drafts.js";
import { $, $$, counts, desk, flash, floor, foldGuide, isOver, now, progress, say, showDiff, showGuide, sleep, toast } from "./desk_frame.js";
import { actionFor, TYPING } from "./desk_keys.js";
import { choose, digit, filledIn, hideFaults, isChanged, isComplete, isReady, isTyped, markFirst, markNext, rest, tab, unchange, whenAnswered } from "./desk_questions.js";
import { toCompletion, toPlace, toQuestions, toTop, turn } from "./desk_reading.js";
import { answersWait, Outbox, request } from "./outbox.js";

const AHEAD = "alone" in desk.dataset ? 0 : 2; // items that wait
const STALE = 240_000, HOLD_EVERY = 120_000; // an item is locked for five minutes

/* -- what is shown, and what waits ------------------------------------------------------------- */
let ahead = [];
let since = 0; // when the key was pressed that the reader waits on
let noMore = false; // the server has nothing further

const known = () => [now.item, ...ahead].filter((item) => item && !isOver(item)).map((item) => item.dataset.review).concat(box.reviews);

function show(item) {
  now.item = item;
  delete item.dataset.ahead;
  item.seenAt = 0;
  desk.classList.remove("loading");
  desk.classList.toggle("over", isOver(item));
  const second = $("[data-second]", desk);
  if (second) second.hidden = !item.dataset.second;
  showGuide(item);
  toPlace(item);
  markFirst();
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

function goOn(item = ahead.shift()) {
  drafts.stop();
  now.item?.remove();
  now.item = null;
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
  if (answer.status === 409) throw Object.assign(new Error("409"), { told: (await answer.json()).text });
  if (!answer.ok) throw answer;
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
  while ((ahead.length < AHEAD || !now.item) && !noMore) {
    if (!AHEAD) await box.sent();
    const without = known(), address = desk.dataset.next;
    try {
      const item = await itemFrom(`${address}${address.includes("?") ? "&" : "?"}besides=${without.join(",")}`);
      box.heard();
      if (!item || known().includes(item.dataset.review)) { await sleep(wait); continue; } // it came another way meanwhile
      noMore = isOver(item);
      item.without = without.length > 0;
      floor.append(item);
      if (now.item) ahead.push(item); else show(item);
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
  if (!item || now.item !== card) return;
  noMore = isOver(item);
  card.remove();
  floor.append(item);
  show(item);
  fill();
}

/* an item in front of the one that is shown: what is undone, the one before, or one that was refused; whether it came */
async function fetchBack(url, options, nothing) {
  if (now.busy || !url) return false;
  now.busy = true;
  try {
    if (drafts.wait) saveDraft();
    await Promise.race([Promise.all([box.sent(), drafts.going]), sleep(3_000).then(() => { throw new Error("slow"); })]);
    if (drafts.wait) throw new Error("draft"); // it was not kept
    const item = await itemFrom(url, options);
    if (item) putBefore(item); else say(nothing);
    return item !== null;
  } catch (error) {
    toast(error.told ?? "No answer from the server: nothing was changed. Try again when it is back.");
    return false;
  } finally {
    now.busy = false;
  }
}
function putBefore(item) {
  const left = [now.item, ...ahead].filter((one) => one && !isOver(one) && one.dataset.review !== item.dataset.review);
  [now.item, ...ahead].forEach((one) => { if (!left.includes(one)) one?.remove(); });
  left.splice(AHEAD + 1).forEach((one) => one.remove());
  left.forEach((one) => { one.dataset.ahead = ""; });
  ahead = left;
  noMore = false;
  floor.prepend(item);
  show(item);
  if ("done" in item.dataset) progress(item.dataset, box.doing);
}

/* -- answering --------------------------------------------------------------------------------- */
const box = new Outbox(`desk ${desk.dataset.of} `, {
  taken: (told) => { progress(told.progress, box.doing); if (told.text) toast(told.text); },
  refused: (told) => toast(told.text, told.open),
  waiting: (n, why) => {
    const place = $("[data-unsent]", desk), login = $("[data-login]", place);
    place.hidden = !why;
    if (!why) return;
    const text = n ? `${answersWait(n)}: ${why.text}` : `${why.text[0].toUpperCase()}${why.text.slice(1)}`;
    $("span", place).textContent = text;
    login.hidden = !why.loggedOut;
    say(`${text}. ${n ? "What you answered is kept here and sent again." : ""}`);
  },
});
drafts.tellTo(box);

function finish(what, event) {
  if (!isReady() || isOver(now.item)) return false;
  if (what !== "submit" && isChanged()) return leave(() => finish(what, event));
  if (what === "submit" && !isComplete()) return false;
  hideFaults();
  if (what !== "later") counts[what === "skip" ? "skipped" : "done"] += now.item.dataset.again ? 0 : 1;
  since = event?.timeStamp ?? performance.now();
  box.put(now.item.dataset.review, now.item.dataset.answer, [...filledIn(now.item), ["do", what]], drafts.going);
  drafts.forget(now.item);
  goOn();
  flash(what);
  return true;
}
whenAnswered((event) => finish("submit", event));

/* an answer that is in and was changed: going elsewhere asks whether to send it, so that it is neither lost nor said unawares */
const asking = $("#changed");
let onward = null; // {goes: where she was going, sent: what follows where the change is sent}
function leave(goes, sent = () => {}) {
  if (!isChanged()) return goes();
  onward = { goes, sent };
  asking.returnValue = "";
  asking.showModal();
  return false;
}
asking.addEventListener("close", () => {
  if (asking.returnValue === "send" && finish("submit")) onward.sent();
  if (asking.returnValue === "drop") { unchange(); onward.goes(); }
});
addEventListener("beforeunload", (e) => { if (drafts.unkept || box.stuck || isChanged()) e.preventDefault(); });
$("#toasts").addEventListener("click", (e) => {
  const link = e.target.closest("[data-open]");
  if (!link || e.ctrlKey || e.metaKey || e.shiftKey) return;
  e.preventDefault(); // the page stays, and with it what else is told
  leave(async () => { if (await fetchBack(link.href, {}, "")) link.closest(".toast").remove(); });
});

/* -- keys, and buttons that do what they do -------------------------------------------------------- */
const ACTS = {
  digit,
  submit: (e) => finish("submit", e),
  skip: (e) => finish("skip", e),
  later: (e) => finish("later", e),
  undo: () => leave(() => fetchBack(desk.dataset.undo, { method: "POST", body: [] }, "There is nothing left to undo.")),
  previous: () => leave(() => fetchBack(now.item?.dataset.before, {}, "There is none before this one.")),
  next: (e) => {
    if (!now.item?.dataset.again || now.busy) say("Answer, skip or put this one off to go on.");
    else if (now.item.dataset.again === "skipped" && (drafts.wait || isTyped())) finish("skip", e); // with what she typed
    else leave(goOn);
  },
  comment: () => $("[data-act=comment]", now.item)?.focus(),
  lead: () => { const input = $("[data-act=lead] input", now.item); if (input) { input.checked = !input.checked; input.dispatchEvent(new Event("input", { bubbles: true })); say(input.checked ? "A lead is asked" : "No lead is asked"); } },
  guide: foldGuide,
  diff: () => showDiff(!desk.classList.contains("diffing")),
  up: () => markNext(-1),
  down: () => markNext(1),
  pageup: () => turn(-1),
  pagedown: () => turn(1),
  top: toTop,
  completion: toCompletion,
};
for (const side of ["a", "b", "tie", "both_bad"]) {
  ACTS[side] = (e) => { const input = $(`.verdicts input[value="${side}"]`, now.item); if (input) choose(input.closest(".q"), input, e); };
}
addEventListener("keydown", (e) => {
  if (e.isComposing || e.keyCode === 229 || $("dialog[open], [popover]:popover-open")) return; // an input method's own key says nothing here
  if (e.key === "Tab" && !e.ctrlKey && !e.altKey && !e.metaKey) return tab(e);
  if (e.key === "Escape" && e.target.closest?.(".item") && e.target.closest(TYPING)) { e.preventDefault(); e.stopPropagation(); return rest(); }
  const action = actionFor(e);
  if (!action) return;
  e.preventDefault();
  e.stopPropagation();
  // a key that is held, or was pressed before the item was on the screen, says nothing about it
  if (e.repeat || !isReady() || e.timeStamp < now.item.seenAt) return;
  if (action !== "digit") flash(action);
  ACTS[action](e);
}, true);
floor.addEventListener("submit", (e) => {
  e.preventDefault();
  if (e.target.matches("form.panel")) finish(e.submitter?.value || "submit", e);
  else if (e.target.matches("[data-undo]")) ACTS.undo();
});
desk.addEventListener("click", (e) => {
  const before = e.target.closest("[data-previous]"), to = e.target.closest("[data-to]");
  if (before) { e.preventDefault(); ACTS.previous(); }
  if (to) { e.preventDefault(); if (to.dataset.to === "questions") toQuestions(); else toCompletion(); }
  const away = e.target.closest("[data-away]"), go = () => location.assign(away.href);
  if (away && isChanged() && !e.ctrlKey && !e.metaKey && !e.shiftKey) { e.preventDefault(); leave(go, () => Promise.race([box.sent(), sleep(3_000)]).then(go)); }
});

/* who reads for long keeps the item that she reads, with the questions that she was given */
let activeAt = 0;
for (const sign of ["keydown", "pointermove", "scroll"]) addEventListener(sign, () => { activeAt = performance.now(); }, { capture: true, passive: true });
setInterval(() => {
  const item = now.item;
  if (!item || isOver(item) || item.dataset.again || document.hidden || performance.now() - activeAt > HOLD_EVERY) return;
  request(item.dataset.hold, { method: "POST" }).catch(() => {});
}, HOLD_EVERY);

let hiddenAt = 0;
document.addEventListener("visibilitychange", () => {
  if (document.hidden) hiddenAt = performance.now();
  else if (hiddenAt && now.item) now.item.away = (now.item.away ?? 0) + performance.now() - hiddenAt;
});
addEventListener("pageshow", (e) => { if (e.persisted) location.reload(); });

/* -- begin ------------------------------------------------------------------------------------- */
now.item.cameAt = performance.now();
if (box.reviews.includes(now.item.dataset.review)) goOn(undefined); // answered before, and on its way
else { show(now.item); noMore = isOver(now.item); fill(); }
box.sent();

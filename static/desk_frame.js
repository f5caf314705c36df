// What stands around the item at the desk: what is told, how far it is, how the two sides of a pair are shown.
export const $ = (s, r = document) => r.querySelector(s);
export const $$ = (s, r = document) => [...r.querySelectorAll(s)];
export const desk = $("#desk"), floor = $("#main");
export const sleep = (ms) => new Promise((done) => { setTimeout(done, ms); });
export const say = (text) => { $("#say").textContent = text; };
export const isOver = (item) => item.classList.contains("finished");
/* the item on the screen, and whether the server is asked for another that comes before it */
export const now = { item: $(".item", floor), busy: false };

/* one below the other; what leads to an item stays until it is opened or closed */
export function toast(text, link) {
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

export function flash(what) {
  const button = typeof what === "string" ? $(`[data-act="${what}"]`, now.item ?? desk) ?? $(`[data-act="${what}"]`, desk) : what;
  button?.classList.add("flash");
  setTimeout(() => button?.classList.remove("flash"), 180);
}

/* -- how far it is ------------------------------------------------------------------------------- */
export const counts = { done: +desk.dataset.done, skipped: +desk.dataset.skipped, total: +desk.dataset.total };
/* draws it; `told` is what the server counts, `going` what is on its way there (submit, skip) */
export function progress(told, going = []) {
  if (told) {
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
  const place = Math.min(counts.total, counts.done + counts.skipped + (now.item && isOver(now.item) ? 0 : 1));
  $("[data-at]", desk).textContent = place.toLocaleString("en");
  $("[data-total]", desk).textContent = counts.total.toLocaleString("en");
}

/* -- how it is shown ------------------------------------------------------------------------------ */
export function showDiff(on) {
  desk.classList.toggle("diffing", on);
  $$("[data-diff]", desk).forEach((one) => one.setAttribute("aria-current", String((one.dataset.diff === "on") === on)));
  localStorage.setItem("desk diff", on ? "on" : "off");
}
if ("pair" in desk.dataset) showDiff(desk.classList.contains("diffing") || localStorage.getItem("desk diff") === "on");
desk.addEventListener("click", (e) => {
  const diff = e.target.closest("[data-diff]");
  if (diff) { e.preventDefault(); showDiff(diff.dataset.diff === "on"); }
});

const rememberGuide = (open) => localStorage.setItem("desk guide", open ? "open" : "folded");
export function showGuide(item) {
  const guide = $(".guide", item);
  if (guide) guide.open = localStorage.getItem("desk guide") !== "folded";
}
export function foldGuide() {
  const guide = $(".guide", now.item);
  if (guide) { guide.open = !guide.open; rememberGuide(guide.open); }
}
floor.addEventListener("click", (e) => { // not by toggle, which also tells of those that arrive
  const guide = e.target.closest(".guide > summary")?.parentElement;
  if (guide) rememberGuide(!guide.open);
});

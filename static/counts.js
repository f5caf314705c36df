// What is counted for the table comes after its rows, by requests of its own: the filters with their counts, and the
// histogram. What was known before stays in its place, paler, until the new is there.
const $ = (s, r = document) => r.querySelector(s);
const $$ = (s, r = document) => [...r.querySelectorAll(s)];
const KINDS = ["labels", "models"];

htmx.registerExtension("counts", {
  htmx_before_morph_node(elt, { newNode }) {
    if (!newNode.hasAttribute?.("data-waits")) return true;
    const empty = !elt.firstChild || (elt.hasAttribute("data-waits") && !$("input", elt));
    if (!empty) elt.classList.add("stale");
    return empty;
  },
  // the ends of a range are told again with the counts
  htmx_before_morph_attr: (elt, { attrName, newValue }) => !(attrName === "placeholder" && !newValue),
});

/* asking: each place says where, and is asked again after every change of what is shown or counted. Not by htmx's own
   requests: one that is overtaken is to be dropped without a word. */
const places = () => $$("#explore [data-get]");
const asking = new Map();
async function ask(place) {
  const { get, target } = place.dataset, mine = new AbortController();
  const overtaken = () => mine.signal.aborted || !place.isConnected;
  asking.set(place.id, mine);
  lose(place, false);
  try {
    const answer = await fetch(get, { headers: { "HX-Request": "true" }, signal: mine.signal });
    const text = await answer.text();
    if (overtaken()) return;
    if (answer.redirected) return location.reload(); // logged out: to come back to the whole page
    if (!answer.ok) throw new Error(answer.status);
    await htmx.swap({ sourceElement: place, target: $(target), swap: "outerMorph", text, request: { method: "GET" } });
  } catch {
    if (!overtaken()) lose(place, true);
  }
}
/* what is still under way is of what was shown before: its answer would stand over what is shown now */
function askAnew() {
  asking.forEach((one) => one.abort());
  asking.clear();
  places().forEach(ask);
}
function lose(place, lost) {
  place.classList.toggle("failed", lost);
  $(".lost", place).hidden = !lost;
  if (lost) $("#say").textContent = $(".lost", place).textContent.trim();
}
addEventListener("pagehide", () => asking.forEach((one) => one.abort()));

document.addEventListener("htmx:before:swap", (e) => {
  const { ctx } = e.detail;
  if (ctx.target?.id === "explore" && ctx.swap !== "none") KINDS.forEach(putBack);
});
/* a box that was unticked goes back among the others at once, so that the focus stays on it */
function putBack(kind) {
  const rest = $(`#${kind}-rest`);
  if (rest) $$(`#${kind}-set input:not(:checked)`).forEach((box) => {
    const option = box.closest(`#${kind}-set > *`);
    box.removeAttribute("checked");
    if (rest.moveBefore) rest.moveBefore(option, rest.firstChild); else rest.prepend(option);
  });
}
document.addEventListener("htmx:after:swap", (e) => {
  const { ctx } = e.detail;
  if (ctx.swap === "none" || !(ctx.target?.id === "explore" || ctx.target === document.body)) return;
  KINDS.forEach((kind) => $$(`#${kind}-rest > :not(.ghost, details):not(:has(input))`).forEach((option) => option.remove()));
  askAnew();
});
document.addEventListener("kit:counts", askAnew);

/* where they did not come, they can be asked for again */
document.addEventListener("click", (e) => {
  const place = e.target.closest?.("[data-retry]")?.closest("[data-get]");
  if (!place) return;
  (place.closest("details, form, main").querySelector("summary, .sort") ?? $("#main")).focus({ preventScroll: true });
  ask(place);
});

places().forEach(ask);

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

/* asking: each place says where, and is asked again after every change of what is shown or counted */
const places = () => $$("#explore [data-get]");
function ask(place) {
  lose(place, false);
  const { get, target } = place.dataset;
  htmx.ajax("GET", get, { source: place, target, swap: "outerMorph", asked: get });
}
function lose(place, lost) {
  place.classList.toggle("failed", lost);
  $(".lost", place).hidden = !lost;
}
const asks = (ctx) => ctx?.asked !== undefined;
const late = (ctx) => !ctx.sourceElement.isConnected || ctx.sourceElement.dataset.get !== ctx.asked;

document.addEventListener("htmx:before:swap", (e) => {
  const { ctx } = e.detail;
  if (asks(ctx)) { if (late(ctx)) e.preventDefault(); return; } // it belongs to a filter that was left meanwhile
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
  if (asks(ctx) || ctx.swap === "none" || !(ctx.target?.id === "explore" || ctx.target === document.body)) return;
  KINDS.forEach((kind) => $$(`#${kind}-rest > :not(.ghost, details):not(:has(input))`).forEach((option) => option.remove()));
  places().forEach(ask);
});
document.addEventListener("kit:counts", () => places().forEach(ask));

/* where they do not come it is said, and can be tried again */
const lost = (e) => {
  const { ctx } = e.detail;
  if (!asks(ctx) || late(ctx)) return;
  lose(ctx.sourceElement, true);
  $("#say").textContent = $(".lost span, .lost", ctx.sourceElement).textContent.trim();
};
document.addEventListener("htmx:response:error", lost);
document.addEventListener("htmx:error", lost);
document.addEventListener("click", (e) => {
  const place = e.target.closest?.("[data-retry]")?.closest("[data-get]");
  if (!place) return;
  (place.closest("details, form, main").querySelector("summary, .sort") ?? $("#main")).focus({ preventScroll: true });
  ask(place);
});

places().forEach(ask);

// The questions of the item on the screen: one is marked, and answered by digits, by pointer or by hand.
import { $, $$, flash, floor, now, say } from "./desk_frame.js";
import { lettersWork } from "./desk_keys.js";

let at = 0; // the marked question
let go = () => {}; // what an answer that is all of the item does
export const whenAnswered = (does) => { go = does; };

export const isReady = () => now.item && !now.busy && now.item.seenAt;
export const questions = () => $$(".q", now.item).sort((a, b) => a.dataset.n - b.dataset.n);
const fieldOf = (q) => $("input:checked", q) ?? $("input, textarea", q);
const form = (item = now.item) => $("form.panel", item);

/* what a review is sent with: [name, value] of all that is filled in, and the seconds it was looked at */
export function filledIn(item) {
  const pairs = [...new FormData(form(item))].filter(([name, value]) => name !== "csrfmiddlewaretoken" && typeof value === "string");
  return [...pairs, ["seconds", ((performance.now() - item.seenAt - (item.away ?? 0)) / 1000).toFixed(2)]];
}

const differs = (field) => (field.matches("[type=radio], [type=checkbox]") ? field.checked !== field.defaultChecked : "defaultValue" in field && field.value !== field.defaultValue);
export const isTyped = () => [...form().elements].some(differs);
/* an answer that is in and was changed since */
export const isChanged = () => now.item?.dataset.again === "submitted" && isTyped();
export const unchange = () => form().reset();

function isAnswered(q) {
  const field = fieldOf(q);
  if (field.matches("[type=radio], [type=checkbox]")) return $("input:checked", q) !== null;
  return field.value.trim() !== "";
}
const firstFault = () => questions().findIndex((q) => !fieldOf(q).validity.valid || ("required" in q.dataset && !isAnswered(q)));

/* whether all that is required is answered; else the first that is not is marked and says so */
export function isComplete() {
  const fault = firstFault();
  hideFaults();
  if (fault < 0) return true;
  const told = $(".fault", questions()[fault]);
  told.usual ??= told.textContent;
  told.textContent = fieldOf(questions()[fault]).validationMessage || told.usual; // of a number that is none here
  told.hidden = false;
  mark(fault);
  told.scrollIntoView({ block: "nearest" });
  say("This question needs an answer first.");
  return false;
}
export const hideFaults = () => $$(".fault", now.item).forEach((one) => { one.hidden = true; });

/* -- the mark ------------------------------------------------------------------------------------ */
/* the focus lies where the keys are heard, and nothing is typed by accident */
export function rest() {
  const marked = questions()[at] ?? $("h2, .btn", now.item) ?? floor;
  (lettersWork() || !marked.matches(".q") ? marked : fieldOf(marked)).focus({ preventScroll: true });
}
export function markFirst() {
  at = 0;
  questions().forEach((q, n) => q.classList.toggle("active", n === 0));
  rest();
}
export function mark(n, focus = true) {
  const all = questions();
  if (!all.length) return;
  at = Math.max(0, Math.min(n, all.length - 1));
  all.forEach((q, i) => q.classList.toggle("active", i === at));
  all[at].scrollIntoView({ block: "nearest" });
  if (focus) rest();
}
export const markNext = (step) => mark(at + step);
floor.addEventListener("focusin", (e) => {
  const q = e.target.closest(".q");
  const n = q && now.item?.contains(q) ? questions().indexOf(q) : at;
  if (n !== at) mark(n, false);
});
export function tab(e) {
  const all = questions(), q = e.target.closest?.(".q");
  if (!now.item?.contains(e.target) && e.target !== document.body && e.target !== floor) return;
  if (!all.length || (!q && e.target !== document.body && e.target !== floor)) return;
  const inside = e.target === q && (!lettersWork() || fieldOf(q).matches("textarea, [type=number]"));
  const to = inside ? all.indexOf(q) : (q ? all.indexOf(q) : at) + (e.shiftKey ? -1 : 1);
  if (to < 0 || to >= all.length) return;
  e.preventDefault();
  mark(to, false);
  fieldOf(all[to]).focus({ preventScroll: true });
}

/* -- answers ------------------------------------------------------------------------------------- */
export function digit(e) {
  const q = questions()[at], input = q && $(`input[data-digit="${e.key}"]`, q);
  if (input) choose(q, input, e);
}
export function choose(q, input, event) {
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
  if ("auto" in now.item.dataset) go(event);
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

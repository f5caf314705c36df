// How a long interaction is read at the desk: by pages, to its ends, and where it was left.
import { $, desk, now } from "./desk_frame.js";

const PAGE = 0.85; // of what is seen
const MOST = 50; // items whose place is kept
const name = `desk places ${desk.dataset.of}`;

/* what scrolls: the interaction beside its questions, or on a narrow screen the whole page */
function scrolled() {
  const talk = $(".talk", now.item);
  return talk && getComputedStyle(talk).overflowY !== "visible" ? talk : document.scrollingElement;
}
export function turn(pages) {
  const place = scrolled();
  place.scrollBy({ top: pages * PAGE * place.clientHeight });
}
export const toTop = () => scrolled().scrollTo({ top: 0 });
/* to what is judged; once it is there, to the very end */
export function toCompletion() {
  const judged = $(".turn.done, .ab", now.item), place = scrolled(), before = place.scrollTop;
  judged?.scrollIntoView({ block: "start" });
  if (!judged || Math.abs(place.scrollTop - before) < 2) place.scrollTo({ top: $(".talk", now.item) === place ? place.scrollHeight : before });
}
export const toQuestions = () => $(".q.active", now.item)?.scrollIntoView({ block: "start" });

const places = () => new Map(JSON.parse(sessionStorage.getItem(name) ?? "[]"));
let timer = 0;
addEventListener("scroll", () => {
  clearTimeout(timer);
  timer = setTimeout(keepPlace, 150);
}, { capture: true, passive: true });
function keepPlace() {
  if (!now.item?.seenAt || !now.item.dataset.review) return;
  const kept = places(), { review } = now.item.dataset, { scrollTop } = scrolled();
  kept.delete(review);
  if (scrollTop > 0) kept.set(review, Math.round(scrollTop));
  try { sessionStorage.setItem(name, JSON.stringify([...kept].slice(-MOST))); } catch { /* full */ }
}
addEventListener("pagehide", keepPlace);
/* an item that comes back is where it was left */
export function toPlace(item) {
  window.scrollTo(0, 0);
  const kept = places().get(item.dataset.review);
  if (kept) scrolled().scrollTo({ top: kept });
}

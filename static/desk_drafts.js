// A draft follows each change, so that nothing of an item that is left half done is lost; until the server took it, the
// tab keeps it, through a reload and a login too.
import { $, desk, floor, isOver, now, toast } from "./desk_frame.js";
import { filledIn } from "./desk_questions.js";
import { isLater, request } from "./outbox.js";

let box, timer = 0;
let unkept = null; // the item whose draft the server did not take
export const drafts = {
  going: Promise.resolve(), // what is being sent
  get wait() { return timer !== 0; }, // whether something is typed that is not sent
  get unkept() { return unkept !== null && unkept === now.item; },
  stop() { clearTimeout(timer); timer = 0; },
  forget: (item) => sessionStorage.removeItem(placeOf(item)),
  tellTo: (outbox) => { box = outbox; },
};

const placeOf = (item) => `desk draft ${desk.dataset.of} ${item.dataset.review}`;
const isDrafted = (item) => item && !isOver(item) && item.dataset.again !== "submitted";

function keepHere(item) {
  try { sessionStorage.setItem(placeOf(item), JSON.stringify(filledIn(item))); } catch { /* full: kept in this page alone */ }
}
/* what the tab kept of it stands in its form again */
export function fromHere(item) {
  const kept = JSON.parse(sessionStorage.getItem(placeOf(item)) ?? "null");
  if (!kept || !isDrafted(item)) return;
  for (const field of $("form.panel", item).elements) {
    const values = kept.filter(([name]) => name === field.name).map(([, value]) => value);
    if (field.matches("[type=radio], [type=checkbox]")) field.checked = values.includes(field.value);
    else if (field.matches("textarea, input:not([type=hidden])") && values.length) [field.value] = values;
  }
  timer = setTimeout(saveDraft, 600);
}

export function saveDraft(keepalive = false) {
  drafts.stop();
  if (isDrafted(now.item)) drafts.going = send(now.item, keepalive);
}
async function send(item, keepalive) {
  try {
    const answer = await request(item.dataset.draft, { method: "POST", body: filledIn(item), keepalive });
    if (isLater(answer)) throw answer;
    if (!answer.ok) toast(answer.status === 409 ? (await answer.json()).text : `A draft could not be kept (${answer.status}).`);
    unkept = null;
    drafts.forget(item);
    box.heard();
  } catch (error) {
    box.lost(error);
    if (item !== now.item) return; // it went on its way with what was answered
    unkept = item;
    keepHere(item);
    timer ||= setTimeout(saveDraft, 2_000);
  }
}
floor.addEventListener("input", (e) => {
  if (e.target.closest(".item") !== now.item) return;
  clearTimeout(timer);
  timer = setTimeout(saveDraft, 600);
});
addEventListener("pagehide", () => {
  if (!timer) return;
  if (isDrafted(now.item)) keepHere(now.item);
  saveDraft(true);
});

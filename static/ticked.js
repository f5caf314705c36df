// Ticked rows of the table: kept in the tab over the pages of a filter, told in the bar, sent with what is done to them.
const $ = (s, r = document) => r.querySelector(s);
const $$ = (s, r = document) => [...r.querySelectorAll(s)];
const tell = (text, isError = false) => document.dispatchEvent(new CustomEvent("kit:tell", { detail: { text, isError } }));

/* they belong to the filter that they were ticked in, whichever page of it and in whichever order: nothing is done to
   what another filter has ticked. Back in that filter they are there again */
function filter() {
  const { pathname, searchParams: asked } = new URL($("#explore").dataset.address, location.href);
  ["order", "limit", "cursor"].forEach((name) => asked.delete(name));
  return `ticked ${document.body.dataset.user} ${pathname} ${asked}`;
}
const kept = (where) => new Set(JSON.parse(sessionStorage.getItem(where)));
let here = filter(), ticked = kept(here);
function keep() {
  if (ticked.size) sessionStorage.setItem(here, JSON.stringify([...ticked]));
  else sessionStorage.removeItem(here);
  show();
}
function look() {
  const left = here !== filter() && kept(here).size;
  here = filter();
  ticked = kept(here);
  if (left) tell(`${many(left)} under the filter of before: go back to it to see ${left === 1 ? "it" : "them"} selected again.`);
  show();
}
const many = (n) => `${n.toLocaleString("en")} row${n === 1 ? " stays" : "s stay"} selected`;

/* ticking, up to as many as the server takes at a time */
const boxes = () => $$("[data-rows] tbody input[type=checkbox]");
function tick(all, on) {
  const most = +$("[data-bulk]").dataset.most;
  for (const { value } of all) {
    if (!on) ticked.delete(value);
    else if (ticked.size < most) ticked.add(value);
    else if (!ticked.has(value)) { tell(`At most ${most.toLocaleString("en")} rows can be selected at a time.`, true); break; }
  }
  keep();
}
function clear() {
  ticked.clear();
  keep();
  ($("[data-rows] tr.cur a") || $("#main")).focus();
}

/* the boxes and the bar follow */
function show() {
  const all = boxes(), bulk = $("[data-bulk]");
  all.forEach((box) => {
    box.checked = ticked.has(box.value);
    box.closest("tr").classList.toggle("sel", box.checked);
  });
  if (!bulk) return;
  const n = all.filter((box) => box.checked).length, away = ticked.size - n, head = $("[data-rows] [data-all]");
  if (head) { head.checked = n > 0 && n === all.length; head.indeterminate = n > 0 && n < all.length; }
  bulk.hidden = !ticked.size;
  const whole = offerAll(bulk, n > 0 && (n === all.length || !head.getClientRects().length)); // on a phone no box ticks the page
  const elsewhere = away ? ` (${away.toLocaleString("en")} not on this page)` : "";
  $("b", bulk).textContent = whole ? "All selected" : `${ticked.size.toLocaleString("en")} selected${elsewhere}`;
}
/* where the whole page is ticked, all that the filter finds can be: the filter is sent then, and not ids */
function offerAll(bulk, offered) {
  const offer = $("[data-whole]", bulk), box = offer && $("input", offer);
  if (!box) return false;
  offer.hidden = !offered;
  if (!offered) box.checked = false;
  $("span", offer).textContent = `All ${$("#count b")?.textContent ?? ""} in this filter`.replace("  ", " ");
  return box.checked;
}

document.addEventListener("change", (e) => {
  if (e.target.matches?.("#bulk-all")) return show();
  if (e.target.closest?.("[data-rows]")) tick(e.target.matches("[data-all]") ? boxes() : [e.target], e.target.checked);
});
document.addEventListener("click", (e) => { if (e.target.closest?.("[data-clear]")) clear(); });
/* those of other pages have no box to be sent by */
document.addEventListener("formdata", (e) => {
  if (!e.target.matches("[data-bulk]") || e.formData.has("all")) return;
  const there = new Set(e.formData.getAll("id"));
  ticked.forEach((id) => { if (!there.has(id)) e.formData.append("id", id); });
});
document.addEventListener("htmx:after:swap", () => { if ($("#explore")) look(); });
addEventListener("pageshow", (e) => { if (e.persisted) look(); }); // another page of the tab may have ticked some
document.addEventListener("kit:deleted", () => {
  $$("#dialogs [name=id]").forEach(({ value }) => ticked.delete(value));
  keep();
});

document.addEventListener("kit:key", (e) => {
  if (e.defaultPrevented) return;
  const here = $("[data-rows] tr.cur input"), isDrawn = $("#drawer .drawer");
  const act = {
    x: () => { here?.click(); return here; },
    l: () => {
      if (!isDrawn && $("#bulk-label") && !ticked.size) here?.click();
      return false; // the label box has the key
    },
    Escape: () => {
      const own = !isDrawn && ticked.size > 0 && boxes().filter((box) => box.checked).length === ticked.size;
      if (own) clear(); // what is not seen no slip of a finger takes away
      return own;
    },
  }[e.detail.key];
  if (act?.()) e.preventDefault();
});

show();

// The table of interactions: row cursor, drawer and history, time brush, facets as a sheet.
const $ = (s, r = document) => r.querySelector(s);
const $$ = (s, r = document) => [...r.querySelectorAll(s)];
const root = document.documentElement;

/* what the reader did to the page outlives a morph: open facets, and what is being typed */
htmx.registerExtension("explore", {
  htmx_before_morph_attr(elt, { attrName }) {
    if (attrName === "open") return false;
    if (attrName === "class" && elt.id === "filters") return false;
    return !(attrName === "value" && elt.id === "q" && elt === document.activeElement);
  },
});
/* and the server's word holds for what is ticked in the forms */
function syncFields() {
  $$("#filters input, #q, #columns-menu input").forEach((field) => {
    if (field.id === "q" && field === document.activeElement) return;
    if (field.type === "checkbox" || field.type === "radio") field.checked = field.defaultChecked;
    else field.value = field.defaultValue;
  });
}

/* row cursor: j and k, or whichever row has the focus */
let cursor = null;
const rows = () => $$("[data-rows] tbody tr");
function setCursor(row) {
  cursor = row?.dataset.id ?? null;
  rows().forEach((r) => r.classList.toggle("cur", r === row));
}
function moveCursor(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.findIndex((r) => r.dataset.id === cursor);
  const next = all[Math.min(all.length - 1, Math.max(0, at + step))];
  setCursor(next);
  $("a", next).focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}
document.addEventListener("focusin", (e) => { const row = e.target.closest?.("[data-rows] tbody tr"); if (row) setCursor(row); });

/* work over all of them: once it has ended, the table shows what it did */
function lookAtWork() {
  const job = $("#toasts .job:not([hx-get], [data-seen])");
  if (!job) return;
  job.dataset.seen = "";
  htmx.trigger("#explore", "kit:refresh");
}

/* drawer: it opens over the table, its transcript takes the focus, so that the keys that scroll do, and gives it back to the row it was opened from or went on to */
const drawer = () => $("#drawer .drawer");
const narrow = matchMedia("(max-width: 720px)");
function drawerOpened(source) {
  setCursor(document.getElementById(`i-${drawer().dataset.id}`));
  const raw = source?.matches?.("[data-raw]") && $("#drawer [data-raw]");
  (raw || $("#drawer .talk")).focus({ preventScroll: true });
  $("#explore").inert = narrow.matches;
}
function closeDrawer() {
  const row = document.getElementById(`i-${drawer()?.dataset.id}`);
  $("#drawer")?.replaceChildren();
  $("#explore").inert = false;
  if (row) setCursor(row);
  (row ? $("a", row) : $("[data-rows] tr.cur a") || $("#main"))?.focus();
}
document.addEventListener("click", (e) => {
  if (e.target.closest?.("[data-close-drawer]") && $("#explore")) { e.preventDefault(); history.back(); }
});

/* back and forward between table and drawer swap nothing but the drawer; all else is htmx's own way */
const same = (a, b) => {
  const [x, y] = [a, b].map((url) => new URL(url, location.href));
  return x.pathname === y.pathname && `${new URLSearchParams(x.search)}` === `${new URLSearchParams(y.search)}`;
};
document.addEventListener("htmx:before:history:restore", (e) => {
  const explore = $("#explore");
  if (!explore) { e.preventDefault(); return location.reload(); } // the table comes with its scripts and styles
  const { path } = e.detail;
  if (same(path, explore.dataset.address)) { e.preventDefault(); closeDrawer(); return; }
  const url = new URL(path, location.href);
  if (!url.pathname.startsWith(`${explore.dataset.list}/`) || !same(explore.dataset.list + url.search, explore.dataset.list + explore.dataset.inside)) return;
  e.preventDefault();
  htmx.ajax("GET", path, { target: "#drawer", swap: "innerHTML" });
});

/* what was asked for and did not come: the rows of before do not pass for its answer, and it can be asked for again */
const isOfTable = (ctx) => ctx?.target?.id === "explore" && ctx.sourceElement?.id !== "explore" && $("#explore");
function missAnswer(ctx) {
  if (!isOfTable(ctx)) return;
  const note = $("#unanswered");
  note.dataset.retry = ctx.request.action;
  note.hidden = false;
  $("#explore").classList.add("unanswered");
  $("#say").textContent = $("p", note).textContent;
}
document.addEventListener("htmx:response:error", (e) => { if (e.detail.ctx.response.status !== 400) missAnswer(e.detail.ctx); });
document.addEventListener("htmx:error", (e) => { if (e.detail.error?.name !== "AbortError") missAnswer(e.detail.ctx); });
document.addEventListener("click", (e) => {
  const note = e.target.closest?.("[data-ask-again]")?.closest("#unanswered");
  if (note) htmx.ajax("GET", note.dataset.retry, { source: note, target: "#explore", swap: "outerMorph" });
});

/* what was found is said once, as soon as it is counted */
let unsaid = false;
function sayCount() {
  const count = $("#count");
  if (!unsaid || !count || "pending" in count.dataset) return;
  unsaid = false;
  $("#say").textContent = `${count.textContent.trim() || "No"} interactions`;
}
/* what is new was asked for: the reader is taken to the newest */
function goToNewest() {
  $("#results").scrollTop = 0;
  cursor = null;
  moveCursor(1);
}

/* after a swap */
let page = $("#results")?.dataset.cursor;
document.addEventListener("htmx:after:swap", (e) => {
  if (!$("#explore")) return;
  const { ctx } = e.detail;
  lookAtWork();
  if (ctx.sourceElement?.matches?.("[data-get]")) { if (ctx.target?.id === "filters") sayCount(); return; }
  if (ctx.swap === "none") return; // it failed, and is told
  if (ctx.target?.id === "drawer" && drawer()) return drawerOpened(ctx.sourceElement);
  if (ctx.target?.id === "explore" || ctx.target === document.body) {
    if (ctx.sourceElement?.id !== "explore") $("#drawer")?.replaceChildren();
    $("#explore").inert = false;
    syncFields();
    $$("[popover]:popover-open").forEach((p) => p.hidePopover());
    if ($("#results").dataset.cursor !== page) { page = $("#results").dataset.cursor; $("#results").scrollTop = 0; cursor = null; }
    unsaid = true;
    sayCount();
    if (ctx.sourceElement?.matches?.("[data-newest]")) goToNewest();
  }
  const row = cursor && document.getElementById(`i-${cursor}`);
  if (row) row.classList.add("cur");
  showDensity();
});
document.addEventListener("kit:deleted", () => {
  $$("dialog[open]").forEach((d) => d.close());
  if (drawer()) { history.replaceState(history.state, "", drawer().dataset.back); closeDrawer(); }
  htmx.trigger("#explore", "kit:refresh");
});

/* keys of the table; those of the drawer and the page are on their links */
document.addEventListener("kit:key", (e) => {
  const { key } = e.detail;
  if (!$("#explore")) return;
  const act = {
    j: () => !drawer() && (moveCursor(1), true),
    k: () => !drawer() && (moveCursor(-1), true),
    f: () => { openFacets(); return true; },
    n: () => drawer(), // it would be taken away
    Enter: () => {
      const link = document.activeElement === document.body || document.activeElement.id === "main" ? $("[data-rows] tr.cur a") : null;
      link?.click();
      return link;
    },
    Escape: () => {
      if (drawer()) return false;
      const open = $("#filters.open");
      if (open) toggleFacets();
      return open;
    },
  }[key];
  if (act?.()) e.preventDefault();
});

/* facets: a sheet where there is no room for them beside the table */
function toggleFacets() {
  const open = $("#filters").classList.toggle("open");
  $(".filters-btn").setAttribute("aria-expanded", open);
  (open ? $("#filters [data-facets]") : $(".filters-btn")).focus();
}
function openFacets() {
  if (!$("#filters").getClientRects().length) toggleFacets();
  else $("#filters summary").focus();
}
document.addEventListener("click", (e) => {
  if (e.target.closest?.("[data-facets]")) toggleFacets();
  // a choice that is chosen again is given up
  const choice = e.target.closest?.("#filters .tri input");
  if (choice && choice.defaultChecked) { choice.checked = false; choice.dispatchEvent(new Event("change", { bubbles: true })); }
});
/* Enter in the search box, or an id pasted into it, goes straight to what it names */
document.addEventListener("htmx:config:request", (e) => {
  const { ctx } = e.detail;
  if (ctx.sourceElement.id !== "filters") return;
  const pasted = ctx.sourceEvent?.inputType === "insertFromPaste";
  if (pasted || ctx.sourceEvent?.type === "submit") ctx.request.body.set("go", "1");
});

/* density: remembered, and told to the server so that the page comes right */
const remember = (name, value) => { document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax`; };
function showDensity() {
  const now = root.dataset.density === "comfortable" ? "comfortable" : "dense";
  $$("[data-density]").forEach((b) => { if (b !== root) b.setAttribute("aria-pressed", b.dataset.density === now); });
}
document.addEventListener("click", (e) => {
  const button = e.target.closest?.("button[data-density]");
  if (!button) return;
  root.dataset.density = button.dataset.density;
  remember("density", button.dataset.density);
  showDensity();
});

/* time brush: drag over the bars, or press one; the two ends are also plain fields in the time menu */
class TimeBrush extends HTMLElement {
  connectedCallback() {
    if (this.ready) return;
    this.ready = true;
    this.addEventListener("pointerdown", (e) => { if (e.button === 0) { this.from = this.at(e); this.setPointerCapture(e.pointerId); } });
    this.addEventListener("pointermove", (e) => { if (this.from !== undefined) this.paint(this.from, this.at(e)); });
    this.addEventListener("pointercancel", () => { this.from = undefined; });
    this.addEventListener("pointerup", (e) => {
      if (this.from === undefined) return;
      const [a, b] = [this.from, this.at(e)].sort((x, y) => x - y);
      this.from = undefined;
      this.go(a, b);
    });
  }
  get width() { return $("svg", this).viewBox.baseVal.width; }
  at(e) { const r = $("svg", this).getBoundingClientRect(); return Math.min(this.width, Math.max(0, ((e.clientX - r.left) / r.width) * this.width)); }
  paint(a, b) {
    const [lo, hi] = a < b ? [a, b] : [b, a];
    const box = $(".brush", this);
    box.setAttribute("x", lo); box.setAttribute("width", hi - lo);
    $$(".edge", this).forEach((edge, i) => { edge.setAttribute("x1", [lo, hi][i]); edge.setAttribute("x2", [lo, hi][i]); });
    $$("rect.b", this).forEach((r) => { const x = +r.getAttribute("x"), w = +r.getAttribute("width"); r.classList.toggle("on", x + w >= lo && x <= hi); });
  }
  go(a, b) {
    const start = +this.dataset.start, step = +this.dataset.step, n = Math.round((+this.dataset.end - start) / step);
    const first = Math.floor((a / this.width) * n), last = Math.max(first + 1, Math.ceil((b / this.width) * n));
    const iso = (place) => new Date(start + place * step).toISOString().replace(".000", "");
    const url = new URL(this.closest("[data-address]").dataset.address, location.href);
    url.searchParams.set("after", iso(Math.min(first, n - 1)));
    url.searchParams.set("before", iso(Math.min(last, n)));
    htmx.ajax("GET", url.pathname + url.search, { source: this, target: "#explore", swap: "outerMorph" });
  }
}
customElements.define("time-brush", TimeBrush);

showDensity();
if (document.activeElement === document.body) $("main.talk")?.focus({ preventScroll: true }); // the keys that scroll are for what is read

// Small behaviours on top of server-rendered pages. ES module, no build, no dependency but htmx. All of it listens
// on the document, so that it works for whatever is swapped in.
const $ = (s, r = document) => r.querySelector(s);
const $$ = (s, r = document) => [...r.querySelectorAll(s)];
const root = document.documentElement;
const shown = (e) => e.getClientRects().length > 0;
const composes = (e) => e.isComposing || e.keyCode === 229; // the key is the input method's: Enter ends a word, and means nothing more

/* speech: one polite region says what changed */
const say = (text) => { const box = $("#say"); if (box) box.textContent = text; };

/* theme: what the reader chose (the server writes it into the page), else the system */
const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
document.addEventListener("click", (e) => {
  if (e.target.closest?.("[data-theme-toggle]")) {
    root.dataset.theme = isDark() ? "light" : "dark";
    document.dispatchEvent(new Event("kit:theme"));
  }
  e.target.closest?.("[data-close]")?.closest("dialog").close();
  if (e.target.matches?.("dialog")) e.target.close(); // the backdrop
  const opener = e.target.closest?.("[data-dialog]");
  if (opener && !e.ctrlKey && !e.metaKey && !e.shiftKey) { e.preventDefault(); openDialog(opener); }
});

function openDialog(opener) {
  const dialog = document.getElementById(opener.dataset.dialog);
  if (!dialog || dialog.open) return;
  if (dialog.matches(".lightbox")) showPicture(dialog, opener);
  dialog.showModal();
}

/* pictures: the lightbox steps through all of the transcript */
let picture = null;
function showPicture(dialog, link) {
  const all = $$("[data-dialog=lightbox]", link.closest(".talk") || document);
  const img = $("img", link);
  picture = link;
  $("img", dialog).src = link.href;
  $("img", dialog).alt = img.alt;
  $("[data-caption]", dialog).textContent = img.alt;
  $("[data-place]", dialog).textContent = `${all.indexOf(link) + 1} of ${all.length}`;
  $("[data-file]", dialog).href = link.href;
  $$("[data-picture], [data-many]", dialog).forEach((e) => { e.hidden = all.length < 2; });
}
function stepPicture(dialog, step) {
  const all = $$("[data-dialog=lightbox]", picture.closest(".talk") || document);
  if (all.length < 2) return;
  showPicture(dialog, all[(all.indexOf(picture) + step + all.length) % all.length]);
  say(`${$("[data-caption]", dialog).textContent}, ${$("[data-place]", dialog).textContent}`);
}
document.addEventListener("click", (e) => {
  const button = e.target.closest?.("[data-picture]");
  if (button) stepPicture(button.closest("dialog"), +button.dataset.picture);
});
document.addEventListener("keydown", (e) => {
  const dialog = $("dialog.lightbox[open]");
  if (dialog && (e.key === "ArrowLeft" || e.key === "ArrowRight")) stepPicture(dialog, e.key === "ArrowLeft" ? -1 : 1);
});

/* hotkeys: an element says which key presses it (data-key="x"); plain letters can be turned off (WCAG 2.1.4) */
const TYPING = "input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]";
const lettersWork = () => localStorage.getItem("letters") !== "off";
document.addEventListener("change", (e) => {
  if (e.target.matches?.("[data-letters]")) localStorage.setItem("letters", e.target.checked ? "on" : "off");
});
document.addEventListener("click", (e) => {
  if (e.target.closest?.("[data-dialog=keys]")) $$("[data-letters]").forEach((box) => { box.checked = lettersWork(); });
});
document.addEventListener("keydown", (e) => {
  if (composes(e)) return;
  const mend = !e.defaultPrevented && e.target.closest?.("details.mend[open]");
  if (mend && e.key === "Escape") { e.preventDefault(); mend.open = false; $("summary", mend).focus(); } // what is written stays in it
  if (mend && e.key === "Enter" && (e.ctrlKey || e.metaKey) && e.target.matches("textarea")) { e.preventDefault(); e.target.form.requestSubmit(); }
  if (e.defaultPrevented || e.metaKey || e.ctrlKey || e.altKey || $("dialog[open], [popover]:popover-open")) return;
  if (e.target.closest?.(TYPING)) {
    if (e.key === "Escape") { e.preventDefault(); home()?.focus(); }
    return;
  }
  if (e.key.length === 1 && !lettersWork()) return;
  const own = new CustomEvent("kit:key", { detail: { key: e.key }, cancelable: true });
  if (!document.dispatchEvent(own)) return e.preventDefault();
  const hit = [...$$(`#drawer [data-key="${CSS.escape(e.key)}"]`), ...$$(`[data-key="${CSS.escape(e.key)}"]`)].find(shown);
  if (!hit) return;
  e.preventDefault();
  hit.matches(TYPING) ? (hit.focus(), hit.select?.()) : hit.matches("[data-goto]") ? hit.focus() : hit.click();
});

/* what is written into a form and not yet kept outlives the drawer and the page, as long as the tab is open */
const draft = (area) => `draft ${document.body.dataset.user} ${new URL(area.form.action).pathname} ${area.name}`;
document.addEventListener("input", (e) => { if (e.target.matches?.("details.mend textarea")) sessionStorage.setItem(draft(e.target), e.target.value); });
document.addEventListener("htmx:after:request", (e) => { // what the server did not take, or sent to the login, is kept on
  const { sourceElement: form, request, response, hx } = e.detail.ctx;
  const taken = request.method === "POST" && response.status < 300 && !hx.redirect;
  if (taken && form?.matches?.("details.mend form")) $$("textarea", form).forEach((area) => sessionStorage.removeItem(draft(area)));
});
document.addEventListener("toggle", (e) => {
  if (!e.target.matches?.("details.mend[open]")) return;
  $$("textarea", e.target).forEach((area) => { area.value = sessionStorage.getItem(draft(area)) ?? area.value; });
}, true);

/* a form that is unfolded is there to be filled in */
document.addEventListener("toggle", (e) => {
  if (e.target.matches?.("details.mend[open]")) $("input:checked, input:not([type=hidden]), textarea", e.target)?.focus();
}, true);

/* focus never falls to the body: what had it, or its like, or the place where the reader is, takes it back */
let last = null;
const home = () => [$("#drawer .talk"), $("[data-rows] tr.cur a"), $("#main"), $("main")].find((e) => e && shown(e));
document.addEventListener("focusin", (e) => { if (!e.target.closest?.("#toasts, dialog")) last = e.target; });
function holdFocus() {
  if (document.activeElement && document.activeElement !== document.body) return;
  const heir = last?.isConnected && shown(last) ? last : last?.id ? document.getElementById(last.id) : null;
  const kept = last?.closest?.("[data-home]") || (lastHome && $(lastHome));
  const to = heir || (kept?.matches?.("[data-home]") ? $(kept.dataset.home) : kept) || home();
  if (to?.matches("main:not([tabindex])")) to.tabIndex = -1;
  to?.focus({ preventScroll: true });
}
let lastHome = null;
document.addEventListener("focusin", (e) => { lastHome = e.target.closest?.("#toasts, dialog") ? lastHome : e.target.closest?.("[data-home]")?.dataset.home; });
document.addEventListener("close", () => setTimeout(holdFocus), true);
document.addEventListener("click", (e) => { const button = e.target.closest?.("[data-dismiss]"); if (button) { button.parentElement.remove(); holdFocus(); } });

/* after a swap: dialogs that came open, toasts that came are said and go after a while */
document.addEventListener("htmx:after:swap", () => {
  $$("dialog[data-open]:not([open])").forEach((dialog) => { delete dialog.dataset.open; dialog.showModal(); });
  $$("#toasts [data-toast]:not([data-timed])").forEach(timeToast);
  setTimeout(holdFocus);
});
const TOAST_MS = 8000;
function timeToast(toast) {
  toast.dataset.timed = "";
  if (toast.matches(".error")) $$("#toasts > .error[data-toast]").forEach((one) => { if (one !== toast) one.remove(); }); // the newest alone
  say($("span", toast).textContent);
  let timer;
  const go = () => { timer = setTimeout(() => { toast.remove(); holdFocus(); }, TOAST_MS); };
  const stay = () => clearTimeout(timer);
  toast.addEventListener("pointerenter", stay); toast.addEventListener("pointerleave", go);
  toast.addEventListener("focusin", stay); toast.addEventListener("focusout", go);
  go();
}
$$("[data-toast]").forEach((toast) => { $("#toasts")?.append(toast); timeToast(toast); });

const fail = (text) => tell({ text, isError: true });
document.addEventListener("kit:tell", (e) => tell(e.detail));
function tell({ text, isError }) {
  const toast = document.createElement("div"), span = document.createElement("span");
  toast.className = isError ? "toast error" : "toast"; toast.role = isError ? "alert" : "status"; toast.dataset.toast = "";
  span.textContent = text;
  toast.append(span);
  $("#toasts").append(toast); // beside what was done before, which can still be undone
  timeToast(toast);
}
const isOfTable = (ctx) => ctx?.target?.id === "explore" && ctx.sourceElement?.id !== "explore"; // which tells it in its place
document.addEventListener("htmx:response:error", (e) => {
  const { status } = e.detail.ctx.response;
  if (status === 422 || status === 400 && e.detail.ctx.target?.id === "explore" || isOfTable(e.detail.ctx)) return; // these answers are shown themselves
  fail(status === 403 ? "You may not do this." : status === 404 ? "This is no longer there." : `That did not work (${status}).`);
});
document.addEventListener("htmx:error", (e) => { if (e.detail.error?.name !== "AbortError" && !isOfTable(e.detail.ctx)) fail("No answer from the server."); });
/* a login page where a part of a page was asked for: go there whole */
document.addEventListener("htmx:before:response", (e) => {
  const { raw } = e.detail.ctx.response;
  if (raw.redirected && !raw.headers.has("HX-Redirect")) { e.preventDefault(); location.assign(raw.url); }
});

/* copying: a text, the block around the button, or what an address answers */
document.addEventListener("click", (e) => {
  const button = e.target.closest?.("[data-copy-text], [data-copy-url], [data-copy-block], [data-copy-link]");
  if (!button) return;
  e.preventDefault();
  const { copyText, copyUrl } = button.dataset;
  const text = copyUrl ? fetch(copyUrl).then((r) => (r.ok && !r.redirected ? r.text() : Promise.reject(new Error(r.status))))
    : copyText ?? ("copyLink" in button.dataset ? button.href : $("pre", button.closest(".code")).textContent);
  copy(text).then(() => {
    say("Copied");
    button.classList.add("done");
    setTimeout(() => button.classList.remove("done"), 1500);
  }, () => fail("The browser did not let it be copied."));
});
async function copy(text) {
  // the promise goes into the item, so that the click still counts as the reader's when the text has to be fetched
  if (window.ClipboardItem && navigator.clipboard?.write) {
    const blob = Promise.resolve(text).then((t) => new Blob([t], { type: "text/plain" }));
    return navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
  }
  const area = document.createElement("textarea"); // an address that is not https has no clipboard
  area.value = await text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("copy");
}

/* label box: options come from the server; arrows mark one and Enter takes that, else what is typed */
class LabelCombo extends HTMLElement {
  connectedCallback() {
    if (this.ready) return;
    this.ready = true;
    this.addEventListener("keydown", (e) => this.onKey(e));
    this.addEventListener("input", () => this.mark(-1));
    this.addEventListener("pointerdown", (e) => { const o = e.target.closest?.("[role=option]"); if (o) { e.preventDefault(); this.take(o); } });
    this.addEventListener("htmx:after:swap", () => this.show());
    this.addEventListener("focusout", (e) => { if (!this.contains(e.relatedTarget)) this.hide(); });
  }
  get input() { return $("input", this); } // a morph may fill it after it was made
  get box() { return $("[role=listbox]", this); }
  get options() { return $$("[role=option]", this); }
  at = -1; // the option that is marked
  get fresh() { return this.box.dataset.for === this.input.value.trim(); }
  show() {
    const open = this.contains(document.activeElement) && this.options.length > 0 && this.fresh;
    this.box.hidden = !open;
    this.input.setAttribute("aria-expanded", open);
    this.mark(open && this.for === this.box.dataset.for ? this.at : -1); // the same answer again leaves the mark
    this.for = this.box.dataset.for;
    if (open) this.box.scrollIntoView({ block: "nearest" });
  }
  hide() { this.box.hidden = true; this.input.setAttribute("aria-expanded", false); this.mark(-1); }
  mark(i) {
    const all = this.options;
    this.at = i < all.length ? i : -1;
    all.forEach((o, n) => o.setAttribute("aria-selected", n === this.at));
    const chosen = all[this.at];
    chosen ? this.input.setAttribute("aria-activedescendant", chosen.id) : this.input.removeAttribute("aria-activedescendant");
    chosen?.scrollIntoView({ block: "nearest" });
  }
  take(option) { this.input.value = option.dataset.value; this.hide(); this.send(); }
  send() {
    const button = $("button[type=submit]", this.input.form);
    if (button) button.click(); else this.input.dispatchEvent(new Event("change", { bubbles: true })); // filters go by themselves
  }
  onKey(e) {
    if (composes(e)) return;
    const open = !this.box.hidden;
    if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      e.preventDefault();
      if (!open) return htmx.trigger(this.input, "input");
      const step = e.key === "ArrowDown" ? 1 : -1;
      this.mark(this.at < 0 ? (step > 0 ? 0 : this.options.length - 1) : (this.at + step + this.options.length) % this.options.length);
    } else if (e.key === "Enter") {
      e.preventDefault();
      const chosen = open && this.fresh && this.options[this.at];
      if (chosen) this.take(chosen); else if (this.input.value.trim()) { this.hide(); this.send(); }
    } else if (e.key === "Escape" && open) {
      e.preventDefault();
      e.stopPropagation();
      this.hide();
    }
  }
}
customElements.define("label-combo", LabelCombo);
document.addEventListener("htmx:after:swap", (e) => {
  const form = e.detail.ctx.request?.form || e.detail.ctx.sourceElement?.closest?.("form");
  const combo = form && $("label-combo", form);
  if (combo && e.detail.ctx.request.method === "POST" && e.detail.ctx.response.status < 300) { combo.input.value = ""; combo.hide(); home()?.focus({ preventScroll: true }); } // the key of its undo is no letter of a next label
});

/* tabs: without scripts all panels show */
const readyTabs = () => $$("[role=tablist]:not([data-ready])").forEach((list) => {
  list.dataset.ready = "";
  const show = (tab) => $$("[role=tab]", list).forEach((t) => {
    t.setAttribute("aria-selected", t === tab);
    t.tabIndex = t === tab ? 0 : -1;
    document.getElementById(t.getAttribute("aria-controls")).hidden = t !== tab;
  });
  list.addEventListener("click", (e) => e.target.role === "tab" && show(e.target));
  list.addEventListener("keydown", (e) => { if (/Arrow(Left|Right)/.test(e.key)) { const o = $("[aria-selected=false]", list); show(o); o.focus(); } });
  show($("[aria-selected=true]", list));
});
readyTabs();
document.addEventListener("htmx:after:swap", readyTabs);

// What every page has around its content: the reader's theme and zone told to the server, and small forms.
const root = document.documentElement;
const remember = (name, value) => { document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax`; };

/* the server shows times in the reader's zone, and writes the theme into the page so that it does not flash */
remember("tz", Intl.DateTimeFormat().resolvedOptions().timeZone);
document.addEventListener("kit:theme", () => remember("theme", root.dataset.theme));

/* a question covers the page: until it is answered the focus stays in it, as in a <dialog> */
document.addEventListener("toggle", (e) => { if (e.target.matches?.(".ask[popover]")) holdPage(e.newState === "open", e.target); }, true);
document.addEventListener("beforetoggle", (e) => { if (e.target.matches?.(".ask[popover]") && e.newState === "closed") holdPage(false, e.target); }, true);
function holdPage(held, question) {
  for (const behind of document.querySelectorAll(".app, .skip")) behind.inert = held;
  question.ariaModal = held ? "true" : null;
}
/* a menu that the focus has left does not stay over what has it now */
document.addEventListener("focusout", ({ target, relatedTarget: to }) => {
  const menu = target.closest?.("[popover]:popover-open:not(.ask)");
  if (menu && to && !menu.contains(to) && to.popoverTargetElement !== menu) menu.hidePopover();
});

/* answers that a desk of hers could not send wait in this browser: whatever page is open sends them */
const waiting = `desk ${document.body.dataset.user} `;
if (!document.querySelector("#desk") && Object.keys(localStorage).some((name) => name.startsWith(waiting))) import("./waiting.js");

/* what the tab keeps of a person's writing goes with her; it stays where a session ran out. At the end of the page again,
   for the desk writes there */
const hers = new RegExp(`^(draft|playground|desk draft|desk places|ticked) ${document.body.dataset.user} `);
const forget = () => Object.keys(sessionStorage).filter((name) => hers.test(name)).forEach((name) => sessionStorage.removeItem(name));
document.addEventListener("submit", (e) => {
  if (!e.target.matches?.("[data-logout]")) return;
  forget();
  addEventListener("pagehide", forget);
});

/* a key that follows the name until it is typed by hand */
document.addEventListener("input", (e) => {
  const field = e.target;
  field.dataset.typed = "yes";
  const follower = document.getElementById(field.dataset.suggests);
  if (follower && !follower.dataset.typed) follower.value = slug(field.value, follower.maxLength);
});
const slug = (text, length) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/[^a-z0-9_]+/g, "-").replace(/^-+|-+$/g, "").slice(0, length);
for (const field of document.querySelectorAll("[data-suggests]")) {
  const follower = document.getElementById(field.dataset.suggests);
  if (follower?.value) follower.dataset.typed = "yes";
}

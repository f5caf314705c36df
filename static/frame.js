// What every page has around its content: the reader's theme and zone told to the server, and small forms.
const root = document.documentElement;
const remember = (name, value) => { document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax`; };

/* the server shows times in the reader's zone, and writes the theme into the page so that it does not flash */
remember("tz", Intl.DateTimeFormat().resolvedOptions().timeZone);
document.addEventListener("kit:theme", () => remember("theme", root.dataset.theme));

document.addEventListener("click", (e) => e.target.closest("[data-dismiss]")?.parentElement.remove());

/* answers that a desk of hers could not send wait in this browser: whatever page is open sends them */
const waiting = `desk ${document.body.dataset.user} `;
if (!document.querySelector("#desk") && Object.keys(localStorage).some((name) => name.startsWith(waiting))) import("./waiting.js");

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

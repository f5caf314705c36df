// The playground: one prompt goes to several models at once, what they answer is written side by side while it comes,
// and a vote says which is best. The order is shuffled, and names and figures are hidden until the vote, unless the
// reader wants to see them. What models say is only ever put in as text; the server makes it into HTML.
const $ = (s, r = document) => r.querySelector(s);
const $$ = (s, r = document) => [...r.querySelectorAll(s)];
const page = $("#playground"), form = $("#prompt"), answers = $("#answers"), verdict = $("#verdict"), blind = form.elements.blind;
const { project } = page.dataset;
const ANY = "00000000-0000-0000-0000-000000000000"; // stands in an address for an id
const PASS_MS = 8 * 60_000; // the gateway takes a pass for ten minutes
const MOST = 4;
const TYPING = "input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]";
const say = (text) => { $("#say").textContent = text; };
const show = (element, on) => { if (element) element.hidden = !on; };

let sides = []; // of the newest run, in the order they are shown
let running = null; // its AbortController, while answers come
let vote = null; // {verdict, best, votes} once one was given

/* -- what went wrong, kindly -------------------------------------------------------------------- */
class Trouble extends Error {
  constructor(text, detail = "") { super(text); this.detail = detail; }
}
const KIND = {
  400: "The model did not take this prompt.", 401: "The pass to the gateway ran out. Run again.",
  403: "You may not call this model.", 404: "This model is no longer attached, or cannot be called.",
  413: "The prompt is too large.", 422: "The model did not take this prompt.",
  429: "The provider takes no more requests for now. Try again in a moment.",
  503: "The model or the gateway is not up at the moment. Try again in a moment.", 504: "The model did not answer in time.",
};
const KINDER = { // by the gateway's own words
  model_not_callable: "This model cannot be called: it has no provider, or its provider no key.",
  model_offline: "This model is switched off in this project.",
  wrong_capability: "This model does not answer in text.",
  archived: "The project is archived and takes nothing more.",
  provider_key: "The provider does not take the key it is called with.",
  unreachable: "The provider cannot be reached.",
  broken_off: "The provider broke the answer off before its end.",
  too_large: "The answer became larger than the gateway takes.",
  timeout: KIND[504],
};
const kindly = (status) => KIND[status] ?? (status >= 500 ? "The provider failed to answer." : `The gateway refused this (${status}).`);
const troubleOf = (status, error) => new Trouble(KINDER[error?.code] ?? kindly(status), String(error?.message ?? "").slice(0, 500));
async function refusal(answer) {
  const told = await answer.json().catch(() => ({}));
  return troubleOf(answer.status, told.error);
}

/* -- the pass, and what was taken over ------------------------------------------------------------ */
const loggedOut = () => new Trouble("You are logged out. Log in again in another tab, then run again.");
const OF_PAGE = { // what the page's own calls are refused with
  403: "This page is too old, or your role no longer allows this. Reload it; what is written stays.",
  404: "It is no longer there. Reload this page; what is written stays.",
};
const ofPage = (status) => OF_PAGE[status] ?? `The server did not take this (${status}). Try again in a moment.`;
/* of the cookie, for a login in another tab makes it anew and the page's own is none then */
const csrf = () => document.cookie.split("; ").find((one) => one.startsWith("csrftoken="))?.slice("csrftoken=".length) ?? "";
async function post(address, fields = []) {
  const body = new FormData();
  body.set("csrfmiddlewaretoken", csrf());
  fields.forEach(([name, value]) => body.append(name, value));
  const answer = await fetch(address, { method: "POST", body });
  if (answer.redirected) throw loggedOut();
  return answer;
}
let pass = null, passedAt = 0;
async function freshPass() {
  if (pass && performance.now() - passedAt < PASS_MS) return pass;
  const answer = await post(page.dataset.pass);
  if (!answer.ok) throw new Trouble(ofPage(answer.status));
  ({ token: pass } = await answer.json());
  passedAt = performance.now();
  return pass;
}
let taken = null; // the messages of the interaction that this was opened from
async function takenOver() {
  if (!page.dataset.messages) return { before: [], last: null };
  if (!taken) {
    const answer = await fetch(page.dataset.messages);
    if (answer.redirected) throw loggedOut();
    if (!answer.ok) throw new Trouble(answer.status === 404 ? "The interaction of this prompt is no longer there." : ofPage(answer.status));
    taken = await answer.json();
  }
  return taken;
}

async function messages() {
  const { before, last } = await takenOver();
  const system = form.elements.system.value, user = form.elements.user.value;
  const content = written(last?.content, user);
  return [
    ...(system.trim() ? [{ role: "system", content: system }] : []),
    ...before,
    ...(content.length ? [{ ...last, role: "user", content }] : []),
  ];
}
/* the text in the place of the old one, pictures where they were */
function written(content, text) {
  const said = text.trim() ? text : "";
  if (!Array.isArray(content)) return said;
  const parts = content.flatMap((part) => (part.type !== "text" ? [part] : said ? [{ ...part, text: said }] : []));
  return said && !parts.some((part) => part.type === "text") ? [{ type: "text", text: said }, ...parts] : parts;
}
/* what is given, the most tokens under the name by which the model's provider takes them */
function knobs(model) {
  const { length } = boxes().find((box) => box.value === model).dataset;
  const given = [["temperature"], ["top_p"], ["max_tokens", length]].map(([name, sentAs = name]) => [sentAs, form.elements[name].valueAsNumber]);
  return Object.fromEntries(given.filter(([, value]) => Number.isFinite(value)));
}

/* -- a run ---------------------------------------------------------------------------------------- */
const boxes = () => $$("[name=model]", form);
const chosen = () => boxes().filter((box) => box.checked).map((box) => box.value);
function faultIn(models) {
  if (!models.length) return "Choose the models that are to answer.";
  if (models.length > MOST) return `At most ${MOST} models answer side by side; ${models.length} are chosen.`;
  const nothing = !form.elements.user.value.trim() && !form.elements.system.value.trim() && !page.dataset.messages;
  return nothing ? "Write what is asked of the models first." : "";
}
function tellFault(text) {
  const place = $("#fault");
  place.textContent = text;
  show(place, text);
}

async function run() {
  if (running || !form.reportValidity()) return;
  const models = chosen(), fault = faultIn(models);
  tellFault(fault);
  if (fault) return;
  running = new AbortController();
  const { signal } = running;
  vote = null;
  sides = (blind.checked ? shuffled(models) : models).map(makeSide);
  $("#sides").replaceChildren(...sides.map((side) => side.card));
  $("#sides").dataset.n = sides.length;
  paint();
  answers.focus({ preventScroll: true });
  answers.scrollIntoView({ block: "nearest" });
  say(sides.length > 1 ? `${sides.length} models are answering` : "The model is answering");
  try {
    const [token, sent] = await Promise.all([freshPass(), messages()]);
    await Promise.all(sides.map((side) => ask(side, token, { messages: sent, ...knobs(side.model) }, signal)));
  } catch (error) {
    const trouble = error instanceof Trouble ? error : new Trouble("No answer from the server. Try again when it is back.");
    sides.forEach((side) => end(side, "failed", trouble));
  }
  running = null;
  paint();
  sayEnd();
}
function shuffled(list) {
  const out = [...list];
  for (let n = out.length - 1; n > 0; n -= 1) {
    const other = Math.floor(Math.random() * (n + 1));
    [out[n], out[other]] = [out[other], out[n]];
  }
  return out;
}
function makeSide(model, place) {
  const card = $("#side").content.firstElementChild.cloneNode(true), text = document.createTextNode("");
  card.setAttribute("aria-label", `Answer ${place + 1}`);
  $("[data-place]", card).textContent = place + 1;
  $(".streamed", card).append(text);
  return { model, card, text, place: place + 1, state: "waiting", id: null, began: performance.now(), first: null, total: null, usage: null, reason: "", trouble: null };
}
const finished = () => sides.filter((side) => side.state === "done" && side.id);

async function ask(side, token, body, signal) {
  side.began = performance.now();
  try {
    const answer = await fetch("/openai/v1/chat/completions", {
      method: "POST", credentials: "omit", signal,
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      body: JSON.stringify({ model: `${project}/${side.model}`, ...body, stream: true, stream_options: { include_usage: true } }),
    });
    if (answer.status === 401) pass = null;
    if (!answer.ok) throw await refusal(answer);
    side.id = answer.headers.get("X-Completion-Ids")?.split(",")[0].trim() || null;
    await read(side, answer.body);
    end(side, "done");
  } catch (error) {
    if (signal.aborted) end(side, "stopped");
    else end(side, "failed", error instanceof Trouble ? error : new Trouble("The connection was lost before the answer ended."));
  }
  paint();
  if (side.state === "done") await render(side);
}
function end(side, state, trouble = null) {
  if (["done", "stopped", "failed"].includes(side.state)) return;
  Object.assign(side, { state, trouble, total: performance.now() - side.began });
}

async function read(side, stream) {
  for await (const data of events(stream)) {
    if (data === "[DONE]") return;
    const chunk = JSON.parse(data);
    if (chunk.error) throw troubleOf(502, chunk.error);
    take(side, chunk);
  }
  throw new Trouble("The answer broke off before its end.");
}
async function* events(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) if (line.startsWith("data:")) yield line.slice(5).trim();
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
/* itself, or what its text parts say, as Mistral's models that reason send it: what they think is no answer */
function textOf(content) {
  if (!Array.isArray(content)) return content ?? "";
  return content.map((part) => (part?.type === "text" ? part.text : "")).join("");
}
/* what is said, aloud too, and what is asked of tools: the name on a line, then the arguments as they come */
function pieceOf(delta) {
  const calls = delta.tool_calls ?? (delta.function_call ? [{ function: delta.function_call }] : []);
  const asked = calls.map((call) => call.function ?? {}).map(({ name, arguments: given }) => (name ? `\n${name} ` : "") + (given ?? ""));
  return (textOf(delta.content) || (delta.refusal ?? delta.audio?.transcript ?? "")) + asked.join("");
}
function take(side, chunk) {
  side.usage = chunk.usage ?? side.usage;
  const choice = chunk.choices?.[0];
  if (!choice) return;
  side.id ??= choice.completion_id ?? null;
  side.reason = choice.finish_reason ?? side.reason;
  const piece = pieceOf(choice.delta ?? {});
  if (!piece) return;
  if (side.first === null) {
    side.first = performance.now() - side.began;
    side.state = "writing";
    paint();
  }
  side.text.appendData(side.text.length ? piece : piece.trimStart());
}
/* the server's own rendering in the place of the plain text; where it does not come, that stays */
async function render(side) {
  if (!side.id) return;
  try {
    const answer = await fetch(page.dataset.answer.replace(ANY, side.id), { headers: { "HX-Request": "true" } });
    if (!answer.ok || answer.redirected) return;
    const holder = document.createElement("template");
    holder.innerHTML = await answer.text();
    $("[data-text]", side.card).replaceChildren(holder.content);
  } catch { /* the plain text says the same */ }
}

/* -- what is shown -------------------------------------------------------------------------------- */
const canVote = () => Boolean(verdict) && !running && finished().length > 1;
const revealed = () => !blind.checked || sides.length < 2 || vote !== null || (!running && !canVote());
const seconds = (ms) => (ms === null ? "–" : ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(2)} s`);
const CUT = { length: "cut at the most tokens", content_filter: "cut by the provider's filter" };
const WORDS = { waiting: "waiting …", writing: "writing …", stopped: "stopped", failed: "failed" };

function paint() {
  const names = revealed();
  sides.forEach((side) => paintSide(side, names));
  $("#run").disabled = running !== null;
  $("#stop").disabled = running === null;
  paintVerdict();
}
function paintSide(side, names) {
  const { card, state, usage } = side, going = state === "waiting" || state === "writing";
  card.setAttribute("aria-busy", going);
  card.classList.toggle("pick", vote?.best === side.place);
  $("[data-model]", card).textContent = names ? side.model : "";
  $("[data-told]", card).textContent = WORDS[state] ?? CUT[side.reason] ?? "";
  const open = $("[data-open]", card);
  show(open, names && side.id && state === "done");
  if (side.id) open.href = page.dataset.open.replace(ANY, side.id);
  const trouble = $("[data-trouble]", card);
  show(trouble, side.trouble);
  if (side.trouble) $("span", trouble).textContent = [side.trouble.message, names ? side.trouble.detail : ""].filter(Boolean).join(" ");
  show($("[data-figures]", card), names && !going);
  $("[data-first]", card).textContent = seconds(side.first);
  $("[data-total]", card).textContent = seconds(side.total);
  $("[data-tokens]", card).textContent = usage ? `${usage.prompt_tokens} in, ${usage.completion_tokens} out` : "–";
}
function paintVerdict() {
  if (!verdict) return show($("#novote"), true);
  const open = canVote(), there = finished().map((side) => side.place);
  verdict.hidden = sides.length < 2;
  show($("#votes"), vote === null);
  $$("#votes button").forEach((button) => {
    const place = Number(button.dataset.best ?? 0);
    button.hidden = place > sides.length;
    button.disabled = !open || (place > 0 && !there.includes(place));
  });
  form.elements.key.disabled = vote !== null;
  show($("#result"), vote !== null);
  if (vote) $("#result span").textContent = vote.text;
}
function sayEnd() {
  const n = finished().length, failed = sides.filter((side) => side.state === "failed");
  if (failed.length) return say(failed.map((side) => `Answer ${side.place}: ${side.trouble.message}`).join(" "));
  if (sides.some((side) => side.state === "stopped")) return say("Stopped");
  say(n > 1 && verdict ? `All ${n} answers are there. Vote with 1 to ${sides.length}, 0 for a tie, b for all bad.` : "The answer is there");
}

/* -- the vote ------------------------------------------------------------------------------------- */
let voting = false;
async function give(what, best = 0) {
  if (voting || vote || !canVote()) return;
  voting = true;
  tellVoteFault("");
  const there = finished(), round = sides;
  const fields = [["key", form.elements.key.value], ["verdict", what], ...there.map((side) => ["answer", side.id])];
  if (best) fields.push(["best", there.find((side) => side.place === best).id]);
  const told = await sent(page.dataset.vote, fields);
  voting = false;
  if (!told || round !== sides) return;
  vote = { best, votes: told.votes, text: inWords(what, best, there) };
  paint();
  $("#undo").focus({ preventScroll: true });
  say(vote.text);
}
function inWords(what, best, there) {
  const under = form.elements.key.selectedOptions[0].textContent;
  const names = there.map((side) => `${side.place} ${side.model}`);
  if (what !== "best") return `Kept under ${under}: ${what === "tie" ? "a tie" : "all bad"} between ${names.join(", ")}.`;
  const [winner] = there.filter((side) => side.place === best), others = there.filter((side) => side !== winner);
  return `Kept under ${under}: ${winner.place} ${winner.model} over ${others.map((side) => `${side.place} ${side.model}`).join(", ")}.`;
}
async function takeBack() {
  if (voting || !vote) return;
  voting = true;
  const told = await sent(page.dataset.undo, vote.votes.map((one) => ["vote", one]));
  voting = false;
  if (!told) return;
  vote = null;
  blind.checked = false; // the names were seen
  paint();
  verdict.focus({ preventScroll: true });
  say("The vote is taken back");
}
async function sent(address, fields) {
  try {
    const answer = await post(address, fields), told = await answer.json().catch(() => ({}));
    if (answer.ok) return told;
    tellVoteFault(told.text ?? `Not kept. ${ofPage(answer.status)}`);
  } catch (error) {
    tellVoteFault(error instanceof Trouble ? error.message : "Not kept: no answer from the server. Try again when it is back.");
  }
  return null;
}
function tellVoteFault(text) {
  $("#votefault").textContent = text;
  show($("#votefault"), text);
}

/* -- hands and keys ------------------------------------------------------------------------------- */
const stop = () => running?.abort();
form.addEventListener("submit", (e) => { e.preventDefault(); run(); });
$("#stop").addEventListener("click", () => { stop(); answers.focus({ preventScroll: true }); });
blind.addEventListener("change", paint);
verdict?.addEventListener("click", (e) => {
  const button = e.target.closest("button[data-best], button[data-verdict]");
  if (button) give(button.dataset.verdict ?? "best", Number(button.dataset.best ?? 0));
  if (e.target.closest("#undo")) takeBack();
});
addEventListener("keydown", (e) => {
  if (e.isComposing || e.keyCode === 229 || $("dialog[open], [popover]:popover-open")) return; // an input method's own key says nothing here
  if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) { e.preventDefault(); run(); }
  if (e.key === "Escape" && running) { e.preventDefault(); e.stopPropagation(); $("#stop").click(); }
}, true);
document.addEventListener("kit:key", (e) => {
  if (e.detail.key !== "e") return;
  e.preventDefault(); // the key is no text of the field
  form.elements.user.focus();
});

/* -- what is written outlives the page, as long as the tab is open ---------------------------------- */
const place = `playground ${document.body.dataset.user} ${project} ${page.dataset.messages ?? ""}`;
const fields = () => ["system", "user", "temperature", "top_p", "max_tokens", "key"].map((name) => form.elements[name]).filter(Boolean);
function keep() {
  const kept = { models: chosen(), blind: blind.checked, fields: Object.fromEntries(fields().map((field) => [field.name, field.value])) };
  try { sessionStorage.setItem(place, JSON.stringify(kept)); } catch { /* too large for the browser: it stays in the page */ }
}
function bringBack() {
  const kept = JSON.parse(sessionStorage.getItem(place) ?? "null");
  if (!kept) return;
  fields().forEach((field) => { if (field.name in kept.fields) field.value = kept.fields[field.name]; });
  if (form.elements.key && !form.elements.key.value) form.elements.key.selectedIndex = 0;
  blind.checked = kept.blind;
  if (!new URLSearchParams(location.search).has("model")) boxes().forEach((box) => { box.checked = kept.models.includes(box.value); });
}
form.addEventListener("input", keep);
form.addEventListener("change", keep);
verdict?.addEventListener("change", keep);
bringBack();
$("fieldset", form).disabled = false;

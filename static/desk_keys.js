// What a key does at the desk: the reviewer's own ones, and those that nobody chooses.
import { desk } from "./desk_frame.js";

export const TYPING = "input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]";
const keyOf = JSON.parse(desk.dataset.keys);
const actionOf = Object.fromEntries(Object.entries(keyOf).map(([action, key]) => [key === "Space" ? " " : key, action]));
const ALSO = { ArrowLeft: "previous", ArrowRight: "next", k: "previous", j: "next", ArrowUp: "up", ArrowDown: "down", PageUp: "pageup", PageDown: "pagedown", Home: "top", End: "completion", " ": "pagedown" };

export const lettersWork = () => desk.dataset.letters !== "off" && localStorage.getItem("letters") !== "off";

/* the action of a key, or null where it means something else to what has the focus */
export function actionFor(e) {
  const { target, key } = e, typing = target.closest?.(TYPING);
  if (e.ctrlKey || e.metaKey) return key === "Enter" ? "submit" : key.toLowerCase() === "z" && !typing && !e.shiftKey ? "undo" : null;
  if (e.altKey || typing) return null;
  if (target.closest?.("button, a, summary, .btn input") && (key === "Enter" || key === " ")) return null;
  if (key.startsWith("Arrow") && target.matches?.("[type=radio], .talk, pre")) return null;
  if (/^(Page|Home)/.test(key) && target.matches?.(".talk, pre")) return null;
  if (key.length === 1 && !lettersWork()) return null;
  if (/^[0-9]$/.test(key)) return "digit";
  if (key === " " && !actionOf[key] && (e.shiftKey || target.matches?.("input, .talk, pre"))) return null;
  const action = actionOf[key] ?? ALSO[key];
  return action && (action !== "diff" || "pair" in desk.dataset) ? action : null;
}

// Small behaviours on top of server-rendered pages. ES module, no build, no dependency but uPlot (window.uPlot, optional).
const $ = (s, r = document) => r.querySelector(s);
const $$ = (s, r = document) => [...r.querySelectorAll(s)];
const root = document.documentElement;

/* theme: ?theme=dark wins (for screenshots), then what the reader chose, then the system */
const asked = new URLSearchParams(location.search).get("theme") || localStorage.getItem("theme");
if (asked) root.dataset.theme = asked;
const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
document.addEventListener("click", (e) => {
  if (e.target.closest("[data-theme-toggle]")) {
    localStorage.setItem("theme", (root.dataset.theme = isDark() ? "light" : "dark"));
    document.dispatchEvent(new Event("kit:theme"));
  }
  if (e.target.closest("[data-facets]")) {
    const open = $(".facets").classList.toggle("open");
    $(".filters-btn").setAttribute("aria-expanded", open);
    (open ? $(".facets [data-facets]") : $(".filters-btn")).focus();
  }
  const close = e.target.closest("[data-close]");
  if (close) close.closest("dialog").close();
  const opener = e.target.closest("[data-dialog]");
  if (opener) { e.preventDefault(); openDialog(opener); }
});

function openDialog(opener) {
  const dialog = document.getElementById(opener.dataset.dialog);
  const img = opener.querySelector("img");
  if (dialog.matches(".lightbox") && img) {
    $("img", dialog).src = img.src;
    $("img", dialog).alt = img.alt;
    $("[data-caption]", dialog).textContent = img.alt;
  }
  dialog.showModal();
}

/* hotkeys: an element says which key presses it (data-key="x"); typing in a field turns all but Escape off */
document.addEventListener("keydown", (e) => {
  if ((e.metaKey || e.ctrlKey) && e.key.toLowerCase() === "k") { e.preventDefault(); $("#palette")?.showModal(); return; }
  if (e.metaKey || e.ctrlKey || e.altKey || e.target.closest("input:not([type=radio], [type=checkbox]), textarea, select, dialog, [contenteditable]")) return;
  const table = $("[data-rows]");
  if (table && (e.key === "j" || e.key === "k")) return moveCursor(table, e.key === "j" ? 1 : -1);
  if (table && e.key === "x") return $("tr.cur input", table)?.click();
  // in a review the digits answer the marked question; a single choice moves the mark on
  const question = $(".q.active");
  if (question && /^[1-9]$/.test(e.key)) {
    const option = $$("input", question)[e.key - 1];
    if (!option) return;
    e.preventDefault();
    option.click();
    if (option.type === "radio") markQuestion($$(".q").indexOf(question) + 1);
    return;
  }
  const hit = $(`[data-key="${CSS.escape(e.key)}"]`);
  if (hit) { e.preventDefault(); hit.matches("input[type=search], textarea") ? hit.focus() : hit.click(); }
});

function markQuestion(i) {
  const all = $$(".q");
  if (!all.length) return;
  const next = all[Math.min(i, all.length - 1)];
  all.forEach((q) => q.classList.toggle("active", q === next));
  next.scrollIntoView({ block: "nearest" });
}
document.addEventListener("focusin", (e) => { const q = e.target.closest(".q"); if (q) markQuestion($$(".q").indexOf(q)); });

function moveCursor(table, step) {
  const rows = $$("tbody tr", table);
  const next = rows[Math.min(rows.length - 1, Math.max(0, rows.findIndex((r) => r.classList.contains("cur")) + step))];
  rows.forEach((r) => r.classList.toggle("cur", r === next));
  $("a", next).focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

/* row selection: the count and the bulk bar follow the boxes */
document.addEventListener("change", (e) => {
  const table = e.target.closest("[data-rows]");
  if (!table) return;
  const boxes = $$("tbody input[type=checkbox]", table);
  if (e.target.closest("thead")) boxes.forEach((b) => (b.checked = e.target.checked));
  boxes.forEach((b) => b.closest("tr").classList.toggle("sel", b.checked));
  syncSelection(table);
});
function syncSelection(table) {
  const boxes = $$("tbody input[type=checkbox]", table);
  const n = boxes.filter((b) => b.checked).length;
  const all = $("thead input", table);
  all.checked = n === boxes.length && n > 0;
  all.indeterminate = n > 0 && n < boxes.length;
  const bulk = $("[data-bulk]");
  if (bulk) { bulk.hidden = n === 0; $("b", bulk).textContent = `${n} selected`; }
}
$$("[data-rows]").forEach(syncSelection);

/* after a swap: recount the selection; a drawer that just opened takes the focus, and gives it back when it goes */
let opener = null;
document.addEventListener("htmx:before:swap", () => { if (!$("#drawer h1")) opener = document.activeElement; });
document.addEventListener("htmx:after:swap", () => {
  $$("[data-rows]").forEach(syncSelection);
  const head = $("#drawer h1");
  if (head && !head.closest("aside").contains(document.activeElement)) { head.tabIndex = -1; head.focus({ preventScroll: true }); }
  if (!head && opener?.isConnected) { opener.focus({ preventScroll: true }); opener = null; }
});

/* time brush: drag over the bars; the two ends are also plain datetime fields in the range menu */
class TimeBrush extends HTMLElement {
  connectedCallback() {
    const svg = $("svg", this);
    const box = $(".brush", svg);
    const edges = $$(".edge", svg);
    const width = svg.viewBox.baseVal.width;
    const at = (e) => Math.min(width, Math.max(0, ((e.clientX - svg.getBoundingClientRect().left) / svg.clientWidth) * width));
    let from = null;
    const paint = (a, b) => {
      const [lo, hi] = a < b ? [a, b] : [b, a];
      box.setAttribute("x", lo); box.setAttribute("width", hi - lo);
      [lo, hi].forEach((x, i) => { edges[i].setAttribute("x1", x); edges[i].setAttribute("x2", x); });
      $$("rect.b", svg).forEach((r) => { const x = +r.getAttribute("x"); r.classList.toggle("on", x + 4 >= lo && x <= hi); });
    };
    svg.addEventListener("pointerdown", (e) => { from = at(e); svg.setPointerCapture(e.pointerId); });
    svg.addEventListener("pointermove", (e) => from !== null && paint(from, at(e)));
    svg.addEventListener("pointerup", () => { from = null; this.dispatchEvent(new Event("change", { bubbles: true })); });
  }
}
customElements.define("time-brush", TimeBrush);

/* chart: reads the table it wraps (first column: ISO date; others: one series each, "lo hi" bands in data-lo / data-hi),
   so the numbers stay in the page for screen readers and when scripts are off */
class TsChart extends HTMLElement {
  connectedCallback() {
    if (!window.uPlot) return;
    this.draw();
    new ResizeObserver(() => this.plot?.setSize({ width: this.clientWidth, height: this.height })).observe(this);
    document.addEventListener("kit:theme", () => { this.plot.destroy(); this.draw(); });
  }
  draw() {
    const table = $("table", this);
    const css = getComputedStyle(this);
    const token = (n) => { const p = document.createElement("i"); p.style.color = `var(--${n})`; this.append(p); const c = getComputedStyle(p).color; p.remove(); return c; };
    const heads = $$("thead th", table).slice(1);
    const rows = $$("tbody tr", table);
    const xs = rows.map((r) => Date.parse(r.cells[0].dateTime || r.cells[0].textContent) / 1000);
    const unit = this.dataset.unit || "";
    const stacked = this.dataset.kind === "stack";
    this.height = +this.dataset.height || 200;
    const data = [xs], series = [{}], bands = [], labels = [];
    const raw = heads.map((_, i) => rows.map((r) => +r.cells[i + 1].textContent));
    if (stacked) {
      const sum = xs.map(() => 0);
      const tops = raw.map((col) => col.map((v, i) => (sum[i] += v)));
      tops.reverse().forEach((col, i) => {
        const h = heads[heads.length - 1 - i];
        data.push(col);
        series.push({ stroke: token("surface"), width: 1, fill: token(h.dataset.color), paths: uPlot.paths.bars({ size: [0.78, 28], radius: 0 }), points: { show: false } });
      });
    } else {
      heads.forEach((h, i) => {
        const color = token(h.dataset.color);
        const soft = color.replace(/\)$/, " / 0.14)");
        if (rows[0].cells[i + 1].dataset.lo) {
          data.push(rows.map((r) => +r.cells[i + 1].dataset.hi), rows.map((r) => +r.cells[i + 1].dataset.lo));
          series.push({ width: 0, points: { show: false } }, { width: 0, points: { show: false } });
          bands.push({ series: [data.length - 2, data.length - 1], fill: soft });
        }
        data.push(raw[i]);
        series.push({ stroke: color, width: 1.75, points: { show: false } });
      });
    }
    heads.forEach((h, i) => labels.push([h.textContent, h.dataset.color, raw[i]]));
    const axis = { stroke: token("text-3"), font: `500 11px ${css.fontFamily}`, grid: { stroke: token("line"), width: 1 }, ticks: { show: false } };
    const day = (s) => new Date(s * 1000).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
    const fmt = (v, digits = 0) => (v === 0 && unit === "k" ? "0" : unit === "%" ? `${v.toFixed(digits)} %` : unit === "k" ? `${(v / 1000).toFixed(1)}k` : v.toLocaleString("en"));
    const tip = document.createElement("div"); tip.className = "chart-tip"; tip.hidden = true;
    $(".chart-tip", this)?.remove();
    this.append(tip);
    this.plot = new uPlot({
      width: this.clientWidth, height: this.height, tzDate: (t) => uPlot.tzDate(new Date(t * 1000), "UTC"), series, bands, legend: { show: false },
      cursor: { points: { show: !stacked, size: 7 }, drag: { x: true, y: false }, y: false, sync: this.dataset.sync ? { key: this.dataset.sync } : undefined },
      scales: { x: { time: true, range: stacked ? (u, a, b) => [a - 43200, b + 43200] : undefined }, y: { range: this.dataset.min ? [+this.dataset.min, +this.dataset.max] : (u, a, b) => [0, b * 1.1] } },
      axes: [{ ...axis, grid: { show: false }, space: 72, size: 26, values: (u, v) => v.map(day) }, { ...axis, size: 46, gap: 4, space: 36, values: (u, v) => v.map((n) => fmt(n, n % 1 ? 1 : 0)) }],
      padding: [8, 20, 0, 0],
      hooks: { setCursor: [(u) => {
        const i = u.cursor.idx;
        tip.hidden = i == null;
        if (i == null) return;
        tip.replaceChildren(...[[day(xs[i])], ...labels].map(([name, color, col]) => {
          const d = document.createElement("div");
          if (!col) { d.textContent = name; d.className = "mute"; return d; }
          const s = document.createElement("i"), b = document.createElement("b");
          s.className = `dot sq ${color.replace("c-", "c").replace("cmute", "cm")}`; b.textContent = fmt(col[i], 1);
          d.append(s, name, b);
          return d;
        }));
        const left = u.cursor.left + 58;
        tip.style.left = `${left + tip.offsetWidth + 12 > this.clientWidth ? left - tip.offsetWidth - 20 : left + 8}px`;
        tip.style.top = "12px";
      }] },
    }, data, this);
  }
}
customElements.define("ts-chart", TsChart);

/* tabs: without scripts both panels show */
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

// A test's page: its figures come anew every few seconds. What the reader has unfolded stays so, and what she writes is
// in a form that is not touched.
htmx.registerExtension("figures", {
  htmx_before_morph_attr: (elt, { attrName }) => !(attrName === "open" && elt.matches("details")),
});

/* the button says which arm it makes the default */
const naming = (select) => {
  const button = document.getElementById(select?.dataset.names);
  if (button) button.querySelector("span").textContent = `Make ${select.value || "the winner"} the default`;
};
document.addEventListener("change", (e) => { if (e.target.matches?.("[data-names]")) naming(e.target); });
document.querySelectorAll("[data-names]").forEach(naming);

// Keys of the matching workbench. Each only presses what stands on the page: without a script everything works by hand.

const PLACE = "jeongsan.workbench-keys";
const toggle = document.querySelector("[data-keys-toggle]");

// Single letters disturb those who speak to their machine, so that they can be switched off; the browser remembers it.
const kept = () => { try { return localStorage.getItem(PLACE); } catch { return null; } };
if (toggle) {
  toggle.closest("[hidden]")?.removeAttribute("hidden");
  toggle.checked = kept() !== "off";
  toggle.addEventListener("change", () => {
    try { localStorage.setItem(PLACE, toggle.checked ? "on" : "off"); } catch { /* kept for this page alone */ }
  });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.repeat) return;
  const field = event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
  if (field) {
    if (event.key === "Escape" && field.matches("[data-keys]")) field.blur(); // a key led there: this one leads back
    return;
  }
  if (toggle && !toggle.checked) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : "";
  if (!key) return;
  const pressed = document.querySelector(`[data-keys~="${CSS.escape(key)}"]`);
  if (!pressed) return;
  event.preventDefault();
  if (pressed.tagName === "DETAILS") {
    pressed.open = !pressed.open;
    if (pressed.open) pressed.querySelector("summary").focus();
  } else if (pressed.matches("input:not([type=checkbox])")) pressed.focus();
  else pressed.click();
});

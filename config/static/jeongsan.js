// The few things that HTML and htmx do not do by themselves.

// Name the chosen file in a drop zone.
document.addEventListener("change", (event) => {
  const zone = event.target.closest(".drop");
  if (!zone || event.target.type !== "file") return;
  zone.querySelector(".drop-name").textContent = [...event.target.files].map((file) => file.name).join(", ");
});
for (const [name, over] of [["dragenter", true], ["dragover", true], ["dragleave", false], ["drop", false]]) {
  document.addEventListener(name, (event) => event.target.closest?.(".drop")?.classList.toggle("is-over", over));
}

// Show how much of an upload has been sent: the <progress> inside the form that htmx sends.
document.addEventListener("htmx:xhr:progress", (event) => {
  const bar = event.target.querySelector?.("progress[data-upload]");
  if (!bar || !event.detail.lengthComputable) return;
  bar.closest("[hidden]")?.removeAttribute("hidden");
  bar.max = event.detail.total;
  bar.value = event.detail.loaded;
});

// Ask before an act that cannot be undone: <form data-confirm="…"> or <button data-confirm="…">.
document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

// A form is sent once: the second click of a double click must not send it again.
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.matches("[hx-post], [method=get]")) return;
  setTimeout(() => event.target.querySelectorAll("button[type=submit]").forEach((button) => { button.disabled = true; }));
});
window.addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("button[type=submit]:disabled").forEach((button) => { button.disabled = false; });
});

// What a form sent by htmx is answered is shown, refusals too: 422 is the form with its errors, others are a page of their own.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.requestConfig.verb !== "post") return;
  event.detail.shouldSwap = true;
  if (event.detail.xhr.status === 422) event.detail.isError = false;
});

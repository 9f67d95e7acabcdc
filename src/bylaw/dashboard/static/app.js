// What pages do besides htmx. They work without it.
"use strict";

const say = (text) => {
  const place = document.getElementById("notice");
  if (place) place.textContent = text;
};
const silent = "The server does not answer. What you wrote is still here; it is asked again as you go on.";

for (const name of ["htmx:error", "htmx:sse:error"]) document.addEventListener(name, () => say(silent));
for (const name of ["htmx:after:request", "htmx:sse:after:connection"]) document.addEventListener(name, () => say(""));

// A form that is on its way is not sent a second time; after a while it may be.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.ariaBusy === "true") {
    event.preventDefault();
    return;
  }
  form.ariaBusy = "true";
  setTimeout(() => { form.ariaBusy = null; }, 10_000);
});
addEventListener("pageshow", () => document.querySelectorAll("form[aria-busy]").forEach((form) => { form.ariaBusy = null; }));

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copies]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
    button.textContent = "Copied";
  } catch {
    say("This browser lets no page copy: mark the text and copy it yourself.");
  }
});

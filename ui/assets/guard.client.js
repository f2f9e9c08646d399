// What htmx must not do, and what a person should hear when it could not.
(() => {
  // An answer that is no HTML (a problem document) is told, not swapped in as markup.
  document.addEventListener("htmx:before:swap", (event) => {
    const { response, select } = event.detail.ctx ?? {};
    if (!response) return;
    const type = response.headers.get("content-type") ?? "";
    // A renewal that failed must not empty the place it was to renew.
    if (/^text\/html/.test(type) && !(select && response.status >= 400)) return;
    event.preventDefault();
    if (/problem\+json/.test(type)) tell(event.detail.ctx.text);
  });

  function tell(text) {
    try {
      const problem = JSON.parse(text);
      window.diploToast([problem.detail ?? problem.title, problem.hint].filter(Boolean).join(" "));
    } catch {
      window.diploToast("The box answered with something unreadable.");
    }
  }

  // Nobody looks: the box is not asked every few seconds for nothing.
  document.addEventListener("htmx:before:request", (event) => {
    if (document.hidden && event.detail.ctx?.sourceEvent?.type === "every") event.preventDefault();
  });

  let silent = false;
  document.addEventListener("htmx:error", () => {
    if (silent) return;
    silent = true;
    window.diploToast("The box does not answer. Trying again.");
    setTimeout(() => {
      silent = false;
    }, 15_000);
  });

  // A form sent without htmx: its button becomes the progress too.
  document.addEventListener("submit", (event) => {
    if (!event.defaultPrevented && event.target.method !== "dialog") event.target.classList.add("sending");
  });
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll(".sending")) form.classList.remove("sending");
  });
})();

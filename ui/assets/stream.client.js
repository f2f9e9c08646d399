// Follows a stream of the server: `log` appends lines, `part` renews the element of that id, `end` is the end.
// The browser's own EventSource gives up on any error answer, so reconnecting, and saying so, is done here.
(() => {
  const FIRST_RETRY_MS = 500;
  const LAST_RETRY_MS = 15_000;

  function follow(log) {
    const view = log.closest("[data-logview]");
    const status = view.querySelector("[data-stream-status]");
    const news = view.querySelector("[data-stream-news]");
    let after = log.dataset.after ?? "";
    let retryMs = FIRST_RETRY_MS;
    let source = null;

    function say(text, trouble = false) {
      status.textContent = text;
      status.toggleAttribute("data-trouble", trouble);
    }

    function seen(event) {
      if (event.lastEventId) after = event.lastEventId;
    }

    function connect() {
      const address = new URL(log.dataset.stream, location.href);
      address.searchParams.set("after", after);
      source = new EventSource(address);
      source.onopen = () => {
        retryMs = FIRST_RETRY_MS;
        say("following");
      };
      source.addEventListener("log", (event) => {
        seen(event);
        log.dispatchEvent(new CustomEvent("diplo:append", { detail: event.data }));
      });
      source.addEventListener("part", (event) => renew(event.data));
      source.addEventListener("trouble", (event) => say(event.data, true));
      source.addEventListener("end", () => {
        source.close();
        delete log.dataset.stream;
        say("complete");
      });
      source.onerror = again;
    }

    function again() {
      source.close();
      say(`The connection is lost. Trying again in ${Math.ceil(retryMs / 1000)} s.`, true);
      setTimeout(connect, retryMs);
      retryMs = Math.min(LAST_RETRY_MS, retryMs * 2);
    }

    function renew(html) {
      const holder = document.createElement("template");
      holder.innerHTML = html;
      const part = holder.content.firstElementChild;
      const old = document.getElementById(part.id);
      if (!old || old.outerHTML === part.outerHTML) return;
      const focus = old.contains(document.activeElement);
      old.replaceWith(part);
      // Screen readers hear of changes only in a place that stays.
      const headline = part.querySelector("[role=status]");
      if (headline) news.textContent = headline.textContent;
      window.htmx.process(part);
      if (focus) part.querySelector("button, a")?.focus();
    }

    addEventListener("pagehide", () => source?.close());
    addEventListener("pageshow", (event) => {
      if (event.persisted && log.dataset.stream) connect();
    });
    connect();
  }

  for (const log of document.querySelectorAll("[data-stream]")) follow(log);
})();

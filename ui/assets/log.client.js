// A log follows its end until a person scrolls up; find and filters hide what does not match.
(() => {
  const KEPT_LINES = 5000;
  const NEAR_END_PX = 40;
  const trouble = /\b(error|fatal|panic|exception|failed)\b/i;

  function logView(view) {
    const log = view.querySelector("[data-log]");
    const find = view.querySelector("[data-log-find]");
    const instance = view.querySelector("[data-log-instance]");
    const errors = view.querySelector("[data-log-errors]");
    const follow = view.querySelector("[data-log-follow]");
    let following = true;
    let unseen = 0;

    const matches = (line) => {
      if (instance?.value && line.dataset.instance !== instance.value) return false;
      if (errors.checked && line.dataset.stderr === undefined && !trouble.test(line.textContent))
        return false;
      return line.textContent.toLowerCase().includes(find.value.toLowerCase());
    };
    const filtered = () => Boolean(find.value || instance?.value || errors.checked);

    function mark(lines) {
      const on = filtered();
      log.classList.toggle("filtered", on);
      for (const line of lines) line.classList.toggle("hit", on && matches(line));
    }

    function toEnd() {
      following = true;
      unseen = 0;
      follow.hidden = true;
      log.scrollTop = log.scrollHeight;
    }

    function append(html) {
      const before = log.lastElementChild;
      log.insertAdjacentHTML("beforeend", html);
      const added = [];
      for (
        let line = before ? before.nextElementSibling : log.firstElementChild;
        line;
        line = line.nextElementSibling
      )
        added.push(line);
      if (filtered()) mark(added);
      if (following) {
        while (log.childElementCount > KEPT_LINES) log.firstElementChild.remove();
        log.scrollTop = log.scrollHeight;
        return;
      }
      unseen += added.length;
      follow.textContent = `Follow (${unseen} new)`;
      follow.hidden = false;
    }

    log.addEventListener("scroll", () => {
      const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END_PX;
      if (atEnd) toEnd();
      else if (log.dataset.stream) {
        following = false;
        follow.hidden = false;
        if (unseen === 0) follow.textContent = "Follow";
      }
    });
    follow.addEventListener("click", toEnd);
    for (const control of [find, instance, errors])
      control?.addEventListener("input", () => mark(log.children));
    find.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      find.value = "";
      mark(log.children);
    });
    log.addEventListener("diplo:append", (event) => append(event.detail));
    toEnd();
  }

  for (const view of document.querySelectorAll("[data-logview]")) logView(view);
})();

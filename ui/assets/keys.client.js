// `/` finds, `?` lists the keys, `g` and a letter goes somewhere; Esc leaves.
(() => {
  const places = { a: "/", n: "/apps/new", j: "/jobs", b: "/box" };
  let going = false;

  const writing = (element) => element.closest("input, textarea, select, [contenteditable]");

  function open(id) {
    const dialog = document.getElementById(id);
    if (!dialog || dialog.open) return false;
    dialog.showModal();
    return true;
  }

  // A search field would only be emptied by Esc, and its dialog stay.
  function leave(element) {
    document.querySelector("dialog[open]")?.close();
    if (writing(element)) element.blur();
  }

  function act(event) {
    if (going) {
      going = false;
      const place = places[event.key];
      if (place) location.href = place;
      return Boolean(place);
    }
    if (event.key === "/") return open("find");
    if (event.key === "?") return open("keys");
    if (event.key === "g" && !document.querySelector("dialog[open]")) {
      going = true;
      setTimeout(() => {
        going = false;
      }, 1000);
      return true;
    }
    return false;
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") return leave(event.target);
    if (!writing(event.target) && act(event)) event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open]");
    if (opener && open(opener.dataset.open)) event.preventDefault();
    if (event.target instanceof HTMLDialogElement) event.target.close();
  });
})();

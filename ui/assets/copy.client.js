// Copies on click. A LAN page is plain http and has no clipboard API there: a hidden text field does it.
(() => {
  async function copy(text) {
    try {
      return await navigator.clipboard.writeText(text);
    } catch {
      // No such thing here, or it was refused.
    }
    const field = document.createElement("textarea");
    field.value = text;
    field.className = "away";
    (document.querySelector("dialog[open]") ?? document.body).append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    if (!done) throw new Error("copying was refused");
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    try {
      await copy(button.dataset.copy);
      button.dataset.copied = "";
      setTimeout(() => delete button.dataset.copied, 1500);
      window.diploToast("Copied");
    } catch {
      getSelection().selectAllChildren(button.querySelector("code") ?? button);
      window.diploToast("This browser does not let pages copy: press Ctrl+C now.");
    }
    button.focus();
  });
})();

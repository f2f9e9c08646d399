// Follows the system, light, dark: the switch goes round and remembers.
(() => {
  const words = { auto: "Auto", light: "Light", dark: "Dark" };
  const order = Object.keys(words);
  const root = document.documentElement;
  const current = () => root.dataset.theme ?? "auto";

  function label() {
    for (const word of document.querySelectorAll("[data-theme-word]")) word.textContent = words[current()];
  }

  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-switch]")) return;
    const next = order[(order.indexOf(current()) + 1) % order.length];
    if (next === "auto") delete root.dataset.theme;
    else root.dataset.theme = next;
    try {
      localStorage.setItem("diplo-theme", next);
    } catch {
      // Storage is refused: the theme holds until the page is left.
    }
    label();
  });
  label();
})();

// One line that a screen reader hears too; it leaves by itself.
(() => {
  const place = document.getElementById("toast");
  const STAYS_MS = 8000;

  window.diploToast = (text) => {
    const line = document.createElement("p");
    line.textContent = text;
    place.replaceChildren(line);
  };

  // The server puts lines here too (web/error-page.tsx).
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes)
      for (const node of addedNodes) setTimeout(() => node.remove(), STAYS_MS);
  }).observe(place, { childList: true });
})();

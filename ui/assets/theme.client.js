// Runs before anything is painted, so that the chosen theme never flashes.
(() => {
  const root = document.documentElement;
  const kept = (() => {
    try {
      return localStorage.getItem("diplo-theme");
    } catch {
      return null;
    }
  })();
  if (kept === "light" || kept === "dark") root.dataset.theme = kept;
})();

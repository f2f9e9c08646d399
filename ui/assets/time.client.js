// Keeps "3 min ago" true and lets running phases tick. The server's rule is ui/components/format.ts.
(() => {
  function ago(at, now) {
    const seconds = Math.round((now - at) / 1000);
    if (seconds < 10) return "just now";
    if (seconds < 60) return `${seconds} s ago`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
    if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
    if (seconds < 30 * 86_400) return `${Math.floor(seconds / 86_400)} d ago`;
    return new Date(at).toISOString().slice(0, 10);
  }

  function lasted(ms) {
    if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
    const seconds = Math.round(ms / 1000);
    return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  }

  const put = (element, text) => {
    if (element.textContent !== text) element.textContent = text;
  };

  setInterval(() => {
    for (const each of document.querySelectorAll("time[data-ago]"))
      put(each, ago(Date.parse(each.dateTime), Date.now()));
  }, 10_000);
  setInterval(() => {
    if (document.hidden) return;
    for (const each of document.querySelectorAll("[data-since]")) {
      put(each, lasted(Math.max(0, Date.now() - Date.parse(each.dataset.since))));
    }
  }, 200);
})();

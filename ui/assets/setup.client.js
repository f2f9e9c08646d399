// The one-time link carries its token in the fragment, which no server log ever sees; it is POSTed from here.
(() => {
  const page = document.querySelector("[data-setup]");
  if (!page) return;
  const status = page.querySelector("[data-setup-status]");
  const token = location.hash.slice(1).replace(/^token=/, "");
  history.replaceState(null, "", location.pathname);
  if (!token) {
    status.textContent = "This address needs the whole link, with what follows the #. Paste it here.";
    return;
  }

  async function redeem() {
    const answer = await fetch("/setup/redeem", {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify({ token }),
    });
    if (answer.ok) return location.replace("/");
    const body = await answer.json();
    status.textContent = [body.detail ?? body.title, body.hint].filter(Boolean).join(" ");
    status.classList.add("bad");
  }

  redeem().catch(() => {
    status.textContent = "The box does not answer. Paste the link here and try again.";
    status.classList.add("bad");
  });
})();

// The one-time link carries its token in the fragment, which no server log ever sees; it is POSTed from here.
(() => {
  const page = document.querySelector("[data-setup]");
  if (!page) return;
  const status = page.querySelector("[data-setup-status]");

  function say(text, bad = false) {
    status.textContent = text;
    status.classList.toggle("bad", bad);
  }

  async function redeem(token) {
    say("Signing in with the link…");
    const answer = await fetch("/setup/redeem", {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify({ token }),
    });
    if (answer.ok) return location.replace("/");
    const body = await answer.json();
    say([body.detail ?? body.title, body.hint].filter(Boolean).join(" "), true);
  }

  function begin() {
    const token = location.hash.slice(1).replace(/^token=/, "");
    if (!token) return false;
    history.replaceState(null, "", location.pathname);
    redeem(token).catch(() => say("The box does not answer. Paste the link here and try again.", true));
    return true;
  }

  if (!begin()) say("This address needs the whole link, with what follows the #. Paste it here.");
  // A link opened where this page stands already changes nothing but the fragment.
  addEventListener("hashchange", begin);
})();

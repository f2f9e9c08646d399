/** `/`: one field that finds apps, their addresses, settings and pages. Without scripts it is the page /search. */
export function FindDialog() {
  return (
    <dialog id="find" aria-label="Find">
      <form method="get" action="/search">
        <label class="away" for="find-q">
          Find apps, domains and settings
        </label>
        <input
          id="find-q"
          name="q"
          type="search"
          placeholder="Find apps, domains and settings"
          autocomplete="off"
          hx-get="/search"
          hx-trigger="input changed delay:120ms, focus once"
          hx-target="#find-results"
          hx-swap="innerHTML"
          hx-sync="this:replace"
        />
      </form>
      <div id="find-results" aria-live="polite"></div>
    </dialog>
  );
}

const keys: [string, string][] = [
  ["/", "find apps, domains and settings"],
  ["g a", "apps"],
  ["g n", "deploy something new"],
  ["g j", "jobs"],
  ["g b", "the box"],
  ["?", "this list"],
  ["Esc", "leave"],
];

export function KeysDialog() {
  return (
    <dialog id="keys" aria-labelledby="keys-title">
      <h2 id="keys-title">Keys</h2>
      <dl class="keys">
        {keys.map(([key, meaning]) => (
          <div>
            <dt>
              <kbd safe>{key}</kbd>
            </dt>
            <dd safe>{meaning}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog">
        <button type="submit" class="button quiet">
          Close
        </button>
      </form>
    </dialog>
  );
}

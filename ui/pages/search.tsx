import { attribute } from "../components/escape.ts";
import { type SearchHit, SearchResults } from "../partials/search-results.tsx";

/** The same as the `/` dialog, as a page: for browsers without scripts, and to share. */
export function SearchPage({ query, hits }: { query: string; hits: SearchHit[] }) {
  return (
    <div id="page">
      <h1>Find</h1>
      <form method="get" action="/search" class="oneline">
        <div class="field">
          <label for="search-q">Apps, domains and settings</label>
          <input id="search-q" name="q" type="search" value={attribute(query)} autofocus autocomplete="off" />
        </div>
        <button type="submit" class="button quiet">
          Find
        </button>
      </form>
      <SearchResults query={query} hits={hits} />
    </div>
  );
}

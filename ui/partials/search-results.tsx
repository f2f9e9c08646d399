import { attribute } from "../components/escape.ts";

export interface SearchHit {
  kind: "app" | "address" | "setting" | "page";
  text: string;
  detail: string;
  href: string;
}

export function SearchResults({ query, hits }: { query: string; hits: SearchHit[] }) {
  if (hits.length === 0) {
    return (
      <p class="faint" safe>
        {query === "" ? "Type a name." : `Nothing is called “${query}”.`}
      </p>
    );
  }
  return (
    <ul class="hits">
      {hits.map((hit) => (
        <li>
          <a href={attribute(hit.href)}>
            <span class="hit-kind">{hit.kind}</span>
            <strong safe>{hit.text}</strong>
            <span class="faint" safe>
              {hit.detail}
            </span>
          </a>
        </li>
      ))}
    </ul>
  );
}

import type { Children } from "@kitajs/html";
import { Copyable } from "./copyable.tsx";

/** An empty place says what would be here and offers the one action that fills it. */
export function Empty({
  title,
  children,
  command,
}: {
  title: string;
  children?: Children;
  command?: string;
}) {
  return (
    <div class="empty">
      <p class="empty-title" safe>
        {title}
      </p>
      {children as "safe"}
      {command ? (
        <p>
          <Copyable value={command} label="the command" />
        </p>
      ) : null}
    </div>
  );
}

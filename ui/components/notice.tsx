import { attribute } from "./escape.ts";
import { ActionButton } from "./form.tsx";

/** What was just done, and the way back. */
export interface NoticeView {
  text: string;
  link?: { href: string; text: string };
  undo?: { action: string; fields: Record<string, string> };
}

export function Notice({ notice }: { notice: NoticeView | null | undefined }) {
  if (!notice) return "";
  return (
    <div class="notice" role="status">
      <span safe>{notice.text}</span>
      {notice.link ? (
        <a href={attribute(notice.link.href)} safe>
          {notice.link.text}
        </a>
      ) : null}
      {notice.undo ? (
        <ActionButton action={notice.undo.action} text="Undo" busy="Undoing…" fields={notice.undo.fields} />
      ) : null}
    </div>
  );
}

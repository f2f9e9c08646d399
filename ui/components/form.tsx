import type { Children } from "@kitajs/html";
import { attribute } from "./escape.ts";

export interface FormProps {
  action: string;
  children: Children;
  class?: string;
  label?: string;
  /** What the answer replaces; the whole page unless told. */
  target?: string;
  /** How long the answer may take, ms. */
  timeoutMs?: number;
}

/**
 * A form that posts by itself and, with scripts, in place: the answer is the page's part with errors beside the
 * fields, or the way to the next page. Its buttons are disabled meanwhile.
 */
export function Form({ action, children, class: className, label, target = "#page", timeoutMs }: FormProps) {
  const where = attribute(action);
  return (
    <form
      method="post"
      action={where}
      class={className}
      aria-label={label ? attribute(label) : undefined}
      hx-post={where}
      hx-target={attribute(target)}
      hx-swap="outerMorph"
      hx-disable="find button"
      {...(timeoutMs ? { "hx-config": `{"timeout":${timeoutMs}}` } : {})}
    >
      {children as "safe"}
    </form>
  );
}

/** One button that does one thing. */
export function ActionButton(props: {
  action: string;
  text: string;
  busy: string;
  fields?: Record<string, string>;
  kind?: "primary" | "quiet" | "danger";
  target?: string;
}) {
  const { action, text, busy, fields = {}, kind = "quiet", target } = props;
  return (
    <Form action={action} class="inline" {...(target ? { target } : {})}>
      {Object.entries(fields).map(([name, value]) => (
        <input type="hidden" name={attribute(name)} value={attribute(value)} />
      ))}
      <button type="submit" class={`button ${kind}`}>
        <span class="idle" safe>
          {text}
        </span>
        <span class="busy" safe>
          {busy}
        </span>
      </button>
    </Form>
  );
}

import { attribute } from "./escape.ts";
import { Icon } from "./icon.tsx";

/** A name, id or command that copies on click (copy.client.js; plain http has no clipboard API, it falls back). */
export function Copyable({ value, show, label }: { value: string; show?: string; label: string }) {
  return (
    <button type="button" class="copy" data-copy={attribute(value)} title={attribute(`Copy ${label}`)}>
      <code safe>{show ?? value}</code>
      <Icon name="copy" />
      <span class="away" safe>{` copy ${label}`}</span>
    </button>
  );
}

/** The command that does what this page does. */
export function CommandLine({ command }: { command: string }) {
  return (
    <p class="command">
      <span>On the command line</span>
      <Copyable value={command} label="the command" />
    </p>
  );
}

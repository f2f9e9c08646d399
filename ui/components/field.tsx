import { attribute } from "./escape.ts";

/** Errors of a form by the name of the field. */
export type FieldErrors = Record<string, string>;

export interface FieldProps {
  name: string;
  label: string;
  value?: string | number | null;
  hint?: string;
  error?: string | undefined;
  type?: "text" | "url" | "number" | "password" | "search";
  required?: boolean;
  placeholder?: string;
  pattern?: string;
  min?: number;
  max?: number;
  step?: string;
  unit?: string;
  autofocus?: boolean;
  mono?: boolean;
  /** Two forms on one page may have fields of one name. */
  id?: string;
}

/** A labelled input with its hint, and its error beside it. Ids stay the same over swaps, which keeps the focus. */
export function Field(field: FieldProps) {
  const id = attribute(field.id ?? `f-${field.name}`);
  const described = [field.hint ? `${id}-hint` : "", field.error ? `${id}-error` : ""].join(" ").trim();
  return (
    <div class={["field", field.error && "wrong"]}>
      <label for={id} safe>
        {field.label}
      </label>
      <div class="input">
        <input
          id={id}
          name={attribute(field.name)}
          type={field.type ?? "text"}
          value={attribute(field.value)}
          class={field.mono ? "mono" : undefined}
          required={field.required ?? false}
          autofocus={field.autofocus ?? false}
          placeholder={field.placeholder ? attribute(field.placeholder) : undefined}
          pattern={field.pattern ? attribute(field.pattern) : undefined}
          min={field.min}
          max={field.max}
          step={field.step}
          autocomplete="off"
          spellcheck="false"
          autocapitalize="none"
          aria-invalid={field.error ? "true" : undefined}
          aria-describedby={described === "" ? undefined : described}
        />
        {field.unit ? (
          <span class="unit" safe>
            {field.unit}
          </span>
        ) : null}
      </div>
      <FieldNotes id={id} hint={field.hint} error={field.error} />
    </div>
  );
}

export function FieldNotes({
  id,
  hint,
  error,
}: {
  id: string;
  hint?: string | undefined;
  error?: string | undefined;
}) {
  return (
    <>
      {error ? (
        <p class="error" id={`${id}-error`} safe>
          {error}
        </p>
      ) : null}
      {hint ? (
        <p class="hint" id={`${id}-hint`} safe>
          {hint}
        </p>
      ) : null}
    </>
  );
}

export interface SelectProps {
  name: string;
  label: string;
  value: string;
  options: { value: string; text: string }[];
  hint?: string;
  error?: string | undefined;
}

export function Select({ name, label, value, options, hint, error }: SelectProps) {
  const id = `f-${attribute(name)}`;
  return (
    <div class={["field", error && "wrong"]}>
      <label for={id} safe>
        {label}
      </label>
      <select id={id} name={attribute(name)} aria-describedby={hint ? `${id}-hint` : undefined}>
        {options.map((option) => (
          <option value={attribute(option.value)} selected={option.value === value} safe>
            {option.text}
          </option>
        ))}
      </select>
      <FieldNotes id={id} hint={hint} error={error} />
    </div>
  );
}

export interface TextAreaProps {
  name: string;
  label: string;
  value: string;
  rows: number;
  hint?: string;
  error?: string | undefined;
}

/** The newline after the tag is eaten by the parser; without it a value's own first newline would be. */
export function TextArea({ name, label, value, rows, hint, error }: TextAreaProps) {
  const id = `f-${attribute(name)}`;
  return (
    <div class={["field wide", error && "wrong"]}>
      <label for={id} safe>
        {label}
      </label>
      <textarea id={id} name={attribute(name)} rows={String(rows)} class="mono" spellcheck="false" safe>
        {`\n${value}`}
      </textarea>
      <FieldNotes id={id} hint={hint} error={error} />
    </div>
  );
}

/** The button of a form: while the request runs it becomes the progress. */
export function Submit({
  text,
  busy,
  kind = "primary",
}: {
  text: string;
  busy: string;
  kind?: "primary" | "quiet" | "danger";
}) {
  return (
    <button type="submit" class={`button ${kind}`}>
      <span class="idle" safe>
        {text}
      </span>
      <span class="busy" safe>
        {busy}
      </span>
    </button>
  );
}

import { Field, Submit } from "../components/field.tsx";
import { Form } from "../components/form.tsx";

export interface DangerZoneProps {
  name: string;
  base: string;
  volumes: { name: string }[];
  draft: { confirm: string };
  error: string | undefined;
}

/** Deletion: says what will be lost and what stays, and asks for the name. */
export function DangerZone({ name, base, volumes, draft, error }: DangerZoneProps) {
  return (
    <section class="danger" aria-labelledby="danger-title">
      <h2 id="danger-title">Delete this app</h2>
      <p>
        <strong>Lost:</strong> its instances, releases and their images, its config with every secret, its
        addresses and its history.
      </p>
      <p>
        <strong>Stays:</strong> the repository, and <span safe>{kept(volumes)}</span>
      </p>
      <Form action={`${base}/destroy`} class="stack" label="Delete this app">
        {volumes.length > 0 ? (
          <label class="check">
            <input type="checkbox" name="destroy_data" value="1" /> Destroy the data in its volumes too
          </label>
        ) : null}
        <Field
          name="confirm"
          label={`Type ${name} to confirm`}
          value={draft.confirm}
          required
          mono
          error={error}
        />
        <p class="actions">
          <Submit text="Delete for good" busy="Deleting…" kind="danger" />
        </p>
      </Form>
    </section>
  );
}

function kept(volumes: { name: string }[]): string {
  if (volumes.length === 0) return "nothing else: it has no volumes.";
  const names = volumes.map((volume) => volume.name).join(", ");
  return `the data in its volumes (${names}), unless you say otherwise below.`;
}

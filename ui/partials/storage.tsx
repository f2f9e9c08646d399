import { escapeHtml } from "@kitajs/html";
import { attribute } from "../components/escape.ts";
import { Field, type FieldErrors, Submit } from "../components/field.tsx";
import { Form } from "../components/form.tsx";

export interface VolumeView {
  name: string;
  mount_path: string;
  process: string;
  read_only: boolean;
}

export interface StorageProps {
  volumes: VolumeView[];
  base: string;
  draft: { mount_path: string };
  errors: FieldErrors;
}

/** Directories that outlive releases. */
export function Storage({ volumes, base, draft, errors }: StorageProps) {
  return (
    <section aria-labelledby="storage-title">
      <h2 id="storage-title">Storage</h2>
      {volumes.length === 0 ? (
        <p class="faint">
          No directory of this app outlives a release. What it writes elsewhere is gone with the next one.
        </p>
      ) : (
        <table class="rows">
          <thead>
            <tr>
              <th scope="col">Volume</th>
              <th scope="col">Mounted at</th>
              <th scope="col">Process</th>
              <th scope="col">Remove</th>
            </tr>
          </thead>
          <tbody>
            {volumes.map((volume) => (
              <VolumeRow volume={volume} base={base} error={errors[`volume:${volume.name}`]} />
            ))}
          </tbody>
        </table>
      )}
      <Form action={`${base}/storage`} class="oneline" label="Add a directory">
        <Field
          name="mount_path"
          label="Keep a directory"
          value={draft.mount_path}
          required
          mono
          placeholder="/data"
          pattern="/.+"
          error={errors.mount_path}
          hint="Absolute path in the container"
        />
        <Submit text="Add" busy="Adding…" kind="quiet" />
      </Form>
    </section>
  );
}

function VolumeRow({ volume, base, error }: { volume: VolumeView; base: string; error: string | undefined }) {
  return (
    <tr>
      <th scope="row" safe>
        {volume.name}
      </th>
      <td data-label="Mounted at">
        <code safe>{volume.mount_path}</code>
        {volume.read_only ? <span class="sub">read only</span> : null}
      </td>
      <td data-label="Process">{volume.process === "*" ? "all" : escapeHtml(volume.process)}</td>
      <td>
        <details>
          <summary>Remove…</summary>
          <Form action={`${base}/storage/remove`} class="stack" label={`Remove ${volume.name}`}>
            <p>Its data is lost for good. The app goes on without it.</p>
            <input type="hidden" name="name" value={attribute(volume.name)} />
            <Field
              name="confirm_volume"
              id={`f-volume-${volume.name}`}
              label={`Type ${volume.name} to confirm`}
              required
              mono
              error={error}
            />
            <Submit text="Remove and destroy its data" busy="Removing…" kind="danger" />
          </Form>
        </details>
      </td>
    </tr>
  );
}

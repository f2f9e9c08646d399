import { Field, type FieldErrors, Submit } from "../components/field.tsx";
import { Form } from "../components/form.tsx";

export interface SourceView {
  kind: "git" | "upload" | "image";
  repo_url: string | null;
  branch: string | null;
  tag: string | null;
  commit: string | null;
  image: string | null;
  subdirectory: string;
}

/** Where the code comes from. Another branch is a deployment; another repository is too, and says so. */
export function SourceSettings({
  source,
  appRef: ref,
  base,
  errors,
}: {
  source: SourceView | null;
  appRef: string;
  base: string;
  errors: FieldErrors;
}) {
  return (
    <section aria-labelledby="source-title">
      <h2 id="source-title">Source</h2>
      {source === null ? <p class="faint">Nothing was deployed yet.</p> : null}
      {source?.kind === "upload" ? (
        <p>
          Sent as a directory from the command line. <code safe>{`diplo deploy . --name ${ref}`}</code> sends
          the next one.
        </p>
      ) : source?.kind === "image" ? (
        <ImageSource image={source.image} base={base} error={errors.image} />
      ) : (
        <Form action={`${base}/source`} class="stack" label="Source">
          <div class="grid">
            <Field
              name="repo_url"
              label="Git repository"
              value={source?.repo_url}
              required
              mono
              error={errors.repo_url}
            />
            <Field
              name="branch"
              label="Branch"
              value={source?.branch}
              mono
              error={errors.branch}
              hint="Empty: the repository's own default"
            />
          </div>
          {source?.subdirectory ? (
            <p class="faint" safe>{`In the directory ${source.subdirectory}`}</p>
          ) : null}
          <p class="actions">
            <Submit text="Deploy from here" busy="Starting…" kind="quiet" />
          </p>
        </Form>
      )}
    </section>
  );
}

/** Another tag is a deployment; so is the same one, which may stand for another image by now. */
function ImageSource({
  image,
  base,
  error,
}: {
  image: string | null;
  base: string;
  error: string | undefined;
}) {
  return (
    <Form action={`${base}/source`} class="stack" label="Source">
      <Field
        name="image"
        label="Image"
        value={image}
        required
        mono
        error={error}
        hint="A tag is looked up again by each deployment; each release keeps the digest it found"
      />
      <p class="actions">
        <Submit text="Deploy from here" busy="Starting…" kind="quiet" />
      </p>
    </Form>
  );
}

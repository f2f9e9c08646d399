import { Field, type FieldErrors, Submit } from "../components/field.tsx";
import { Form } from "../components/form.tsx";

export interface ImageFormView {
  image: string;
  name: string;
  port: string;
  errors: FieldErrors;
  /** The name belongs to an app from another source: offer to replace that. */
  mayReplace: boolean;
}

/** A prebuilt image as an app: nothing is looked at and nothing is built. */
export function ImageForm({ image, name, port, errors, mayReplace }: ImageFormView) {
  return (
    <Form action="/apps/new/image" class="stack" label="Deploy an image">
      <div class="grid">
        <Field
          name="image"
          label="Image"
          value={image}
          required
          mono
          error={errors.image}
          placeholder="ghcr.io/you/app:1.2"
          hint="Pinned to the digest that its tag stands for now"
        />
        <Field
          name="name"
          id="f-image-name"
          label="Name"
          value={name}
          mono
          error={errors.name}
          hint="Empty: the image's own"
        />
        <Field
          name="port"
          label="Port in the container"
          type="number"
          min={1}
          max={65535}
          value={port}
          error={errors.port}
          hint="Empty: the one port it exposes, else 8080"
        />
      </div>
      {mayReplace ? (
        <label class="check">
          <input type="checkbox" name="replace_source" value="1" /> Replace what that app was deployed from
        </label>
      ) : null}
      <p class="actions">
        <Submit text="Deploy the image" busy="Starting…" kind="quiet" />
      </p>
    </Form>
  );
}

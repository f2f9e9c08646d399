import { CommandLine } from "../components/copyable.tsx";
import { Failure, type FailureView } from "../components/failure.tsx";
import { shellWord } from "../components/shell-word.ts";
import { ImageForm, type ImageFormView } from "../partials/image-form.tsx";

export interface NewImageView extends ImageFormView {
  failure: FailureView | null;
}

export function NewImagePage({ failure, ...form }: NewImageView) {
  return (
    <div id="page">
      <h1>Deploy an image</h1>
      {failure ? <Failure failure={failure} /> : null}
      <ImageForm {...form} />
      <p class="faint">
        For a private one the box signs in to its <a href="/box/registries">registry</a>.
      </p>
      <CommandLine command={`diplo deploy --image ${shellWord(form.image || "ghcr.io/you/app:1.2")}`} />
    </div>
  );
}

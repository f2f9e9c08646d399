import { emptyPlan, type Provider } from "../../src/engine/build/provider.ts";
import { copyAll } from "../steps.ts";

const IMAGE = "debian:bookworm-slim";

/** A Procfile and programs or scripts that need nothing but Debian. */
export const genericProvider: Provider = {
  name: "generic",
  looks_for: "Procfile (programs and shell scripts)",
  start_from: "Procfile",
  async detect(tree) {
    return (await tree.has("Procfile")) ? ["Procfile"] : null;
  },
  async plan(_, { evidence }) {
    const plan = emptyPlan("generic", evidence);
    plan.run_image = { value: IMAGE, from: "Procfile alone" };
    plan.env = { HOME: "/tmp" };
    plan.stages = [
      {
        name: "run",
        from: IMAGE,
        purpose: "The image that runs: the tree as it is, no root",
        env: {},
        steps: [copyAll()],
      },
    ];
    return plan;
  },
};

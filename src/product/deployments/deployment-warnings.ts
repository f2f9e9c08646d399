import type { ErrorRecord } from "../../jobs/job.ts";
import type { Store } from "../../store/store.ts";

/** Adds to what a deployment says although it is live. Inside the transaction that makes it true. */
export function addWarning({ store }: { store: Store }, deploymentId: string, warning: ErrorRecord): void {
  store.run(
    "update deployments set warnings = json_insert(warnings, '$[#]', json($warning)) where id = $deploymentId",
    { deploymentId, warning: JSON.stringify(warning) },
  );
}

/** Operations that start a deployment answer with it, or, once it is live, with what came of it. */
export function deploymentIdOf(
  answer: { id: string } | { deployment_id: string | null } | { changed: false },
): string {
  if ("deployment_id" in answer && answer.deployment_id) return answer.deployment_id;
  return (answer as { id: string }).id;
}

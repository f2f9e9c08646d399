/** What a failed deployment is called on the pages, by its stable code; what ended it in detail follows below. */
const titles: Record<string, string> = {
  repo_not_found: "The repository was not found",
  auth_failed: "The source refused the credentials",
  branch_not_found: "The branch does not exist",
  repo_empty: "The repository is empty",
  nothing_detected: "Nothing was recognised that could be built",
  compose_not_supported: "A compose file alone cannot be deployed yet",
  build_failed: "The build failed",
  build_timeout: "The build took too long",
  build_oom: "The build ran out of memory",
  release_command_failed: "The release command failed",
  no_start_command: "There is no command to start it with",
  exit_nonzero: "The app exited",
  oom_killed: "The app ran out of memory",
  crash_loop: "The app exits again and again",
  wrong_port: "The app listens on another port",
  listens_on_loopback: "The app listens on 127.0.0.1 only",
  health_status: "The app answers with an error",
  health_timeout: "The app does not answer",
  image_not_found: "An image was not found",
  arch_mismatch: "The image is for other machines",
  registry_unreachable: "The registry does not answer",
  disk_full: "The disk is full",
  engine_down: "The engine does not answer",
  runtime_unavailable: "The engine cannot be used",
  interrupted: "It was interrupted",
  cancelled: "It was cancelled",
};

export function failureTitle({ code, title }: { code: string; title: string }): string {
  return titles[code] ?? title;
}

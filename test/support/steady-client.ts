/** Asks an address without pause, one request after another, and remembers every answer that was not wanted. */
export class SteadyClient {
  requests = 0;
  readonly failures: string[] = [];
  private running = true;
  private readonly done: Promise<void>;

  constructor(
    private readonly url: string,
    private readonly fine: (status: number, body: string) => boolean,
  ) {
    this.done = this.run();
  }

  async stop(): Promise<void> {
    this.running = false;
    await this.done;
  }

  private async run(): Promise<void> {
    while (this.running) {
      try {
        const response = await fetch(this.url, { signal: AbortSignal.timeout(20_000) });
        const body = await response.text();
        if (!this.fine(response.status, body))
          this.failures.push(
            `${response.status} ${response.headers.get("x-diplo-error")} ${body.slice(0, 80)}`,
          );
      } catch (error) {
        this.failures.push(String(error));
      }
      this.requests++;
    }
  }
}

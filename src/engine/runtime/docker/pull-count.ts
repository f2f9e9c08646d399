import type { PullProgress } from "../container-runtime.ts";

interface Layer {
  received: number;
  total: number;
  ended: boolean;
}

/** Adds up what the engine tells of single layers. Sizes are told as each layer's transfer begins. */
export class PullCount {
  readonly #layers = new Map<string, Layer>();

  /** One JSON line of the engine's answer. */
  take({ id, status, progressDetail }: Record<string, unknown>): void {
    if (typeof id !== "string" || typeof status !== "string") return;
    const detail = (progressDetail ?? {}) as { current?: number; total?: number };
    const layer = this.#layers.get(id);
    if (status === "Downloading") {
      const received = detail.current ?? 0;
      const total = Math.max(detail.total ?? 0, received, layer?.total ?? 0);
      this.#layers.set(id, { received, total, ended: false });
    } else if (layer && /^(Download complete|Extracting|Pull complete|Verifying Checksum)$/.test(status)) {
      layer.ended = true;
      layer.received = layer.total;
    }
  }

  progress(): PullProgress {
    const layers = [...this.#layers.values()];
    const received_bytes = layers.reduce((sum, { received }) => sum + received, 0);
    const total_bytes = layers.reduce((sum, { total }) => sum + total, 0);
    const message =
      layers.length > 0 && layers.every(({ ended }) => ended)
        ? `unpacking ${megabytes(total_bytes)} MB`
        : `pulling: ${megabytes(received_bytes)} of ${megabytes(total_bytes)} MB`;
    return { message, received_bytes, total_bytes };
  }
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

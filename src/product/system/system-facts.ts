import type { Config } from "../../config.ts";
import type { Store } from "../../store/store.ts";
import type { Routes } from "../routes/routes.ts";
import { lanAddress } from "./lan-address.ts";

export class SystemFacts {
  constructor(private readonly options: { settings: Config; store: Store; routes: Routes; boxId: string }) {}
  dashboardUrls(): string[] {
    const { control } = this.options.settings;
    return [`http://${control.host === "0.0.0.0" ? lanAddress() : control.host}:${control.port}`];
  }
  // biome-ignore lint/suspicious/noExplicitAny: x
  info(): any {
    return {};
  }
  // biome-ignore lint/suspicious/noExplicitAny: x
  stats(): any {
    return {};
  }
}

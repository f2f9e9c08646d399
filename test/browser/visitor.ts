import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import type { Box } from "../support/start-box.ts";

const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export interface VisitorOptions {
  width?: number;
  height?: number;
  scheme?: "light" | "dark";
  /** Lets axe be put into the page, which our policy forbids. */
  bypassPolicy?: boolean;
  scripts?: boolean;
  /** Opens the dashboard by this name instead of 127.0.0.1. */
  host?: string;
}

/** Somebody with a real Chromium, who notes everything that a person would find embarrassing. */
export class Visitor {
  /** Console errors, uncaught exceptions and violations of the content security policy. */
  readonly problems: string[] = [];

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
    readonly base: string,
    private readonly profile: string,
  ) {}

  static async open(box: Box, options: VisitorOptions = {}): Promise<Visitor> {
    const {
      width = 1280,
      height = 800,
      scheme = "light",
      bypassPolicy = false,
      scripts = true,
      host = "127.0.0.1",
    } = options;
    const profile = await mkdtemp(join(tmpdir(), "diplo-browser-"));
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: "/usr/bin/chromium",
      args: [...args, `--host-resolver-rules=MAP ${host} 127.0.0.1`],
      viewport: { width, height },
      colorScheme: scheme,
      bypassCSP: bypassPolicy,
      javaScriptEnabled: scripts,
    });
    context.setDefaultTimeout(20_000);
    const page = context.pages()[0] ?? (await context.newPage());
    const visitor = new Visitor(context, page, `http://${host}:${box.controlPort}`, profile);
    if (scripts) await visitor.watch();
    return visitor;
  }

  /** Follows a fresh one-time link, as the owner would. */
  async signIn(box: Box): Promise<void> {
    const { body } = await box.api<{ url: string }>("POST", "/login-links", {});
    await this.page.goto(this.base + new URL(body.url).pathname + new URL(body.url).hash);
    await this.page.waitForURL(`${this.base}/`);
  }

  async visit(path: string): Promise<void> {
    await this.page.goto(this.base + path);
  }

  async leave(): Promise<void> {
    await this.context.close();
    await rm(this.profile, { recursive: true, force: true });
  }

  private async watch(): Promise<void> {
    const { page, problems } = this;
    page.on("pageerror", (error) => problems.push(`exception: ${error.message}`));
    page.on("console", (message) => {
      // An answer of 404 or 422 is told on the page; Chromium notes it too.
      if (message.type() === "error" && !/status of 4\d\d/.test(message.text()))
        problems.push(`console: ${message.text()}`);
    });
    await page.exposeFunction("noteViolation", (text: string) => problems.push(`policy: ${text}`));
    await page.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => {
        const note = (window as unknown as { noteViolation(text: string): void }).noteViolation;
        note(`${event.violatedDirective} ${event.blockedURI}`);
      });
    });
  }
}

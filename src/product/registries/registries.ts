import { ulid } from "ulid";
import type { RegistryCredential } from "../../engine/runtime/container-runtime.ts";
import { parseImage, parseServer } from "../../engine/runtime/image-reference.ts";
import type { Runtimes } from "../../engine/runtime/runtimes.ts";
import { invalid, notFound } from "../../errors.ts";
import type { SealContext, Vault } from "../../security/vault/vault.ts";
import type { Store } from "../../store/store.ts";
import { iso } from "../schema.ts";
import type { Registry } from "./registry.ts";

interface Row {
  id: string;
  server: string;
  username: string;
  sealed: Uint8Array;
  created_by: string;
  created_at: number;
}

export interface RegistriesOptions {
  store: Store;
  vault: Vault;
  runtimes: Runtimes;
}

export interface NewRegistry {
  server: string;
  username: string;
  password: string;
}

/** Who the box is at private registries. Passwords leave the vault for the one call of the engine that needs them. */
export class Registries {
  constructor(private readonly options: RegistriesOptions) {}

  list(): Registry[] {
    return this.rows().map(bodyOf);
  }

  /** Keeps it; the same server's earlier credentials are replaced. Throws `invalid`. */
  async add(input: NewRegistry, by: string): Promise<Registry> {
    const server = parseServer(input.server);
    const { username, password } = checked(input);
    const { store, vault } = this.options;
    await vault.ready();
    const id = ulid();
    store.transaction(() => {
      store.run("delete from registries where server = $server", { server });
      store.run(
        `insert into registries (id, server, username, sealed, created_by, created_at)
         values ($id, $server, $username, $sealed, $by, $now)`,
        {
          id,
          server,
          username,
          sealed: vault.seal(password, contextOf(id, server, username)),
          by,
          now: Date.now(),
        },
      );
    });
    return bodyOf(this.find(id));
  }

  remove(ref: string): void {
    this.options.store.run("delete from registries where id = $id", { id: this.find(ref).id });
  }

  /** Signs in there now. Throws `auth_failed`, `registry_unreachable`, `engine_down`. */
  async test(ref: string, signal: AbortSignal): Promise<Registry> {
    const row = this.find(ref);
    const runtime = await this.options.runtimes.usable();
    await runtime.checkRegistry(await this.open(row), signal);
    return bodyOf(row);
  }

  /** For the registry of this image; null where the box is nobody. */
  async ofImage(image: string): Promise<RegistryCredential | null> {
    const { registry } = parseImage(image);
    const row = this.rows().find(({ server }) => server === registry);
    return row ? this.open(row) : null;
  }

  /** All of them, for builds: which base images a build wants is known to the builder alone. */
  async all(): Promise<RegistryCredential[]> {
    return Promise.all(this.rows().map((row) => this.open(row)));
  }

  private async open({ id, server, username, sealed }: Row): Promise<RegistryCredential> {
    await this.options.vault.ready();
    const bytes = this.options.vault.open(sealed, contextOf(id, server, username));
    return { server, username, password: Buffer.from(bytes).toString("utf8") };
  }

  /** By id or server. Throws `registry_not_found`. */
  private find(ref: string): Row {
    const server = serverOf(ref);
    const row = this.rows().find((each) => each.id === ref || each.server === server);
    if (!row) throw notFound("registry", ref, "diplo registries lists those there are.");
    return row;
  }

  private rows(): Row[] {
    return this.options.store.all<Row>("select * from registries order by server");
  }
}

/** The engine sends it as one line of a header's JSON; registries' own rules are theirs. */
function checked({ username, password }: NewRegistry): { username: string; password: string } {
  const name = username.trim();
  if (name === "" || /[\p{Cc}:]/u.test(name))
    throw invalid("username", "is empty, or has a colon or a control character");
  if (password === "" || /\p{Cc}/u.test(password))
    throw invalid(
      "password",
      "is empty or has a line break",
      "Leave the newline at its end out: printf instead of echo.",
    );
  return { username: name, password };
}

function serverOf(ref: string): string | null {
  try {
    return parseServer(ref);
  } catch {
    return null;
  }
}

function contextOf(id: string, server: string, username: string): SealContext {
  return { app: "*", environment: "*", name: `registry:${id}:${server}:${username}`, version: 1 };
}

function bodyOf({ id, server, username, created_by, created_at }: Row): Registry {
  return { id, server, username, created_by, created_at: iso(created_at) };
}

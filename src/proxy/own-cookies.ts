/** The cookies of Diplo itself: browsers send them to every port of a host, and no app may see or set one. */
export class OwnCookies {
  private readonly names: ReadonlySet<string>;

  /** `prefix`: whatever begins with it is ours too; empty for none. */
  constructor(
    names: readonly string[],
    private readonly prefix: string,
  ) {
    this.names = new Set(names);
  }

  /** What is left of a Cookie value without ours, empty when nothing is. */
  without(value: string): string {
    if (!this.mentioned(value)) return value;
    return pairsOf(value)
      .filter((pair) => pair !== "" && !this.has(nameOf(pair)))
      .join("; ");
  }

  /** Whether a Set-Cookie value would set one of ours. */
  isSetBy(value: string): boolean {
    return this.mentioned(value) && this.has(nameOf(value.split(";", 1)[0]!.trim()));
  }

  private has(name: string): boolean {
    return this.names.has(name) || (this.prefix !== "" && name.startsWith(this.prefix));
  }

  private mentioned(value: string): boolean {
    for (const name of this.names) if (value.includes(name)) return true;
    return this.prefix !== "" && value.includes(this.prefix);
  }
}

/** The value of the first cookie of that name. */
export function cookieValue(cookies: string, name: string): string | undefined {
  if (!cookies.includes(name)) return undefined;
  return pairsOf(cookies)
    .find((pair) => pair.startsWith(`${name}=`))
    ?.slice(name.length + 1);
}

function pairsOf(value: string): string[] {
  return value.split(";").map((pair) => pair.trim());
}

/** `=name=x` is stored without a name and sent back as `name=x`, so leading equal signs do not count. */
function nameOf(pair: string): string {
  const bare = pair.replace(/^[=\s]+/, "");
  const end = bare.indexOf("=");
  return (end < 0 ? bare : bare.slice(0, end)).trim();
}

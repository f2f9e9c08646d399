import { firstOf, type SourceTree } from "../../src/engine/build/tree.ts";
import { RUNTIMES, type VersionWish } from "../runtime-versions.ts";
import { toolVersion } from "../tool-versions.ts";

export interface JavaProject {
  tool: "maven" | "gradle";
  /** pom.xml, build.gradle … at the root. */
  manifest: string;
  /** Text of the root's manifest and of those of its modules. */
  text: string;
  framework: "Spring Boot" | "Quarkus" | null;
  /** Set when the gradle wrapper says which Gradle it fetches. */
  wrapper: { version: string | null } | null;
  wish: VersionWish | null;
}

const MANIFESTS = ["pom.xml", "build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts"];
/** Where Gradle keeps names and versions of plugins that scripts mean by `libs.plugins.…`. */
const CATALOG = "gradle/libs.versions.toml";
const MAX_MODULES = 50;
const PLAIN = /^[\w.-]+(\/[\w.-]+)*$/;

/** The manifest that makes a tree a Java project; null when there is none. */
export function javaManifest(tree: SourceTree): Promise<string | null> {
  return firstOf(tree, MANIFESTS);
}

/** Reads the manifests of all modules by patterns; nothing of them is run. */
export async function readJavaProject(tree: SourceTree, manifest: string): Promise<JavaProject> {
  const text = await allManifests(tree, manifest);
  const tool = manifest === "pom.xml" ? "maven" : "gradle";
  const wrapper = tool === "gradle" && (await tree.has("gradlew")) ? await readWrapper(tree) : null;
  return {
    tool,
    manifest,
    text,
    framework: frameworkOf(text),
    wrapper,
    wish: (await versionWish(tree, text, manifest)) ?? wrapperWish(wrapper?.version ?? null),
  };
}

async function allManifests(tree: SourceTree, manifest: string): Promise<string> {
  const root = (await tree.read(manifest)) ?? "";
  const paths =
    manifest === "pom.xml"
      ? [...root.matchAll(/<module>\s*([^<\s]+)\s*<\/module>/g)].map((match) => `${match[1]}/pom.xml`)
      : [CATALOG, ...(await gradleModules(tree, manifest))];
  const inside = paths.filter((path) => PLAIN.test(path)).slice(0, MAX_MODULES);
  const texts = await Promise.all(inside.map((path) => tree.read(path)));
  return [root, ...texts].join("\n");
}

/** The build scripts of the root's directories, and of those that the settings include. */
async function gradleModules(tree: SourceTree, manifest: string): Promise<string[]> {
  const settings = await Promise.all(
    ["settings.gradle", "settings.gradle.kts"].map((path) => tree.read(path)),
  );
  const included = [...settings.join("\n").matchAll(/^\s*include\b\s*\(?([^)\n]*)/gm)]
    .flatMap(([, names = ""]) => [...names.matchAll(/['"]:?([\w.:-]+)['"]/g)])
    .map(([, name = ""]) => name.replaceAll(":", "/"));
  const children = (await tree.list("")).filter((entry) => entry.directory).map(({ name }) => name);
  const directories = [...new Set([...included, ...children])];
  const scripts = ["build.gradle", "build.gradle.kts"];
  return [
    ...scripts.filter((name) => name !== manifest),
    ...directories.flatMap((d) => scripts.map((s) => `${d}/${s}`)),
  ];
}

function frameworkOf(text: string): JavaProject["framework"] {
  if (/io\.quarkus/.test(text)) return "Quarkus";
  return /spring-boot|springframework\.boot/.test(text) ? "Spring Boot" : null;
}

async function readWrapper(tree: SourceTree): Promise<{ version: string | null }> {
  const text = (await tree.read("gradle/wrapper/gradle-wrapper.properties")) ?? "";
  return { version: /gradle-(\d+\.\d+(?:\.\d+)?)-/.exec(text)?.[1] ?? null };
}

/** The lowest line that is new enough: newer ones run older code, not the other way. */
async function versionWish(tree: SourceTree, text: string, manifest: string): Promise<VersionWish | null> {
  const tool = await toolVersion(tree, "java");
  const stated: [string | undefined, string][] = [
    [
      /^java\.runtime\.version=(.+)$/m.exec((await tree.read("system.properties")) ?? "")?.[1],
      "system.properties",
    ],
    [(await tree.read(".java-version"))?.trim(), ".java-version"],
    [/^java=(\S+)/m.exec((await tree.read(".sdkmanrc")) ?? "")?.[1], ".sdkmanrc"],
    [tool?.range, tool?.from.split(":")[0] ?? ""],
    [/<(?:java\.version|maven\.compiler\.release|release)>\s*([\d.]+)/.exec(text)?.[1], manifest],
    [/<maven\.compiler\.(?:source|target)>\s*([\d.]+)/.exec(text)?.[1], manifest],
    [/JavaLanguageVersion\.of\((\d+)\)|jvmToolchain\((\d+)\)/.exec(text)?.slice(1).find(Boolean), manifest],
    [
      /(?:source|target)Compatibility\s*=\s*(?:JavaVersion\.VERSION_)?['"]?([\d._]+)/.exec(text)?.[1],
      manifest,
    ],
  ];
  for (const [said, where] of stated) {
    // A vendor may stand before it: temurin-21.
    const major = /^(?:[a-z]\w*-)*(?:1[._])?(\d+)/.exec(said ?? "")?.[1];
    if (major !== undefined) return { range: lineAtLeast(Number(major)), from: `${where}: Java ${said}` };
  }
  return null;
}

function lineAtLeast(major: number): string {
  const lines = RUNTIMES.java.lines.map(({ line }) => Number(line)).sort((a, b) => a - b);
  return String(lines.find((line) => line >= major) ?? major);
}

/** The newest line that a wrapper's Gradle runs on (docs.gradle.org, compatibility matrix). */
function wrapperWish(version: string | null): VersionWish | null {
  if (version === null) return null;
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const atLeast = (a: number, b: number) => major > a || (major === a && minor >= b);
  const line = atLeast(9, 1)
    ? "25"
    : atLeast(8, 5)
      ? "21"
      : atLeast(7, 3)
        ? "17"
        : atLeast(5, 0)
          ? "11"
          : "8";
  return { range: line, from: `the newest that Gradle ${version} of the wrapper runs on` };
}

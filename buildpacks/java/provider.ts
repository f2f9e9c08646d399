import type { BuildPlan, Choice, Stage } from "../../src/engine/build/plan.ts";
import { emptyPlan, type PlanContext, type Provider } from "../../src/engine/build/provider.ts";
import { firstOf, type SourceTree } from "../../src/engine/build/tree.ts";
import { chooseVersion, RUNTIMES, type VersionWish } from "../runtime-versions.ts";
import { copyAll, runTheirs, take } from "../steps.ts";

const MANIFESTS = ["pom.xml", "build.gradle", "build.gradle.kts"];

/** What builds leave beside the program itself. */
const NOT_PROGRAMS = ["*-sources.jar", "*-javadoc.jar", "*-tests.jar", "*-plain.jar", "original-*"];

/** Maven and Gradle projects: Spring Boot, Quarkus, and others that pack themselves into one jar. */
export const javaProvider: Provider = {
  name: "java",
  looks_for: "pom.xml or build.gradle (Java, Kotlin)",
  start_from: "the jar that the build leaves",
  async detect(tree) {
    const manifest = await firstOf(tree, MANIFESTS);
    return manifest === null ? null : [manifest];
  },
  plan: planJava,
};

async function planJava(tree: SourceTree, { evidence }: PlanContext): Promise<BuildPlan> {
  const manifest = evidence[0]!;
  const text = (await tree.read(manifest)) ?? "";
  const { version, warnings } = chooseVersion("java", await versionWish(tree, text, manifest));
  const quarkus = /quarkus/.test(text);
  const framework = quarkus
    ? "Quarkus"
    : /spring-boot|springframework\.boot/.test(text)
      ? "Spring Boot"
      : null;
  const plan = emptyPlan("java", evidence);
  plan.versions.java = version;
  plan.framework = framework ? { value: framework, from: manifest } : null;
  plan.warnings.push(...warnings);
  const tool = await buildTool(tree, manifest, version.value, quarkus);
  plan.package_manager = tool.choice;
  plan.build_image = { value: tool.image, from: `${version.from}; ${tool.choice.from}` };
  plan.run_image = { value: `eclipse-temurin:${version.value}-jre`, from: version.from };
  plan.env = { HOME: "/tmp", JAVA_TOOL_OPTIONS: "-XX:MaxRAMPercentage=75 -Djava.io.tmpdir=/tmp" };
  plan.processes.web = startOf(framework, manifest);
  plan.stages = [buildStage(plan, tool), runStage(plan)];
  return plan;
}

interface BuildTool {
  choice: Choice<string>;
  image: string;
  command: string;
  caches: Record<string, string>;
  output: string;
}

async function buildTool(
  tree: SourceTree,
  manifest: string,
  java: string,
  quarkus: boolean,
): Promise<BuildTool> {
  if (manifest === "pom.xml") {
    return {
      choice: { value: "maven", from: "pom.xml" },
      image: `maven:3-eclipse-temurin-${java}`,
      command: "mvn --batch-mode --no-transfer-progress -DskipTests package",
      caches: { maven: "/root/.m2/repository" },
      output: quarkus ? "quarkus-app" : "target",
    };
  }
  const wrapper = await tree.has("gradlew");
  const task = quarkus ? "quarkusBuild" : "assemble";
  return {
    choice: { value: "gradle", from: wrapper ? "gradlew" : manifest },
    image: wrapper ? `eclipse-temurin:${java}-jdk` : `gradle:8-jdk${java}`,
    command: `${wrapper ? "sh ./gradlew" : "gradle"} --no-daemon --console=plain ${task}`,
    caches: { gradle: "/root/.gradle" },
    output: quarkus ? "quarkus-app" : "libs",
  };
}

/** The lowest long-term line that is new enough: newer ones run older code, not the other way. */
async function versionWish(tree: SourceTree, text: string, manifest: string): Promise<VersionWish | null> {
  const stated: [string | undefined, string][] = [
    [
      /^java\.runtime\.version=(.+)$/m.exec((await tree.read("system.properties")) ?? "")?.[1],
      "system.properties",
    ],
    [(await tree.read(".java-version"))?.trim(), ".java-version"],
    [/^java=(\S+)/m.exec((await tree.read(".sdkmanrc")) ?? "")?.[1], ".sdkmanrc"],
    [/<(?:java\.version|maven\.compiler\.release|release)>\s*([\d.]+)/.exec(text)?.[1], manifest],
    [/<maven\.compiler\.(?:source|target)>\s*([\d.]+)/.exec(text)?.[1], manifest],
    [/JavaLanguageVersion\.of\((\d+)\)|jvmToolchain\((\d+)\)/.exec(text)?.slice(1).find(Boolean), manifest],
    [
      /(?:source|target)Compatibility\s*=\s*(?:JavaVersion\.VERSION_)?['"]?([\d._]+)/.exec(text)?.[1],
      manifest,
    ],
  ];
  for (const [said, where] of stated) {
    const major = /^(?:1[._])?(\d+)/.exec(said ?? "")?.[1];
    if (major === undefined) continue;
    const line = [...RUNTIMES.java.lines, ...RUNTIMES.java.ended]
      .map(Number)
      .sort((a, b) => a - b)
      .find((l) => l >= Number(major));
    return { range: String(line ?? major), from: `${where}: Java ${said}` };
  }
  return null;
}

function buildStage(plan: BuildPlan, { command, caches, output }: BuildTool): Stage {
  return {
    name: "build",
    from: plan.build_image!.value,
    purpose: "The program",
    env: {},
    steps: [
      copyAll(),
      runTheirs({ value: `${command} && ${gather(output)}`, from: plan.package_manager!.from }, caches),
    ],
  };
}

/** The largest jar is the one that holds everything; Quarkus leaves a directory instead. */
function gather(output: string): string {
  if (output === "quarkus-app") {
    return 'mkdir -p /out && cp -r "$(find . -type d -name quarkus-app | head -n 1)"/. /out/ && mv /out/quarkus-run.jar /out/app.jar';
  }
  const not = NOT_PROGRAMS.map((name) => `! -name '${name}'`).join(" ");
  return `mkdir -p /out && cp "$(find . -path '*/${output}/*.jar' ${not} -printf '%s\\t%p\\n' | sort -rn | head -n 1 | cut -f 2)" /out/app.jar`;
}

function runStage(plan: BuildPlan): Stage {
  return {
    name: "run",
    from: plan.run_image!.value,
    purpose: "The image that runs: no compiler, no root",
    env: {},
    steps: [take("build", "/out", "./")],
  };
}

function startOf(framework: string | null, from: string) {
  const options: Record<string, string> = {
    "Spring Boot": ' -Dserver.port="$PORT"',
    Quarkus: ' -Dquarkus.http.port="$PORT" -Dquarkus.http.host=0.0.0.0',
  };
  return { command: ["sh", "-c", `exec java${options[framework ?? ""] ?? ""} -jar app.jar`], from };
}

import type { BuildPlan, Choice } from "../../src/engine/build/plan.ts";
import type { JavaProject } from "./project.ts";

export interface BuildTool {
  choice: Choice<string>;
  image: string;
  command: string;
  caches: Record<string, string>;
  /** Directories of what was built, at the root and in each module. */
  output: string[];
  /** Shell line that puts what the build left into /out. */
  gather: string;
  web: BuildPlan["processes"][string];
}

/** What builds leave beside the program itself. */
const NOT_PROGRAMS = ["*-sources.jar", "*-javadoc.jar", "*-tests.jar", "*-plain.jar", "original-*"];

export function buildTool(project: JavaProject, java: string): BuildTool {
  return project.tool === "maven" ? maven(project, java) : gradle(project, java);
}

function maven(project: JavaProject, java: string): BuildTool {
  return {
    choice: { value: "maven", from: "pom.xml" },
    image: `maven:3-eclipse-temurin-${java}`,
    command: "mvn --batch-mode --no-transfer-progress -DskipTests package",
    caches: { maven: "/root/.m2/repository" },
    output: ["target"],
    gather: gatherJar("target"),
    web: startJar(project),
  };
}

function gradle(project: JavaProject, java: string): BuildTool {
  const { wrapper, manifest, framework } = project;
  const program = framework === null && hasLauncher(project.text);
  const task = program ? "installDist" : framework === "Quarkus" ? "quarkusBuild" : fatJarTask(project.text);
  const release = Number(java) >= 25 ? "9" : "8";
  return {
    choice: { value: "gradle", from: wrapper ? "gradlew" : manifest },
    image: wrapper ? `eclipse-temurin:${java}-jdk` : `gradle:${release}-jdk${java}`,
    command: `${wrapper ? "sh ./gradlew" : "gradle"} --no-daemon --console=plain ${task}`,
    caches: { gradle: "/root/.gradle" },
    output: ["build", ".gradle"],
    gather: program ? GATHER_LAUNCHER : gatherJar("libs"),
    web: program
      ? { command: ["/app/bin/app"], from: `the application plugin in ${manifest}` }
      : startJar(project),
  };
}

/** Gradle's application plugin leaves a start script beside its jars, unless a plugin packs everything into one. */
function hasLauncher(text: string): boolean {
  const packs =
    /com\.gradleup\.shadow|com\.github\.johnrengelman\.shadow|io\.ktor\.plugin|io\.micronaut\.application/;
  return (
    /\bid\s*\(?\s*['"]application['"]|^\s*application\s*$|apply plugin: ['"]application['"]/m.test(text) &&
    !packs.test(text)
  );
}

function fatJarTask(text: string): string {
  return /io\.ktor\.plugin/.test(text) ? "buildFatJar" : "assemble";
}

const GATHER_LAUNCHER =
  'mkdir -p /out && cp -r "$(find . -path "*/build/install/*" -prune -print | head -n 1)"/. /out/ && rm -f /out/bin/*.bat && mv /out/bin/* /out/bin/app';

/** The largest jar is the one that holds everything; Quarkus leaves a directory, unless it was told otherwise. */
function gatherJar(output: string): string {
  const not = NOT_PROGRAMS.map((name) => `! -name '${name}'`).join(" ");
  const largest = `find . -path '*/${output}/*.[jw]ar' ${not} -printf '%s\\t%p\\n' | sort -rn | head -n 1 | cut -f 2`;
  return [
    'mkdir -p /out && quarkus="$(find . -type d -name quarkus-app | head -n 1)" &&',
    'if [ -n "$quarkus" ]; then cp -r "$quarkus"/. /out/ && mv /out/quarkus-run.jar /out/app.jar;',
    `else cp "$(${largest})" /out/app.jar; fi`,
  ].join(" \\\n    ");
}

const OPTIONS = {
  "Spring Boot": ' -Dserver.port="$PORT"',
  Quarkus: ' -Dquarkus.http.port="$PORT" -Dquarkus.http.host=0.0.0.0',
};

function startJar({ framework, manifest }: JavaProject): BuildTool["web"] {
  const options = framework === null ? "" : OPTIONS[framework];
  return { command: ["sh", "-c", `exec java${options} -jar app.jar`], from: manifest };
}

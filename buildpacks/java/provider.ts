import type { BuildPlan } from "../../src/engine/build/plan.ts";
import { emptyPlan, type PlanContext, type Provider } from "../../src/engine/build/provider.ts";
import type { SourceTree } from "../../src/engine/build/tree.ts";
import { chooseVersion } from "../runtime-versions.ts";
import { copyAll, runTheirs, take } from "../steps.ts";
import { buildTool } from "./build-tool.ts";
import { javaManifest, readJavaProject } from "./project.ts";

/** Maven and Gradle projects: Spring Boot, Quarkus, and others that pack themselves into one jar. */
export const javaProvider: Provider = {
  name: "java",
  looks_for: "pom.xml, build.gradle or settings.gradle (Java, Kotlin)",
  start_from: "the jar that the build leaves",
  async detect(tree) {
    const manifest = await javaManifest(tree);
    return manifest === null ? null : [manifest];
  },
  plan: planJava,
};

async function planJava(tree: SourceTree, { evidence }: PlanContext): Promise<BuildPlan> {
  const manifest = evidence[0]!;
  const project = await readJavaProject(tree, manifest);
  const { version, warnings } = chooseVersion("java", project.wish);
  const tool = buildTool(project, version.value);
  const run = `eclipse-temurin:${version.value}-jre`;
  return {
    ...emptyPlan("java", evidence),
    versions: { java: version },
    framework: project.framework && { value: project.framework, from: manifest },
    package_manager: tool.choice,
    build_image: { value: tool.image, from: `${version.from}; ${tool.choice.from}` },
    run_image: { value: run, from: version.from },
    warnings,
    ignore: tool.output.flatMap((name) => [name, `*/${name}`]),
    env: { HOME: "/tmp", JAVA_TOOL_OPTIONS: "-XX:MaxRAMPercentage=75 -Djava.io.tmpdir=/tmp" },
    processes: { web: tool.web },
    stages: [
      {
        name: "build",
        from: tool.image,
        purpose: "The program",
        env: {},
        steps: [
          copyAll(),
          runTheirs(
            { value: `${tool.command} && \\\n    ${tool.gather}`, from: tool.choice.from },
            tool.caches,
          ),
        ],
      },
      {
        name: "run",
        from: run,
        purpose: "The image that runs: no compiler, no root",
        env: {},
        steps: [take("build", "/out", "./")],
      },
    ],
  };
}

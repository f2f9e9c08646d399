import { expect, test } from "bun:test";
import { serveRepositories } from "../support/git-server.ts";
import { Box } from "../support/start-box.ts";

test("an environment is listed under its app's name, once, and answers at a host name of its own", async () => {
  const git = await serveRepositories();
  await using box = await Box.start();
  await git.commit("blog", {
    Dockerfile: `FROM busybox:1.36\nCOPY index.html /www/index.html\nCMD ["httpd","-f","-p","8080","-h","/www"]\n`,
    "index.html": "staged",
  });
  await box.deploy({ repo_url: git.url("blog"), name: "blog@staging" });
  const { body } = await box.api<{ name: string; environment: string }>("GET", "/apps/blog@staging");
  expect({ name: body.name, environment: body.environment }).toEqual({
    name: "blog",
    environment: "staging",
  });
  expect(await (await box.host("blog-staging")).text()).toBe("staged");
  await git.stop();
}, 60_000);

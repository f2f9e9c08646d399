import { expect, test } from "bun:test";
import { parseAppJson, readAppJson } from "../../../src/engine/build/app-json.ts";
import { memoryTree } from "../../../src/engine/build/memory-tree.ts";

test("parseAppJson reads what Heroku's schema says of an app, and our own additions", () => {
  const app = parseAppJson(
    `\uFEFF${JSON.stringify({
      name: "Blog",
      env: {
        SESSION_KEY: { description: "Signs cookies", generator: "secret" },
        MODE: "production",
        LIMIT: { value: 3, required: true },
        MAIL: { required: false, pattern: ".+@.+" },
        PORT: "3000",
        DIPLO_APP: "x",
      },
      formation: { web: { quantity: 2, size: "Standard-1X" }, worker: {} },
      scripts: { postdeploy: "node seed.js", test: "npm test" },
      hooks: { pre_build: "./gen", release: "./migrate" },
      buildpacks: [{ url: "heroku/nodejs" }, "heroku/ruby"],
      addons: ["heroku-postgresql:mini", { plan: "heroku-redis", as: "CACHE" }],
      cron: [{ schedule: "0 * * * *", command: "./tidy" }],
    })}`,
  );
  const plain = { description: null, value: null, required: true, generator: null, pattern: null };
  expect(app).toEqual({
    env: {
      SESSION_KEY: { ...plain, description: "Signs cookies", generator: "secret" },
      MODE: { ...plain, value: "production" },
      LIMIT: { ...plain, value: "3" },
      MAIL: { ...plain, required: false, pattern: ".+@.+" },
    },
    formation: { web: { quantity: 2, size: "Standard-1X" }, worker: { quantity: null, size: null } },
    postdeploy: "node seed.js",
    hooks: { pre_build: "./gen", release: "./migrate", post_deploy: null },
    buildpacks: ["heroku/nodejs", "heroku/ruby"],
    addons: ["heroku-postgresql:mini", "heroku-redis"],
    cron: ["./tidy"],
  });
});

test("readAppJson answers nothing for a tree without one", async () => {
  expect(await readAppJson(memoryTree({}))).toMatchObject({ env: {}, addons: [], postdeploy: null });
});

test.each([
  ['{"env": {\n  "A": "x",\n}}', "line 3, column 1"],
  ["", "line 1, column 1"],
  ["[]", "the file: must be an object"],
  ['{"env": ["A"]}', "env: must be an object"],
  ['{"env": {"A B": "x"}}', "env.A B: is no name for a variable"],
  ['{"env": {"A": {"value": {}}}}', "env.A.value: must be a text"],
  ['{"env": {"A": {"value": "a\\u0000b"}}}', "env.A.value: no variable can hold it"],
  ['{"env": {"A": {"required": "no"}}}', "env.A.required: must be true or false"],
  ['{"env": {"A": {"generator": "uuid"}}}', 'env.A.generator: "secret" is the only one'],
  ['{"env": {"A": {"pattern": "(?=a)"}}}', "env.A.pattern: (?=a is not supported"],
  ['{"env": {"A": {"pattern": "[z-a]"}}}', "env.A.pattern: "],
  ['{"formation": {"web": {"quantity": "many"}}}', "formation.web.quantity: must be a number from 0 to 100"],
  ['{"formation": {"web": {"quantity": 101}}}', "formation.web.quantity"],
  ['{"formation": {"Web": {}}}', "formation.Web: is no name for a process"],
  ['{"scripts": {"postdeploy": ["a"]}}', "scripts.postdeploy: must be a text"],
  ['{"hooks": {"release": "a\\nb"}}', "hooks.release: a command is one line"],
  ['{"buildpacks": "heroku/nodejs"}', "buildpacks: must be a list"],
  ['{"addons": [{"as": "DB"}]}', "addons[0].plan: must be a text"],
])("parseAppJson refuses %s and says where", (text, where) => {
  expect(() => parseAppJson(text)).toThrow(where);
  expect(() => parseAppJson(text)).toThrow(expect.objectContaining({ code: "app_json_invalid" }));
});

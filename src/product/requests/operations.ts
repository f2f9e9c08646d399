import { Type as t } from "@sinclair/typebox";
import { invalid } from "../../errors.ts";
import { operation } from "../../operation.ts";
import { AppRef } from "../schema.ts";
import { PERIODS } from "./periods.ts";
import { RequestsInSlot, requestBody } from "./request-body.ts";

export const list = operation({
  verb: "requests",
  method: "GET",
  path: "/apps/:app/requests",
  summary: "Requests over time: how many, how answered, how fast",
  input: t.Object({
    app: AppRef,
    period: t.Union([t.Literal("1h"), t.Literal("24h"), t.Literal("7d"), t.Literal("90d")], {
      default: "1h",
      description: "The time that ends now; default 1h",
    }),
    interval: t.Optional(t.Integer({ minimum: 10, maximum: 86_400, description: "Seconds a slot" })),
  }),
  output: t.Array(RequestsInSlot),
  permission: "apps:read",
  args: ["app"],
  run: ({ input }, { requests, environments }) => {
    const { period_s, interval_s } = PERIODS[input.period];
    const interval = input.interval ?? interval_s;
    if (period_s / interval > MOST_SLOTS)
      throw invalid("interval", `makes more than ${MOST_SLOTS} slots`, "Choose a longer one.");
    if (interval % FINEST_S[input.period] !== 0)
      throw invalid("interval", `must be a multiple of ${FINEST_S[input.period]} for ${input.period}`);
    return requests.history(environments.find(input.app).id, period_s, interval).map(requestBody);
  },
});

const MOST_SLOTS = 500;
/** The shortest slots that are kept for so long. */
const FINEST_S = { "1h": 10, "24h": 60, "7d": 3600, "90d": 3600 } as const;

import type { HandRoute } from "../route.ts";
import { appRoutes } from "./app.tsx";
import { appActionRoutes } from "./app-actions.ts";
import { appConfigRoutes } from "./app-config.tsx";
import { appLogsRoutes } from "./app-logs.tsx";
import { appRequestsRoutes } from "./app-requests.tsx";
import { appSettingsRoutes } from "./app-settings.tsx";
import { appUsageRoutes } from "./app-usage.tsx";
import { assetRoutes } from "./asset-routes.ts";
import { boxRoutes } from "./box.tsx";
import { configRawRoutes } from "./config-raw.tsx";
import { deploymentRoutes } from "./deployment.tsx";
import { deploymentsRoutes } from "./deployments.tsx";
import { homeRoutes } from "./home.tsx";
import { jobsRoutes } from "./jobs.tsx";
import { newAppRoutes } from "./new-app.tsx";
import { newImageRoutes } from "./new-image.tsx";
import { registriesRoutes } from "./registries.tsx";
import { searchRoutes } from "./search.tsx";
import { settingsActionRoutes } from "./settings-actions.ts";
import { signInRoutes } from "./sign-in.tsx";
import { sourceActionRoutes } from "./source-actions.ts";
import { tokensRoutes } from "./tokens.tsx";

/** Every page, form, stream and file of the dashboard, each with its authorisation. */
export const webRoutes: HandRoute[] = [
  ...assetRoutes,
  ...signInRoutes,
  ...homeRoutes,
  ...searchRoutes,
  ...newAppRoutes,
  ...newImageRoutes,
  ...appRoutes,
  ...appActionRoutes,
  ...deploymentsRoutes,
  ...deploymentRoutes,
  ...appLogsRoutes,
  ...appUsageRoutes,
  ...appRequestsRoutes,
  ...appConfigRoutes,
  ...configRawRoutes,
  ...appSettingsRoutes,
  ...settingsActionRoutes,
  ...sourceActionRoutes,
  ...jobsRoutes,
  ...boxRoutes,
  ...tokensRoutes,
  ...registriesRoutes,
];

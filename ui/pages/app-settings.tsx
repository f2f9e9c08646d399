import { CommandLine } from "../components/copyable.tsx";
import { pathTo } from "../components/escape.ts";
import { Field, type FieldErrors, Select, Submit } from "../components/field.tsx";
import { Form } from "../components/form.tsx";
import { Notice, type NoticeView } from "../components/notice.tsx";
import { AppHeader, type AppHeading, appRef } from "../partials/app-header.tsx";
import { DangerZone } from "../partials/danger-zone.tsx";
import { Processes, type ProcessView } from "../partials/processes.tsx";
import {
  SourceAccess,
  type SourceAccessView,
  WatchPaths,
  type WatchPathsView,
} from "../partials/source-access.tsx";
import { SourceSettings, type SourceView } from "../partials/source-settings.tsx";
import { Storage, type VolumeView } from "../partials/storage.tsx";
import { TrafficFields } from "../partials/traffic-fields.tsx";

/** Fields as a person typed them, by name: `health.path`, `limits.memory` … */
export type SettingValues = Record<string, string>;

export interface AppSettingsView {
  app: AppHeading & { port: number };
  values: SettingValues;
  errors: FieldErrors;
  processes: ProcessView[];
  source: SourceView | null;
  access: SourceAccessView;
  watch: WatchPathsView;
  volumes: VolumeView[];
  /** The mount path and the deletion's typed name, after they were refused. */
  draft: { mount_path: string; confirm: string };
  notice?: NoticeView | undefined;
}

export function AppSettingsPage(view: AppSettingsView) {
  const ref = appRef(view.app);
  const base = pathTo`/apps/${ref}`;
  return (
    <div id="page">
      <AppHeader app={view.app} tab="settings" />
      <Notice notice={view.notice} />
      <Processes processes={view.processes} base={base} errors={view.errors} />
      <Form action={`${base}/settings`} class="stack" label="Health and limits">
        <HealthFields values={view.values} errors={view.errors} />
        <LimitFields values={view.values} errors={view.errors} />
        <TrafficFields values={view.values} errors={view.errors} />
        <p class="actions">
          <Submit text="Save" busy="Saving…" />
          <span class="faint">
            A new release follows where health, limits or port change and the app runs.
          </span>
        </p>
      </Form>
      <SourceSettings source={view.source} appRef={ref} base={base} errors={view.errors} />
      {view.source === null || view.source.kind === "git" ? (
        <>
          <SourceAccess {...view.access} base={base} errors={view.errors} />
          <WatchPaths watch={view.watch} base={base} errors={view.errors} />
        </>
      ) : null}
      <Storage volumes={view.volumes} base={base} draft={view.draft} errors={view.errors} />
      <DangerZone
        name={ref}
        base={base}
        volumes={view.volumes}
        draft={view.draft}
        error={view.errors.confirm}
      />
      <CommandLine command={`diplo apps:set -a ${ref} --health.path /up --limits.memory 1g`} />
    </div>
  );
}

interface Part {
  values: SettingValues;
  errors: FieldErrors;
}

function HealthFields({ values, errors }: Part) {
  const field = (name: string) => ({ name, value: values[name] ?? "", error: errors[name] });
  return (
    <section aria-labelledby="health-title">
      <h2 id="health-title">Health</h2>
      <div class="grid">
        <Select
          {...selectOf("health.type", values)}
          label="Checked by"
          error={errors["health.type"]}
          options={[
            { value: "http", text: "HTTP: any answer below 500" },
            { value: "tcp", text: "TCP: the port is open" },
            { value: "none", text: "nothing" },
          ]}
        />
        <Field {...field("health.path")} label="Path" mono pattern="/\S*" />
        <Field
          {...field("health.start_deadline_s")}
          label="Must be healthy within"
          type="number"
          min={5}
          max={3600}
          unit="s"
        />
        <Field
          {...field("health.interval_s")}
          label="Checked every"
          type="number"
          min={1}
          max={3600}
          unit="s"
        />
        <Field
          {...field("health.timeout_s")}
          label="Answer within"
          type="number"
          min={1}
          max={300}
          unit="s"
        />
        <Field
          {...field("health.unhealthy_after")}
          label="Unhealthy after"
          type="number"
          min={1}
          max={10}
          unit="failures in a row"
        />
      </div>
    </section>
  );
}

function LimitFields({ values, errors }: Part) {
  const field = (name: string) => ({ name, value: values[name] ?? "", error: errors[name] });
  return (
    <section aria-labelledby="limits-title">
      <h2 id="limits-title">Limits and release</h2>
      <div class="grid">
        <Field
          {...field("limits.memory")}
          label="Memory"
          mono
          pattern="[1-9][0-9]*[kmg]?"
          hint="As in 512m or 1g"
        />
        <Field
          {...field("limits.cpus")}
          label="CPUs"
          type="number"
          min={0.01}
          max={512}
          step="0.01"
          hint="Empty: no limit"
        />
        <Field
          {...field("limits.pids")}
          label="Processes and threads"
          type="number"
          min={8}
          max={1_000_000}
        />
        <Field
          {...field("port")}
          label="Port in the container"
          type="number"
          min={1}
          max={65535}
          hint="PORT; empty: what the build found"
        />
        <Select
          {...selectOf("strategy", values)}
          label="Change of release"
          error={errors.strategy}
          options={[
            { value: "rolling", text: "rolling: new before old" },
            { value: "recreate", text: "recreate: old goes first" },
          ]}
        />
        <Field
          {...field("drain_s")}
          label="Requests may finish within"
          type="number"
          min={0}
          max={3600}
          unit="s"
        />
        <Field {...field("stop_grace_s")} label="Time to stop" type="number" min={0} max={600} unit="s" />
        <Select
          {...selectOf("access_log", values)}
          label="Access log"
          error={errors.access_log}
          options={[
            { value: "off", text: "off" },
            { value: "json", text: "JSON: every fact" },
            { value: "combined", text: "combined: as Apache and nginx write" },
          ]}
        />
        <Field
          {...field("build_timeout_s")}
          label="A build may take"
          type="number"
          min={10}
          max={7200}
          unit="s"
        />
      </div>
    </section>
  );
}

const selectOf = (name: string, values: SettingValues) => ({ name, value: values[name] ?? "" });

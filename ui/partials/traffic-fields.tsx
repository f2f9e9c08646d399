import { Field, type FieldErrors, Select } from "../components/field.tsx";

/** How requests find an instance, and what happens when none come. Part of the settings form. */
export function TrafficFields({ values, errors }: { values: Record<string, string>; errors: FieldErrors }) {
  const field = (name: string) => ({ name, value: values[name] ?? "", error: errors[name] });
  return (
    <section aria-labelledby="traffic-title">
      <h2 id="traffic-title">Requests and sleep</h2>
      <div class="grid">
        <Select
          {...field("balance")}
          label="An instance is chosen"
          options={[
            { value: "round_robin", text: "by turns" },
            { value: "least_connections", text: "by fewest open requests" },
            { value: "random", text: "by chance, the less busy of two" },
            { value: "ip_hash", text: "by the client's address" },
          ]}
        />
        <Select
          {...field("sticky")}
          label="A client comes back to its instance"
          hint="By a cookie that the app does not see"
          options={[
            { value: "false", text: "no" },
            { value: "true", text: "yes" },
          ]}
        />
        <Field
          {...field("idle_timeout_s")}
          label="Sleeps after"
          type="number"
          min={1}
          max={2_592_000}
          unit="s without use"
          hint="Empty: never. 600 suits most; other processes than web stay awake"
        />
        <Field
          {...field("wake_deadline_s")}
          label="A request that wakes it waits"
          type="number"
          min={5}
          max={600}
          unit="s at most"
        />
      </div>
    </section>
  );
}

import { Copyable } from "../components/copyable.tsx";
import { formatMany } from "../components/format.ts";
import { instanceState, State } from "../components/state.tsx";
import { TimeAgo } from "../components/time-ago.tsx";

export interface InstanceView {
  id: string;
  name: string;
  process: string;
  release: number;
  status: string;
  routed: boolean;
  /** null = files that the proxy serves. */
  address: string | null;
  restarts: number;
  last_exit: { exit_code: number; oom_killed: boolean; at: string } | null;
  created_at: string;
}

export interface InstancesProps {
  instances: InstanceView[];
  counts: { wanted: number; running: number };
  now: number;
}

/** What runs of an app, and what it was that last ended. */
export function Instances({ instances, counts, now }: InstancesProps) {
  return (
    <section aria-labelledby="instances-title">
      <h2 id="instances-title" safe>
        {counts.wanted === 0 ? "Instances" : `Instances, ${counts.running} of ${counts.wanted} running`}
      </h2>
      {instances.length === 0 ? (
        <p class="faint">No instance runs.</p>
      ) : (
        <table class="rows">
          <thead>
            <tr>
              <th scope="col">State</th>
              <th scope="col">Process</th>
              <th scope="col">Release</th>
              <th scope="col">Address</th>
              <th scope="col">Since</th>
              <th scope="col">Last exit</th>
            </tr>
          </thead>
          <tbody>
            {instances.map((instance) => (
              <InstanceRow instance={instance} now={now} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function InstanceRow({ instance, now }: { instance: InstanceView; now: number }) {
  return (
    <tr>
      <td>
        <State {...instanceState(instance.status)} />
        {instance.routed ? <span class="sub">serves</span> : null}
      </td>
      <th scope="row">
        <Copyable value={instance.name} show={instance.process} label="the instance's name" />
      </th>
      <td class="num" data-label="Release" safe>{`v${instance.release}`}</td>
      <td data-label="Address">
        {instance.address === null ? (
          <span class="faint">served by the proxy, no container</span>
        ) : (
          <code safe>{instance.address}</code>
        )}
      </td>
      <td data-label="Since">
        <TimeAgo at={instance.created_at} now={now} />
        {instance.restarts > 0 ? (
          <span class="sub bad" safe>
            {formatMany(instance.restarts, "restart")}
          </span>
        ) : null}
      </td>
      <td data-label="Last exit">
        {instance.last_exit ? (
          <span safe>{exitWords(instance.last_exit)}</span>
        ) : (
          <span class="faint">none</span>
        )}
      </td>
    </tr>
  );
}

const exitWords = (exit: { exit_code: number; oom_killed: boolean }): string =>
  exit.oom_killed ? "out of memory" : `code ${exit.exit_code}`;

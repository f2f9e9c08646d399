import { formatCount } from "../components/format.ts";
import { type RequestsInSlot, Sparkline } from "../components/sparkline.tsx";

/** A day of requests: figure, drawing, and a table for those who cannot see it. */
export function Requests({ slots }: { slots: RequestsInSlot[] }) {
  const total = slots.reduce((sum, slot) => sum + slot.requests, 0);
  const errors = slots.reduce((sum, slot) => sum + slot.errors, 0);
  return (
    <section aria-labelledby="requests-title" class="requests">
      <h2 id="requests-title">Requests, 24 h</h2>
      <p>
        <strong class="figure num" safe>
          {formatCount(total)}
        </strong>{" "}
        {errors > 0 ? <span class="bad" safe>{`${formatCount(errors)} failed`}</span> : null}
      </p>
      {total > 0 ? (
        <Sparkline slots={slots} span="24 h" />
      ) : (
        <p class="faint">Nobody has asked for it yet.</p>
      )}
      <div class="away">
        <table>
          <caption>Requests by half hour</caption>
          <tbody>
            {slots
              .filter((slot) => slot.requests > 0)
              .map((slot) => (
                <tr>
                  <th scope="row" safe>
                    {new Date(slot.start).toISOString().slice(11, 16)}
                  </th>
                  <td>{slot.requests}</td>
                  <td>{slot.errors}</td>
                </tr>
              ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

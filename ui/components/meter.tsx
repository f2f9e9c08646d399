/** A share of a whole as a bar. The words beside it carry the figures. */
export function Meter({ share, warnAt = 0.85 }: { share: number; warnAt?: number }) {
  const width = Math.round(Math.min(1, Math.max(0, share)) * 100);
  return (
    `<svg class="meter${share >= warnAt ? " high" : ""}" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">` +
    `<rect class="ground" width="100" height="6"/><rect class="fill" width="${width}" height="6"/></svg>`
  );
}

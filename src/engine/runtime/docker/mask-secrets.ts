const MASK = "****";
/** Anything shorter stands in half of all lines; nobody's secret is `true` or `80`. */
const MIN_LENGTH = 4;

/**
 * Hides the given values wherever they stand in a line, for the output of builds that print their own environment.
 * Of a value with several lines each line is hidden.
 */
export function maskSecrets(values: string[]): (text: string) => string {
  const parts = new Set(
    values.flatMap((value) => [value, ...value.split(/\r?\n/)]).map((part) => part.trim()),
  );
  // The longest first: a secret that contains another must not leave its rest behind.
  const known = [...parts].filter((part) => part.length >= MIN_LENGTH).sort((a, b) => b.length - a.length);
  return (text) => known.reduce((masked, secret) => masked.replaceAll(secret, MASK), text);
}

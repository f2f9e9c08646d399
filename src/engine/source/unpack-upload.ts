export async function unpackUpload(
  _id: string,
  _o: { uploads: string; directory: string; signal: AbortSignal },
): Promise<{ archive_sha256: string }> {
  throw new Error("uploads come next");
}

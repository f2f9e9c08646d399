/** Where an app's code comes from, as a person gave it. Stored with the app; holds no secret. */
export type SourceSpec =
  | {
      kind: "git";
      /** https://, http:// (loopback or LAN only), git://, file:// or an absolute path; ssh:// with a deploy key later. */
      repo_url: string;
      branch: string | null;
      tag: string | null;
      commit: string | null;
      /** Directory inside the repository, "" for its root. */
      subdirectory: string;
    }
  /** A directory that the CLI sent: an archive under <data>/uploads/<upload_id>. */
  | { kind: "upload"; upload_id: string; subdirectory: string }
  /** A prebuilt image by name; with a tag it is looked up anew by each deployment. */
  | { kind: "image"; image: string };

/** What brings a tree that has to be built. */
export type TreeSource = Exclude<SourceSpec, { kind: "image" }>;

/** Secrets to reach a private source. Held in memory only while fetching. */
export type SourceCredential =
  | { kind: "token"; token: string }
  | { kind: "password"; username: string; password: string }
  | { kind: "deploy_key"; private_key: string };

/** A tree on disk, ready to be planned. */
export interface WorkingTree {
  /** Absolute path of the whole repository. */
  root: string;
  /** Absolute path of the (sub)directory that is the app. */
  directory: string;
  /** Full commit id; null for an upload. */
  commit: string | null;
  /** sha256 of an uploaded archive; null for git. */
  archive_sha256: string | null;
  /** First line of the commit message. */
  message: string | null;
  author: string | null;
  /** Branch or tag that was resolved. */
  ref: string | null;
}

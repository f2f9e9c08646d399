import { type Static, Type as t } from "@sinclair/typebox";

/** One of doctor's findings, as the API shows it. */
export const DoctorCheck = t.Object({
  name: t.String(),
  status: t.Union([t.Literal("ok"), t.Literal("warning"), t.Literal("fault")]),
  detail: t.String(),
  remedy: t.Union([t.String(), t.Null()]),
});
export type DoctorCheck = Static<typeof DoctorCheck>;

/** A check's three possible outcomes; what is wrong always comes with what to do about it. */
export const well = (name: string, detail: string): DoctorCheck => ({
  name,
  status: "ok",
  detail,
  remedy: null,
});

export const warning = (name: string, detail: string, remedy: string): DoctorCheck => ({
  name,
  status: "warning",
  detail,
  remedy,
});

export const fault = (name: string, detail: string, remedy: string): DoctorCheck => ({
  name,
  status: "fault",
  detail,
  remedy,
});

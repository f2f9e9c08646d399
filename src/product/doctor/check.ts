import type { DoctorCheck } from "../schema.ts";

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

// What a program does with the API, written against the types made of the merged document.
import createClient from "openapi-fetch";
import type { components, operations, paths } from "./schema.js";

type Incident = components["schemas"]["Incident"];
type Problem = components["schemas"]["Problem"];
type TaskFilter = NonNullable<operations["list_tasks"]["parameters"]["query"]>;

const api = createClient<paths>({ baseUrl: "http://127.0.0.1:8080" });

export async function report(serviceId: string, title: string): Promise<Incident> {
  const { data, error } = await api.POST("/service-catalog/v1/incidents", {
    params: { header: { "Idempotency-Key": title } },
    body: { service_id: serviceId, title, impact: "high", urgency: "low" },
  });
  if (error) throw refused(error);
  return data;
}

export async function rename(projectId: string, taskId: string, version: number, name: string): Promise<string | null> {
  const { data, error } = await api.PATCH("/project-tracker/v1/projects/{project_id}/tasks/{task_id}", {
    params: { path: { project_id: projectId, task_id: taskId }, header: { "If-Match": `"${version}"` } },
    body: { name, deadline_at: null },
  });
  if (error) throw refused(error);
  // What may be null is said to be, and every field is there.
  const deadline: string | null = data.deadline_at;
  return deadline;
}

export async function everyTask(projectId: string, filter: TaskFilter): Promise<string[]> {
  const codes: string[] = [];
  let after: string | null = null;
  do {
    const page: { data?: components["schemas"]["TaskPage"]; error?: Problem } = await api.GET(
      "/project-tracker/v1/projects/{project_id}/tasks",
      { params: { path: { project_id: projectId }, query: { ...filter, ...(after === null ? {} : { after }) } } },
    );
    if (page.data === undefined) throw refused(page.error);
    codes.push(...page.data.items.map((task) => task.wbs));
    after = page.data.next;
  } while (after !== null);
  return codes;
}

export async function availability(serviceId: string): Promise<string | null> {
  const { data } = await api.GET("/kpi-engine/v1/kpis/{code}/values", {
    params: {
      path: { code: "availability" },
      query: { subject_type: "service", subject_id: serviceId, from: "2026-01-01", to: "2026-02-01", grain: "month" },
    },
  });
  const value = data?.items[0];
  return value === undefined || value.status !== "ok" ? null : value.value;
}

// @ts-expect-error: what is needed is asked for
export const incomplete: components["schemas"]["NewIncident"] = { title: "No service" };

function refused(problem: Problem | undefined): Error {
  const first = problem?.errors?.[0];
  return new Error(`${problem?.code}: ${first === undefined ? problem?.detail : first.pointer}`);
}

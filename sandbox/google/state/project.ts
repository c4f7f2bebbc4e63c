/** The one project that the sandbox has: names in requests in, their canonical parts out. */
import { ApiError, invalidArgument } from '../wire/api-error.ts';

export interface Project {
  readonly id: string;
  /** Decimal digits. */
  readonly number: string;
}

interface Location {
  readonly location: string;
  /** `projects/NUMBER/locations/LOCATION`, as services write it in names. */
  readonly name: string;
}

/** @throws ApiError 403 for any project but ours: that is all that Google tells about foreign ones. */
export function checkProject(project: Project, given: string): void {
  if (given === project.id || given === project.number) return;
  throw new ApiError('PERMISSION_DENIED', `Permission denied on resource project ${given}.`, [
    {
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      reason: 'CONSUMER_INVALID',
      domain: 'googleapis.com',
      metadata: { consumer: `projects/${given}` },
    },
  ]);
}

/** `projects/P` in, the same with our project's id out. */
export function parseProject(project: Project, name: string): string {
  const [projects, id, ...rest] = name.split('/');
  if (projects !== 'projects' || id === undefined || rest.length > 0) {
    throw invalidArgument(`Invalid name: ${name}`);
  }
  checkProject(project, id);
  return `projects/${project.id}`;
}

/** Takes a name apart that starts with `projects/P/locations/L`, and gives what comes after. */
export function parseName(
  project: Project,
  name: string,
): Location & { readonly rest: readonly string[] } {
  const [projects, id, locations, location, ...rest] = name.split('/');
  if (projects !== 'projects' || id === undefined) throw invalidArgument(`Invalid name: ${name}`);
  checkProject(project, id);
  if (
    locations !== 'locations' ||
    location === undefined ||
    !/^[a-z][a-z0-9-]{0,62}$/.test(location)
  ) {
    throw invalidArgument(`Invalid location in name: ${name}`);
  }
  return { location, name: `projects/${project.number}/locations/${location}`, rest };
}

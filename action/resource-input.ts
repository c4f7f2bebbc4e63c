/** The input `job`: how a workflow names a build or a job in, its checked name out. Pure. */

export type ResourceKind = 'job' | 'build';

export interface ResourceName {
  readonly kind: ResourceKind;
  /** `projects/P/locations/R/customJobs/ID` or `…/builds/ID` */
  readonly name: string;
  /** Whose log is read and whose console is linked. */
  readonly project: string;
  readonly region: string;
}

const pattern =
  /^projects\/((?:[a-z0-9.-]{1,60}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]|\d{1,20})\/locations\/([a-z]+-[a-z]+\d+|global)\/(customJobs|builds)\/([A-Za-z0-9][A-Za-z0-9-]{0,62})$/;

/** What a bare id is looked for in. */
interface Where {
  readonly projectId: string;
  readonly region: string;
  readonly buildRegion: string;
}

/**
 * A resource name, as the output `job` has it, or the id of a job or of a build alone. Google answers with the
 * project's number; then `project_id` is its id. Undefined when it is none of these.
 */
export function parseResource(text: string, where: Where): ResourceName | undefined {
  const { projectId } = where;
  if (/^\d{1,20}$/.test(text)) {
    const name = `projects/${projectId}/locations/${where.region}/customJobs/${text}`;
    return { kind: 'job', name, project: projectId, region: where.region };
  }
  if (/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)) {
    const name = `projects/${projectId}/locations/${where.buildRegion}/builds/${text}`;
    return { kind: 'build', name, project: projectId, region: where.buildRegion };
  }
  const [, project = '', region = '', collection] = pattern.exec(text) ?? [];
  if (collection === undefined || (collection === 'customJobs' && region === 'global')) {
    return undefined;
  }
  return {
    kind: collection === 'builds' ? 'build' : 'job',
    name: text,
    project: /^\d+$/.test(project) ? projectId : project,
    region,
  };
}

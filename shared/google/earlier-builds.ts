/** The `EarlierBuilds` port over Cloud Build's records, for callers that keep none of their own. */
import type { Builds, EarlierBuilds } from '../ports.ts';

export function createEarlierBuilds(builds: Pick<Builds, 'findByTag'>): EarlierBuilds {
  return {
    find: async ({ project, region, contentTag }) => {
      const found = await builds.findByTag({ project, region, tag: contentTag });
      return found
        .filter(({ status }) => status === 'success')
        .map(({ name, images }) => ({ build: name, images }));
    },
  };
}
